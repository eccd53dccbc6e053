import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import type { ConversationEvent, StopReason, TokenUsage } from '../../../server/api/conversation.ts';
import type { JsonObject, JsonValue } from '../../../server/base/json.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { claudeModelRules } from '../../../server/protocols/anthropicMessages/claudeModels.ts';
import type { Dialect } from '../../../server/protocols/codec.ts';
import { gatherAnswer, isContentEvent, mergeUsage } from '../../../server/protocols/events.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { budgetOfEffort, effortOfBudget, nearestEffort } from '../../../server/protocols/reasoningEffort.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { meta } from './replay.ts';

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const chatAnswer = (choice: JsonObject, rest: JsonObject = {}): JsonObject => ({ id: 'c', model: 'm', choices: [{ index: 0, ...choice }], ...rest });
const chatEvents = (chunks: (JsonValue | string)[], dialect: Dialect = {}): { events: ConversationEvent[]; terminated: boolean } => {
  const decoder = openAiChat.createStreamDecoder(dialect);
  const events = chunks.flatMap((chunk) => decoder.decode(undefined, typeof chunk === 'string' ? chunk : JSON.stringify(chunk)));
  return { events, terminated: decoder.terminated };
};
const delta = (content: JsonObject, finish: string | null = null): JsonObject => ({ id: 'c', model: 'm', choices: [{ index: 0, delta: content, finish_reason: finish }] });

describe('token usage', () => {
  const chatCases: { what: string; usage: JsonObject; dialect?: Dialect; read: TokenUsage }[] = [
    { what: 'OpenAI counts cached tokens in the prompt', usage: { prompt_tokens: 100, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 20 }, completion_tokens_details: { reasoning_tokens: 4 } }, read: { inputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 20, outputTokens: 10, reasoningTokens: 4 } },
    { what: 'DeepSeek names hits and misses', usage: { prompt_tokens: 100, completion_tokens: 10, prompt_cache_hit_tokens: 70, prompt_cache_miss_tokens: 30 }, read: { inputTokens: 30, cacheReadTokens: 70, outputTokens: 10 } },
    { what: 'Kimi has cached tokens at the top', usage: { prompt_tokens: 100, completion_tokens: 10, cached_tokens: 25 }, read: { inputTokens: 75, cacheReadTokens: 25, outputTokens: 10 } },
    { what: 'xAI counts reasoning beside the output', dialect: { reasoningBesideOutput: true }, usage: { prompt_tokens: 10, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 30 } }, read: { inputTokens: 10, outputTokens: 40, reasoningTokens: 30 } },
    { what: 'a cached count above the prompt is beside it', usage: { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 90 } }, read: { inputTokens: 10, cacheReadTokens: 90, outputTokens: 1 } },
    { what: 'OpenRouter says what it cost', usage: { prompt_tokens: 10, completion_tokens: 1, cost: 0.0012345 }, read: { inputTokens: 10, outputTokens: 1, reportedCostMicroUsd: 1_235 } },
    { what: 'nonsense is unknown, not zero', usage: { prompt_tokens: -1, completion_tokens: 'x', cost: -3 }, read: {} },
  ];
  for (const { what, usage, dialect, read } of chatCases) {
    test(`of chat: ${what}`, () => {
      const events = openAiChat.decodeResponse(chatAnswer({ message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }, { usage }), dialect ?? {});
      assert.deepEqual(plain(gatherAnswer(events).usage), read);
    });
  }

  test('of a chat stream is found wherever it is put', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2 };
    for (const chunk of [
      { id: 'c', choices: [], usage },
      { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] },
      { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { id: 'r', usage } },
    ]) {
      assert.deepEqual(plain(gatherAnswer(chatEvents([delta({ content: 'x' }), chunk]).events).usage), { inputTokens: 3, outputTokens: 2 });
    }
  });

  test('of Anthropic comes out at a chat caller with the cache inside the prompt', () => {
    const events: ConversationEvent[] = [{ type: 'text', text: 'x' }, { type: 'usage', usage: { inputTokens: 5, cacheReadTokens: 100, cacheWriteTokens: 10, cacheWrite1hTokens: 20, outputTokens: 7, reasoningTokens: 3 } }, { type: 'finish', reason: 'end' }];
    assert.deepEqual(openAiChat.encodeResponse(events, meta).usage, {
      prompt_tokens: 135, completion_tokens: 7, total_tokens: 142,
      prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 30 }, completion_tokens_details: { reasoning_tokens: 3 },
    });
    const usage = anthropicMessages.encodeResponse(events, meta).usage as JsonObject;
    assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens, usage.cache_creation], [5, 100, 30, { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 }]);
  });

  test('that is unknown is left out for chat callers and estimated at the start for Messages callers', () => {
    const events: ConversationEvent[] = [{ type: 'text', text: 'x' }, { type: 'finish', reason: 'end' }];
    assert.equal('usage' in openAiChat.encodeResponse(events, meta), false);
    const encoder = anthropicMessages.createStreamEncoder(meta);
    assert.match(events.map((event) => encoder.encode(event)).join(''), /"message_start".*"input_tokens":99/);
  });

  test('merges bucket by bucket, the later report winning', () => {
    assert.deepEqual(mergeUsage({ inputTokens: 5, outputTokens: 1 }, { outputTokens: 9, reasoningTokens: 2, inputTokens: undefined }), { inputTokens: 5, outputTokens: 9, reasoningTokens: 2 });
  });

  test('of a compatible server that repeats the prompt as 0 at the end keeps the first count', () => {
    const decoder = anthropicMessages.createStreamDecoder({});
    const events = [
      { type: 'message_start', message: { id: 'm', usage: { input_tokens: 50, output_tokens: 0 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'x' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 0, output_tokens: 4 } },
      { type: 'message_stop' },
    ].flatMap((event) => decoder.decode(event.type, JSON.stringify(event)));
    assert.deepEqual(plain(gatherAnswer(events).usage), { inputTokens: 50, outputTokens: 4 });
  });
});

