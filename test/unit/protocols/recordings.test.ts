import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import { bytewise, recording, recordings, replay } from './replay.ts';
import { mutationsOf, playMutation } from './mutations.ts';

const usageOfResponses = { inputTokens: 15, cacheReadTokens: 100, cacheWriteTokens: 3, cacheWrite1hTokens: 2, outputTokens: 17, reasoningTokens: 4 };
const usageOfMessages = { inputTokens: 12, cacheReadTokens: 400, cacheWriteTokens: 10, cacheWrite1hTokens: 20 };

const expected: Record<(typeof recordings)[number], { events: ConversationEvent[]; terminated: boolean }> = {
  chatText: {
    terminated: true,
    events: [
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-4.1' },
      { type: 'text', text: 'Grüße, ' },
      { type: 'text', text: '世界 🚂' },
      { type: 'text', text: '!' },
      { type: 'finish', reason: 'end' },
      { type: 'usage', usage: { inputTokens: 15, cacheReadTokens: 100, cacheWriteTokens: 5, outputTokens: 17, reasoningTokens: 4 } },
    ],
  },
  chatTools: {
    terminated: true,
    events: [
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-4.1' },
      { type: 'tool-call-start', index: 0, id: 'call_a', name: 'read' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":' },
      { type: 'tool-call-start', index: 1, id: 'call_b', name: 'list' },
      { type: 'tool-call-arguments', index: 1, text: '{"dir":' },
      { type: 'tool-call-arguments', index: 0, text: '"a.ts"}' },
      { type: 'tool-call-arguments', index: 1, text: '"src"}' },
      { type: 'tool-call-start', index: 2, id: 'call_c', name: 'now' },
      { type: 'tool-call-end', index: 0 },
      { type: 'tool-call-end', index: 1 },
      { type: 'tool-call-end', index: 2 },
      { type: 'finish', reason: 'tool-calls' },
      { type: 'usage', usage: { inputTokens: 15, cacheReadTokens: 100, cacheWriteTokens: 5, outputTokens: 17, reasoningTokens: 4 } },
    ],
  },
  chatReasoningCrlf: {
    terminated: true,
    events: [
      { type: 'start', id: 'ds-1', model: 'deepseek-flash' },
      { type: 'thinking', text: 'Überlegen' },
      { type: 'thinking', text: ' …' },
      { type: 'thinking-end', origin: 'openai-chat' },
      { type: 'text', text: 'Vier' },
      { type: 'finish', reason: 'end' },
      { type: 'usage', usage: { inputTokens: 10, cacheReadTokens: 20, outputTokens: 9, reasoningTokens: 6 } },
    ],
  },
  chatErrorInChunk: {
    terminated: false,
    events: [
      { type: 'start', id: 'gen-1', model: 'm' },
      { type: 'text', text: 'Half' },
      { type: 'error', error: { message: 'Provider disconnected', status: 502 } },
    ],
  },
  chatCutInCall: {
    terminated: false,
    events: [
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-4.1' },
      { type: 'tool-call-start', index: 0, id: 'call_a', name: 'write' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":"a' },
    ],
  },
  messagesText: {
    terminated: true,
    events: [
      { type: 'start', id: 'msg_1', model: 'claude-opus-4-6' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 1 } },
      { type: 'text', text: 'Grüße, ' },
      { type: 'text', text: '世界 🚂' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 21, reasoningTokens: 7 } },
      { type: 'finish', reason: 'end' },
    ],
  },
  messagesThinkingTools: {
    terminated: true,
    events: [
      { type: 'start', id: 'msg_1', model: 'claude-opus-4-6' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 1 } },
      { type: 'thinking', text: 'Let me ' },
      { type: 'thinking', text: 'see' },
      { type: 'thinking-end', signature: 'c2lnbmVk', origin: 'anthropic-messages' },
      { type: 'thinking-end', redacted: 'b3BhcXVl', origin: 'anthropic-messages' },
      { type: 'text', text: 'I read both.' },
      { type: 'tool-call-start', index: 0, id: 'toolu_1', name: 'read' },
      { type: 'tool-call-arguments', index: 0, text: '{"path"' },
      { type: 'tool-call-arguments', index: 0, text: ':"a.ts"}' },
      { type: 'tool-call-end', index: 0 },
      { type: 'tool-call-start', index: 1, id: 'toolu_2', name: 'now' },
      { type: 'tool-call-end', index: 1 },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 64, reasoningTokens: 7 } },
      { type: 'finish', reason: 'tool-calls' },
    ],
  },
  messagesError: {
    terminated: false,
    events: [
      { type: 'start', id: 'msg_1', model: 'claude-opus-4-6' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 1 } },
      { type: 'text', text: 'Half' },
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    ],
  },
  messagesCutAtLimit: {
    terminated: true,
    events: [
      { type: 'start', id: 'msg_1', model: 'claude-opus-4-6' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 1 } },
      { type: 'tool-call-start', index: 0, id: 'toolu_1', name: 'write' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":"a' },
      { type: 'usage', usage: { ...usageOfMessages, outputTokens: 64, reasoningTokens: 7 } },
      { type: 'finish', reason: 'length' },
    ],
  },
  responsesText: {
    terminated: true,
    events: [
      { type: 'start', id: 'resp_1', model: 'gpt-6-sol' },
      { type: 'thinking', text: 'First.' },
      { type: 'thinking', text: '\n\n' },
      { type: 'thinking', text: 'Then.' },
      { type: 'thinking-end', encrypted: 'b3BhcXVl', itemId: 'rs_1', origin: 'openai-responses' },
      { type: 'text', text: 'Grüße, ', logprobs: [{ token: 'Grüße', logprob: -0.5, top_logprobs: [] }], phase: 'final_answer' },
      { type: 'text', text: '世界 🚂', phase: 'final_answer' },
      { type: 'usage', usage: usageOfResponses },
      { type: 'finish', reason: 'end' },
    ],
  },
  responsesTools: {
    terminated: true,
    events: [
      { type: 'start', id: 'resp_1', model: 'gpt-6-sol' },
      { type: 'thinking-end', encrypted: 'b3BhcXVl', itemId: 'rs_1', origin: 'openai-responses' },
      { type: 'tool-call-start', index: 0, id: 'call_a', name: 'files__read' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":' },
      { type: 'tool-call-start', index: 1, id: 'call_b', name: 'now' },
      { type: 'tool-call-arguments', index: 0, text: '"a.ts"}' },
      { type: 'tool-call-end', index: 0 },
      { type: 'tool-call-arguments', index: 1, text: '{}' },
      { type: 'tool-call-end', index: 1 },
      { type: 'tool-call-start', index: 2, id: 'call_c', name: 'apply_patch', kind: 'custom' },
      { type: 'tool-call-arguments', index: 2, text: '*** Begin Patch\n+"x"' },
      { type: 'tool-call-arguments', index: 2, text: '\n*** End Patch' },
      { type: 'tool-call-end', index: 2 },
      { type: 'usage', usage: usageOfResponses },
      { type: 'finish', reason: 'tool-calls' },
    ],
  },
  responsesFailed: {
    terminated: false,
    events: [
      { type: 'start', id: 'resp_1', model: 'gpt-6-sol' },
      { type: 'text', text: 'Half', phase: 'final_answer' },
      { type: 'error', error: { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 1.5s.', retryAfterMs: 1_500 } },
    ],
  },
  responsesCutAtLimit: {
    terminated: true,
    events: [
      { type: 'start', id: 'resp_1', model: 'gpt-6-sol' },
      { type: 'tool-call-start', index: 0, id: 'call_b', name: 'write' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":"a' },
      { type: 'usage', usage: usageOfResponses },
      { type: 'finish', reason: 'length', detail: 'max_output_tokens' },
    ],
  },
  responsesWholeItems: {
    terminated: true,
    events: [
      { type: 'thinking', text: 'Hm.' },
      { type: 'thinking-end', origin: 'openai-responses' },
      { type: 'text', text: 'Grüße, 世界 🚂' },
      { type: 'start', id: 'resp_2', model: 'local' },
      { type: 'tool-call-start', index: 0, id: 'call_b', name: 'now' },
      { type: 'tool-call-arguments', index: 0, text: '{}' },
      { type: 'tool-call-end', index: 0 },
      { type: 'finish', reason: 'tool-calls' },
    ],
  },
  geminiText: {
    terminated: true,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'thinking', text: 'Überlegen' },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 3, reasoningTokens: 3 } },
      { type: 'thinking-end', origin: 'gemini' },
      { type: 'text', text: 'Grüße, ' },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 5, reasoningTokens: 3 } },
      {
        type: 'text', text: '世界 🚂',
        logprobs: [{ token: '世界', logprob: -0.25, bytes: [228, 184, 150, 231, 149, 140], top_logprobs: [{ token: 'Welt', logprob: -2, bytes: [87, 101, 108, 116] }] }],
      },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 8, reasoningTokens: 3 } },
      { type: 'thinking-end', signature: 'c2ln', origin: 'gemini' },
      { type: 'usage', usage: { inputTokens: 14, cacheReadTokens: 20, outputTokens: 9, reasoningTokens: 3 } },
      { type: 'finish', reason: 'end' },
    ],
  },
  geminiTools: {
    terminated: true,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'thinking', text: 'Let me see' },
      { type: 'thinking-end', origin: 'gemini' },
      { type: 'thinking-end', signature: 'c2ln', origin: 'gemini' },
      { type: 'tool-call-start', index: 0, id: 'call_g1_0', name: 'read', signature: 'c2ln', origin: 'gemini' },
      { type: 'tool-call-arguments', index: 0, text: '{"path":"a.ts"}' },
      { type: 'tool-call-end', index: 0 },
      { type: 'tool-call-start', index: 1, id: 'call_g1_1', name: 'read' },
      { type: 'tool-call-arguments', index: 1, text: '{"path":"b.ts"}' },
      { type: 'tool-call-end', index: 1 },
      { type: 'tool-call-start', index: 2, id: 'own', name: 'now' },
      { type: 'tool-call-end', index: 2 },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 12, reasoningTokens: 3 } },
      { type: 'finish', reason: 'tool-calls' },
    ],
  },
  geminiBareError: {
    terminated: false,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'text', text: 'Half' },
      { type: 'error', error: { type: 'UNAVAILABLE', status: 503, message: 'The model is overloaded.' } },
    ],
  },
  geminiBlocked: {
    terminated: true,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'usage', usage: { inputTokens: 8 } },
      { type: 'finish', reason: 'refusal', detail: 'PROHIBITED_CONTENT' },
    ],
  },
  geminiCutAtLimit: {
    terminated: true,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'text', text: 'Grü' },
      { type: 'text', text: 'ße' },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 2 } },
      { type: 'finish', reason: 'length' },
    ],
  },
  geminiCut: {
    terminated: false,
    events: [
      { type: 'start', id: 'g1', model: 'gemini-3.8-flash' },
      { type: 'text', text: 'Half' },
    ],
  },
};

