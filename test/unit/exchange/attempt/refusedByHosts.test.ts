import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../../server/base/json.ts';
import { sentBody, type SentBody } from './sentBody.ts';

/*
 * What vendors and hosts of open models refuse that is told by their strict simulators, each once for a caller of the target's
 * protocol and once for another caller. The sources stand in the catalog.
 */

const user = { role: 'user', content: 'hi' };
const tool = (name: string, more: JsonObject = {}): JsonObject => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} }, ...more } });
const messagesTool = { name: 'read', input_schema: { type: 'object', properties: {} } };
const responsesTool = { type: 'function', name: 'read', parameters: { type: 'object', properties: {} } };
const call = (args: string): JsonObject[] => [user, { role: 'assistant', content: 'x', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: args } }] }, { role: 'tool', tool_call_id: 'c1', content: 'found' }];

function chat(provider: string, model: string, more: JsonObject, stream = false): SentBody {
  return sentBody({ provider, protocol: 'openai-chat' }, model, { protocol: 'openai-chat', body: { model, messages: [user], ...(stream ? { stream } : {}), ...more } }, stream);
}
function messagesToChat(provider: string, model: string, more: JsonObject): SentBody {
  return sentBody({ provider, protocol: 'openai-chat' }, model, { protocol: 'anthropic-messages', body: { model, max_tokens: 10, messages: [user], ...more } });
}
function messages(provider: string, model: string, more: JsonObject): SentBody {
  return sentBody({ provider, protocol: 'anthropic-messages' }, model, { protocol: 'anthropic-messages', body: { model, max_tokens: 10, messages: [user], ...more } });
}
function responses(provider: string, model: string, more: JsonObject): SentBody {
  return sentBody({ provider, protocol: 'openai-responses' }, model, { protocol: 'openai-responses', body: { model, input: [{ type: 'message', ...user }], ...more } });
}

const list = (sent: SentBody): JsonObject[] => sent.body.messages as JsonObject[];
const contents = (sent: SentBody): (JsonValue | undefined)[] => list(sent).map(({ content }) => content);

