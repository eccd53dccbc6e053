import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestKind } from '../../../server/api/receipt.ts';
import type { TimeoutSettings } from '../../../server/api/settings.ts';
import { ollama, sandbox } from '../../../server/catalog/localProviders.ts';
import type { Provider } from '../../../server/catalog/provider.ts';
import type { EndpointConfig, Timeouts } from '../../../server/config/config.ts';
import { breakerOf, givenTimeouts, timeoutsOf } from '../../../server/config/defaults.ts';
import { createAdaptiveTimeouts, type TimedAttempt, type AdaptiveTimeouts, type TimeoutQuery } from '../../../server/timeouts/adaptiveTimeouts.ts';
import { seededRandom } from '../support/seededRandom.ts';

const day = 86_400_000;

function anEndpoint(name: string, written?: TimeoutSettings, provider: Provider = sandbox): EndpointConfig {
  return {
    name, provider, protocol: 'openai-chat', baseUrl: `https://${name}.example.com`, enabled: true, priority: 1, weight: 1, headers: {}, limits: {},
    ...(provider.local === true ? { local: true } : {}), timeouts: timeoutsOf(written, provider.local === true), writtenTimeouts: givenTimeouts(written), breaker: breakerOf(undefined),
    probe: { enabled: false, intervalMs: 60_000 }, models: {},
  };
}

/** Adaptive timeouts of one endpoint, with short functions that add attempts and read timers. */
class Place {
  readonly endpoint: EndpointConfig;
  readonly book: AdaptiveTimeouts = createAdaptiveTimeouts();
  #at = Date.UTC(2026, 0, 1);

  constructor(written?: TimeoutSettings, provider?: Provider) {
    this.endpoint = anEndpoint('far', written, provider);
    this.book.configure(new Map([['far', this.endpoint]]));
  }

