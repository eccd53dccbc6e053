import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitSettings } from '../../../server/api/settings.ts';
import { createRateLimiter, type RateLimiter, type RateTicket } from '../../../server/limits/rateLimiter.ts';
import { settleMs, SharedLimits } from '../../../server/limits/sharedLimits.ts';
import { InMemoryLimits } from './inMemoryLimitStore.ts';
import { seededRandom } from '../support/seededRandom.ts';
import { rateRequest } from './rateRequest.ts';

const start = Date.UTC(2026, 0, 1);

function server(limits: InMemoryLimits, id: string, settings: LimitSettings): RateLimiter {
  const made = createRateLimiter({ shared: new SharedLimits(limits.of(id)) });
  made.configure(new Map([['a', { limits: settings }]]));
  return made;
}

function servers(count: number, limits: InMemoryLimits, settings: LimitSettings): RateLimiter[] {
  return Array.from({ length: count }, (_, index) => server(limits, `w${index}`, settings));
}

/** The tickets of the admitted requests. */
function enterAll(made: readonly RateLimiter[], times: number, now: number, tokens = 0): RateTicket[] {
  const tickets: RateTicket[] = [];
  for (let round = 0; round < times; round += 1) {
    for (const one of made) {
      const entry = one.enter(rateRequest({ promptTokens: tokens, now }));
      if (entry.admitted) tickets.push(entry.ticket);
    }
  }
  return tickets;
}

/** Lets whole seconds pass in which every server sends its heartbeat. @returns the moment after them */
function beats(made: readonly RateLimiter[], from: number, seconds: number): number {
  for (let second = 1; second <= seconds; second += 1) for (const one of made) one.beat(from + second * 1000);
  return from + seconds * 1000;
}

test('eight servers with concurrent requests stay within the limit together, even before they know of each other', () => {
  const requests = servers(8, new InMemoryLimits(), { requestsPerMinute: 30 });
  assert.equal(enterAll(requests, 20, start).length, 30);
  const tokens = servers(8, new InMemoryLimits(), { tokensPerMinute: 1000 });
  assert.equal(enterAll(tokens, 20, start, 100).length, 10);
  const keys = servers(8, new InMemoryLimits(), { perKey: { requestsPerMinute: 5 } });
  assert.equal(enterAll(keys, 3, start).length, 5);
});

test('four servers together run no more requests than one may, and a freed slot is available to the next', () => {
  const made = servers(4, new InMemoryLimits(), { concurrency: 2 });
  const [first] = enterAll(made, 3, start);
  const refused = made[3]?.enter(rateRequest({ now: start }));
  assert.ok(refused?.admitted === false && refused.retryAt - start <= 100, 'another look is worth while within tens of milliseconds');
  assert.equal(refused.reason, 'its own limit of 2 requests at once is reached');
  assert.ok(first !== undefined);
  made[0]?.release(first, undefined);
  assert.equal(made[3]?.admission('a', 0, refused.retryAt).admitted, true);
  assert.equal(enterAll(made, 3, refused.retryAt).length, 1);
});

test('a refusal is repeated without a read of the store while it is valid, and only for requests that are no smaller', () => {
  const [one, other] = servers(2, new InMemoryLimits(), { tokensPerMinute: 1000 });
  assert.ok(one !== undefined && other !== undefined);
  assert.ok(one.enter(rateRequest({ promptTokens: 900, now: start })).admitted);
  const refused = other.enter(rateRequest({ promptTokens: 200, now: start }));
  assert.ok(!refused.admitted);
  assert.equal(refused.reason, 'its own limit of 1,000 tokens a minute is used up for another 61 s');
  const look = other.admission('a', 200, start + 10);
  assert.ok(!look.admitted && look.retryAt === refused.retryAt);
  assert.equal(other.admission('a', 50, start + 10).admitted, true);
  assert.ok(other.enter(rateRequest({ promptTokens: 50, now: start + 10 })).admitted);
});

