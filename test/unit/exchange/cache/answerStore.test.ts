import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnswerStore } from '../../../../server/exchange/cache/answerStore.ts';
import { SharedAnswer } from '../../../../server/exchange/cache/sharedAnswer.ts';

function answer(bytes: number, keptAt = 0): SharedAnswer {
  const kept = new SharedAnswer('x', 'auto');
  kept.bytes = bytes;
  kept.keptAt = keptAt;
  return kept;
}

describe('kept answers', () => {
  it('stay within their bound; those that were not used for longest go first', () => {
    const store = new AnswerStore();
    for (const key of ['a', 'b', 'c']) store.keep(key, answer(10), 30);
    store.find('a', 0, 1000);
    store.keep('d', answer(10), 30);
    assert.deepEqual(['a', 'b', 'c', 'd'].map(key => store.find(key, 0, 1000) !== undefined), [true, false, true, true]);
    assert.equal(store.keep('e', answer(31), 30), false, 'what is larger than all is not kept');
    assert.deepEqual([store.size, store.bytes], [3, 30]);
    store.keep('a', answer(25), 30);
    assert.deepEqual([store.size, store.bytes], [1, 25], 'one that is replaced counts once');
  });

  it('are none once they are too old, also where the clock was set back', () => {
    const store = new AnswerStore();
    store.keep('a', answer(10, 500), 100);
    store.keep('b', answer(10, 900), 100);
    assert.equal(store.find('a', 400, 1000), undefined);
    store.expire(1900, 1000);
    assert.deepEqual([store.size, store.bytes], [0, 0]);
  });

  it('take less memory when their pieces are joined, and say the same', () => {
    const running = new SharedAnswer('x', 'auto');
    running.append([{ type: 'start', id: '1' }, ...[...'Hello there'].map(text => ({ type: 'text' as const, text })), { type: 'finish', reason: 'end' }]);
    const kept = running.compacted();
    assert.deepEqual(kept.events, [{ type: 'start', id: '1' }, { type: 'text', text: 'Hello there' }, { type: 'finish', reason: 'end' }]);
    assert.ok(kept.bytes < running.bytes);
  });
});