describe('the reason an answer stopped', () => {
  const call: ConversationEvent[] = [{ type: 'tool-call-start', index: 0, id: 'a', name: 'f' }, { type: 'tool-call-end', index: 0 }];
  const cases: { reason: StopReason; chat: string; messages: string; with?: ConversationEvent[] }[] = [
    { reason: 'end', chat: 'stop', messages: 'end_turn' },
    { reason: 'stop-sequence', chat: 'stop', messages: 'end_turn' },
    { reason: 'length', chat: 'length', messages: 'max_tokens' },
    { reason: 'context-full', chat: 'length', messages: 'max_tokens' },
    { reason: 'tool-calls', chat: 'tool_calls', messages: 'tool_use', with: call },
    { reason: 'end', chat: 'tool_calls', messages: 'tool_use', with: call },
    { reason: 'tool-calls', chat: 'stop', messages: 'end_turn' },
    { reason: 'refusal', chat: 'content_filter', messages: 'refusal' },
    { reason: 'refusal', chat: 'stop', messages: 'refusal', with: [{ type: 'refusal', text: 'No.' }] },
  ];
  for (const { reason, chat, messages, with: parts } of cases) {
    test(`${reason}${parts === undefined ? '' : ` after ${parts[0]?.type}`} is ${chat} and ${messages}`, () => {
      const events: ConversationEvent[] = [...(parts ?? [{ type: 'text', text: 'x' }]), { type: 'finish', reason }];
      assert.equal((openAiChat.encodeResponse(events, meta).choices as JsonObject[])[0]?.finish_reason, chat);
      assert.equal(anthropicMessages.encodeResponse(events, meta).stop_reason, messages);
      for (const [codec, word] of [[openAiChat, `"finish_reason":"${chat}"`], [anthropicMessages, `"stop_reason":"${messages}"`]] as const) {
        const encoder = codec.createStreamEncoder(meta);
        assert.ok((events.map((event) => encoder.encode(event)).join('') + encoder.end()).includes(word));
      }
    });
  }

  const chatReasons: [string, StopReason][] = [['stop', 'end'], ['length', 'length'], ['model_length', 'length'], ['content_filter', 'refusal'], ['function_call', 'end'], ['eos', 'end']];
  for (const [word, reason] of chatReasons) {
    test(`${word} of a chat server is ${reason}`, () => {
      const { events, terminated } = chatEvents([delta({ content: 'x' }), delta({}, word)]);
      assert.equal(gatherAnswer(events).finish?.reason, reason);
      assert.equal(terminated, true);
    });
  }

  for (const word of ['error', 'insufficient_system_resource']) {
    test(`${word} of a chat server is an error and no end`, () => {
      const { events, terminated } = chatEvents([delta({ content: 'x' }), delta({}, word), '[DONE]']);
      assert.equal(gatherAnswer(events).error?.code, word);
      assert.equal(gatherAnswer(events).finish, undefined);
      assert.equal(terminated, false);
    });
  }

  test('a stop string is passed on to Messages callers when the provider named it', () => {
    const events: ConversationEvent[] = [{ type: 'text', text: 'x' }, { type: 'finish', reason: 'stop-sequence', stopSequence: 'END' }];
    const message = anthropicMessages.encodeResponse(events, meta);
    assert.deepEqual([message.stop_reason, message.stop_sequence], ['stop_sequence', 'END']);
  });
});

