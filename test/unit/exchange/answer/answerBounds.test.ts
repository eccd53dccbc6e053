import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import { AnswerBounds } from '../../../../server/exchange/answer/answerBounds.ts';
import { CommitBuffer } from '../../../../server/exchange/answer/commitBuffer.ts';
import { isContentEvent } from '../../../../server/protocols/events.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

const megabyte = 1024 * 1024;

describe('a streamed answer', () => {
  it('may be as long as the longest answer of any model', () => {
    const bounds = new AnswerBounds('a');
    for (let index = 1; index <= 500_000; index += 1) assert.equal(bounds.exceeded(300, true, index, 0, index * 8, 0), undefined);
  });

  it('ends with a failure when it has more text, calls or events than the bound', () => {
    assert.equal(new AnswerBounds('a').exceeded(100, true, 1, 0, 17 * megabyte, 0)?.code, 'answer-too-large');
    assert.equal(new AnswerBounds('a').exceeded(100, true, 1, 0, 1, 10_001)?.code, 'answer-too-large');
    assert.equal(new AnswerBounds('a').exceeded(100, true, 1_000_001, 0, 1, 0)?.code, 'answer-too-large');
  });

  it('ends with a failure when too many bytes or events come between two pieces of content', () => {
    const bounds = new AnswerBounds('a');
    for (let index = 0; index < 64; index += 1) assert.equal(bounds.exceeded(megabyte, false, index, 0, 0, 0), undefined);
    assert.equal(bounds.exceeded(1, false, 64, 0, 0, 0)?.code, 'stream-noise');
    assert.equal(bounds.exceeded(1, true, 65, 0, 1, 0), undefined);
    assert.equal(bounds.exceeded(1, false, 65 + 50_001, 0, 1, 0)?.code, 'stream-noise');
  });

  it('ends with a failure when many of its events cannot be read', () => {
    assert.equal(new AnswerBounds('a').exceeded(100, true, 5_000, 2_000, 1, 0), undefined);
    assert.equal(new AnswerBounds('a').exceeded(100, true, 5_000, 2_001, 1, 0)?.code, 'stream-noise');
  });

  it('has no content in empty pieces of a tool call', () => {
    assert.equal(isContentEvent({ type: 'tool-call-arguments', index: 0, text: '' }), false);
    assert.equal(isContentEvent({ type: 'tool-call-arguments', index: 0, text: '{' }), true);
  });

  it('is buffered within bounds while the caller can see nothing of it, also in empty pieces', () => {
    const held = new CommitBuffer(false);
    const empty: ConversationEvent = { type: 'tool-call-arguments', index: 0, text: '' };
    held.addEvents(Array.from({ length: 500_000 }, () => empty));
    assert.equal(held.isTooMuch(true, 10, 10), false);
    held.addEvents([empty]);
    assert.equal(held.isTooMuch(true, 10, 10), true);
  });
});

describe('a decoder keeps a bounded number of parts', () => {
  const streams = {
    'openai-chat': (index: number) => ({ choices: [{ index: 0, delta: { tool_calls: [{ index, function: { arguments: 'x' } }] } }] }),
    'anthropic-messages': (index: number) => ({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } }),
    'openai-responses': (index: number) => ({ type: 'response.output_item.added', output_index: index, item: { type: 'message', id: `m${index}`, content: [] } }),
  } as const;
  for (const [protocol, event] of Object.entries(streams)) it(`${protocol}: parts beyond the bound take no memory and do no harm`, () => {
    const decoder = codecFor(protocol as keyof typeof streams)?.createStreamDecoder({});
    assert.ok(decoder !== undefined);
    const first = event(0);
    const name = 'type' in first ? first.type : undefined;
    for (let index = 0; index < 30_000; index += 1) decoder.decode(name, JSON.stringify(event(index)));
    assert.equal(decoder.terminated, false);
  });
});