/** Without the fields that are undefined: absent and undefined say the same. */
const plain = (events: readonly ConversationEvent[]): unknown => JSON.parse(JSON.stringify(events));

describe('a recorded stream', () => {
  for (const name of recordings) {
    test(`${name} is read event for event`, () => {
      const { events, terminated, unreadable } = replay(name, [recording(name)]);
      assert.deepEqual(plain(events), expected[name].events);
      assert.equal(terminated, expected[name].terminated);
      assert.equal(unreadable, 0);
    });

    test(`${name} is the same with a chunk border at every byte`, () => {
      const bytes = recording(name);
      const whole = replay(name, [bytes]);
      assert.deepEqual(replay(name, bytewise(bytes)), whole);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        assert.deepEqual(replay(name, [bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at byte ${cut}`);
      }
    });

    test(`${name}, damaged in 2,000 ways, never throws, and a chat stream that did not end has no complete call`, () => {
      const mutations = mutationsOf(name, 0x5eed);
      for (let round = 0; round < 2_000; round += 1) playMutation(name, mutations);
    });
  }

  test('goes on after a line that cannot be read, and counts it', () => {
    const text = recording('chatText').toString('utf8').replace('data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":"!"}', 'data: {"id":"chatcm');
    const { events, unreadable, terminated } = replay('chatText', [Buffer.from(text)]);
    assert.equal(unreadable, 1);
    assert.equal(terminated, true);
    assert.equal(events.map((event) => (event.type === 'text' ? event.text : '')).join(''), 'Grüße, 世界 🚂');
  });
});