describe('the end of a chat stream', () => {
  const call = (entry: JsonObject): JsonObject => delta({ tool_calls: [entry] });
  const begun = call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":' } });
  const cases: { what: string; chunks: (JsonValue | string)[]; terminated: boolean; complete: number }[] = [
    { what: 'is good with a finish reason and no [DONE]', chunks: [delta({ content: 'x' }), delta({}, 'stop')], terminated: true, complete: 0 },
    { what: 'is good with [DONE] after content', chunks: [delta({ content: 'x' }), '[DONE]'], terminated: true, complete: 0 },
    { what: 'is not good with [DONE] alone', chunks: ['[DONE]'], terminated: false, complete: 0 },
    { what: 'is not good without either', chunks: [delta({ content: 'x' })], terminated: false, complete: 0 },
    { what: 'is not good with [DONE] inside a call', chunks: [begun, '[DONE]'], terminated: false, complete: 0 },
    { what: 'is good with [DONE] after a whole call', chunks: [begun, call({ index: 0, function: { arguments: '1}' } }), '[DONE]'], terminated: true, complete: 1 },
    { what: 'completes no call that the limit cut off', chunks: [begun, delta({}, 'length')], terminated: true, complete: 0 },
    { what: 'completes the whole ones of several', chunks: [begun, call({ index: 0, function: { arguments: '1}' } }), call({ index: 1, id: 'b', function: { name: 'g', arguments: '{"y' } }), delta({}, 'length')], terminated: true, complete: 1 },
  ];
  for (const { what, chunks, terminated, complete } of cases) {
    test(what, () => {
      const read = chatEvents(chunks);
      assert.equal(read.terminated, terminated);
      assert.equal(read.events.filter((event) => event.type === 'tool-call-end').length, complete);
      const plainCalls = (openAiChat.encodeResponse(read.events, meta).choices as { message: { tool_calls?: unknown[] } }[])[0]?.message.tool_calls;
      assert.equal(plainCalls?.length ?? 0, complete);
    });
  }
});

describe('tool calls of odd chat servers', () => {
  const calls = (chunks: JsonValue[]): unknown => gatherAnswer(chatEvents(chunks).events).parts.map((part) => (part.type === 'tool-call' ? [part.id, part.name, part.arguments] : part.type));
  const tool = (...entries: JsonObject[]): JsonObject => delta({ tool_calls: entries });
  test('are distinguished by id when all have index 0', () => {
    assert.deepEqual(calls([tool({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }), tool({ index: 0, id: 'b', function: { name: 'f', arguments: '{}' } })]), [['a', 'f', '{}'], ['b', 'f', '{}']]);
  });
  test('are followed without any index', () => {
    assert.deepEqual(calls([tool({ id: 'a', function: { name: 'f', arguments: '{' } }), tool({ function: { arguments: '}' } }), tool({ id: 'b', function: { name: 'g', arguments: '{}' } })]), [['a', 'f', '{}'], ['b', 'g', '{}']]);
  });
  test('get an id when the server gives none', () => {
    assert.deepEqual(calls([tool({ index: 0, function: { name: 'f', arguments: '{"a":1}' } }), tool({ index: 0, function: { name: 'g', arguments: '{}' } })]), [['call_c_0', 'f', '{"a":1}'], ['call_c_1', 'g', '{}']]);
  });
  test('may repeat id and name with every piece', () => {
    assert.deepEqual(calls([tool({ index: 0, id: 'a', function: { name: 'f', arguments: '{"a"' } }), tool({ index: 0, id: 'a', function: { name: 'f', arguments: ':1}' } })]), [['a', 'f', '{"a":1}']]);
  });
  test('may send the name after the first arguments, and arguments as an object', () => {
    assert.deepEqual(calls([tool({ index: 0, id: 'a', function: { arguments: '{"a"' } }), tool({ index: 0, function: { name: 'f', arguments: ':1}' } }), tool({ index: 1, id: 'b', function: { name: 'g', arguments: { x: 1 } } })]), [['a', 'f', '{"a":1}'], ['b', 'g', '{"x":1}']]);
  });
});

