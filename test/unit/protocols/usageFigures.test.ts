import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import type { ConversationEvent, ProtocolName, TokenUsage } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { contradictsMessages, decodeMessagesUsage } from '../../../server/protocols/anthropicMessages/usage.ts';
import { contradictsGemini, decodeGeminiUsage } from '../../../server/protocols/gemini/usage.ts';
import { contradictsChat, decodeChatUsage, reportedCost } from '../../../server/protocols/openAiChat/usage.ts';
import { contradictsResponses, decodeResponsesUsage } from '../../../server/protocols/openAiResponses/usage.ts';
import { codecFor } from '../../../server/protocols/registry.ts';

const protocols: [name: string, read: (input: number, output: number) => [TokenUsage, boolean]][] = [
  ['chat', (input, output) => {
    const usage = { prompt_tokens: input, completion_tokens: output };
    return [decodeChatUsage(usage, {}), contradictsChat(usage, {})];
  }],
  ['Responses', (input, output) => {
    const usage = { input_tokens: input, output_tokens: output };
    return [decodeResponsesUsage(usage), contradictsResponses(usage)];
  }],
  ['Messages', (input, output) => {
    const usage = { input_tokens: input, output_tokens: output };
    return [decodeMessagesUsage(usage, {}), contradictsMessages(usage)];
  }],
  ['Gemini', (input, output) => {
    const usage = { promptTokenCount: input, candidatesTokenCount: output };
    return [decodeGeminiUsage(usage), contradictsGemini(usage)];
  }],
];

describe('a figure that cannot be a count of tokens', () => {
  for (const [name, read] of protocols) {
    test(`is unknown and makes the report contradictory: ${name}`, () => {
      for (const absurd of [9007199254740991, 18446744073709551615, 1_000_000_001, 1.5, -1]) {
        const [usage, contradictory] = read(absurd, 7);
        assert.deepEqual([usage.inputTokens, usage.outputTokens, contradictory], [undefined, 7, true], String(absurd));
      }
    });

    test(`does not begin below a billion: ${name}`, () => {
      const [usage, contradictory] = read(1_000_000_000, 0);
      assert.deepEqual([usage.inputTokens, usage.outputTokens, contradictory], [1_000_000_000, 0, false]);
    });
  }
});

test('a reported cost above a million dollars counts as unknown', () => {
  assert.equal(reportedCost({ cost: 1_000_000 }), 1_000_000_000_000);
  assert.equal(reportedCost({ cost: 1_000_001 }), undefined);
  assert.equal(reportedCost({ cost_in_usd_ticks: 1e300 }), undefined);
});

/** Reports that add up (true) and reports that do not, of each protocol. */
const reports: readonly [protocol: ProtocolName, what: string, usage: JsonObject, addsUp: boolean][] = [
  ['openai-chat', 'with all its parts', { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, prompt_tokens_details: { cached_tokens: 90, cache_write_tokens: 10 }, completion_tokens_details: { reasoning_tokens: 10 } }, true],
  ['openai-chat', 'with nulls', { prompt_tokens: 100, completion_tokens: 10, total_tokens: null, prompt_tokens_details: null, cached_tokens: null }, true],
  ['openai-chat', 'with hits and misses', { prompt_tokens: 100, completion_tokens: 10, prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 40 }, true],
  ['openai-chat', 'with more cached than prompt tokens', { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, prompt_tokens_details: { cached_tokens: 5000 } }, false],
  ['openai-chat', "with more cached than prompt tokens, in Kimi's field", { prompt_tokens: 100, completion_tokens: 10, cached_tokens: 101 }, false],
  ['openai-chat', 'with more hits and misses than prompt tokens', { prompt_tokens: 100, completion_tokens: 10, prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 41 }, false],
  ['openai-chat', 'with more read and written than prompt tokens', { prompt_tokens: 100, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 60 } }, false],
  ['openai-chat', 'with more reasoning than output', { prompt_tokens: 100, completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 11 } }, false],
  ['openai-chat', 'with more reasoning than output, in the field beside', { prompt_tokens: 100, completion_tokens: 10, reasoning_tokens: 11 }, false],
  ['openai-chat', 'with a total that is less', { prompt_tokens: 100, completion_tokens: 10, total_tokens: 109 }, false],
  ['openai-chat', 'with a total that is more', { prompt_tokens: 100, completion_tokens: 10, total_tokens: 500 }, false],
  ['openai-chat', 'with a total of 0', { prompt_tokens: 100, completion_tokens: 10, total_tokens: 0 }, false],
  ['openai-responses', 'with all its parts', { input_tokens: 100, output_tokens: 10, total_tokens: 110, input_tokens_details: { cached_tokens: 50, cache_write_tokens: 50, cache_write_tokens_details: { ttl_30m_tokens: 20, ttl_12h_tokens: 30 } }, output_tokens_details: { reasoning_tokens: 10 } }, true],
  ['openai-responses', 'with more cached than input tokens', { input_tokens: 100, output_tokens: 10, input_tokens_details: { cached_tokens: 101 } }, false],
  ['openai-responses', 'with more read and written than input tokens', { input_tokens: 100, output_tokens: 10, input_tokens_details: { cached_tokens: 60, cache_write_tokens: 60 } }, false],
  ['openai-responses', 'with more of two lives than were written', { input_tokens: 100, output_tokens: 10, input_tokens_details: { cache_write_tokens: 10, cache_write_tokens_details: { ttl_30m_tokens: 9, ttl_12h_tokens: 9 } } }, false],
  ['openai-responses', 'with more reasoning than output', { input_tokens: 100, output_tokens: 10, output_tokens_details: { reasoning_tokens: 11 } }, false],
  ['openai-responses', 'with a total that is less', { input_tokens: 100, output_tokens: 10, total_tokens: 20 }, false],
  ['anthropic-messages', 'with all its parts', { input_tokens: 1, output_tokens: 10, cache_read_input_tokens: 900, cache_creation_input_tokens: 30, cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 }, output_tokens_details: { thinking_tokens: 10 } }, true],
  ['anthropic-messages', 'with more thinking than output', { input_tokens: 1, output_tokens: 10, output_tokens_details: { thinking_tokens: 11 } }, false],
  ['anthropic-messages', 'with lives that are not what was written', { input_tokens: 1, output_tokens: 10, cache_creation_input_tokens: 30, cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 30 } }, false],
  ['gemini', 'with all its parts', { promptTokenCount: 100, cachedContentTokenCount: 100, toolUsePromptTokenCount: 5, candidatesTokenCount: 10, thoughtsTokenCount: 20, totalTokenCount: 135 }, true],
  ['gemini', 'with a total without hosted tools', { promptTokenCount: 100, toolUsePromptTokenCount: 5, candidatesTokenCount: 10, totalTokenCount: 110 }, true],
  ['gemini', 'with more cached than prompt tokens', { promptTokenCount: 100, cachedContentTokenCount: 101, candidatesTokenCount: 10 }, false],
  ['gemini', 'with a total that is less', { promptTokenCount: 100, candidatesTokenCount: 10, thoughtsTokenCount: 20, totalTokenCount: 129 }, false],
  ['gemini', 'with a total that is more', { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 500 }, false],
];

