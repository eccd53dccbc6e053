import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sandbox } from '../../../server/catalog/localProviders.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { breakerOf, timeoutsOf } from '../../../server/config/defaults.ts';
import { createHedgePolicy } from '../../../server/timeouts/hedgePolicy.ts';
import { createAdaptiveTimeouts } from '../../../server/timeouts/adaptiveTimeouts.ts';
import { seededRandom } from '../support/seededRandom.ts';

/*
 * The promise: with one target that stalls in five of a hundred requests the 99th percentile of the first token is at most
 * 1.5 times what it is without stalls, for at most six second requests in a hundred. Since five of the six go to stalls, the
 * moment to ask can come no earlier than where about one ordinary request in a hundred still waits, and the second
 * answer takes its own time after it: that is within 1.5 times the 99th percentile only where latencies spread so that four
 * of five answers come in half of it. Of lognormal latencies that takes a sigma of about 0.5.
 */

type Latency = (random: () => number) => number;

const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const lognormal = (sigma: number): Latency => random => 400 * Math.exp(sigma * normal(random));
const exponential = (baseMs: number, meanMs: number): Latency => random => baseMs - meanMs * Math.log(1 - random());

const attainable: Record<string, Latency> = {
  'lognormal, sigma 0.6': lognormal(0.6),
  'lognormal, sigma 0.7': lognormal(0.7),
  'lognormal, sigma 0.8': lognormal(0.8),
  'exponential': exponential(20, 400),
  'exponential after a fixed time': exponential(150, 300),
};
const outOfReach: Record<string, Latency> = {
  'lognormal, sigma 0.3': lognormal(0.3),
  'even between 50 and 150 ms': random => 50 + 100 * random(),
};

const endpoint: EndpointConfig = {
  name: 'first', provider: sandbox, protocol: 'openai-chat', baseUrl: 'https://first.example.com', enabled: true, priority: 1, weight: 1, headers: {},
  limits: {}, timeouts: timeoutsOf(undefined, false), writtenTimeouts: {}, breaker: breakerOf(undefined), probe: { enabled: false, intervalMs: 60_000 }, models: {},
};
const config = { dailyCapMicroUsd: 1_000_000 };
const beforeStalls = 300;
const requests = 3_000;

interface Outcome { ratio: number; extraShare: number }

/** Requests one after the other at a new route, the first of them without stalls. @param stalls whether the request of a number stalls */
function simulate(latency: Latency, seed: number, stalls: (index: number, random: () => number) => boolean, stallMs: number): Outcome {
  const random = seededRandom(seed);
  const book = createAdaptiveTimeouts();
  const policy = createHedgePolicy();
  book.configure(new Map([['first', endpoint]]));
  const taken: number[] = [];
  let second = 0;
  for (let index = 0; index < beforeStalls + requests; index += 1) {
    policy.requested('auto');
    const stalled = index >= beforeStalls && stalls(index, random);
    const firstMs = stalled ? stallMs : latency(random);
    const { tookMs, hedgedAtMs } = walk(firstMs, latency(random));
    if (hedgedAtMs === undefined || firstMs <= tookMs) book.observe({ ...about(index), firstTokenMs: firstMs });
    else book.observe({ ...about(index), atLeastFirstTokenMs: tookMs });
    if (index < beforeStalls) continue;
    taken.push(tookMs);
    if (hedgedAtMs !== undefined) second += 1;
  }
  const undisturbed = Array.from({ length: 50_000 }, () => latency(random));
  return { ratio: percentile99(taken) / percentile99(undisturbed), extraShare: second / requests };

  function about(index: number): { endpoint: string; model: string; kind: 'normal'; stream: true; at: number } {
    return { endpoint: 'first', model: 'm', kind: 'normal', stream: true, at: index * 1_000 };
  }

  /** One request: asks for a second target at each moment until it may or the first has begun. */
  function walk(firstMs: number, secondMs: number): { tookMs: number; hedgedAtMs?: number } {
    for (let asked = 0; ; asked += 1) {
      const atMs = book.hedgeAfterMs('first', 'm', 'normal', { asked });
      if (atMs === undefined || firstMs <= atMs) return { tookMs: firstMs };
      if (policy.mayHedge('auto', config, () => 0, asked)) return { tookMs: Math.min(firstMs, atMs + secondMs), hedgedAtMs: atMs };
    }
  }
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(0.99 * values.length) - 1] ?? NaN;
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const steady = (index: number): boolean => index % 20 === 7;
const atRandom = (_index: number, random: () => number): boolean => random() < 0.05;

function middle(latency: Latency, stalls: (index: number, random: () => number) => boolean, stallMs: number): Outcome {
  const outcomes = seeds.map(seed => simulate(latency, seed, stalls, stallMs));
  return { ratio: median(outcomes.map(({ ratio }) => ratio)), extraShare: median(outcomes.map(({ extraShare }) => extraShare)) };
}

describe('hedging with stalls in five of a hundred requests', () => {
  for (const [name, latency] of Object.entries(attainable)) {
    for (const stallMs of [60_000, 4_000]) {
      it(`holds its promise for latencies ${name} and stalls of ${stallMs / 1000} s, one in every twenty requests`, () => {
        const { ratio, extraShare } = middle(latency, steady, stallMs);
        assert.ok(ratio <= 1.5, `the 99th percentile is ${ratio} times that without stalls`);
        assert.ok(extraShare <= 0.06, `${extraShare} of the requests were made twice`);
      });

      // Of stalls that come in bunches the last ones find nothing left, and of three thousand requests more than 150 may stall.
      it(`comes as close as chance lets it for latencies ${name} and stalls of ${stallMs / 1000} s at random`, () => {
        const { ratio, extraShare } = middle(latency, atRandom, stallMs);
        assert.ok(ratio <= 1.55, `the 99th percentile is ${ratio} times that without stalls`);
        assert.ok(extraShare <= 0.06, `${extraShare} of the requests were made twice`);
      });
    }
  }

  for (const [name, latency] of Object.entries({ ...attainable, ...outOfReach })) {
    it(`costs no more than six in a hundred and ends stalls in any case, for latencies ${name}`, () => {
      for (const seed of seeds) {
        const { ratio, extraShare } = simulate(latency, seed, steady, 60_000);
        assert.ok(extraShare <= 0.061, `${extraShare} of the requests were made twice`);
        assert.ok(ratio < 2.5, `the 99th percentile is ${ratio} times that without stalls`);
      }
    });
  }

  it('costs no more when every fifth request stalls', () => {
    const { extraShare } = simulate(lognormal(0.6), 1, index => index % 5 === 0, 60_000);
    assert.ok(extraShare <= 0.062 && extraShare > 0.055, `${extraShare} of the requests were made twice`);
  });

  it('asks for fewer second requests where nothing stalls', () => {
    const { extraShare, ratio } = simulate(lognormal(0.6), 1, () => false, 60_000);
    assert.ok(extraShare > 0.03 && extraShare <= 0.058, `${extraShare} of the requests were made twice`);
    assert.ok(ratio <= 1);
  });
});