describe('instructions where a target does not take them', () => {
  test('MiniMax gets those at the beginning as one message, and later ones as the user\'s', () => {
    const sent = chat('minimax', 'MiniMax-M3', { messages: [{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, user, { role: 'system', content: 'C' }] });
    assert.deepEqual(list(sent), [{ role: 'system', content: 'A\n\nB' }, user, { role: 'user', content: '<system>\nC\n</system>' }]);
    assert.ok(sent.changes.includes('instructions were joined to one message') && sent.changes.includes("a later instruction was sent as the user's"));
  });

  test('MiniMax gets lists of texts joined as lists, and the bytes of what it takes', () => {
    const parts = [{ type: 'text', text: 'A' }];
    assert.deepEqual(contents(chat('minimax', 'MiniMax-M3', { messages: [{ role: 'system', content: parts }, { role: 'system', content: 'B' }, user] }))[0], [...parts, { type: 'text', text: 'B' }]);
    const plain = chat('minimax', 'MiniMax-M3', { messages: [{ role: 'system', content: 'A' }, user] });
    assert.deepEqual([plain.changes, plain.passThrough], [[], true]);
  });

  test('MiniMax gets one message of the system also for a caller of Responses', () => {
    const sent = sentBody({ provider: 'minimax', protocol: 'openai-chat' }, 'MiniMax-M3', { protocol: 'openai-responses', body: { model: 'm', instructions: 'A', input: [{ role: 'developer', content: 'B' }, { role: 'user', content: 'hi' }, { role: 'developer', content: 'C' }] } });
    assert.deepEqual(list(sent).map(({ role }) => role), ['system', 'user', 'user']);
  });

  test('GLM gets a message of the user where there is none', () => {
    const sent = chat('zai', 'glm-5.2', { messages: [{ role: 'system', content: 'Write a line.' }] });
    assert.deepEqual([list(sent), sent.changes], [[{ role: 'system', content: 'Write a line.' }, { role: 'user', content: 'Begin.' }], ['a request to begin was added']]);
    assert.deepEqual(chat('zai', 'glm-5.2', {}).changes, []);
  });

  for (const [provider, model] of [['minimax', 'MiniMax-M3'], ['qwen', 'qwen3.7-plus'], ['zai', 'glm-5.2'], ['anthropic', 'claude-sonnet-4-5']] as const) {
    test(`${provider} gets no turn of the system on Messages (${model})`, () => {
      const sent = messages(provider, model, { messages: [user, { role: 'system', content: 'The skills are …' }, { role: 'assistant', content: 'a' }, { role: 'system', content: [{ type: 'text', text: 'B' }] }, user] });
      assert.deepEqual(list(sent).map(({ role }) => role), ['user', 'user', 'assistant', 'user', 'user']);
      assert.deepEqual([contents(sent)[1], contents(sent)[3]], ['<system>\nThe skills are …\n</system>', [{ type: 'text', text: '<system>\nB\n</system>' }]]);
      assert.ok(sent.changes.includes("a later instruction was sent as the user's"));
    });
  }

  test('new models of Anthropic\'s get turns of the system as they stand', () => {
    const sent = messages('anthropic', 'claude-opus-4-8', { messages: [user, { role: 'system', content: 'B' }, user] });
    assert.deepEqual([sent.changes, sent.passThrough], [[], true]);
  });
});

describe('choices of tools', () => {
  test('GLM is asked in words on Messages and on Responses', () => {
    const onMessages = messages('zai', 'glm-5.2', { tools: [messagesTool], tool_choice: { type: 'tool', name: 'read' } });
    assert.deepEqual([onMessages.body.tool_choice, onMessages.body.system], [{ type: 'auto' }, 'You must call the tool "read" now.']);
    const onResponses = responses('zai-coding-plan', 'glm-5.2', { tools: [responsesTool], tool_choice: { type: 'function', name: 'read' } });
    assert.deepEqual([onResponses.body.tool_choice, onResponses.body.instructions], [undefined, 'You must call the tool "read" now.']);
    assert.ok(onResponses.changes.includes('the forced choice of a tool was asked for in words'));
    assert.equal(messages('zai', 'glm-5.2', { tools: [messagesTool], tool_choice: { type: 'none' } }).body.tools, undefined);
  });

  test('SiliconFlow takes a certain tool on Messages, and not any', () => {
    const one = messages('siliconflow', 'glm-5', { tools: [messagesTool], tool_choice: { type: 'tool', name: 'read' } });
    assert.deepEqual([one.body.tool_choice, one.changes], [{ type: 'tool', name: 'read' }, []]);
    assert.match(String(messages('siliconflow', 'glm-5', { tools: [messagesTool], tool_choice: { type: 'any' } }).body.system), /at least one of the tools/);
  });

  test('Qwen is forced on Messages only where it does not think', () => {
    const forced = { tools: [messagesTool], tool_choice: { type: 'any' } };
    assert.deepEqual(messages('qwen', 'qwen3.7-plus', forced).body.tool_choice, { type: 'any' });
    assert.deepEqual(messages('qwen', 'qwen3.7-plus', { ...forced, max_tokens: 5000, thinking: { type: 'enabled', budget_tokens: 2000 } }).body.tool_choice, { type: 'auto' });
  });

  test('DeepInfra is asked in words', () => {
    const sent = chat('deepinfra', 'deepseek-ai/DeepSeek-V3.2', { tools: [tool('read')], tool_choice: { type: 'function', function: { name: 'read' } } });
    assert.equal(sent.body.tool_choice, undefined);
    assert.match(String(contents(sent)[0]), /must call the tool "read"/);
    assert.match(String(contents(messagesToChat('deepinfra', 'deepseek-ai/DeepSeek-V3.2', { tools: [messagesTool], tool_choice: { type: 'any' } }))[0]), /must call/);
  });
});

describe('a form of JSON at Qwen', () => {
  const format = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object', properties: { a: { type: 'string' } } } } } };

  test('turns thinking off where it was not asked for', () => {
    const sent = chat('qwen', 'qwen3.7-plus', format);
    assert.deepEqual([sent.body.enable_thinking, sent.body.response_format], [false, format.response_format]);
    assert.ok(sent.changes.includes('thinking was turned off, which this model refuses with a form of JSON'));
  });

  test('is asked for in words where thinking was asked for', () => {
    const sent = chat('qwen', 'qwen3.7-plus', { ...format, enable_thinking: true }, true);
    assert.deepEqual([sent.body.enable_thinking, sent.body.response_format], [true, undefined]);
    assert.match(String(contents(sent)[0]), /match this JSON schema/);
    const translated = sentBody({ provider: 'qwen', protocol: 'openai-chat' }, 'qwen3.7-plus', { protocol: 'openai-responses', body: { model: 'm', input: 'hi', stream: true, reasoning: { effort: 'high' }, text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object', properties: {} } } } } }, true);
    assert.deepEqual([translated.body.enable_thinking, translated.body.response_format], [true, undefined]);
  });

  test('stays beside thinking for models that take both', () => {
    const sent = chat('qwen', 'qwen3.8-max', format);
    assert.deepEqual([sent.body.enable_thinking, sent.changes], [undefined, []]);
  });
});

describe('calls and tools', () => {
  for (const [provider, model] of [['qwen', 'qwen3.7-plus'], ['minimax', 'MiniMax-M3']] as const) test(`${provider} gets an empty object for empty arguments`, () => {
    const sent = chat(provider, model, { messages: call(''), tools: [tool('read')] });
    assert.deepEqual((list(sent)[1]?.tool_calls as JsonObject[])[0]?.function, { name: 'read', arguments: '{}' });
    assert.ok(sent.changes.includes('empty arguments were sent as an empty object'));
    assert.deepEqual(chat(provider, model, { messages: call('{"a":1}'), tools: [tool('read')] }).changes, []);
  });

  test('MiniMax gets parameters for a function without', () => {
    const sent = chat('minimax', 'MiniMax-M3', { tools: [{ type: 'function', function: { name: 'now' } }] });
    assert.deepEqual(sent.body.tools, [{ type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }]);
    assert.deepEqual(chat('qwen', 'qwen3.7-plus', { tools: [{ type: 'function', function: { name: 'now' } }] }).changes, []);
  });

  test('Cerebras gets strict of all tools or of none', () => {
    const strict = (sent: SentBody): unknown[] => (sent.body.tools as JsonObject[]).map(one => (one.function as JsonObject).strict);
    assert.deepEqual(strict(chat('cerebras', 'gpt-oss-120b', { tools: [tool('a', { strict: true }), tool('b')] })), [undefined, undefined]);
    const all = chat('cerebras', 'gpt-oss-120b', { tools: [tool('a', { strict: true }), tool('b', { strict: true })] });
    assert.deepEqual([strict(all), all.changes], [[true, true], []]);
    assert.deepEqual(strict(messagesToChat('cerebras', 'gpt-oss-120b', { tools: [{ ...messagesTool, strict: true }, { ...messagesTool, name: 'b' }] })), [undefined, undefined]);
  });

  test('Fireworks, Cerebras and NVIDIA get no field that their schemas do not have', () => {
    const echo = { messages: [{ ...user, name: 'Ada' }, { role: 'assistant', content: 'a', refusal: null, annotations: [], audio: null, reasoning: 'I think.' }, user], metadata: { run: '1' }, prompt_cache_key: 'k', store: true };
    assert.deepEqual(list(chat('fireworks', 'glm-5', echo))[1], { role: 'assistant', content: 'a', reasoning_content: 'I think.' });
    assert.deepEqual(list(chat('cerebras', 'gpt-oss-120b', echo))[1], { role: 'assistant', content: 'a', reasoning: 'I think.' });
    const sent = chat('nvidia', 'z-ai/glm4.7', echo).body;
    assert.deepEqual([sent.metadata, sent.prompt_cache_key, sent.store], [undefined, undefined, undefined]);
    assert.equal(chat('nvidia', 'google/gemma-2-2b-it', { presence_penalty: 1 }).body.presence_penalty, undefined);
    assert.equal(chat('nvidia', 'z-ai/glm4.7', { presence_penalty: 1 }).body.presence_penalty, 1);
  });

  test('SiliconFlow gets no switch of thinking for models that have none', () => {
    assert.equal(chat('siliconflow', 'Qwen/Qwen2.5-72B-Instruct', { enable_thinking: true }).body.enable_thinking, undefined);
    assert.equal(chat('siliconflow', 'deepseek-ai/DeepSeek-V4-Flash', { enable_thinking: true }).body.enable_thinking, true);
  });
});

describe('bounds', () => {
  test('Fireworks writes up to 4096 tokens in an answer that is not streamed', () => {
    const plain = chat('fireworks', 'glm-5', { max_tokens: 8192 });
    assert.deepEqual([plain.body.max_tokens, plain.changes], [4096, ['max_tokens 8192 was sent as 4096, the most of an answer that is not streamed']]);
    assert.deepEqual(chat('fireworks', 'glm-5', { max_tokens: 8192 }, true).body.max_tokens, 8192);
    assert.equal(messagesToChat('fireworks', 'glm-5', { max_tokens: 8192 }).body.max_tokens, 4096);
  });

  test('Fireworks is not asked for the usage of a stream, which it sends anyway', () => assert.equal(chat('fireworks', 'glm-5', { stream_options: { include_usage: true } }, true).body.stream_options, undefined));

  test('a temperature is brought into bounds on Messages and Responses, too', () => {
    assert.equal(messages('minimax', 'MiniMax-M3', { temperature: 0 }).body.temperature, 0.01);
    assert.deepEqual([responses('minimax', 'MiniMax-M3', { temperature: 0 }).body.temperature, responses('minimax', 'MiniMax-M3', { temperature: 1.4 }).body.temperature], [0.01, 1]);
    assert.equal(chat('qwen', 'qwen3.7-plus', { temperature: 2 }).body.temperature, 1.99);
    assert.equal(messages('anthropic', 'claude-sonnet-4-5', { temperature: 0 }).body.temperature, 0);
  });
});

describe('items and parts', () => {
  test('Perplexity gets what the assistant said and what a tool returned as text, and no other items', () => {
    const sent = responses('perplexity', 'sonar', {
      input: [{ role: 'user', content: 'hi' }, { type: 'reasoning', summary: [] }, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a', annotations: [] }] },
        { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' }, { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'found' }] }],
    });
    assert.deepEqual(sent.body.input, [{ type: 'message', role: 'user', content: 'hi' }, { type: 'message', role: 'assistant', content: 'a' }, { type: 'function_call', call_id: 'c1', name: 'read', arguments: '{}' }, { type: 'function_call_output', call_id: 'c1', output: 'found' }]);
    assert.ok(sent.changes.includes('an item of type reasoning was left out'));
    assert.deepEqual(responses('perplexity', 'sonar', { input: 'hi' }).changes, []);
    const file = (data: string): JsonObject => ({ type: 'message', role: 'user', content: [{ type: 'input_file', filename: 'a', file_data: data }] });
    const read = responses('perplexity', 'sonar', { input: [file('data:text/plain;base64,aGVsbG8='), file('data:application/pdf;base64,JVBERi0x')] });
    assert.match(JSON.stringify(read.body.input), /"input_text","text":"<document.*hello.*"input_text","text":"\[The document/);
    assert.deepEqual(read.changes, ['a document was sent as text', 'a document was left out']);
    const translated = sentBody({ provider: 'perplexity' }, 'sonar', { protocol: 'openai-chat', body: { model: 'm', messages: [user, { role: 'assistant', content: 'a' }, user] } });
    assert.deepEqual((translated.body.input as JsonObject[])[1], { type: 'message', role: 'assistant', content: 'a' });
  });

  test('DeepInfra gets results as text, and their pictures behind them', () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo' } };
    const sent = chat('deepinfra', 'deepseek-ai/DeepSeek-V3.2', { messages: [...call('{}').slice(0, 2), { role: 'tool', tool_call_id: 'c1', content: [{ type: 'text', text: 'found' }, picture] }], tools: [tool('read')] });
    assert.deepEqual([contents(sent)[2], (contents(sent)[3] as JsonValue[])[1]], ['found', picture]);
    assert.deepEqual(contents(chat('deepinfra', 'deepseek-ai/DeepSeek-V3.2', { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, picture] }] })), [[{ type: 'text', text: 'see' }, picture]]);
  });

  test('SambaNova gets no documents and no tools of Anthropic\'s, and text as text', () => {
    const sent = messages('sambanova', 'gpt-oss-120b', { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }, { type: 'text', text: 'hi' }] }], tools: [{ type: 'web_search_20250305', name: 'web_search' }, messagesTool] });
    assert.deepEqual(sent.body.tools, [messagesTool]);
    assert.deepEqual(contents(sent)[0], [{ type: 'text', text: 'x' }, { type: 'text', text: 'hi' }]);
    assert.ok(sent.changes.includes('a document was sent as text'));
    assert.deepEqual(contents(chat('sambanova', 'DeepSeek-V3.1', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] })), ['a']);
    const file = { type: 'file', file: { filename: 'a', file_data: 'data:text/plain;base64,aGVsbG8=' } };
    assert.match(JSON.stringify(contents(chat('sambanova', 'DeepSeek-V3.1', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, file] }] }))), /^\["a.*<document.*hello/);
  });
});
