import assert from 'node:assert/strict';
import { protocolNames, type ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../../server/base/json.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import * as catalog from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { buildOutgoing, spokenBy } from '../../../../server/exchange/attempt/outgoing.ts';
import { encodedConversation, type ExchangeInput } from '../../../../server/exchange/request.ts';
import { watchedWords } from '../../../../server/inbound/http/inference.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { chooseProtocol, protocolsOf } from '../../../../server/routing/chooseProtocol.ts';

export interface Sent { text: string; body: JsonObject; changes: readonly string[]; passThrough: boolean; names: (name: string) => string }

/** What a provider is sent for the bytes of a caller. @throws AssertionError */
export function send(provider: string, model: string, protocol: ProtocolName, body: JsonObject | string, maxOutputTokens?: number): Sent {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const codec = codecFor(protocol) ?? assert.fail();
  const value = parseJson(bytes.toString('utf8'));
  const asked = isObject(value) ? value : assert.fail();
  const limitField = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'].find(name => asked[name] !== undefined);
  const input: ExchangeInput = {
    id: 'x', inbound: 'http', protocol, requestedModel: 'm', stream: false, caller: { tool: 'test' }, patienceMs: 0,
    requirements: { tools: asked.tools !== undefined, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10, maxOutputTokens: limitField === undefined ? undefined : Number(asked[limitField]) },
    body: encodedConversation({ bytes, scan: scanObject(bytes, watchedWords) ?? assert.fail(), protocolHeaders: {}, includeUsage: true, limitField }, false, () => codec.decodeRequest(asked)),
  };
  const settings = { provider, ...(provider.endsWith('-compatible') ? { baseUrl: 'https://relay.test/v1' } : {}) };
  const { config } = resolveConfig({ endpoints: { it: settings }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  const endpoint = chooseProtocol(protocolsOf(config.endpoints.get('it') ?? assert.fail(), model), { tools: input.requirements.tools, ...spokenBy(input) });
  const outgoing = buildOutgoing({
    input, target: { target: `it/${model}`, endpoint: 'it', model, upstreamModel: model }, endpoint, codec: codecFor(endpoint.protocol) ?? assert.fail(),
    key: { id: '1', label: 'a', secret: 'secret' }, maxOutputTokens, stripReasoning: false,
  });
  const text = Buffer.concat([...outgoing.request.body ?? []]).toString('utf8');
  const sent = parseJson(text);
  assert.ok(isObject(sent), text);
  return {
    text, body: sent, changes: outgoing.changes, passThrough: outgoing.passThrough,
    names: name => outgoing.codec.decodeResponse(calling(endpoint.protocol, name), {}).find(event => event.type === 'tool-call-start')?.name ?? '',
  };
}

/** An answer that calls a tool. */
function calling(protocol: ProtocolName, name: string): JsonObject {
  switch (protocol) {
    case 'openai-chat': return { choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name, arguments: '{}' } }] } }] };
    case 'openai-responses': return { status: 'completed', output: [{ type: 'function_call', id: 'fc_1', call_id: 'c', name, arguments: '{}', status: 'completed' }] };
    case 'anthropic-messages': return { type: 'message', role: 'assistant', content: [{ type: 'tool_use', id: 'c', name, input: {} }], stop_reason: 'tool_use' };
    case 'gemini': return { candidates: [{ content: { role: 'model', parts: [{ functionCall: { name, args: {} } }] }, finishReason: 'STOP' }] };
  }
}