test('tokens that were not used and requests that were not sent come back to all servers', () => {
  const [one, other] = servers(2, new InMemoryLimits(), { requestsPerMinute: 2, tokensPerMinute: 1000, concurrency: 5 });
  assert.ok(one !== undefined && other !== undefined);
  const [big, unsent] = enterAll([one], 2, start, 500);
  assert.ok(big !== undefined && unsent !== undefined);
  assert.equal(other.enter(rateRequest({ promptTokens: 100, now: start })).admitted, false);
  one.refund(unsent);
  one.release(big, 100);
  assert.equal(other.enter(rateRequest({ promptTokens: 901, now: start + 2000 })).admitted, false);
  assert.equal(other.enter(rateRequest({ promptTokens: 900, now: start + 2000 })).admitted, true);
});

test('each key has its limit over all servers, by its fingerprint; the refusal says that another key may be free', () => {
  const limits = new InMemoryLimits();
  const [one, other] = ['here', 'there'].map(id => {
    const made = createRateLimiter({ shared: new SharedLimits(limits.of(id)), keyFingerprint: (_, keyId) => (keyId.startsWith('same') ? 'mark' : '') });
    made.configure(new Map([['a', { limits: { perKey: { requestsPerMinute: 1 } } }]]));
    return made;
  });
  assert.ok(one !== undefined && other !== undefined);
  assert.ok(one.enter(rateRequest({ keyId: 'same-here', now: start })).admitted);
  const refused = other.enter(rateRequest({ keyId: 'same-there', now: start }));
  assert.ok(!refused.admitted && refused.ofKey === true);
  assert.equal(other.keyAdmission(rateRequest({ keyId: 'same-there', now: start })).admitted, false);
  assert.ok(other.enter(rateRequest({ keyId: 'another', now: start })).admitted);
});

test('a server that is alone asks the store for nothing on the way of a request, and otherwise once a second', () => {
  const limits = new InMemoryLimits();
  const [made] = servers(1, limits, { requestsPerMinute: 1000, tokensPerMinute: 1e9, concurrency: 10, perKey: { requestsPerMinute: 1000 } });
  assert.ok(made !== undefined);
  const now = beats([made], start, settleMs / 1000 + 1);
  const before = limits.transactions;
  for (let index = 0; index < 500; index += 1) {
    assert.ok(made.admission('a', 10, now).admitted);
    const entry = made.enter(rateRequest({ keyId: 'k', promptTokens: 10, now }));
    assert.ok(entry.admitted);
    made.release(entry.ticket, 5);
  }
  assert.equal(limits.transactions, before);
  beats([made], now, 3);
  assert.equal(limits.transactions, before + 3);
});

test('a server without limits never touches the store, and one that loses its limits leaves it', () => {
  const limits = new InMemoryLimits();
  const made = server(limits, 'w', {});
  beats([made], start, 5);
  const [ticket] = enterAll([made], 1, start);
  assert.ok(ticket !== undefined);
  made.release(ticket, 5);
  assert.equal(limits.transactions, 0);
  made.configure(new Map([['a', { limits: { concurrency: 1 } }]]));
  enterAll([made], 1, start + 6000);
  assert.equal(limits.members.size, 1);
  made.configure(new Map([['a', { limits: {} }]]));
  beats([made], start + 6000, 1);
  assert.equal(limits.members.size, 0);
});

test('a newcomer waits until the server that was alone has reported what it used', () => {
  const limits = new InMemoryLimits();
  const old = server(limits, 'old', { requestsPerMinute: 30, concurrency: 28 });
  const now = beats([old], start, settleMs / 1000 + 1);
  assert.equal(enterAll([old], 25, now).length, 25);
  const young = server(limits, 'young', { requestsPerMinute: 30, concurrency: 28 });
  const early = young.enter(rateRequest({ now: now + 100 }));
  assert.ok(!early.admitted && early.retryAt - now < 1000);
  assert.equal(enterAll([old], 1, now + 200).length, 1);
  old.beat(now + 1000);
  assert.equal(enterAll([young], 30, now + 1000).length, 2, 'at once: 28 with the 26 of the other');
  assert.equal(enterAll([old], 30, now + 1000).length, 0);
});