describe('a plain answer', () => {
  test('of chat with everything in it is read', () => {
    const events = openAiChat.decodeResponse(chatAnswer({
      message: { role: 'assistant', reasoning: 'Hm', content: 'Yes', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }, { id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] },
      finish_reason: 'stop', logprobs: { content: [{ token: 'Yes', logprob: -0.1 }] },
    }), {});
    assert.deepEqual(plain(events), [
      { type: 'start', id: 'c', model: 'm' },
      { type: 'thinking', text: 'Hm' },
      { type: 'thinking-end', origin: 'openai-chat' },
      { type: 'text', text: 'Yes', logprobs: [{ token: 'Yes', logprob: -0.1 }] },
      { type: 'tool-call-start', index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-arguments', index: 0, text: '{}' },
      { type: 'tool-call-start', index: 1, id: 'b', name: 'g' },
      { type: 'tool-call-end', index: 0 },
      { type: 'tool-call-end', index: 1 },
      { type: 'finish', reason: 'tool-calls' },
    ]);
    const again = (openAiChat.encodeResponse(events, meta).choices as JsonObject[])[0];
    assert.deepEqual(again?.logprobs, { content: [{ token: 'Yes', logprob: -0.1 }], refusal: null });
  });

  test('of Mistral has its content in parts', () => {
    const events = openAiChat.decodeResponse(chatAnswer({ message: { role: 'assistant', content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }, { type: 'text', text: 'Yes' }] }, finish_reason: 'stop' }), {});
    assert.deepEqual(gatherAnswer(events).parts.map((part) => ('text' in part ? [part.type, part.text] : part.type)), [['thinking', 'Hm'], ['text', 'Yes']]);
  });

  test('of Messages is read like its stream and written again as it was', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm', signature: 's' },
      { type: 'redacted_thinking', data: 'r' },
      { type: 'text', text: 'Yes', citations: null },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: [1, 'ü'] }, caller: { type: 'direct' } },
      { type: 'tool_use', id: 'b', name: 'g', input: {}, caller: { type: 'direct' } },
    ];
    const body = { id: 'msg', type: 'message', role: 'assistant', model: 'm', content, stop_reason: 'tool_use', stop_sequence: null, usage: { input_tokens: 3, output_tokens: 4 } };
    const events = anthropicMessages.decodeResponse(body, {});
    assert.deepEqual(anthropicMessages.encodeResponse(events, meta).content, content);
    assert.equal(gatherAnswer(events).finish?.reason, 'tool-calls');
  });

  const errors: [string, typeof openAiChat, JsonValue][] = [
    ['an error inside a 200', openAiChat, { error: { message: 'No', code: 502 } }],
    ['an error in an array', openAiChat, [{ error: { message: 'No', code: 502 } }]],
    ['no choices', openAiChat, { id: 'x' }],
    ['null', openAiChat, null],
    ['an error inside a 200', anthropicMessages, { type: 'error', error: { type: 'overloaded_error', message: 'No' } }],
    ['no content', anthropicMessages, { id: 'x' }],
    ['text', anthropicMessages, 'hello'],
  ];
  for (const [what, codec, body] of errors) {
    test(`of ${codec.protocol} with ${what} is an error`, () => {
      const events = codec.decodeResponse(body, {});
      assert.equal(events.at(-1)?.type, 'error');
      assert.equal(events.some((event) => event.type === 'finish' || isContentEvent(event)), false);
    });
  }
});

