import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../../../server/base/json.ts';
import { sentBody, type SentBody } from './sentBody.ts';

/* What servers of one's own, relays, and DeepSeek's Messages refuse. The sources stand in the catalog. */

const user = { role: 'user', content: 'hi' };
const tools = ['read', 'write'].map(name => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }));
const pdf = 'JVBERi0xLjQK';
const filePart = (type: string, data: string): JsonObject => ({ type: 'file', file: { filename: 'notes', file_data: `data:${type};base64,${data}` } });

function chat(provider: string, model: string, more: JsonObject, stream = false): SentBody {
  return sentBody({ provider, protocol: 'openai-chat', ...(provider === 'litellm' ? { baseUrl: 'http://127.0.0.1:4000/v1' } : {}) }, model, { protocol: 'openai-chat', body: { model, messages: [user], ...(stream ? { stream } : {}), ...more } }, stream);
}

function messages(provider: string, model: string, more: JsonObject): SentBody {
  return sentBody({ provider, protocol: 'anthropic-messages' }, model, { protocol: 'anthropic-messages', body: { model, max_tokens: 10, messages: [user], ...more } });
}

const roles = (sent: SentBody): unknown[] => (sent.body.messages as JsonObject[]).map(({ role }) => role);

describe('documents at a server that reads none', () => {
  for (const provider of ['vllm', 'llamacpp', 'sglang', 'ollama', 'lmstudio', 'deepseek']) test(`${provider}: a PDF is named to the model, a text goes as text`, () => {
    const sent = chat(provider, 'qwen3-8b', { messages: [{ role: 'user', content: [{ type: 'text', text: 'read' }, filePart('application/pdf', pdf), filePart('text/markdown', Buffer.from('# hi').toString('base64'))] }] });
    const [message] = sent.body.messages as JsonObject[];
    assert.match(JSON.stringify(message), /The document \\"notes\\" was left out.*# hi/);
    assert.doesNotMatch(JSON.stringify(message), /"file"/);
    assert.ok(sent.changes.includes('a document was left out') && sent.changes.includes('a document was sent as text'), sent.changes.join('; '));
  });

  test('DeepSeek on Messages: blocks of documents', () => {
    const sent = messages('deepseek', 'deepseek-flash', { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf } }, { type: 'document', title: 'a', source: { type: 'text', media_type: 'text/plain', data: 'hello' } }] }] });
    assert.deepEqual((sent.body.messages as JsonObject[])[0]?.content, [{ type: 'text', text: '[A document (application/pdf) was left out: it cannot be sent to this model.]' }, { type: 'text', text: '<document title="a">\nhello\n</document>' }]);
  });

  test('OpenAI gets the file as it was written', () => assert.deepEqual(chat('openai', 'gpt-4.1', { messages: [{ role: 'user', content: [filePart('application/pdf', pdf)] }] }).changes, []));
});

