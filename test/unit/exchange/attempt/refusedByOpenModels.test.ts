import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../../server/base/json.ts';
import { sentBody, type SentBody } from './sentBody.ts';

/*
 * What the vendors of GLM, Qwen and MiniMax, Cerebras, Cloudflare and DeepSeek refuse on Chat. The sources stand in the catalog.
 */

const user = { role: 'user', content: 'hi' };
const tools = [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }];
const one = { type: 'function', function: { name: 'read' } };

function chat(provider: string, model: string, more: JsonObject, stream = false): SentBody {
  return sentBody({ provider, protocol: 'openai-chat' }, model, { protocol: 'openai-chat', body: { model, messages: [user], ...(stream ? { stream } : {}), ...more } }, stream);
}

function messages(provider: string, model: string, more: JsonObject): SentBody {
  return sentBody({ provider, protocol: 'openai-chat' }, model, { protocol: 'anthropic-messages', body: { model, max_tokens: 10, messages: [user], ...more } });
}

const first = (sent: SentBody): JsonValue | undefined => (sent.body.messages as JsonObject[])[0]?.content;

describe('a choice of a tool that the target does not take', () => {
  const anthropicTools = [{ name: 'read', input_schema: { type: 'object', properties: {} } }];

  for (const choice of ['required', 'any', one]) test(`GLM is asked in words for ${JSON.stringify(choice)}`, () => {
    const sent = chat('zai', 'glm-5.2', { tools, tool_choice: choice });
    assert.equal(sent.body.tool_choice, undefined);
    assert.match(String(first(sent)), choice !== one ? /must call at least one of the tools/ : /must call the tool "read"/);
    assert.ok(sent.changes.includes('the forced choice of a tool was asked for in words'));
  });

  test('GLM is asked in words also for a caller of Messages', () => {
    const sent = messages('zai', 'glm-5.2', { tools: anthropicTools, tool_choice: { type: 'tool', name: 'read' } });
    assert.equal(sent.body.tool_choice, undefined);
    assert.match(String(first(sent)), /must call the tool "read"/);
  });

  test('GLM gets no tools where none may be called, and the bytes where any may be', () => {
    assert.deepEqual(chat('zai', 'glm-5.2', { tools, tool_choice: 'none' }).body.tools, undefined);
    const auto = chat('zai', 'glm-5.2', { tools, tool_choice: 'auto' });
    assert.deepEqual([auto.body.tool_choice, auto.changes], ['auto', []]);
  });

  for (const [provider, model, off] of [['deepseek', 'deepseek-v4-pro', { thinking: { type: 'disabled' } }], ['qwen', 'qwen3.7-plus', { enable_thinking: false }]] as const) {
    test(`${provider} is forced only where the request turns thinking off`, () => {
      const thinking = chat(provider, model, { tools, tool_choice: 'required' });
      assert.equal(thinking.body.tool_choice, undefined);
      assert.match(String(first(thinking)), /must call/);
      const forced = chat(provider, model, { tools, tool_choice: one, ...off });
      assert.deepEqual([forced.body.tool_choice, forced.changes], [one, []]);
      const translated = messages(provider, model, { tools: anthropicTools, tool_choice: { type: 'any' } });
      assert.equal(translated.body.tool_choice, undefined);
    });
  }

  test('OpenAI is forced as it was asked for', () => assert.equal(chat('openai', 'gpt-4.1', { tools, tool_choice: 'required' }).body.tool_choice, 'required'));
});

describe('bounds of sampling and stop strings', () => {
  test('a temperature is lowered to what GLM and MiniMax take, and raised above zero for MiniMax', () => {
    assert.deepEqual([chat('zai', 'glm-5.2', { temperature: 1.7 }).body.temperature, chat('zai', 'glm-5.2', { temperature: 0 }).body.temperature], [1, 0]);
    const sent = chat('minimax', 'minimax-m3', { temperature: 0 });
    assert.deepEqual([sent.body.temperature, sent.changes], [0.01, ['temperature 0 was sent as 0.01']]);
    assert.equal(messages('minimax', 'minimax-m3', { temperature: 0 }).body.temperature, 0.01);
    assert.equal(chat('openai', 'gpt-4.1', { temperature: 1.7 }).body.temperature, 1.7);
  });

  test('GLM gets one stop string', () => {
    const sent = chat('zai', 'glm-5.2', { stop: ['A', 'B'] });
    assert.deepEqual([sent.body.stop, sent.changes], [['A'], ['stop strings after number 1 were left out']]);
    assert.deepEqual(chat('zai', 'glm-5.2', { stop: ['A'] }).changes, []);
  });
});

