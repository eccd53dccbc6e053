import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimiter, type RateLimiter, type RateTicket, type ReportedLimit } from '../../../server/limits/rateLimiter.ts';
import { seededRandom } from '../support/seededRandom.ts';
import { rateRequest } from './rateRequest.ts';

const start = Date.UTC(2026, 0, 1);
function limiter(limits: { requestsPerMinute?: number; tokensPerMinute?: number; concurrency?: number }): RateLimiter {
  const made = createRateLimiter();
  made.configure(new Map([['a', { limits }]]));
  return made;
}
function enter(made: RateLimiter, tokens: number, now: number): RateTicket {
  const entry = made.enter(rateRequest({ promptTokens: tokens, now }));
  assert.ok(entry.admitted, 'should be admitted');
  return entry.ticket;
}

test('an endpoint without limits, or an unknown one, admits everything', () => {
  const made = limiter({});
  for (let index = 0; index < 1000; index += 1) enter(made, 1e9, start);
  assert.equal(made.admission('unknown', 1, start).admitted, true);
});

test('requests beyond the limit wait until the first of them is a minute old', () => {
  const made = limiter({ requestsPerMinute: 2 });
  enter(made, 0, start);
  enter(made, 0, start + 10_000);
  const refused = made.enter(rateRequest({ now: start + 20_000 }));
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'its own limit of 2 requests a minute is used up for another 41 s');
  assert.equal(made.admission('a', 0, refused.retryAt - 1).admitted, false);
  assert.equal(made.admission('a', 0, refused.retryAt).admitted, true);
});

test('tokens are reserved by the estimate and settled by the usage', () => {
  const made = limiter({ tokensPerMinute: 1000 });
  const ticket = enter(made, 900, start);
  assert.equal(made.admission('a', 200, start).admitted, false);
  made.release(ticket, 300);
  assert.equal(made.admission('a', 700, start).admitted, true);
  assert.equal(made.admission('a', 701, start).admitted, false);
});

test('a request that was never sent gives back its slot, its request count and its tokens', () => {
  const made = limiter({ requestsPerMinute: 1, tokensPerMinute: 1000, concurrency: 1 });
  made.refund(enter(made, 900, start));
  assert.equal(made.admission('a', 1000, start).admitted, true);
  enter(made, 900, start);
  assert.equal(made.admission('a', 0, start + 1000).admitted, false);
});

test('a request larger than the whole token limit is admitted when nothing else was used', () => {
  const made = limiter({ tokensPerMinute: 1000 });
  enter(made, 5000, start);
  const refused = made.admission('a', 5000, start + 1000);
  assert.ok(!refused.admitted);
  assert.equal(made.admission('a', 5000, refused.retryAt).admitted, true);
});

test('concurrent requests are limited until one ends', () => {
  const made = limiter({ concurrency: 1 });
  const ticket = enter(made, 0, start);
  const refused = made.admission('a', 0, start);
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'its own limit of 1 request at once is reached');
  made.release(ticket, undefined);
  assert.equal(made.admission('a', 0, start).admitted, true);
});

test('new limits apply at once to earlier usage', () => {
  const made = limiter({ requestsPerMinute: 10 });
  for (let index = 0; index < 3; index += 1) enter(made, 0, start);
  made.configure(new Map([['a', { limits: { requestsPerMinute: 3 } }]]));
  assert.equal(made.admission('a', 0, start).admitted, false);
});

