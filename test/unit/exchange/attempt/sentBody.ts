import assert from 'node:assert/strict';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../../server/base/json.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import * as catalog from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { buildOutgoing, spokenBy } from '../../../../server/exchange/attempt/outgoing.ts';
import { encodedConversation, type ExchangeInput } from '../../../../server/exchange/request.ts';
import { watchedWords } from '../../../../server/inbound/http/inference.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { chooseProtocol, protocolsOf } from '../../../../server/routing/chooseProtocol.ts';

export interface SentBody { url: string; protocol: ProtocolName; text: string; body: JsonObject; changes: readonly string[]; passThrough: boolean }

/**
 * What a provider is sent.
 * @param caller the caller's protocol with its body, or the conversation of an editor
 */
export function sentBody(settings: Record<string, unknown>, model: string, caller: { protocol: ProtocolName; body: JsonObject } | ConversationRequest, stream = false): SentBody {
  const asked = 'protocol' in caller ? caller : undefined;
  const conversation = (): ConversationRequest => (asked === undefined ? caller as ConversationRequest : (codecFor(asked.protocol) ?? assert.fail()).decodeRequest(asked.body));
  const bytes = Buffer.from(JSON.stringify(asked?.body ?? {}));
  const tools = asked === undefined ? (caller as ConversationRequest).tools.length > 0 : asked.body.tools !== undefined;
  const input: ExchangeInput = {
    id: 'x', inbound: asked === undefined ? 'lsp' : 'http', protocol: asked?.protocol ?? 'editor', requestedModel: 'm', stream, caller: { tool: 'test' }, patienceMs: 0,
    requirements: { tools, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
    body: encodedConversation(asked === undefined ? undefined : { bytes, scan: scanObject(bytes, watchedWords) ?? assert.fail(), protocolHeaders: {}, includeUsage: true }, false, conversation),
  };
  const { config, problems } = resolveConfig({ endpoints: { it: settings }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  assert.deepEqual(problems, []);
  const endpoint = chooseProtocol(protocolsOf(config.endpoints.get('it') ?? assert.fail(), model), { tools, ...spokenBy(input) });
  const outgoing = buildOutgoing({
    input, target: { target: `it/${model}`, endpoint: 'it', model, upstreamModel: model }, endpoint, codec: codecFor(endpoint.protocol) ?? assert.fail(),
    key: { id: '1', label: 'a', secret: 'secret' }, maxOutputTokens: undefined, stripReasoning: false,
  });
  const text = Buffer.concat([...outgoing.request.body ?? []]).toString('utf8');
  const body = parseJson(text);
  assert.ok(isObject(body), text);
  return { url: outgoing.request.url, protocol: endpoint.protocol, text, body, changes: outgoing.changes, passThrough: outgoing.passThrough };
}
