import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenUsage } from '../../../server/api/conversation.ts';
import { contradictsMessages, decodeMessagesUsage } from '../../../server/protocols/anthropicMessagesUsage.ts';
import { contradictsGemini, decodeGeminiUsage } from '../../../server/protocols/geminiUsage.ts';
import { contradictsChat, decodeChatUsage, reportedCost } from '../../../server/protocols/openAiChatUsage.ts';
import { contradictsResponses, decodeResponsesUsage } from '../../../server/protocols/openAiResponsesUsage.ts';

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
    test(`is unknown and discredits the report: ${name}`, () => {
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

test('a reported cost above a million dollars is not believed', () => {
  assert.equal(reportedCost({ cost: 1_000_000 }), 1_000_000_000_000);
  assert.equal(reportedCost({ cost: 1_000_001 }), undefined);
  assert.equal(reportedCost({ cost_in_usd_ticks: 1e300 }), undefined);
});
