import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LearntRepairs } from '../../../server/exchange/learntRepairs.ts';
import type { Repair } from '../../../server/protocols/repairs/repair.ts';

const here = { name: 'e', baseUrl: 'https://a.example' };
const day = 24 * 60 * 60 * 1000;
const noSeed: Repair = { kind: 'drop', name: 'seed' };
const noStore: Repair = { kind: 'drop', name: 'store' };

describe('what was learnt from refusals', () => {
  test('holds for one model at one endpoint and address', () => {
    const learnt = new LearntRepairs();
    assert.equal(learnt.of(here, 'm', 0), undefined);
    learnt.learn(here, 'm', [noSeed], 0);
    assert.deepEqual(learnt.of(here, 'm', 1), [noSeed]);
    assert.deepEqual([learnt.of(here, 'other', 1), learnt.of({ ...here, name: 'f' }, 'm', 1), learnt.of({ ...here, baseUrl: 'https://b.example' }, 'm', 1)], [undefined, undefined, undefined]);
  });

  test('is forgotten after a day, each part by itself', () => {
    const learnt = new LearntRepairs();
    learnt.learn(here, 'm', [noSeed], 0);
    learnt.learn(here, 'm', [noSeed, noStore], day / 2);
    assert.deepEqual(learnt.of(here, 'm', day - 1), [noSeed, noStore]);
    assert.deepEqual(learnt.of(here, 'm', day), [noStore]);
    assert.equal(learnt.of(here, 'm', 2 * day), undefined);
  });

  test('is taken back where it did not help', () => {
    const learnt = new LearntRepairs();
    learnt.learn(here, 'm', [noSeed, noStore], 0);
    learnt.forget(here, 'm', [noSeed]);
    assert.deepEqual(learnt.of(here, 'm', 1), [noStore]);
  });

  test('leaves a limit out that is refused under both of its names', () => {
    const learnt = new LearntRepairs();
    learnt.learn(here, 'm', [{ kind: 'rename', name: 'max_tokens', to: 'max_completion_tokens' }], 0);
    assert.deepEqual(learnt.learn(here, 'm', [{ kind: 'rename', name: 'max_completion_tokens', to: 'max_tokens' }], 1), [{ kind: 'drop', name: 'max_completion_tokens' }]);
  });

  test('is bounded', () => {
    const learnt = new LearntRepairs();
    for (let index = 0; index < 3000; index += 1) learnt.learn(here, `m${String(index)}`, [noSeed], 0);
    assert.deepEqual([learnt.of(here, 'm0', 1), learnt.of(here, 'm2999', 1)], [undefined, [noSeed]]);
    for (let index = 0; index < 100; index += 1) learnt.learn(here, 'm2999', [{ kind: 'drop', name: `f${String(index)}` }], 0);
    assert.equal(learnt.of(here, 'm2999', 1)?.length, 32);
  });

  test('is said in words, by model', () => {
    const learnt = new LearntRepairs();
    learnt.learn(here, 'm', [noSeed, { kind: 'drop', name: 'reasoning_effort', value: '"minimal"' }], 0);
    assert.deepEqual(learnt.wordsOf(here, 1), ['m: seed was left out, which this target refuses', 'm: reasoning_effort minimal was left out, which this target refuses']);
  });
});