describe('roles that a chat template wants in turn', () => {
  const calling = [user, { role: 'assistant', content: null, tool_calls: [{ id: 'abcdefghi', type: 'function', function: { name: 'read', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'abcdefghi', content: 'x' }];

  for (const provider of ['vllm', 'llamacpp', 'sglang', 'ollama', 'lmstudio']) test(`${provider}: devstral gets a word between a result and the user, and one instruction`, () => {
    const sent = chat(provider, 'devstral-small-2', { messages: [{ role: 'system', content: 'a' }, { role: 'system', content: 'b' }, ...calling, user, user] });
    assert.deepEqual(roles(sent), ['system', 'user', 'assistant', 'tool', 'assistant', 'user']);
    assert.equal((sent.body.messages as JsonObject[])[0]?.content, 'a\n\nb');
    assert.equal((sent.body.messages as JsonObject[]).at(-1)?.content, 'hi\n\nhi');
  });

  test('Qwen 3.5 gets later instructions as texts of the user, and keeps the rest', () => {
    const sent = chat('vllm', 'qwen3.5-35b-a3b', { messages: [...calling, { role: 'system', content: 'be brief' }] });
    assert.deepEqual(roles(sent), ['user', 'assistant', 'tool', 'user']);
    assert.equal((sent.body.messages as JsonObject[]).at(-1)?.content, '<system>\nbe brief\n</system>');
    assert.deepEqual(sent.changes, ['a later instruction was sent as a text of the user']);
  });

  test('bytes in order, and models with another template, go through', () => {
    assert.deepEqual(chat('vllm', 'gemma-3-12b', { messages: [{ role: 'system', content: 'a' }, user, { role: 'assistant', content: 'b' }, user] }).changes, []);
    assert.deepEqual(chat('vllm', 'qwen3-8b', { messages: [user, user, { role: 'system', content: 'c' }] }).changes, []);
  });
});

describe('servers built on llama.cpp', () => {
  test('LM Studio is forced to one tool by required, and to JSON by a schema', () => {
    const sent = chat('lmstudio', 'qwen3-8b', { tools, tool_choice: { type: 'function', function: { name: 'write' } }, response_format: { type: 'json_object' } });
    assert.deepEqual([sent.body.tool_choice, sent.body.tools, sent.body.response_format], ['required', [tools[1]], { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } }]);
    assert.deepEqual(sent.changes, ['the forced choice of a tool was sent as required, with that tool alone', 'JSON mode was asked for by a schema of any object']);
  });

  for (const [provider, url, words] of [['ollama', 'https://a.test/a.png', 'an image behind an address was left out'], ['ollama', 'data:image/gif;base64,R0lGODlhAQAB', 'an image of type image/gif was left out'], ['llamacpp', 'data:image/webp;base64,UklGRhIAAABX', 'an image of type image/webp was left out'], ['lmstudio', 'data:image/webp;base64,UklGRhIAAABX', 'an image of type image/webp was left out']] as const) {
    test(`${provider}: ${words}`, () => assert.deepEqual(chat(provider, 'qwen3-vl-8b', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }).changes, [words]));
  }

  test('llama.cpp continues a last message with thinking off, and streams tools without log probabilities', () => {
    const last = chat('llamacpp', 'qwen3-8b', { messages: [user, { role: 'assistant', content: 'It is' }] });
    assert.deepEqual(last.body.chat_template_kwargs, { enable_thinking: false });
    const streamed = chat('llamacpp', 'qwen3-8b', { tools, logprobs: true, top_logprobs: 2 }, true);
    assert.deepEqual([streamed.body.logprobs, streamed.body.top_logprobs], [undefined, undefined]);
    assert.equal(chat('llamacpp', 'qwen3-8b', { tools, logprobs: true }).body.logprobs, true);
  });

  test('Ollama gets an empty object for empty arguments', () => {
    const sent = chat('ollama', 'qwen3-8b', { messages: [user, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: '' } }] }, { role: 'tool', tool_call_id: 'c', content: 'x' }] });
    assert.match(JSON.stringify(sent.body.messages), /"arguments":"\{\}"/);
  });
  test('SGLang gets a budget for adaptive thinking', () => assert.deepEqual(messages('sglang', 'qwen3-8b', { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }).changes, ['adaptive thinking was sent as a budget']));
});

describe('DeepSeek on Messages', () => {
  const using = (...before: JsonObject[]): JsonObject => ({ messages: [user, { role: 'assistant', content: [...before, { type: 'tool_use', id: 'c', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'x' }] }] });

  test('thinking is off where calls come without theirs, and on where they come with it', () => {
    const without = messages('deepseek', 'deepseek-flash', { ...using(), output_config: { effort: 'high' } });
    assert.deepEqual([without.body.thinking, without.body.output_config], [{ type: 'disabled' }, undefined]);
    assert.deepEqual(without.changes, ['thinking was turned off, because calls of tools come without their reasoning']);
    assert.deepEqual(messages('deepseek', 'deepseek-flash', using({ type: 'thinking', thinking: 'hm', signature: 's' })).changes, []);
  });

  test('hidden thinking is left out, and a forced choice is asked for in words', () => {
    const sent = messages('deepseek', 'deepseek-flash', { ...using({ type: 'redacted_thinking', data: 'x' }, { type: 'thinking', thinking: 'hm', signature: 's' }), tools: [{ name: 'f', input_schema: { type: 'object' } }], tool_choice: { type: 'any' } });
    assert.doesNotMatch(sent.text, /redacted_thinking/);
    assert.deepEqual(sent.body.tool_choice, { type: 'auto' });
    assert.match(String(sent.body.system), /must call/);
  });
});

describe('relays get what every vendor behind them takes', () => {
  const history = (id: string): JsonObject => ({ messages: [user, { role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: { name: 'read', arguments: '{}' } }] }, { role: 'tool', tool_call_id: id, content: 'x' }] });

  for (const provider of ['openrouter', 'holysheep', 'litellm']) test(`${provider}: ids of calls, pictures, names of tools`, () => {
    assert.ok(chat(provider, 'openai/gpt-4o', history('c'.repeat(60))).changes.length > 0);
    assert.deepEqual(chat(provider, 'google/gemini-2.5-pro', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/gif;base64,R0lGODlhAQAB' } }] }] }).changes, ['an image of type image/gif was left out']);
    assert.deepEqual(chat(provider, 'openai/gpt-4o', { tools: [{ type: 'function', function: { name: 'mcp.read', parameters: { type: 'object', properties: {} } } }] }).changes.filter(change => change.includes('names of tools')), ['names of tools were replaced']);
  });

  test('LiteLLM gets for Claude what it has a translation for', () => assert.deepEqual(chat('litellm', 'claude-sonnet-4-5', { seed: 7, frequency_penalty: 1, temperature: 1 }).changes, ['seed was left out', 'frequency_penalty was left out']));
});
