import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import type { ChatEvent } from '../../../../server/api/messages.ts';
import { ChatEventBatch } from '../../../../server/inbound/lsp/chatEventBatch.ts';
import { LspSink } from '../../../../server/inbound/lsp/lspSink.ts';

function joined(events: readonly ChatEvent[]): ChatEvent[] {
  const batch = new ChatEventBatch();
  for (const event of events) batch.add([event]);
  return batch.take();
}

const word = (text: string): ConversationEvent & { type: 'text' } => ({ type: 'text', text });

describe('events that wait to be sent together', () => {
  it('neighbouring pieces of one text become one event', () => {
    assert.deepEqual(joined([word('Sup'), word('ply'), { type: 'thinking', text: 'a' }, { type: 'thinking', text: 'b' }, word(' lines'), { type: 'refusal', text: 'N' }, { type: 'refusal', text: 'o' }]), [
      word('Supply'), { type: 'thinking', text: 'ab' }, word(' lines'), { type: 'refusal', text: 'No' },
    ]);
  });

  it('nothing is joined across another event, nor pieces of another kind of text', () => {
    const events: ChatEvent[] = [
      word('a'), { type: 'usage', usage: { outputTokens: 1 } }, word('b'), { type: 'text', text: 'c', phase: 'commentary' }, { type: 'text', text: 'd', phase: 'final_answer' },
      { type: 'text', text: 'e', logprobs: [1] }, { type: 'text', text: 'f', logprobs: [2] }, word('g'), { type: 'restart', message: 'again' }, word('h'), { type: 'finish', reason: 'end' },
    ];
    assert.deepEqual(joined(events), events);
    assert.deepEqual(joined([{ type: 'text', text: 'a', phase: 'commentary' }, { type: 'text', text: 'b', phase: 'commentary' }]), [{ type: 'text', text: 'ab', phase: 'commentary' }]);
  });

  it('pieces of tool calls stay apart', () => {
    const events: ChatEvent[] = [{ type: 'tool-call-arguments', index: 0, text: '{' }, { type: 'tool-call-arguments', index: 1, text: '{' }, { type: 'tool-call-arguments', index: 1, text: '}' }];
    assert.deepEqual(joined(events), events);
  });

  it('the events that were handed in stay as they are, and a batch that was taken grows no more', () => {
    const batch = new ChatEventBatch();
    const events = [word('a'), word('b'), word('c')];
    batch.add(events);
    const taken = batch.take();
    batch.add([word('d')]);
    assert.deepEqual([events, taken, batch.take(), batch.take()], [[word('a'), word('b'), word('c')], [word('abc')], [word('d')], []]);
  });
});

describe('the editor\'s end of an exchange', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 5000;
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => nowMs);
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  function pass(ms: number): void {
    nowMs += ms;
    mock.timers.tick(ms);
  }

  function sinkWithSent(): { sink: LspSink; sent: ChatEvent[][] } {
    const sent: ChatEvent[][] = [];
    return { sink: new LspSink({ send: events => sent.push(events), ask: () => Promise.resolve(false), ended: () => undefined, flowControl: false }), sent };
  }

  it('sends the first words at once, and the start of the answer with them', () => {
    const { sink, sent } = sinkWithSent();
    sink.events([{ type: 'start', model: 'm' }]);
    pass(100);
    assert.deepEqual(sent, []);
    sink.events([word('Hello')]);
    assert.deepEqual(sent, [[{ type: 'start', model: 'm' }, word('Hello')]]);
  });

  it('sends what follows within 12 ms together, 12 ms after what was sent before', () => {
    const { sink, sent } = sinkWithSent();
    sink.events([word('a')]);
    pass(5);
    sink.events([word('b')]);
    pass(6);
    sink.events([word('c')]);
    assert.equal(sent.length, 1);
    pass(1);
    assert.deepEqual(sent, [[word('a')], [word('bc')]]);
    pass(12);
    sink.events([word('d')]);
    assert.deepEqual(sent.at(-1), [word('d')]);
  });

  it('sends everything before it says that the answer is over', () => {
    const { sink, sent } = sinkWithSent();
    sink.events([{ type: 'start' }]);
    sink.end();
    assert.deepEqual(sent, [[{ type: 'start' }]]);
    pass(100);
    assert.equal(sent.length, 1);
  });
});