test('a newcomer waits three seconds at most for a server that was alone and is stalled, which then asks before it goes on', () => {
  const limits = new InMemoryLimits();
  const old = server(limits, 'old', { concurrency: 1 });
  const now = beats([old], start, settleMs / 1000 + 1);
  const young = server(limits, 'young', { concurrency: 1 });
  assert.equal(enterAll([young], 1, now + 500).length, 0);
  assert.equal(enterAll([young], 1, now + 3500).length, 0);
  assert.equal(enterAll([young], 1, now + 3501).length, 1);
  assert.equal(enterAll([old], 1, now + 3501).length, 0);
});

test('after a sleep of the machine no server counts the others as ended before they have run', () => {
  const limits = new InMemoryLimits();
  const made = servers(3, limits, { concurrency: 2 });
  const now = beats(made, start, 2);
  assert.equal(enterAll(made, 1, now).length, 2);
  assert.equal(enterAll(made, 1, now + 3_600_000).length, 0);
  assert.equal(enterAll(made, 1, beats(made, now + 3_600_000, 3)).length, 0);
});

test('what a server did alone is known to the next one after it ended', () => {
  const limits = new InMemoryLimits();
  const old = server(limits, 'old', { requestsPerMinute: 30 });
  const now = beats([old], start, settleMs / 1000 + 1);
  enterAll([old], 25, now);
  old.close();
  assert.equal(enterAll([server(limits, 'young', { requestsPerMinute: 30 })], 25, now).length, 5);
});

test('a server that was alone and sent no heartbeat for long asks before it goes on', () => {
  const limits = new InMemoryLimits();
  const old = server(limits, 'old', { concurrency: 1 });
  const now = beats([old], start, settleMs / 1000 + 1);
  const young = server(limits, 'young', { concurrency: 1 });
  assert.equal(enterAll([young], 1, now + 16_000).length, 1, 'the other counts as ended');
  assert.equal(enterAll([old], 1, now + 16_500).length, 0);
});

test('a server that was counted as ended by mistake has its requests counted again with its next heartbeat', () => {
  const limits = new InMemoryLimits();
  const [one, other] = servers(2, limits, { concurrency: 1 });
  assert.ok(one !== undefined && other !== undefined);
  enterAll([one], 1, start);
  other.beat(start + 16_000);
  one.beat(start + 17_000);
  assert.equal(enterAll([other], 1, start + 17_100).length, 0);
});

test('the slots of a crashed server are free with the next heartbeat of another; its sent requests stay counted', () => {
  const limits = new InMemoryLimits();
  const [one, other] = servers(2, limits, { concurrency: 2, requestsPerMinute: 3 });
  assert.ok(one !== undefined && other !== undefined);
  beats([one, other], start - 1000, 1);
  assert.equal(enterAll([one], 2, start).length, 2);
  limits.killed.add('w0');
  assert.equal(enterAll([other], 1, start).length, 0);
  other.beat(start + 1000);
  assert.equal(enterAll([other], 2, start + 1000).length, 1);
});

test('a server that ends gives back its slots', () => {
  const limits = new InMemoryLimits();
  const [one, other] = servers(2, limits, { concurrency: 1 });
  enterAll([one as RateLimiter], 1, start);
  one?.close();
  assert.equal(enterAll([other as RateLimiter], 1, start).length, 1);
});

