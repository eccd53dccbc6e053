import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProviderLimits } from '../../../server/limits/providerLimits.ts';

const start = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;

describe('the remaining quota that a provider reports', () => {
  it('holds no request back while enough is left or nothing is known', () => {
    const limits = new ProviderLimits({});
    assert.equal(limits.shortage(1e9, start), undefined);
    limits.observe({ requests: { limit: 60, remaining: 1, resetAt: start + minuteMs }, tokens: { limit: 1000, remaining: 400, resetAt: start + minuteMs } }, start, false);
    assert.equal(limits.shortage(400, start), undefined);
    assert.deepEqual(limits.shortage(401, start), {
      retryAt: start + minuteMs, limit: 'the provider has 400 tokens left for it', reason: 'the provider has 400 tokens left for it, too few for about 401, for another 60 s',
    });
  });

  it('counts later requests as a lower bound, and corrects them by their usage', () => {
    const limits = new ProviderLimits({});
    limits.observe({ tokens: { limit: 1000, remaining: 600, resetAt: start + minuteMs } }, start, false);
    limits.sent(500, start + 1);
    assert.ok(limits.shortage(200, start + 2));
    limits.corrected(-400);
    assert.equal(limits.shortage(200, start + 3), undefined);
    limits.sent(500, start + 4);
    limits.observe({ tokens: { limit: 1000, remaining: 300, resetAt: start + minuteMs } }, start + 5, false);
    assert.equal(limits.shortage(300, start + 6), undefined, 'the new figures hold it already');
  });

  it('admits a request larger than the whole limit when nothing else was used, or the limit is full again', () => {
    const limits = new ProviderLimits({});
    limits.observe({ tokens: { limit: 1000, remaining: 1000, resetAt: start + minuteMs } }, start, false);
    assert.equal(limits.shortage(5000, start), undefined);
    limits.sent(10, start);
    assert.ok(limits.shortage(5000, start));
    assert.equal(limits.shortage(5000, start + minuteMs), undefined);
  });

  it('counts a limit with gradual refill as refilling gradually', () => {
    const limits = new ProviderLimits({ refills: true });
    limits.observe({ requests: { limit: 60, remaining: 0, resetAt: start + minuteMs } }, start, false);
    assert.equal(limits.shortage(1, start)?.retryAt, start + 1000);
    assert.equal(limits.shortage(1, start + 1000), undefined);
    limits.sent(1, start + 1000);
    assert.equal(limits.shortage(1, start + 1000)?.retryAt, start + 2000);
    const atOnce = new ProviderLimits({});
    atOnce.observe({ requests: { limit: 60, remaining: 0, resetAt: start + minuteMs } }, start, false);
    assert.equal(atOnce.shortage(1, start + 59_000)?.retryAt, start + minuteMs);
  });

  it('does not count a prompt as used where cached tokens are free', () => {
    const limits = new ProviderLimits({ cachedFree: true });
    limits.observe({ inputTokens: { limit: 30_000, remaining: 100, resetAt: start + minuteMs } }, start, false);
    limits.sent(150_000, start);
    assert.equal(limits.shortage(150_000, start), undefined);
    limits.observe({ inputTokens: { limit: 30_000, remaining: 0, resetAt: start + minuteMs } }, start, false);
    assert.equal(limits.shortage(150_000, start)?.reason, 'the provider has no input tokens left for it for another 60 s');
  });

  it('never blocks for ever: not without a reset, nor for a reset in the past or one that is years away', () => {
    const blind = new ProviderLimits({});
    blind.observe({ requests: { remaining: 0 } }, start, false);
    assert.equal(blind.shortage(1, start)?.retryAt, start + 1000);
    const noReset = new ProviderLimits({});
    noReset.observe({ requests: { limit: 10, remaining: 0 }, tokens: { limit: 100, remaining: 0 } }, start, false);
    assert.equal(noReset.shortage(5000, start)?.retryAt, start + minuteMs);
    const past = new ProviderLimits({});
    past.observe({ requests: { limit: 10, remaining: 0, resetAt: start } }, start, false);
    assert.equal(past.shortage(1, start), undefined);
    const far = new ProviderLimits({});
    far.observe({ requests: { limit: 10, remaining: 0, resetAt: start * 2 } }, start, false);
    assert.equal(far.shortage(1, start)?.retryAt, start + 5 * minuteMs);
  });

  it('is ignored once successful answers have contradicted it three times, until it changes or a refusal confirms it', () => {
    const limits = new ProviderLimits({});
    let now = start;
    const say = (remaining: number, refused = false): void => { limits.observe({ requests: { limit: 10, remaining, resetAt: now + 1000 } }, now, refused); };
    say(0);
    let keptBack = 0;
    for (let round = 0; round < 10; round += 1) {
      if (limits.shortage(1, now + 1) !== undefined) keptBack += 1;
      now += 1000;
      say(0);
    }
    assert.equal(keptBack, 3);
    say(0, true);
    assert.ok(limits.shortage(1, now + 1));
    now += 1000;
    say(5);
    assert.equal(limits.shortage(1, now + 1), undefined);
    say(0);
    assert.ok(limits.shortage(1, now + 1));
  });

  it('does not count answers that were in flight when a request was held back as a contradiction', () => {
    const limits = new ProviderLimits({});
    for (let round = 0; round < 10; round += 1) {
      limits.observe({ requests: { limit: 10, remaining: 0, resetAt: start + minuteMs } }, start + round, false);
      assert.ok(limits.shortage(1, start + round));
    }
  });

  it('is correct when answers overtake each other', () => {
    const limits = new ProviderLimits({});
    limits.observe({ requests: { limit: 10, remaining: 0, resetAt: start + minuteMs } }, start, false);
    limits.observe({ requests: { limit: 10, remaining: 7, resetAt: start + minuteMs + 400 } }, start + 5, false);
    assert.ok(limits.shortage(1, start + 6));
    limits.observe({ requests: { limit: 10, remaining: 7, resetAt: start + 2 * minuteMs } }, start + minuteMs, false);
    assert.equal(limits.shortage(1, start + minuteMs), undefined);
  });

  it('ends when the clock is set back', () => {
    const limits = new ProviderLimits({});
    limits.observe({ requests: { limit: 10, remaining: 0, resetAt: start + minuteMs } }, start, false);
    assert.equal(limits.shortage(1, start - 60 * minuteMs), undefined);
  });

  it('names the kinds of which little is left', () => {
    const limits = new ProviderLimits({});
    const resetAt = start + minuteMs;
    assert.deepEqual(limits.observe({ requests: { limit: 1000, remaining: 900, resetAt }, tokens: { limit: 1000, remaining: 90, resetAt } }, start, false), ['tokens']);
    assert.deepEqual(limits.reportedOf('tokens'), { limit: 1000, remaining: 90, resetAt });
  });
});