describe('reasoning of another protocol\'s model', () => {
  test('reaches a Messages caller as unsigned thinking, so that it never comes back as Anthropic\'s own', () => {
    const events: ConversationEvent[] = [{ type: 'thinking', text: 'Hm' }, { type: 'thinking-end', signature: 'gemini-signature', origin: 'gemini' }, { type: 'text', text: 'Yes' }, { type: 'finish', reason: 'end' }];
    const message = anthropicMessages.encodeResponse(events, meta);
    assert.deepEqual(message.content, [{ type: 'thinking', thinking: 'Hm', signature: '' }, { type: 'text', text: 'Yes', citations: null }]);
    const encoder = anthropicMessages.createStreamEncoder(meta);
    assert.doesNotMatch(events.map((event) => encoder.encode(event)).join('') + encoder.end(), /signature_delta/);
  });
});

describe('committing', () => {
  const cases: [ConversationEvent, boolean][] = [
    [{ type: 'start' }, false], [{ type: 'text', text: '' }, false], [{ type: 'text', text: 'x' }, true],
    [{ type: 'thinking', text: '' }, false], [{ type: 'thinking', text: 'x' }, true], [{ type: 'thinking-end' }, false],
    [{ type: 'refusal', text: 'x' }, true], [{ type: 'tool-call-start', index: 0, id: 'a', name: 'f' }, true],
    [{ type: 'tool-call-arguments', index: 0, text: '{' }, true], [{ type: 'tool-call-end', index: 0 }, false],
    [{ type: 'usage', usage: {} }, false], [{ type: 'finish', reason: 'end' }, false], [{ type: 'error', error: { message: 'x' } }, false],
  ];
  for (const [event, commits] of cases) {
    test(`${JSON.stringify(event)} ${commits ? 'commits' : 'does not commit'}`, () => assert.equal(isContentEvent(event), commits));
  }
});

describe('efforts and models', () => {
  test('a budget and its effort agree', () => {
    for (const effort of ['none', 'low', 'medium', 'high', 'xhigh'] as const) assert.equal(effortOfBudget(budgetOfEffort(effort)), effort);
  });

  const nearest: [Parameters<typeof nearestEffort>[0], string[], string][] = [
    ['minimal', ['low', 'high', 'max'], 'low'], ['medium', ['low', 'high', 'max'], 'high'], ['xhigh', ['low', 'high', 'max'], 'high'],
    ['max', ['none', 'low', 'medium', 'high'], 'high'], ['minimal', ['none', 'low', 'high'], 'low'], ['none', ['low', 'high'], 'low'], ['low', ['none', 'default'], 'default'],
  ];
  for (const [requestedModel, accepted, chosen] of nearest) {
    test(`${requestedModel} among ${accepted.join(', ')} is ${chosen}`, () => assert.equal(nearestEffort(requestedModel, accepted), chosen));
  }

  const thinking: [string, string, boolean][] = [
    ['claude-3-5-sonnet-20241022', 'none', true], ['claude-3-7-sonnet-latest', 'budget', true], ['claude-opus-4-20250514', 'budget', true],
    ['claude-sonnet-4-5-20250929', 'budget', true], ['anthropic/claude-sonnet-4.5', 'budget', true], ['claude-opus-4-6', 'adaptive', true],
    ['claude-opus-5', 'adaptive', true], ['claude-opus-5-5', 'adaptive', false], ['claude-fable-5-1', 'adaptive', false], ['deepseek-flash', 'budget', true],
  ];
  for (const [model, style, forced] of thinking) {
    test(`${model} takes ${style} thinking and ${forced ? 'can' : 'cannot'} be forced to a tool`, () => {
      assert.deepEqual([claudeModelRules(model).thinking, claudeModelRules(model).forcedToolChoice], [style, forced]);
    });
  }

  test('every protocol that can be translated has its codec under its own name', () => {
    for (const protocol of protocolNames) assert.equal(codecFor(protocol)?.protocol, protocol);
  });
});