test('a busy store is tried again shortly; one that stays busy leaves each server its share', () => {
  const limits = new InMemoryLimits();
  const made = servers(4, limits, { requestsPerMinute: 40, concurrency: 8 });
  beats(made, start - 1000, 2);
  limits.state = 'busy';
  const now = start + 1500;
  for (const one of made) {
    const refused = one.enter(rateRequest({ now }));
    assert.ok(!refused.admitted && refused.retryAt - now <= 50);
  }
  assert.equal(enterAll(made, 20, now + 1000).length, 8, 'two at once in each of four');
  const before = limits.transactions;
  enterAll(made, 20, now + 1050);
  assert.equal(limits.transactions, before, 'requests no longer wait for it; the next heartbeat asks again');
  limits.state = 'well';
  assert.equal(enterAll(made, 20, now + 1100).length, 0, 'what ran without the store is counted when it is back');
  assert.equal(enterAll(made, 20, beats(made, now + 1100, 3)).length, 0);
});

test('a store that cannot be used leaves each server its share, at least one, and everything is counted when it is back', () => {
  const limits = new InMemoryLimits();
  const made = servers(4, limits, { requestsPerMinute: 40 });
  beats(made, start - 1000, 2);
  limits.state = 'broken';
  assert.equal(enterAll(made, 20, start + 1500).length, 40);
  const few = servers(4, limits, { requestsPerMinute: 2, concurrency: 1 });
  assert.equal(enterAll(few, 5, start + 1500).length, 4);
  limits.state = 'well';
  beats(made, start + 1500, 1);
  assert.equal(enterAll([server(limits, 'new', { requestsPerMinute: 40 })], 20, start + 3000).length, 0);
});

test('a server whose store is back keeps to its share until the others have reported their usage', () => {
  const limits = new InMemoryLimits();
  const made = servers(4, limits, { concurrency: 8 });
  const now = beats(made, start, 2);
  limits.state = 'broken';
  assert.equal(enterAll(made, 9, now).length, 8);
  limits.state = 'well';
  const [first] = made;
  assert.ok(first !== undefined);
  first.beat(now + 500);
  assert.equal(enterAll([first], 9, now + 600).length, 0);
  const [ticket] = enterAll([first], 9, beats(made, now + 600, 3));
  assert.equal(ticket, undefined, 'all eight run still');
});

test('a server that was counted as ended counts again with its next request', () => {
  const limits = new InMemoryLimits();
  const [one, other] = servers(2, limits, { concurrency: 2 });
  assert.ok(one !== undefined && other !== undefined);
  enterAll([one], 1, start);
  other.beat(start + 16_000);
  assert.equal(enterAll([one], 1, start + 16_100).length, 1);
  assert.equal(enterAll([other], 1, start + 16_200).length, 0);
});

test('lost contents are stored again by the servers that know them', () => {
  const limits = new InMemoryLimits();
  const made = servers(3, limits, { requestsPerMinute: 30, concurrency: 10 });
  const [first] = enterAll(made, 3, start);
  limits.replace();
  beats(made, start, 1);
  assert.equal(enterAll(made, 30, start + 1100).length, 1, 'nine of ten still run');
  made[0]?.release(first as RateTicket, undefined);
  assert.equal(enterAll(made, 30, start + 1200).length, 1);
});

test('a clock that is set back blocks no request', () => {
  const limits = new InMemoryLimits();
  const made = servers(2, limits, { requestsPerMinute: 4 });
  enterAll(made, 2, start);
  const earlier = beats(made, start - 3_600_000, 1);
  assert.equal(enterAll(made, 2, earlier).length, 0);
  assert.equal(enterAll(made, 3, beats(made, earlier, 63)).length, 4);
});

test('requests that began before a limit was set count at once, also for an endpoint that was removed and added again', () => {
  const limits = new InMemoryLimits();
  const one = server(limits, 'one', {});
  const [ticket] = enterAll([one], 1, start);
  one.configure(new Map([['a', { limits: { concurrency: 2 } }]]));
  assert.equal(enterAll([one], 2, start).length, 1);
  one.configure(new Map());
  one.configure(new Map([['a', { limits: { concurrency: 2 } }]]));
  const other = server(limits, 'other', { concurrency: 2 });
  assert.equal(enterAll([one, other], 2, start + 100).length, 0);
  one.release(ticket as RateTicket, undefined);
  assert.equal(enterAll([other], 2, start + 200).length, 1);
});

