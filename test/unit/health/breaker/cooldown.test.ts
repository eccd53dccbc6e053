import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureClasses, type FailureClass } from '../../../../server/api/failure.ts';
import { createCooldowns, cooldownReason, type Cooldowns } from '../../../../server/health/breaker/cooldown.ts';

const now = 1_000_000;
function failed(cooldowns: Cooldowns, failureClass: FailureClass, retryAfterMs?: number, model?: string, at = now): void {
  cooldowns.failed({ failureClass, model, retryAfterMs, at });
}

test('the longest deadline is kept, in whatever order deadlines arrive', () => {
  for (const waits of [[30_000, 2000], [2000, 30_000]]) {
    const cooldowns = createCooldowns(() => 0.5);
    for (const wait of waits) failed(cooldowns, 'rate-limit', wait, 'm');
    assert.equal(cooldowns.coolingDown('m', now)?.until, now + 30_000);
    cooldowns.succeeded('m');
    assert.equal(cooldowns.coolingDown('m', now)?.until, now + 30_000, 'an answer that was under way does not end it');
    assert.equal(cooldowns.coolingDown('m', now + 30_000), undefined);
  }
});

test('a rate limit with a named wait cools down its model only, and one without cools down the endpoint', () => {
  const named = createCooldowns(() => 0.5);
  failed(named, 'rate-limit', 12_000, 'm');
  assert.notEqual(named.coolingDown('m', now), undefined);
  assert.equal(named.coolingDown('other', now), undefined);
  assert.equal(named.anyCoolingDown(now)?.until, now + 12_000);
  const unnamed = createCooldowns(() => 0.5);
  failed(unnamed, 'rate-limit', undefined, 'm');
  assert.notEqual(unnamed.coolingDown('other', now), undefined);
});

test('an overload cools down its model only', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'overloaded', undefined, 'm');
  assert.notEqual(cooldowns.coolingDown('m', now), undefined);
  assert.equal(cooldowns.coolingDown('other', now), undefined);
});

test('our own backoff doubles from its base to its cap, with jitter in the upper half', () => {
  for (const [failureClass, ceilings] of [['rate-limit', [1, 2, 4, 8, 16, 32, 60, 60]], ['overloaded', [5, 10, 20, 30, 30]]] as const) {
    for (const [chance, share] of [[0, 0.5], [0.999999, 1]] as const) {
      const cooldowns = createCooldowns(() => chance);
      let at = now;
      for (const ceiling of ceilings) {
        failed(cooldowns, failureClass, undefined, 'm', at);
        const until = cooldowns.coolingDown('m', at)?.until ?? 0;
        assert.ok(Math.abs(until - at - ceiling * 1000 * share) <= 1, `${failureClass} ${ceiling} s`);
        at = until;
      }
      cooldowns.succeeded('m');
      failed(cooldowns, failureClass, undefined, 'm', at);
      assert.ok((cooldowns.coolingDown('m', at)?.until ?? Infinity) - at <= ceilings[0] * 1000, 'after an answer it begins at the bottom');
    }
  }
});

test('a failure of the request itself starts no cooldown, and other failures start one when the provider asks for a wait', () => {
  for (const failureClass of failureClasses) {
    const cooldowns = createCooldowns(() => 0.5);
    failed(cooldowns, failureClass, 9000);
    const coolsDown = ['rate-limit', 'overloaded', 'server', 'quota', 'auth'].includes(failureClass);
    assert.equal(cooldowns.coolingDown(undefined, now)?.until, coolsDown ? now + 9000 : undefined, failureClass);
  }
});

test('a wait of more than a day is cut to a day', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'rate-limit', 1e15);
  assert.equal(cooldowns.coolingDown(undefined, now)?.until, now + 86_400_000);
});

test('the reason says who limits and for how long', () => {
  const cooldown = { since: now, until: now + 12_000, failureClass: 'rate-limit', named: true } as const;
  assert.equal(cooldownReason(cooldown, now), 'rate-limited by the provider for another 12 s');
  assert.equal(cooldownReason({ ...cooldown, named: false }, now), 'resting for another 12 s after a rate limit');
  assert.equal(cooldownReason({ ...cooldown, failureClass: 'server', until: now + 600_000 }, now), 'the provider asks to wait another 10 min (server error)');
});

