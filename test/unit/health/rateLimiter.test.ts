import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimiter, type RateLimiter, type RateTicket } from '../../../server/health/rateLimiter.ts';
import { seededRandom } from './seededRandom.ts';

const start = Date.UTC(2026, 0, 1);
function limiter(limits: { requestsPerMinute?: number; tokensPerMinute?: number; concurrency?: number }): RateLimiter {
  const made = createRateLimiter();
  made.configure(new Map([['a', { limits }]]));
  return made;
}
function enter(made: RateLimiter, tokens: number, now: number): RateTicket {
  const entry = made.enter('a', tokens, now);
  assert.ok(entry.admitted, 'should be admitted');
  return entry.ticket;
}

test('an endpoint without limits, or an unknown one, admits everything', () => {
  const made = limiter({});
  for (let index = 0; index < 1000; index += 1) enter(made, 1e9, start);
  assert.equal(made.admission('nobody', 1, start).admitted, true);
});

test('requests beyond the limit wait until the first of them is a minute old', () => {
  const made = limiter({ requestsPerMinute: 2 });
  enter(made, 0, start);
  enter(made, 0, start + 10_000);
  const refused = made.enter('a', 0, start + 20_000);
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'its own limit of 2 requests a minute is used up for another 41 s');
  assert.equal(made.admission('a', 0, refused.retryAt - 1).admitted, false);
  assert.equal(made.admission('a', 0, refused.retryAt).admitted, true);
});

test('tokens are reserved by the estimate and settled by what was used', () => {
  const made = limiter({ tokensPerMinute: 1000 });
  const ticket = enter(made, 900, start);
  assert.equal(made.admission('a', 200, start).admitted, false);
  made.leave(ticket, 300);
  assert.equal(made.admission('a', 700, start).admitted, true);
  assert.equal(made.admission('a', 701, start).admitted, false);
});

test('a request larger than the whole token limit goes when nothing else was used', () => {
  const made = limiter({ tokensPerMinute: 1000 });
  enter(made, 5000, start);
  const refused = made.admission('a', 5000, start + 1000);
  assert.ok(!refused.admitted);
  assert.equal(made.admission('a', 5000, refused.retryAt).admitted, true);
});

test('requests at once are limited until one leaves', () => {
  const made = limiter({ concurrency: 1 });
  const ticket = enter(made, 0, start);
  const refused = made.admission('a', 0, start);
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'its own limit of 1 request at once is reached');
  made.leave(ticket, undefined);
  assert.equal(made.admission('a', 0, start).admitted, true);
});

test('new limits apply at once to what was used before', () => {
  const made = limiter({ requestsPerMinute: 10 });
  for (let index = 0; index < 3; index += 1) enter(made, 0, start);
  made.configure(new Map([['a', { limits: { requestsPerMinute: 3 } }]]));
  assert.equal(made.admission('a', 0, start).admitted, false);
});

test('in random sequences no sixty seconds hold more than the limits, and a promised moment is kept', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seededRandom(seed);
    const made = limiter({ requestsPerMinute: 20, tokensPerMinute: 5000 });
    const entries: { at: number; tokens: number }[] = [];
    let now = start;
    for (let step = 0; step < 500; step += 1) {
      now += Math.floor(random() * 2000);
      const tokens = Math.floor(random() * 600);
      const entry = made.enter('a', tokens, now);
      if (entry.admitted) {
        entries.push({ at: now, tokens });
        const lately = entries.filter(({ at }) => at > now - 60_000);
        assert.ok(lately.length <= 20);
        assert.ok(lately.reduce((sum, { tokens: used }) => sum + used, 0) <= 5000);
      } else {
        assert.ok(entry.retryAt > now);
        assert.equal(made.admission('a', tokens, now).admitted, false);
        if (random() < 0.2) {
          now = entry.retryAt;
          assert.equal(made.admission('a', tokens, now).admitted, true);
        }
      }
    }
  }
});

test('a clock set back makes nobody wait longer than a minute', () => {
  const made = limiter({ requestsPerMinute: 2 });
  enter(made, 0, start);
  enter(made, 0, start + 5000);
  const earlier = start - 3_600_000;
  const refused = made.enter('a', 0, earlier);
  assert.ok(!refused.admitted && refused.retryAt <= earlier + 61_000);
  assert.equal(made.admission('a', 0, refused.retryAt).admitted, true);
});
