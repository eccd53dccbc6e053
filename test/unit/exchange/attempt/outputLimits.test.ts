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
import { readRequestFacts } from '../../../../server/inbound/http/request/requirements.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

interface Facts { maxOutputTokens?: number; contextWindow?: number; learnt?: number }

/** What a target with these facts is sent for a caller's body, as the endpoint reads and routes it. */
function sent(provider: string, model: string, caller: ProtocolName, asked: JsonObject, facts: Facts): { body: JsonObject; changes: readonly string[] } {
  const bytes = Buffer.from(JSON.stringify(asked));
  const scan = scanObject(bytes, watchedWords) ?? assert.fail();
  const read = readRequestFacts(caller, bytes, scan, caller === 'gemini' ? { model: 'm', stream: false } : {}) ?? assert.fail();
  const input: ExchangeInput = {
    id: 'x', inbound: 'http', protocol: caller, requestedModel: 'm', stream: false, caller: { tool: 'test' }, patienceMs: 0, requirements: read.requirements,
    body: encodedConversation({ bytes, scan, protocolHeaders: {}, includeUsage: true, limitField: read.limitField }, false, () => (codecFor(caller) ?? assert.fail()).decodeRequest(asked)),
  };
  const { config } = resolveConfig({ endpoints: { it: { provider, ...(provider.endsWith('-compatible') ? { baseUrl: 'http://127.0.0.1:9' } : {}) } }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  const endpoint = config.endpoints.get('it') ?? assert.fail();
  const outgoing = buildOutgoing({
    input, target: { target: `it/${model}`, endpoint: 'it', model, upstreamModel: model }, endpoint, codec: codecFor(endpoint.protocol) ?? assert.fail(), key: { id: '1', label: 'a', secret: 'secret' },
    maxOutputTokens: facts.maxOutputTokens, contextWindow: facts.contextWindow, stripReasoning: false,
    repairs: facts.learnt === undefined ? undefined : [{ kind: 'output-limit', most: facts.learnt }],
  });
  const body = parseJson(Buffer.concat([...outgoing.request.body ?? []]).toString('utf8'));
  return { body: isObject(body) ? body : assert.fail(), changes: outgoing.changes };
}

const user = { role: 'user', content: 'hi' };
const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
const long = { role: 'user', content: 'word '.repeat(4000) };
const lowered = (tokens: number): string => `the output limit was lowered to ${tokens}`;

describe('a limit above what the model can write is lowered', () => {
  test('in the bytes of each protocol', () => {
    const chat = sent('openai', 'gpt-4o', 'openai-chat', { model: 'm', messages: [user], max_completion_tokens: 20_000 }, { maxOutputTokens: 16_384 });
    assert.deepEqual([chat.body.max_completion_tokens, chat.changes], [16_384, [lowered(16_384)]]);
    const messages = sent('anthropic', 'claude-opus-4-5', 'anthropic-messages', { model: 'm', max_tokens: 128_001, messages: [user] }, { maxOutputTokens: 64_000 });
    assert.deepEqual([messages.body.max_tokens, messages.changes], [64_000, [lowered(64_000)]]);
    const gemini = sent('gemini', 'gemini-2.5-pro', 'gemini', { contents, generationConfig: { maxOutputTokens: 70_000, temperature: 1 } }, { maxOutputTokens: 65_536 });
    assert.deepEqual([gemini.body.generationConfig, gemini.changes], [{ maxOutputTokens: 65_536, temperature: 1 }, [lowered(65_536)]]);
  });

  test('for a caller of Gemini whose request is translated', () => {
    const { body, changes } = sent('anthropic', 'claude-opus-4-5', 'gemini', { contents, generationConfig: { maxOutputTokens: 200_000 } }, { maxOutputTokens: 64_000 });
    assert.deepEqual([body.max_tokens, changes.includes(lowered(64_000))], [64_000, true]);
  });

  test('also where a rule renames the field and rewrites the body', () => {
    const { body } = sent('openai', 'o3', 'openai-chat', { model: 'm', messages: [{ role: 'assistant', content: 'a', tool_calls: [] }, user], max_tokens: 200_000 }, { maxOutputTokens: 100_000 });
    assert.deepEqual([body.max_tokens, body.max_completion_tokens], [undefined, 100_000]);
  });

  test('but not raised where a rule of the target lowers it further', () => {
    for (const names of [['max_tokens'], ['max_completion_tokens'], ['max_tokens', 'max_completion_tokens']]) {
      const asked = { model: 'm', messages: [user], ...Object.fromEntries(names.map(name => [name, 200_000])) };
      const plain = sent('fireworks', 'gpt-oss-120b', 'openai-chat', asked, { maxOutputTokens: 65_536 }).body;
      assert.equal(plain.max_tokens ?? plain.max_completion_tokens, 4096, names.join(' and '));
      const streamed = sent('fireworks', 'gpt-oss-120b', 'openai-chat', { ...asked, stream: true }, { maxOutputTokens: 65_536 }).body;
      assert.equal(streamed.max_tokens ?? streamed.max_completion_tokens, 65_536, names.join(' and '));
    }
  });
});

describe('a limit that the target has named in a refusal', () => {
  test('holds in each protocol, with the budget for thinking below it, and is the default where a protocol demands one', () => {
    assert.deepEqual(sent('openai-compatible', 'm', 'openai-chat', { model: 'm', messages: [user], max_tokens: 9000, max_completion_tokens: 9000 }, { learnt: 8192 }).body, { model: 'm', messages: [user], max_completion_tokens: 8192 });
    const thinking = sent('anthropic', 'claude-haiku-4-5', 'anthropic-messages', { model: 'm', max_tokens: 16_000, thinking: { type: 'enabled', budget_tokens: 12_000 }, messages: [user] }, { learnt: 8192 }).body;
    assert.equal(thinking.max_tokens, 8192);
    assert.ok(isObject(thinking.thinking) && Number(thinking.thinking.budget_tokens) < 8192, JSON.stringify(thinking.thinking));
    assert.equal(sent('anthropic-compatible', 'm', 'openai-chat', { model: 'm', messages: [user] }, { learnt: 512 }).body.max_tokens, 512);
    assert.deepEqual(sent('gemini', 'gemini-x', 'gemini', { contents, generationConfig: { maxOutputTokens: 9000 } }, { learnt: 8192 }).body.generationConfig, { maxOutputTokens: 8192 });
  });

  test('changes nothing where the request keeps it', () => {
    assert.deepEqual(sent('openai-compatible', 'm', 'openai-chat', { model: 'm', messages: [user], max_tokens: 100 }, { learnt: 8192 }).changes, []);
  });
});

describe('a limit that reaches over the end of the context window is lowered', () => {
  test('to what the prompt leaves, cautiously estimated', () => {
    const { body, changes } = sent('vllm', 'qwen3-8b', 'openai-chat', { model: 'm', messages: [long], max_tokens: 32_768 }, { contextWindow: 32_768 });
    const limit = Number(body.max_tokens);
    // 20,000 characters are some 5,000 tokens.
    assert.ok(limit > 32_768 - 7000 && limit < 32_768 - 5000, String(limit));
    assert.deepEqual(changes, [lowered(limit)]);
  });

  test('and a limit that a protocol demands keeps within the window', () => {
    const { body } = sent('anthropic', 'claude-x', 'openai-chat', { model: 'm', messages: [user] }, { contextWindow: 4096 });
    assert.ok(Number(body.max_tokens) < 4096);
  });

  test('not below a thousand tokens, because estimates are rough', () => {
    assert.equal(sent('vllm', 'qwen3-8b', 'openai-chat', { model: 'm', messages: [long], max_tokens: 5000 }, { contextWindow: 5000 }).body.max_tokens, 1024);
  });

  test('and where it fits, the bytes go through', () => {
    assert.deepEqual(sent('vllm', 'qwen3-8b', 'openai-chat', { model: 'm', messages: [user], max_tokens: 4096 }, { contextWindow: 32_768 }).changes, []);
  });
});
