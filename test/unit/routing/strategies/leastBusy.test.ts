import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../../support/seededRandom.ts';
import { choicesOf, StrategyUnderTest } from './strategyFixture.ts';

/** Requests under way when each of them lasts as long as a model writes, on a virtual clock. */
function mostAtOnce(strategyName: 'least-busy' | 'round-robin', seed: number): number {
  const choices = choicesOf({ a: 1, b: 1, c: 1, d: 1 });
  const random = seededRandom(seed);
  const inFlight = new Map<string, number>();
  const strategy = new StrategyUnderTest(strategyName, seed, { inFlight: ({ endpoint }) => inFlight.get(endpoint.name) ?? 0 });
  let under: { end: number; name: string }[] = [];
  let most = 0;
  for (let at = 0; at < 60_000; at += 100) {
    for (const { name } of under.filter(({ end }) => end <= at)) inFlight.set(name, (inFlight.get(name) ?? 1) - 1);
    under = under.filter(({ end }) => end > at);
    const name = strategy.first(choices);
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1);
    most = Math.max(most, inFlight.get(name) ?? 0);
    // One answer in ten is fifty times as long.
    under.push({ end: at + (random() < 0.1 ? 15_000 : 300), name });
  }
  return most;
}

describe('least-busy', () => {
  for (const seed of [1, 2, 3]) {
    it(`keeps the longest queue within one of what equal shares would have, where round-robin piles long answers up (seed ${seed})`, () => {
      const [busy, round] = [mostAtOnce('least-busy', seed), mostAtOnce('round-robin', seed)];
      assert.ok(busy < round, `${busy} against ${round}`);
    });
  }

  it('puts the one with the fewest requests for its weight first', () => {
    const inFlight: Record<string, number> = { a: 4, b: 2, c: 3 };
    const strategy = new StrategyUnderTest('least-busy', 1, { inFlight: ({ endpoint }) => inFlight[endpoint.name] ?? 0 });
    assert.deepEqual(strategy.order(choicesOf({ a: 1, b: 1, c: 1 })).map(({ name }) => name), ['b', 'c', 'a']);
    assert.deepEqual(strategy.order(choicesOf({ a: 10, b: 1, c: 1 })).map(({ name }) => name), ['a', 'b', 'c']);
  });

  it('takes turns among equals', () => {
    const strategy = new StrategyUnderTest('least-busy', 1);
    const choices = choicesOf({ a: 1, b: 1, c: 1 });
    assert.deepEqual(new Set([1, 2, 3].map(() => strategy.first(choices))), new Set(['a', 'b', 'c']));
  });
});