test('in random sequences no sixty seconds exceed the limits, and a request is admitted at the promised time', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seededRandom(seed);
    const made = limiter({ requestsPerMinute: 20, tokensPerMinute: 5000 });
    const entries: { at: number; tokens: number }[] = [];
    let now = start;
    for (let step = 0; step < 500; step += 1) {
      now += Math.floor(random() * 2000);
      const tokens = Math.floor(random() * 600);
      const entry = made.enter(rateRequest({ promptTokens: tokens, now }));
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

test('a clock set back makes no request wait longer than a minute', () => {
  const made = limiter({ requestsPerMinute: 2 });
  enter(made, 0, start);
  enter(made, 0, start + 5000);
  const earlier = start - 3_600_000;
  const refused = made.enter(rateRequest({ now: earlier }));
  assert.ok(!refused.admitted && refused.retryAt <= earlier + 61_000);
  assert.equal(made.admission('a', 0, refused.retryAt).admitted, true);
});

test('the expected answer is reserved as well, and settled by the usage', () => {
  const made = limiter({ tokensPerMinute: 1000 });
  const entry = made.enter(rateRequest({ keyId: 'k', promptTokens: 100, writableTokens: 800, now: start }));
  assert.ok(entry.admitted);
  assert.equal(made.admission('a', 101, start).admitted, false);
  made.release(entry.ticket, 150);
  assert.equal(made.admission('a', 850, start).admitted, true);
});

function perKey(perKeyLimits: { requestsPerMinute?: number; tokensPerMinute?: number }): RateLimiter {
  const made = createRateLimiter();
  made.configure(new Map([['a', { limits: { perKey: perKeyLimits } }]]));
  return made;
}

test('each key has its own limit for keys', () => {
  const made = perKey({ requestsPerMinute: 1 });
  assert.ok(made.enter(rateRequest({ keyId: 'one', now: start })).admitted);
  const refused = made.keyAdmission(rateRequest({ keyId: 'one', model: 'other', now: start + 1000 }));
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'the limit set for each key of 1 requests a minute is used up for another 60 s');
  assert.ok(!made.enter(rateRequest({ keyId: 'one', now: start + 1000 })).admitted);
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'two', now: start + 1000 })).admitted);
  assert.ok(made.admission('a', 0, start + 1000).admitted);
});

test('an attempt that the limit of a key refused takes nothing from the endpoint', () => {
  const made = createRateLimiter();
  made.configure(new Map([['a', { limits: { requestsPerMinute: 2, concurrency: 2, perKey: { requestsPerMinute: 1 } } }]]));
  assert.ok(made.enter(rateRequest({ keyId: 'one', now: start })).admitted);
  for (let index = 0; index < 5; index += 1) assert.ok(!made.enter(rateRequest({ keyId: 'one', now: start })).admitted);
  assert.ok(made.enter(rateRequest({ keyId: 'two', now: start })).admitted);
});

test('requests and tokens of peers count against the limits of endpoint and key, as of when they were sent', () => {
  const made = createRateLimiter();
  made.configure(new Map([['a', { limits: { requestsPerMinute: 3, perKey: { tokensPerMinute: 500 } } }]]));
  made.applyRemote({ endpoint: 'a', keyId: 'one', model: 'm', at: start - 70_000, tokens: 500 });
  made.applyRemote({ endpoint: 'a', keyId: 'one', model: 'm', at: start - 40_000, tokens: 400 });
  made.applyRemote({ endpoint: 'unknown', model: 'm', at: start, tokens: 400 });
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'one', promptTokens: 100, now: start })).admitted);
  const refused = made.keyAdmission(rateRequest({ keyId: 'one', promptTokens: 101, now: start }));
  assert.ok(!refused.admitted && refused.retryAt <= start + 21_000);
  assert.ok(made.admission('a', 0, start).admitted);
  made.applyRemote({ endpoint: 'a', keyId: 'two', model: 'm', at: start - 50_000, tokens: 0 });
  made.applyRemote({ endpoint: 'a', keyId: 'two', model: 'm', at: start - 1000, tokens: 0 });
  const full = made.admission('a', 0, start);
  assert.ok(!full.admitted && full.retryAt <= start + 11_000, 'the oldest of the three, though it became known late, frees a place first');
});

const reported = (remaining: number, reset: string, limit?: number): Record<string, string> => ({
  'x-ratelimit-remaining-requests': String(remaining), 'x-ratelimit-reset-requests': reset, ...(limit === undefined ? {} : { 'x-ratelimit-limit-requests': String(limit) }),
});

test('a request that the provider would refuse is not sent until the reset that the provider named', () => {
  const made = limiter({});
  enter(made, 0, start);
  made.observed('a', 'one', 'm', reported(0, '12s'), start);
  const refused = made.enter(rateRequest({ keyId: 'one', now: start + 1000 }));
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'the provider has no requests left for it for another 11 s');
  assert.equal(refused.retryAt, start + 12_000);
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'two', now: start + 1000 })).admitted, 'another key');
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'one', model: 'n', now: start + 1000 })).admitted, 'another model');
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'one', now: start + 12_000 })).admitted, 'after the reset');
  assert.equal(made.keyTrouble('a', 'one', start + 1000)?.reason, 'm: the provider has no requests left for it for another 11 s');
  assert.equal(made.keyTrouble('a', 'two', start + 1000), undefined);
});

