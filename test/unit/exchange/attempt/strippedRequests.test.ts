import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames, type ProtocolName } from '../../../../server/api/conversation.ts';
import { isObject, parseJson, type JsonObject } from '../../../../server/base/json.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import * as catalog from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { buildOutgoing } from '../../../../server/exchange/attempt/outgoing.ts';
import { encodedConversation, type ExchangeInput } from '../../../../server/exchange/request.ts';
import { watchedWords } from '../../../../server/inbound/http/inference.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

/** What is sent once more after a provider refused the reasoning in a request of its own protocol. */
function stripped(provider: string, protocol: ProtocolName, model: string, asked: JsonObject): JsonObject {
  const bytes = Buffer.from(JSON.stringify(asked));
  const input: ExchangeInput = {
    id: 'x', inbound: 'http', protocol, requestedModel: 'm', stream: false, caller: { tool: 'test' }, patienceMs: 0,
    requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 10 },
    body: encodedConversation({ bytes, scan: scanObject(bytes, watchedWords) ?? assert.fail(), protocolHeaders: {}, includeUsage: true }, false, () => (codecFor(protocol) ?? assert.fail()).decodeRequest(asked)),
  };
  const { config } = resolveConfig({ endpoints: { it: { provider, protocol } }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  const outgoing = buildOutgoing({
    input, target: { target: `it/${model}`, endpoint: 'it', model, upstreamModel: model }, endpoint: config.endpoints.get('it') ?? assert.fail(), codec: codecFor(protocol) ?? assert.fail(),
    key: { id: '1', label: 'a', secret: 'secret' }, maxOutputTokens: undefined, stripReasoning: true,
  });
  const body = parseJson(Buffer.concat([...outgoing.request.body ?? []]).toString('utf8'));
  return isObject(body) ? body : assert.fail();
}

describe('what a target refuses beside foreign reasoning is made fit in the request without it', () => {
  test('OpenAI: ids of items', () => {
    const { input } = stripped('openai', 'openai-responses', 'o3', {
      model: 'm', input: [{ type: 'message', role: 'user', content: 'hi' }, { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }, { type: 'message', role: 'assistant', id: 'item_2', content: [{ type: 'output_text', text: 'a', annotations: [] }] }, { type: 'message', role: 'user', content: 'on' }],
    });
    assert.doesNotMatch(JSON.stringify(input), /item_2|rs_1/);
  });

  test('Anthropic: types of pictures', () => {
    const { messages } = stripped('anthropic', 'anthropic-messages', 'claude-sonnet-4-5', {
      model: 'm', max_tokens: 10, messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/jpg', data: '/9j/4AAQ' } }] }, { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 's' }, { type: 'text', text: 'a' }] }, { role: 'user', content: 'on' },
      ],
    });
    assert.match(JSON.stringify(messages), /image\/jpeg/);
    assert.doesNotMatch(JSON.stringify(messages), /signature/);
  });
});