test('one busy server among idle ones can use the whole limit', () => {
  const made = servers(8, new InMemoryLimits(), { requestsPerMinute: 60, concurrency: 4 });
  const [busy] = made;
  assert.ok(busy !== undefined);
  let sent = 0;
  for (let second = 0; second < 600; second += 1) {
    beats(made, start + (second - 1) * 1000, 1);
    for (let index = 0; index < 3; index += 1) {
      const entry = busy.enter(rateRequest({ now: start + second * 1000 + index * 300 }));
      if (!entry.admitted) continue;
      sent += 1;
      busy.release(entry.ticket, 0);
    }
  }
  assert.ok(sent >= 0.9 * 600, `${sent} of 600`);
});

interface Sent { at: number; tokens: number; by: number; counted: boolean }

test('in random sequences with crashes, stalls and a busy store no limit is exceeded, and no slot is lost', () => {
  const settings = { requestsPerMinute: 40, tokensPerMinute: 9000, concurrency: 5 };
  for (let seed = 1; seed <= 25; seed += 1) {
    const random = seededRandom(seed);
    const limits = new InMemoryLimits();
    const made = servers(8, limits, settings);
    const sent: Sent[] = [];
    let running: { by: number; ticket: RateTicket; tokens: number; entry: Sent }[] = [];
    let now = start;
    let nextBeat = made.map(() => start + random() * 1000);
    let lives = 8;
    for (let step = 0; step < 1500; step += 1) {
      now += Math.floor(random() * 200);
      limits.state = random() < 0.03 ? 'busy' : 'well';
      nextBeat = nextBeat.map((at, index) => {
        if (at > now) return at;
        made[index]?.beat(now);
        return now + (random() < 0.02 ? 6000 * random() : 1000);
      });
      const by = Math.floor(random() ** 2 * 8);
      if (random() < 0.01) {
        // The process is killed, and another one takes its place.
        limits.killed.add(idOf(by, made));
        // The requests of a lone server since its last heartbeat are lost with it.
        for (const one of sent) if (one.by === by && one.at > now - 7000) one.counted = false;
        running = running.filter(one => one.by !== by);
        made[by] = server(limits, `w${lives}`, settings);
        names.set(made[by], `w${lives}`);
        lives += 1;
      }
      const tokens = Math.floor(random() * 600);
      const entry = (made[by] as RateLimiter).enter(rateRequest({ promptTokens: tokens, now }));
      if (entry.admitted) {
        const one = { at: now, tokens, by, counted: true };
        sent.push(one);
        running.push({ by, ticket: entry.ticket, tokens, entry: one });
        const lately = sent.filter(({ at, counted }) => counted && at > now - 60_000);
        assert.ok(lately.length <= settings.requestsPerMinute, `seed ${seed}: ${lately.length} requests`);
        assert.ok(lately.reduce((sum, { tokens: used }) => sum + used, 0) <= settings.tokensPerMinute, `seed ${seed}: tokens`);
        assert.ok(running.length <= settings.concurrency, `seed ${seed}: ${running.length} at once`);
      } else {
        assert.ok(entry.retryAt > now);
      }
      for (const one of running.filter(() => random() < 0.3)) {
        const used = Math.floor(one.tokens * random());
        one.entry.tokens = used;
        made[one.by]?.release(one.ticket, used);
        running.splice(running.indexOf(one), 1);
      }
    }
    limits.state = 'well';
    for (const one of running) made[one.by]?.release(one.ticket, one.tokens);
    now = beats(made, now, 70);
    assert.equal(enterAll(made, 3, now).length, settings.concurrency, `seed ${seed}: every place is free again`);
    assert.equal(limits.members.size, 8);
  }
});

const names = new Map<RateLimiter, string>();

function idOf(index: number, made: readonly RateLimiter[]): string {
  return names.get(made[index] as RateLimiter) ?? `w${index}`;
}