  see(attempt: Partial<TimedAttempt>, times = 1): this {
    for (let time = 0; time < times; time += 1) {
      this.#at += 1_000;
      this.book.observe({ endpoint: 'far', model: 'm', kind: 'normal', stream: true, at: this.#at, ...attempt });
    }
    return this;
  }

  pass(ms: number): this {
    this.#at += ms;
    return this;
  }

  limits(wanted: Partial<TimeoutQuery> = {}): Timeouts {
    return this.book.timeouts({ endpoint: this.endpoint, route: undefined, model: 'm', kind: 'normal', stream: true, lastResort: false, ...wanted });
  }

  /** Requests that really take `ms`, under the limits as they are. @returns how many of them the first token timer ended before one got through */
  untilThrough(ms: number, most: number): number {
    for (let tries = 0; tries < most; tries += 1) {
      const { firstTokenMs } = this.limits();
      if (ms <= firstTokenMs) {
        this.see({ firstTokenMs: ms, headersMs: 5 });
        return tries;
      }
      this.see({ firstTokenMs, headersMs: 5, timedOut: 'first-token' });
    }
    return most;
  }
}

describe('timers of an endpoint without history', () => {
  it('are the defaults, half of them for small requests and twice as long for reasoning', () => {
    const place = new Place();
    assert.deepEqual(place.limits(), place.endpoint.timeouts);
    assert.equal(place.limits({ kind: 'fast' }).firstTokenMs, 30_000);
    assert.equal(place.limits({ kind: 'complex' }).firstTokenMs, 120_000);
    assert.equal(place.limits({ kind: 'complex' }).connectMs, 5_000);
  });

  it('are as long for small requests as for others where a model may have to be loaded', () => {
    const place = new Place(undefined, ollama);
    assert.equal(place.limits({ kind: 'fast' }).firstTokenMs, 300_000);
  });

  it('stay the defaults until there are enough attempts', () => {
    assert.equal(new Place().see({ firstTokenMs: 200 }, 5).limits().firstTokenMs, 60_000);
    assert.equal(new Place().see({ connectMs: 20 }, 2).limits().connectMs, 5_000);
  });
});

describe('what the user wrote', () => {
  it('is never touched, for the route before the endpoint', () => {
    const written = { connectMs: 700, headersMs: 7_000, firstTokenMs: 8_000, idleMs: 9_000, totalMs: 90_000, minTokensPerSecond: 3 };
    const place = new Place(written);
    place.see({ connectMs: 10, headersMs: 50, firstTokenMs: 100, longestGapMs: 30, tokensPerSecond: 80 }, 100);
    for (const kind of ['fast', 'normal', 'complex'] as const) {
      for (const lastResort of [false, true]) assert.deepEqual(place.limits({ kind, lastResort }), { ...written, bufferedHeadersMs: 7_000 });
    }
    assert.deepEqual(place.limits({ route: { firstTokenMs: 123 } }), { ...written, bufferedHeadersMs: 7_000, firstTokenMs: 123 });
  });

  it('gives a plain answer as long as it gives the whole', () => {
    const place = new Place({ totalMs: 1_000_000 });
    assert.equal(place.limits({ kind: 'fast', stream: false }).bufferedHeadersMs, 1_000_000);
    assert.equal(place.limits({ route: { totalMs: 20_000 }, stream: false }).bufferedHeadersMs, 20_000);
  });
});

describe('a learnt connect timeout', () => {
  it('ends the attempt at a quickly connecting endpoint long before the first packet is sent again', () => {
    const { connectMs } = new Place().see({ connectMs: 20 }, 3).limits();
    assert.ok(connectMs >= 400 && connectMs < 800, `${connectMs}`);
  });

  it('waits for the second packet where connections are usually slow', () => {
    const { connectMs } = new Place().see({ connectMs: 250 }, 50).limits();
    assert.ok(connectMs > 1_500 && connectMs < 3_000, `${connectMs}`);
  });

  it('is never longer than the default', () => {
    assert.equal(new Place().see({ connectMs: 4_000 }, 20).limits().connectMs, 5_000);
  });

  it('stays short at the first timeout and doubles from the second in a row, until connections are made again', () => {
    const place = new Place().see({ connectMs: 20 }, 30);
    const usual = place.limits().connectMs;
    place.see({ connectMs: usual, timedOut: 'connect' });
    assert.ok(place.limits().connectMs < 1.2 * usual);
    place.see({ connectMs: usual, timedOut: 'connect' });
    assert.equal(place.limits().connectMs, 2 * usual);
    place.see({ connectMs: 2 * usual, timedOut: 'connect' });
    assert.equal(place.limits().connectMs, 4 * usual);
    place.see({ connectMs: 20 }, 40);
    assert.ok(place.limits().connectMs < 1.2 * usual);
  });

  it('is not raised by one timeout among a few connections', () => {
    const place = new Place().see({ connectMs: 20 }, 4);
    place.see({ connectMs: place.limits().connectMs, timedOut: 'connect' });
    assert.ok(place.limits().connectMs < 800);
    place.see({ connectMs: 20 }, 3);
    assert.ok(place.limits().connectMs < 800);
  });

  it('is the same for every model and kind of the endpoint', () => {
    const place = new Place().see({ connectMs: 20, model: 'other', kind: 'fast' }, 3);
    assert.equal(place.limits({ kind: 'complex' }).connectMs, place.limits({ kind: 'fast' }).connectMs);
    assert.ok(place.limits({ kind: 'complex' }).connectMs < 800);
  });
});

describe('a learnt first token timeout', () => {
  it('notices soon when a quick endpoint is suddenly slow', () => {
    const place = new Place().see({ firstTokenMs: 300, headersMs: 100 }, 30);
    assert.equal(place.limits().firstTokenMs, 4_000);
    assert.equal(place.limits().headersMs, 4_000);
    place.see({ firstTokenMs: 120, headersMs: 40, kind: 'fast' }, 30);
    assert.equal(place.limits({ kind: 'fast' }).firstTokenMs, 1_500);
  });

  it('allows for an endpoint that is always slow', () => {
    const random = seededRandom(3);
    const place = new Place();
    const slow = (): number => 6_000 * Math.exp(0.5 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
    for (let index = 0; index < 200; index += 1) place.see({ firstTokenMs: slow() });
    const { firstTokenMs } = place.limits();
    let late = 0;
    for (let index = 0; index < 1_000; index += 1) if (slow() > firstTokenMs) late += 1;
    assert.ok(late <= 2, `${late} of 1000 were late for ${firstTokenMs} ms`);
  });

  it('is never longer than the default bound of its kind', () => {
    const place = new Place().see({ firstTokenMs: 50_000 }, 50);
    assert.equal(place.limits().firstTokenMs, 60_000);
  });

  it('admits answers of an endpoint that became slower after a few attempts, and from then on', () => {
    const place = new Place().see({ firstTokenMs: 400 }, 200);
    const tries = place.untilThrough(12_000, 10);
    assert.ok(tries >= 1 && tries <= 4, `${tries} attempts were lost`);
    let lost = 0;
    for (let request = 0; request < 200; request += 1) lost += place.untilThrough(12_000, 10);
    assert.equal(lost, 0);
  });

  it('is not raised by single stalls among many quick answers', () => {
    const place = new Place().see({ firstTokenMs: 1_500 }, 40);
    const before = place.limits().firstTokenMs;
    for (let round = 0; round < 20; round += 1) {
      place.see({ firstTokenMs: 1_500 }, 19).see({ firstTokenMs: place.limits().firstTokenMs, timedOut: 'first-token' });
    }
    assert.ok(place.limits().firstTokenMs <= 1.1 * before, `${place.limits().firstTokenMs} after ${before}`);
  });

  it('is short again some time after an outage', () => {
    const place = new Place().see({ firstTokenMs: 400 }, 50);
    for (let index = 0; index < 8; index += 1) place.see({ firstTokenMs: place.limits().firstTokenMs, timedOut: 'first-token' });
    assert.ok(place.limits().firstTokenMs > 30_000);
    place.see({ firstTokenMs: 400 }, 30);
    assert.equal(place.limits().firstTokenMs, 4_000);
  });

  it('widens also when the waited time is not known', () => {
    const place = new Place().see({ firstTokenMs: 400 }, 50);
    place.limits();
    place.see({ timedOut: 'first-token' });
    place.limits();
    place.see({ timedOut: 'first-token' });
    assert.equal(place.limits().firstTokenMs, 8_000);
  });

  it('forgets old attempts as soon as there are newer ones', () => {
    const place = new Place().see({ firstTokenMs: 9_000 }, 200).pass(60 * day).see({ firstTokenMs: 300 }, 30);
    assert.equal(place.limits().firstTokenMs, 4_000);
  });

  it('is the full bound where no other target could serve, and the first sign of an answer may take as long as the whole', () => {
    const place = new Place().see({ firstTokenMs: 300, headersMs: 50, connectMs: 10, longestGapMs: 40, tokensPerSecond: 50 }, 50);
    assert.deepEqual(place.limits({ lastResort: true }), { ...place.endpoint.timeouts, headersMs: 600_000, firstTokenMs: 600_000 });
    assert.equal(place.limits({ lastResort: true, kind: 'complex' }).firstTokenMs, 1_200_000);
    assert.equal(place.limits({ lastResort: true, kind: 'fast' }).firstTokenMs, 60_000);
    assert.equal(new Place({ headersMs: 20_000 }).limits({ lastResort: true }).headersMs, 20_000);
  });

  it('learns from an attempt that lost to a faster one, but does not count it as failed', () => {
    const place = new Place().see({ firstTokenMs: 1_500 }, 50);
    const before = place.limits().firstTokenMs;
    place.see({ atLeastFirstTokenMs: 2_500 }, 50);
    const after = place.limits().firstTokenMs;
    assert.ok(after > before && after < 3 * before, `${before} became ${after}`);
  });
});

describe('the history that counts', () => {
  it('is that of the same kind, else of the model with more room, else of the endpoint with half the bound', () => {
    const place = new Place().see({ firstTokenMs: 200, kind: 'fast' }, 40);
    assert.equal(place.limits({ kind: 'fast' }).firstTokenMs, 1_500);
    assert.equal(place.limits({ kind: 'normal' }).firstTokenMs, 8_000);
    assert.equal(place.limits({ kind: 'fast', model: 'new' }).firstTokenMs, 15_000);
    assert.equal(place.limits({ kind: 'normal', model: 'new' }).firstTokenMs, 30_000);
  });

  it('does not estimate how long reasoning takes from requests without', () => {
    const place = new Place().see({ firstTokenMs: 300, kind: 'fast' }, 200);
    assert.equal(place.limits({ kind: 'complex' }).firstTokenMs, 60_000);
  });

  it('is dropped when the endpoint goes or moves, and kept when it only changes', () => {
    const place = new Place().see({ firstTokenMs: 300 }, 40);
    place.book.configure(new Map([['far', { ...place.endpoint, weight: 7 }]]));
    assert.equal(place.limits().firstTokenMs, 4_000);
    place.book.configure(new Map([['far', { ...place.endpoint, baseUrl: 'https://elsewhere.example.com' }]]));
    assert.equal(place.limits().firstTokenMs, 60_000);
    place.see({ firstTokenMs: 300 }, 40);
    place.book.configure(new Map());
    place.see({ firstTokenMs: 300 }, 40);
    assert.equal(place.limits().firstTokenMs, 60_000);
  });

  it('is kept for a bounded number of models, the most recently used', () => {
    const place = new Place();
    for (let index = 0; index < 1_000; index += 1) place.see({ model: `m-${index}`, firstTokenMs: 300 }, 12).see({ firstTokenMs: 300 });
    assert.equal(place.limits().firstTokenMs, 4_000);
    assert.equal(place.limits({ model: 'm-999' }).firstTokenMs, 4_000);
    assert.equal(place.limits({ model: 'm-1' }).firstTokenMs, 30_000);
  });
});

describe('other learnt timers', () => {
  it('separate plain answers, whose headers arrive with the whole, from streams', () => {
    const place = new Place().see({ headersMs: 200 }, 40).see({ stream: false, headersMs: 40_000 }, 40);
    assert.equal(place.limits().headersMs, 4_000);
    assert.ok(place.limits({ stream: false }).bufferedHeadersMs >= 160_000);
    place.see({ stream: false, kind: 'fast', headersMs: 500 }, 40);
    assert.equal(place.limits({ stream: false, kind: 'fast' }).bufferedHeadersMs, 10_000);
  });

  it('end a silence in mid-answer sooner where answers have none, and later where answers have some', () => {
    assert.equal(new Place().see({ longestGapMs: 60 }, 40).limits().idleMs, 20_000);
    assert.equal(new Place().see({ longestGapMs: 25_000 }, 40).limits().idleMs, 60_000);
  });

  it('widen after silences that ended answers', () => {
    const place = new Place().see({ longestGapMs: 60 }, 40);
    for (let index = 0; index < 3; index += 1) {
      place.limits();
      place.see({ longestGapMs: 60, timedOut: 'idle' });
    }
    assert.equal(place.limits().idleMs, 60_000);
  });

  it('demand a speed far below the usual, none while it is unknown, and less after they ended a good answer', () => {
    const place = new Place();
    assert.equal(place.limits().minTokensPerSecond, 0);
    place.see({ tokensPerSecond: 12 }, 50);
    const usual = place.limits().minTokensPerSecond;
    assert.ok(usual > 0.8 && usual < 1.2, `${usual}`);
    for (let index = 0; index < 4; index += 1) place.see({ tokensPerSecond: 0.7, timedOut: 'throughput' });
    assert.ok(place.limits().minTokensPerSecond <= 0.35);
    assert.equal(new Place().see({ tokensPerSecond: 500 }, 50).limits().minTokensPerSecond, 2);
  });

  it('give a slowly writing endpoint the time for a long answer', () => {
    assert.equal(new Place().see({ tokensPerSecond: 100 }, 40).limits().totalMs, 600_000);
    const slow = new Place().see({ tokensPerSecond: 15 }, 40).limits().totalMs;
    assert.ok(slow > 1_000_000 && slow < 1_300_000, `${slow}`);
    assert.equal(new Place().see({ tokensPerSecond: 0.5 }, 40).limits().totalMs, 1_800_000);
  });

  it('leave a local model time to be loaded again', () => {
    assert.equal(new Place(undefined, ollama).see({ firstTokenMs: 200, headersMs: 150 }, 100).limits().firstTokenMs, 60_000);
  });

  it('do not learn from invalid figures', () => {
    const place = new Place().see({ firstTokenMs: 300, tokensPerSecond: 40 }, 40);
    const before = place.limits();
    place.see({ firstTokenMs: NaN, headersMs: -3, connectMs: Infinity, tokensPerSecond: 0, longestGapMs: NaN }, 40);
    assert.deepEqual(place.limits(), before);
  });
});

describe('the moment to ask a second target', () => {
  const kinds: RequestKind[] = ['fast', 'normal', 'complex'];

  it('is unknown until there are enough attempts of the same kind of request', () => {
    const place = new Place().see({ firstTokenMs: 200, kind: 'fast' }, 19);
    for (const kind of kinds) assert.equal(place.book.hedgeAfterMs('far', 'm', kind), undefined);
    place.see({ firstTokenMs: 200, kind: 'fast' }, 1);
    assert.ok(place.book.hedgeAfterMs('far', 'm', 'fast') !== undefined);
    assert.equal(place.book.hedgeAfterMs('far', 'm', 'normal'), undefined);
    assert.equal(place.book.hedgeAfterMs('far', 'm', 'fast', { stream: false }), undefined);
    assert.equal(place.book.hedgeAfterMs('nowhere', 'm', 'fast'), undefined);
  });

  it('is the 95th percentile of the endpoint itself, then later ones', () => {
    const place = new Place();
    for (let index = 0; index < 1_000; index += 1) place.see({ firstTokenMs: 100 + (index * 7) % 1_000 });
    const after = (asked: number): number => place.book.hedgeAfterMs('far', 'm', 'normal', { asked }) ?? NaN;
    assert.ok(Math.abs(after(0) - 1_050) < 40, `${after(0)}`);
    assert.ok(after(1) > after(0) && after(1) <= 1_200, `${after(1)}`);
    assert.ok(Math.abs(after(2) - 1.2 * after(1)) < 1e-6);
  });

  it('is not delayed without bound by stalls that ended by themselves or by attempts that lost', () => {
    const place = new Place();
    for (let index = 0; index < 1_000; index += 1) place.see({ firstTokenMs: index % 12 === 0 ? 8_000 : 100 + (index * 7) % 100 });
    place.see({ atLeastFirstTokenMs: 3_000 }, 300);
    const late = place.book.hedgeAfterMs('far', 'm', 'normal', { asked: 1 }) ?? NaN;
    assert.ok(late < 250, `${late}`);
  });
});