test('requests sent since the provider reported count, in this server and in its peers', () => {
  const made = limiter({});
  made.observed('a', 'one', 'm', reported(3, '30s', 60), start);
  assert.ok(made.enter(rateRequest({ keyId: 'one', now: start + 100 })).admitted);
  made.applyRemote({ endpoint: 'a', keyId: 'one', model: 'm', at: start + 200, tokens: 0 });
  made.applyRemote({ endpoint: 'a', keyId: 'one', model: 'm', at: start - 200, tokens: 0 });
  assert.ok(made.enter(rateRequest({ keyId: 'one', now: start + 300 })).admitted, 'what was sent before is in the figures already');
  assert.ok(!made.enter(rateRequest({ keyId: 'one', now: start + 400 })).admitted);
});

test('keys of one account share its remaining quota', () => {
  const made = createRateLimiter({ accountOf: (_endpoint, keyId) => (keyId === 'three' ? undefined : 'org') });
  made.configure(new Map([['a', { limits: {} }]]));
  made.observed('a', 'one', 'm', reported(0, '12s'), start);
  assert.ok(!made.keyAdmission(rateRequest({ keyId: 'two', now: start })).admitted);
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'three', now: start })).admitted);
});

test('peers keep to a limit that a provider reported to one server', () => {
  const passedOn: ReportedLimit[] = [];
  const first = createRateLimiter({ onLittleLeft: one => { passedOn.push(one); } });
  first.configure(new Map([['a', { limits: {} }]]));
  first.observed('a', 'one', 'm', reported(90, '30s', 100), start);
  assert.deepEqual(passedOn, [], 'plenty is no concern of others');
  first.observed('a', 'one', 'm', reported(0, '30s', 100), start + 1000);
  assert.equal(passedOn.length, 1);
  const second = limiter({});
  for (const one of passedOn) second.applyReported(one);
  assert.ok(!second.keyAdmission(rateRequest({ keyId: 'one', now: start + 2000 })).admitted);
  second.observed('a', 'one', 'm', reported(100, '60s', 100), start + 3000);
  for (const one of passedOn) second.applyReported(one);
  assert.ok(second.keyAdmission(rateRequest({ keyId: 'one', now: start + 4000 })).admitted, 'older figures change nothing');
});

test('the state of a key stays bounded, whatever model names callers invent', () => {
  const made = limiter({});
  for (let index = 0; index < 1000; index += 1) made.observed('a', 'one', `m${index}`, reported(0, '1h'), start);
  assert.ok(made.keyAdmission(rateRequest({ keyId: 'one', model: 'm0', now: start })).admitted);
  assert.ok(!made.keyAdmission(rateRequest({ keyId: 'one', model: 'm999', now: start })).admitted);
});

test('a wait that a refusal asks for ends what its other headers, and earlier answers, say is used up', () => {
  const nothingLeft = { 'x-ratelimit-limit-tokens': '1000', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' };
  const told: ReportedLimit[] = [];
  const made = createRateLimiter({ onLittleLeft: reported => told.push(reported) });
  made.configure(new Map([['a', { limits: {} }]]));
  const free = (now: number): boolean => made.keyAdmission(rateRequest({ keyId: 'one', promptTokens: 10, now })).admitted;
  made.observed('a', 'one', 'm', { ...nothingLeft, 'retry-after': '1' }, start, 429);
  assert.deepEqual([free(start + 999), free(start + 1000)], [false, true]);
  assert.equal(told[0]?.reported.resetAt, start + 1000, 'peers learn the same');
  made.observed('a', 'one', 'm', nothingLeft, start + 2000, 200);
  assert.equal(free(start + 5000), false);
  made.observed('a', 'one', 'm', { 'retry-after': '2' }, start + 5000, 429);
  assert.deepEqual([free(start + 6999), free(start + 7000)], [false, true]);
});

test('the last resort is refused by limits of the user alone', () => {
  const nothingLeft = { 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60s' };
  const made = limiter({ requestsPerMinute: 1 });
  made.observed('a', undefined, 'm', nothingLeft, start);
  const refused = made.enter(rateRequest({ now: start }));
  assert.ok(!refused.admitted && refused.ownLimit !== true && refused.cause === 'rate-limit');
  assert.ok(made.enter(rateRequest({ now: start, lastResort: true })).admitted);
  const own = made.enter(rateRequest({ now: start + 1, lastResort: true }));
  assert.ok(!own.admitted && own.ownLimit === true);
});
