import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FirstTokenAverages, firstTokenSampleOf, type FirstTokenSample } from '../../../server/timeouts/firstTokenAverages.ts';
import { anAttempt } from '../ledger/receipts.ts';

const minute = 60_000;
const answer = (ms: number): FirstTokenSample => ({ kind: 'answer', ms });

function averages() {
  const all = new FirstTokenAverages();
  return {
    all,
    add: (at: number, sample: FirstTokenSample, endpoint = 'a') => { all.observe(endpoint, 'm', 'normal', true, at, sample); },
    at: (now: number) => all.of('a', 'm', 'normal', true, now)?.ms,
  };
}

describe('the average time to the first token', () => {
  it('goes up at once and comes down over several measurements', () => {
    const { add, at } = averages();
    add(0, answer(100));
    add(1000, answer(1100));
    assert.equal(at(1000), 600);
    add(2000, answer(100));
    assert.ok((at(2000) ?? 0) > 500);
    for (let index = 1; index <= 5; index++) add(2000 + index * 30_000, answer(100));
    assert.ok((at(3 * minute) ?? Infinity) < 160, 'five requests of one developer are enough');
  });

  it('counts a failure as slow, whatever kind of work had it, and however fast it came', () => {
    const { all, add, at } = averages();
    add(0, answer(100));
    all.observe('a', 'm', 'fast', true, 1000, { kind: 'failure', ms: 5000 });
    assert.deepEqual([at(1000), all.of('a', 'm', 'fast', true, 1000)?.ms], [5000, 5000]);
  });

  it('learns from an attempt that was given up only that it is slower than known', () => {
    const { add, at } = averages();
    add(0, { kind: 'at-least', ms: 9000 });
    assert.equal(at(0), undefined);
    add(0, answer(100));
    add(1, { kind: 'at-least', ms: 50 });
    assert.equal(at(1), 100);
    add(2, { kind: 'at-least', ms: 900 });
    assert.equal(at(2), 500);
  });

  it('holds for a quarter of an hour, and twice as long each time the next one shows the same', () => {
    const { add, at } = averages();
    add(0, answer(2000));
    assert.deepEqual([at(15 * minute), at(15 * minute + 1)], [2000, undefined]);
    add(16 * minute, answer(2100));
    assert.deepEqual([at(46 * minute), at(46 * minute + 1)], [2100, undefined]);
    add(50 * minute, answer(300));
    assert.deepEqual([at(65 * minute), at(65 * minute + 1)], [300, undefined], 'another figure begins anew');
  });

  it('holds for a thousand requests where there are many, and ten seconds at least', () => {
    const { add, at } = averages();
    add(0, answer(2000));
    for (let index = 0; index <= 1000; index++) add(index * 9, answer(50), 'b');
    assert.equal(at(9_000), 2000);
    assert.equal(at(10_001), undefined);
  });

  it('is kept apart by kind of work and for plain answers', () => {
    const { all, add } = averages();
    add(0, answer(100));
    assert.deepEqual([all.of('a', 'm', 'complex', true, 0), all.of('a', 'm', 'normal', false, 0), all.of('a', 'n', 'normal', true, 0)], [undefined, undefined, undefined]);
  });
});

describe('what an attempt says about its target', () => {
  const rows: [title: string, changed: Parameters<typeof anAttempt>[0], stream: boolean, sample: FirstTokenSample | undefined][] = [
    ['a stream: its first token, without the reading of the prompt', { firstTokenMs: 1000, totalMs: 60_000, usage: { inputTokens: 5000, cacheReadTokens: 100_000, outputTokens: 4000 } }, true, answer(800)],
    ['a long prompt: a quarter of its time at least', { firstTokenMs: 1000, totalMs: 2000, usage: { inputTokens: 200_000, outputTokens: 10 } }, true, answer(250)],
    ['a plain answer: the time of its first tokens', { firstTokenMs: 10_000, totalMs: 10_000, usage: { inputTokens: 0, outputTokens: 500 } }, false, answer(1000)],
    ['a failure: slow', { outcome: 'failed', failureClass: 'server', firstTokenMs: undefined, totalMs: 20 }, true, { kind: 'failure', ms: 5000 }],
    ['a timeout: as long as it took', { outcome: 'failed', failureClass: 'timeout', firstTokenMs: undefined, totalMs: 30_000 }, true, { kind: 'failure', ms: 30_000 }],
    ['one that was given up: at least so long', { outcome: 'cancelled', firstTokenMs: undefined, totalMs: 700 }, true, { kind: 'at-least', ms: 700 }],
    ['a request that no target takes: nothing', { outcome: 'failed', failureClass: 'bad-request', firstTokenMs: undefined, totalMs: 20 }, true, undefined],
    ['a fire drill: nothing', { outcome: 'failed', failureClass: 'server', drill: true, firstTokenMs: undefined, totalMs: 20 }, true, undefined],
    ['a fault of this machine: nothing', { outcome: 'failed', failureClass: 'local', firstTokenMs: undefined, totalMs: 20 }, true, undefined],
  ];
  for (const [title, changed, stream, sample] of rows) {
    it(title, () => {
      assert.deepEqual(firstTokenSampleOf(anAttempt(changed), stream), sample);
    });
  }
});