/** An answer with this usage, plain and as the data of stream events. */
const answers: Readonly<Record<ProtocolName, (usage: JsonObject) => { plain: JsonObject; events: [string | undefined, JsonObject][] }>> = {
  'openai-chat': usage => ({
    plain: { object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }], usage },
    events: [[undefined, { object: 'chat.completion.chunk', choices: [], usage }]],
  }),
  'openai-responses': usage => ({
    plain: { object: 'response', status: 'completed', output: [], usage },
    events: [['response.completed', { type: 'response.completed', response: { object: 'response', status: 'completed', output: [], usage } }]],
  }),
  'anthropic-messages': usage => ({
    plain: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn', usage },
    events: [['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage }]],
  }),
  'gemini': usage => {
    const plain = { candidates: [{ content: { role: 'model', parts: [{ text: 'x' }] }, finishReason: 'STOP' }], usageMetadata: usage };
    return { plain, events: [[undefined, plain]] };
  },
};

/** Whether an answer's usage is marked as contradictory. */
function isMarked(events: Iterable<ConversationEvent>): boolean {
  const reported = [...events].filter(event => event.type === 'usage');
  assert.notEqual(reported.length, 0);
  return reported.some(event => event.contradictory === true);
}

describe('a report of usage', () => {
  const firstField: Readonly<Record<ProtocolName, string>> = { 'openai-chat': 'prompt_tokens', 'openai-responses': 'input_tokens', 'anthropic-messages': 'input_tokens', 'gemini': 'promptTokenCount' };
  const odd = protocolNames.flatMap(protocol => [-1, 1.5, 1e300, '100', true, [], {}].map((value): (typeof reports)[number] =>
    [protocol, `with ${JSON.stringify(value)} for a count`, { ...reports.find(([name]) => name === protocol)?.[2], [firstField[protocol]]: value }, false]));

  for (const [protocol, what, usage, addsUp] of [...reports, ...odd]) {
    test(`of ${protocol} ${what} ${addsUp ? 'is taken as it is' : 'is no exact one'}, plain and streamed`, () => {
      const codec = codecFor(protocol);
      assert.ok(codec !== undefined);
      const { plain, events } = answers[protocol](usage);
      assert.equal(isMarked(codec.decodeResponse(plain, {})), !addsUp);
      const decoder = codec.createStreamDecoder({});
      assert.equal(isMarked(events.flatMap(([event, data]) => [...decoder.decode(event, JSON.stringify(data))])), !addsUp);
    });
  }
});

test("a provider's own cost is unknown when a part of it cannot be", () => {
  for (const cost of [-1, '1', null, true, {}]) assert.equal(reportedCost({ cost, cost_in_usd_ticks: 5 } as JsonObject), undefined);
  for (const upstream of [-1, '1', 1e300, {}]) assert.equal(reportedCost({ cost: 1, is_byok: true, cost_details: { upstream_inference_cost: upstream } } as JsonObject), undefined);
  assert.equal(reportedCost({ cost: 1, is_byok: true, cost_details: { upstream_inference_cost: 2 } }), 3_000_000);
  assert.equal(reportedCost({ cost: 1, is_byok: true }), 1_000_000);
});
