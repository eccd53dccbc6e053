import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StrategyName } from '../../../../server/api/settings.ts';
import { FirstTokenAverages } from '../../../../server/timeouts/firstTokenAverages.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { choicesOf, StrategyUnderTest } from './strategyFixture.ts';

/** A request that takes longer counts as failed, as in Linkerd's published comparison. */
const limitMs = 1000;
const slowMs = 2000;

interface World {
  endpoints: number;
  /** Between two requests. */
  gapMs: number;
  forMs: number;
  /** Whether the first endpoint is slow at a moment. */
  isSlow(at: number): boolean;
  usualMs: number;
  seed: number;
}
interface Outcome { success: number; p99: number; byEndpoint: Record<string, number>; answered: number[] }

/** Plays requests on a virtual clock to endpoints that answer independently of their load. */
function play(strategyName: StrategyName, { endpoints, gapMs, forMs, isSlow, usualMs, seed }: World): Outcome {
  const choices = choicesOf(Object.fromEntries(Array.from({ length: endpoints }, (_, index) => [`e${index}`, 1])));
  const random = seededRandom(seed + 1000);
  const averages = new FirstTokenAverages();
  const inFlight = new Map<string, number>();
  let now = 0;
  const strategy = new StrategyUnderTest(strategyName, seed, {
    inFlight: ({ endpoint }) => inFlight.get(endpoint.name) ?? 0,
    firstTokenAverage: ({ endpoint, model }, { kind, stream }) => averages.of(endpoint.name, model, kind, stream, now),
  });
  /** The soonest last. */
  const under: { end: number; name: string; tookMs: number }[] = [];
  const times: number[] = [];
  const byEndpoint: Record<string, number> = {};
  const finish = (until: number): void => {
    for (let done = under.at(-1); done !== undefined && done.end <= until; done = under.at(-1)) {
      under.pop();
      now = done.end;
      inFlight.set(done.name, (inFlight.get(done.name) ?? 1) - 1);
      const failed = done.tookMs > limitMs;
      averages.observe(done.name, 'm', 'normal', true, now, failed ? { kind: 'failure', ms: 5000 } : { kind: 'answer', ms: done.tookMs });
      times.push(failed ? Infinity : done.tookMs);
    }
  };
  for (let at = 0; at < forMs; at += gapMs) {
    finish(at);
    now = at;
    const name = strategy.first(choices);
    byEndpoint[name] = (byEndpoint[name] ?? 0) + 1;
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1);
    // Most answers lie between two thirds and one and a half times of the usual.
    const usual = usualMs * Math.exp(0.4 * (random() + random() + random() - 1.5));
    const tookMs = name === 'e0' && isSlow(at) ? slowMs : usual;
    const end = at + Math.min(tookMs, limitMs);
    let place = under.length;
    while (place > 0 && (under[place - 1]?.end ?? 0) < end) place--;
    under.splice(place, 0, { end, name, tookMs });
  }
  finish(Infinity);
  const sorted = [...times].sort((a, b) => a - b);
  return { success: times.filter(ms => ms !== Infinity).length / times.length, p99: sorted[Math.floor(0.99 * sorted.length)] ?? Infinity, byEndpoint, answered: times };
}

const second = 1000;
const hour = 3600 * second;
/** Eleven endpoints at a thousand requests a second, one of them slow for half of each minute. */
const busy: Omit<World, 'seed'> = { endpoints: 11, gapMs: 1, forMs: 60 * second, usualMs: 50, isSlow: at => at % (60 * second) >= 30 * second };
/** One developer for a week of days and nights, a request each half minute; one of four endpoints is slow for half of it. */
const alone: Omit<World, 'seed'> = { endpoints: 4, gapMs: 30 * second, forMs: 7 * 24 * hour, usualMs: 400, isSlow: at => at % (84 * hour) < 42 * hour };
/** The same, and it is always slow. */
const always: Omit<World, 'seed'> = { ...alone, isSlow: () => true };

describe('fastest, with one endpoint that becomes slow', () => {
  for (const [title, world, usual] of [['at 1,000 requests a second', busy, 0.955], ['at one request in 30 s', alone, 0.875], ['at one request in 30 s, slow all week', always, 0.75]] as const) {
    for (const seed of [1, 2]) {
      it(`has 99.9 % success ${title}, where round-robin has about ${100 * usual} % (seed ${seed})`, () => {
        const fast = play('fastest', { ...world, seed });
        const round = play('round-robin', { ...world, seed });
        assert.ok(Math.abs(round.success - usual) < 0.01, `round-robin has ${round.success}`);
        assert.ok(fast.success >= 0.999, `fastest has ${fast.success}`);
        assert.equal(round.p99, Infinity, 'the slow end of round-robin is a failure');
        assert.ok(fast.p99 < 2.2 * world.usualMs, `the 99th percentile of fastest is ${fast.p99} ms`);
      });
    }
  }

  it('spreads requests over endpoints that are equally fast', () => {
    const { byEndpoint } = play('fastest', { ...busy, isSlow: () => false, forMs: 20 * second, seed: 3 });
    for (const count of Object.values(byEndpoint)) assert.ok(count > 20_000 / 11 / 2 && count < 20_000 / 11 * 2, JSON.stringify(byEndpoint));
  });
});

describe('fastest', () => {
  const choices = choicesOf({ a: 1, b: 1, c: 1 });

  /** The strategy with averages of first tokens, requests under way, and health checks, by endpoint. */
  function knowing(ms: Record<string, number>, more: { inFlight?: Record<string, number>; samples?: number; probes?: Record<string, number> } = {}): StrategyUnderTest {
    return new StrategyUnderTest('fastest', 5, {
      inFlight: ({ endpoint }) => more.inFlight?.[endpoint.name] ?? 0,
      firstTokenAverage: ({ endpoint }) => { const known = ms[endpoint.name]; return known === undefined ? undefined : { ms: known, samples: more.samples ?? 20 }; },
      probeMs: ({ endpoint }) => more.probes?.[endpoint.name],
    });
  }
  const names = (strategy: StrategyUnderTest): string => strategy.order(choices).map(({ name }) => name).join('');

  it('orders by the time to the first token', () => {
    assert.equal(names(knowing({ a: 900, b: 300, c: 600 })), 'bca');
  });

  it('counts the requests that are under way', () => {
    assert.equal(names(knowing({ a: 900, b: 300, c: 600 }, { inFlight: { b: 5 } })), 'cab');
  });

  it('tries one that was not measured lately with one request, and not with a flood', () => {
    assert.equal(names(knowing({ a: 300, b: 400 })), 'cab');
    const strategy = knowing({ a: 300, b: 400 }, { inFlight: { c: 3 } });
    const tried = Array.from({ length: 1000 }, () => strategy.first(choices)).filter(name => name === 'c').length;
    assert.ok(tried < 20, `${tried} of 1000 went to it while three were under way`);
  });

  it('gives a new one no more requests at once than it has measurements', () => {
    assert.equal(knowing({ a: 100, b: 150, c: 900 }, { samples: 2, inFlight: { a: 2 } }).first(choices), 'b');
  });

  it('tries the nearest of those that were not measured first, as regions of a provider are before the first request', () => {
    assert.equal(names(knowing({}, { probes: { a: 180, b: 25, c: 90 } })), 'bca');
  });
});