test('a clock set back ends a cooldown, and the next one counts from the new time', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'rate-limit', 60_000, 'm');
  const earlier = now - 600_000;
  assert.notEqual(cooldowns.coolingDown('m', now - 500), undefined, 'a moment taken just before is no clock set back');
  assert.equal(cooldowns.coolingDown('m', earlier), undefined);
  assert.equal(cooldowns.anyCoolingDown(earlier), undefined);
  failed(cooldowns, 'rate-limit', 60_000, 'm', earlier);
  assert.equal(cooldowns.coolingDown('m', earlier)?.until, earlier + 60_000);
});

test('what a peer observed a while ago does not shorten a cooldown that is running', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'rate-limit', 60_000, 'm');
  cooldowns.failed({ failureClass: 'rate-limit', model: 'm', retryAfterMs: 20_000, at: now - 10_000, foreign: true });
  assert.equal(cooldowns.coolingDown('m', now)?.until, now + 60_000);
});

test('models that callers invent are not kept for ever', () => {
  const cooldowns = createCooldowns(() => 0.5);
  for (let index = 0; index < 1000; index += 1) failed(cooldowns, 'overloaded', undefined, `made up ${index}`, now + index * 60_000);
  assert.ok(cooldowns.snapshot().models.length <= 64);
});

test('consecutiveFailures are those of running cooldowns, and unknown while the provider named a wait', () => {
  const cooldowns = createCooldowns(() => 0.5);
  assert.equal(cooldowns.ownConsecutiveFailures('m', now), 0);
  failed(cooldowns, 'overloaded', undefined, 'm');
  failed(cooldowns, 'overloaded', undefined, 'm');
  assert.equal(cooldowns.ownConsecutiveFailures('m', now), 2);
  assert.equal(cooldowns.ownConsecutiveFailures('other', now), 0);
  assert.equal(cooldowns.ownConsecutiveFailures('m', now + 60_000), 0);
  // Its end comes before that of our own cooldown, which is the one that is reported.
  failed(cooldowns, 'overloaded', 2000, 'm');
  assert.equal(cooldowns.ownConsecutiveFailures('m', now + 1000), undefined);
  assert.equal(cooldowns.ownConsecutiveFailures('m', now + 2000), 3);
});

test('a restored snapshot holds the earlier state', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'rate-limit', 9000, 'm');
  failed(cooldowns, 'rate-limit');
  const before = cooldowns.snapshot();
  const seen = [cooldowns.coolingDown('m', now), cooldowns.coolingDown(undefined, now), cooldowns.ownConsecutiveFailures(undefined, now)];
  failed(cooldowns, 'rate-limit', 90_000, 'm');
  failed(cooldowns, 'auth', 90_000);
  failed(cooldowns, 'overloaded', undefined, 'n');
  cooldowns.restore(before);
  assert.deepEqual([cooldowns.coolingDown('m', now), cooldowns.coolingDown(undefined, now), cooldowns.ownConsecutiveFailures(undefined, now)], seen);
  assert.equal(cooldowns.coolingDown('n', now)?.until, cooldowns.coolingDown(undefined, now)?.until);
  assert.deepEqual(cooldowns.snapshot(), before);
});

test('an answer to a request that began after a cooldown did ends it, also one that the provider named', () => {
  const cooldowns = createCooldowns(() => 0.5);
  failed(cooldowns, 'rate-limit', 300_000, 'm');
  cooldowns.succeeded('m', now - 1);
  assert.notEqual(cooldowns.coolingDown('m', now + 1), undefined);
  cooldowns.succeeded('m', now + 1);
  assert.equal(cooldowns.coolingDown('m', now + 2), undefined);
  assert.equal(cooldowns.ownConsecutiveFailures('m', now + 2), 0);
});

test('a model that the provider does not have, or a region, is asked for again with growing distance', () => {
  for (const model of ['m', undefined]) {
    const cooldowns = createCooldowns(() => 0.5);
    let at = now;
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      cooldowns.refused(model, 'auth', at);
      cooldowns.refused(model, 'auth', at + 1);
      const cooldown = cooldowns.coolingDown('m', at);
      assert.equal(cooldown?.until, at + minutes * 60_000);
      assert.equal(cooldowns.coolingDown('other', at) === undefined, model === 'm');
      at += minutes * 60_000;
    }
    cooldowns.succeeded('m', at);
    assert.equal(cooldowns.coolingDown('m', at), undefined);
  }
});
