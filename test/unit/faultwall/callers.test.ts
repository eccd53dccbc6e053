import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { readAnswer } from '../../faultwall/callers/callers.ts';

/** A stream of events; those with a type are named by it, as Anthropic and Responses do. */
function stream(...events: (JsonObject | string)[]): string {
  return events.map(event => (typeof event === 'string' ? `data: ${event}\n\n` : `${typeof event.type === 'string' ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`)).join('');
}

const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] });
const messageStart = { type: 'message_start', message: { id: 'm', usage: {} } };
const block = { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'look_up', input: {} } };
const created = { type: 'response.created', sequence_number: 0, response: { id: 'r' } };
const item = { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: { id: 'fc', type: 'function_call', name: 'look_up', arguments: '' } };
const call = { tool_calls: [{ index: 0, id: 't', function: { name: 'look_up', arguments: '{"day":' } }] };

const wrong: readonly (readonly [title: string, protocol: ProtocolName, text: string, problem: RegExp])[] = [
  ['an event after the end', 'openai-chat', stream(chunk({ content: 'a' }, 'stop'), '[DONE]', chunk({ content: 'b' })), /after \[DONE\]/],
  ['an end without a reason', 'openai-chat', stream(chunk({ content: 'a' }), '[DONE]'), /without a finish reason/],
  ['a line that is no JSON', 'openai-chat', stream('{"half'), /cannot be read/],
  ['half an event at the end', 'openai-chat', 'data: {"id"', /half an event/],
  ['a block before the message', 'anthropic-messages', stream(block), /before message_start/],
  ['a second opening', 'anthropic-messages', stream(messageStart, messageStart), /second message_start/],
  ['a message that stops inside a block', 'anthropic-messages', stream(messageStart, block, { type: 'message_stop' }), /inside a block/],
  ['numbers that do not grow', 'openai-responses', stream(created, { ...item, sequence_number: 0 }), /out of sequence/],
  ['a last event that says something else', 'openai-responses', stream(created, { type: 'response.completed', sequence_number: 1, response: { id: 'r', status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'x' }] }] } }), /not what was streamed/],
  ['content after the end', 'gemini', stream({ responseId: 'g', candidates: [{ content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' }] }, { responseId: 'g', candidates: [{ content: { parts: [{ text: 'b' }] } }] }), /after the finish reason/],
];

describe('the callers of the fault wall', () => {
  for (const [title, protocol, text, problem] of wrong) {
    it(`stumble over ${title} (${protocol})`, () => {
      assert.match(readAnswer(protocol, text, true).problems.join('; '), problem);
    });
  }

  it('take a stream without its end for cut', () => {
    for (const [protocol, text] of [
      ['openai-chat', stream(chunk({ content: 'a' }))], ['anthropic-messages', stream(messageStart)], ['openai-responses', stream(created)],
      ['gemini', stream({ candidates: [{ content: { parts: [{ text: 'a' }] } }] })],
    ] as const) assert.equal(readAnswer(protocol, text, true).finished, false, protocol);
  });

  it('take half a call for half', () => {
    for (const [protocol, text] of [
      ['openai-chat', stream(chunk(call))], ['anthropic-messages', stream(messageStart, block)], ['openai-responses', stream(created, item)],
    ] as const) assert.deepEqual(readAnswer(protocol, text, true).calls.map(one => one.complete), [false], protocol);
  });

  it('count what keeps a connection alive', () => {
    assert.equal(readAnswer('openai-chat', ': keep-alive\n\n: keep-alive\n\n', true).keepAlives, 2);
    assert.equal(readAnswer('anthropic-messages', stream({ type: 'ping' }), true).keepAlives, 1);
  });

  it('see every opening', () => {
    assert.equal(readAnswer('openai-chat', stream(chunk({}), { ...chunk({}), id: 'other' }), true).openings.size, 2);
  });
});