describe('content and reasoning of messages', () => {
  const history = [
    { role: 'system', content: [{ type: 'text', text: 'Be' }, { type: 'text', text: 'brief.' }] }, user,
    { role: 'assistant', content: null, reasoning_content: 'I read.', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'found' }] }, user,
  ];

  test('Cloudflare gets plain text, also where a message only calls tools', () => {
    const settings = { provider: 'cloudflare', baseUrl: 'https://api.cloudflare.com/client/v4/accounts/a1/ai/v1' };
    const sent = sentBody(settings, '@cf/openai/gpt-oss-120b', { protocol: 'openai-chat', body: { model: 'm', messages: history, tools } });
    assert.deepEqual((sent.body.messages as JsonObject[]).map(({ content }) => content), ['Be\n\nbrief.', 'hi', '', 'found', 'hi']);
    const image = { role: 'user', content: [{ type: 'text', text: 'see' }, { type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] };
    assert.deepEqual(sentBody(settings, '@cf/google/gemma-4-26b-a4b-it', { protocol: 'openai-chat', body: { model: 'm', messages: [image] } }).body.messages, [image]);
    const plain = sentBody(settings, '@cf/m', { protocol: 'openai-chat', body: { model: '@cf/m', messages: [user] } });
    assert.deepEqual([plain.body.messages, plain.changes], [[user], []]);
  });

  test('Cloudflare gets an empty text for calls of a caller of Messages', () => {
    const sent = sentBody({ provider: 'cloudflare', baseUrl: 'https://api.cloudflare.com/client/v4/accounts/a1/ai/v1' }, '@cf/m', {
      protocol: 'anthropic-messages',
      body: { model: 'm', max_tokens: 10, messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'read', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'found' }] }] },
    });
    assert.deepEqual((sent.body.messages as JsonObject[]).map(({ content }) => content), ['hi', '', 'found']);
  });

  test('Cerebras gets reasoning under its own name and no field that it does not know', () => {
    const sent = chat('cerebras', 'gpt-oss-120b', { messages: history, tools, parallel_tool_calls: false, frequency_penalty: 0.5, logit_bias: { 1: 2 }, prompt_cache_key: 'k' });
    const [, , assistant] = sent.body.messages as JsonObject[];
    assert.deepEqual([assistant?.reasoning, assistant?.reasoning_content], ['I read.', undefined]);
    assert.deepEqual(['parallel_tool_calls', 'frequency_penalty', 'logit_bias', 'prompt_cache_key'].filter(name => name in sent.body), []);
    assert.ok(sent.changes.includes('reasoning_content was sent as reasoning'));
  });
});

describe('thinking at Qwen', () => {
  test('is turned off in a plain answer of a model that refuses it there, and nowhere else', () => {
    assert.equal(chat('qwen', 'qwen3-32b', {}).body.enable_thinking, false);
    assert.equal(chat('qwen', 'qwen3-32b', {}, true).body.enable_thinking, undefined);
    assert.equal(chat('qwen', 'qwen3.7-plus', {}).body.enable_thinking, undefined);
    assert.equal(chat('qwen', 'qwen3-32b', { enable_thinking: true }).body.enable_thinking, true);
  });

  test('follows the effort that a caller of another protocol asks for', () => {
    const ask = (effort: string, stream: boolean): SentBody => sentBody({ provider: 'qwen' }, 'qwen3.7-plus', { protocol: 'openai-responses', body: { model: 'm', input: 'hi', reasoning: { effort } } }, stream);
    assert.deepEqual([ask('none', true).body.enable_thinking, ask('high', true).body.enable_thinking, ask('high', false).body.enable_thinking], [false, true, undefined]);
  });
});
