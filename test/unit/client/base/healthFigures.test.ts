import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { breakerText, failedText, hourText, hourTitle, limitText, sparkline, uptimeText } from '../../../../client/base/healthFigures.ts';
import { LastHour } from '../../../../server/health/stats/lastHour.ts';

const now = new Date(2026, 10, 27, 18, 2).getTime();
const minute = 60_000;

describe('the latest hour of an endpoint', () => {
  it('is a line of bars and the same in words', () => {
    const hour = new LastHour();
    for (let request = 0; request < 4; request += 1) hour.add(now - 20 * minute, true);
    hour.add(now - 10 * minute, false);
    hour.add(now - 10 * minute, true);
    hour.add(now - minute, false);
    const latest = hour.latest(now) ?? assert.fail();
    assert.equal(sparkline(latest), '·······▁·▅·█');
    assert.equal(failedText(latest), '2/7 failed');
    assert.equal(hourTitle(latest, now), 'Hour to 18:05');
    assert.equal(hourText(latest, now), '7 requests, 2 failed, most of them from 17:50 on');
    assert.deepEqual(hour.latest(now + 3 * minute), latest, 'it stands still without a request');
    assert.equal(hour.changesAt(now), new Date(2026, 10, 27, 19, 0).getTime());
    assert.equal(hour.latest(hour.changesAt(now)), undefined);
  });

  it('forgets what is older, and takes late entries of peers where they belong', () => {
    const hour = new LastHour();
    assert.equal(hour.latest(now), undefined);
    hour.add(now - 70 * minute, false);
    hour.add(now, true);
    hour.add(now - 70 * minute, false);
    hour.add(now - 30 * minute, false);
    assert.equal(hourText(hour.latest(now) ?? assert.fail(), now), '2 requests, 1 failed, all of them from 17:30 on');
    const before = hour.snapshot();
    hour.add(now, false);
    hour.restore(before);
    assert.match(hourText(hour.latest(now) ?? assert.fail(), now), /, 1 failed/);
  });
});

describe('figures of health', () => {
  it('have an uptime only after ten minutes, rounded down', () => {
    assert.equal(uptimeText({ watchedSince: now - 5 * minute, pastMs: 0, upSince: now - 5 * minute }, now), undefined);
    assert.equal(uptimeText({ watchedSince: now - 60 * minute, pastMs: 1000, upMs: 0, upSince: now - 60 * minute }, now), 'Up 99.9 % since 17:02');
    assert.equal(uptimeText({ watchedSince: now - 60 * minute, pastMs: 0, upSince: now - 60 * minute }, now), 'Up 100 % since 17:02');
    assert.equal(uptimeText({ watchedSince: now - 60 * minute, pastMs: 0, upMs: 30 * minute, downSince: now - 30 * minute }, now), 'Up 50 % since 17:02');
    assert.equal(uptimeText({ watchedSince: now - 60 * minute, pastMs: 0, upMs: 30 * minute, downSince: now - 30 * minute }, now, now - 15 * minute), 'Up 66.6 % since 17:02', 'as of the last look');
  });

  it('say what is left of a limit and when it starts over', () => {
    assert.equal(limitText({ kind: 'requests', remaining: 12, limit: 60, resetAt: now + 3 * minute }, now), '12 of 60 requests left, reset at 18:05');
    assert.equal(limitText({ kind: 'inputTokens', remaining: 120_000 }, now), '120,000 input tokens left');
  });

  it('name a breaker that is not closed', () => {
    assert.equal(breakerText({ breaker: 'closed' }, now), undefined);
    assert.equal(breakerText({ breaker: 'open', retryAt: now + 3 * minute }, now), 'Breaker open, next try at 18:05');
    assert.equal(breakerText({ breaker: 'open', retryAt: now }, now), 'Breaker open, tried with the next request');
    assert.match(breakerText({ breaker: 'half-open' }, now) ?? '', /^Breaker half-open/);
  });
});
