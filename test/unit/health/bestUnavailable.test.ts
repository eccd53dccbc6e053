import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryUnderTest, start } from './registryUnderTest.ts';

const everywhere = ['a', 'b', 'c'].map(endpoint => ({ endpoint, model: 'm' }));

function open(under: RegistryUnderTest, endpoint: string): void {
  for (let index = 0; index < 5; index += 1) under.fail('server', { endpoint, model: 'm' });
}
/** Fails a trial at the endpoint as soon as the breaker admits it. */
function reopen(under: RegistryUnderTest, endpoint: string): void {
  assert.equal(under.healthRegistry.enter(endpoint, 'm', under.now).admitted, true);
  under.fail('server', { endpoint, model: 'm', trial: true });
}

test('the best unavailable target is the one that reopened least often', () => {
  const under = new RegistryUnderTest();
  for (const endpoint of ['a', 'b', 'c']) open(under, endpoint);
  under.now += 60_000;
  reopen(under, 'a');
  reopen(under, 'b');
  assert.equal(under.healthRegistry.bestUnavailable(everywhere.slice(0, 2), under.now)?.endpoint, 'a', 'of equals the first');
  under.now += 1;
  // It may go by itself: that is a matter for the plan.
  assert.equal(under.healthRegistry.bestUnavailable([{ endpoint: 'c', model: 'm' }], under.now), undefined);
  assert.equal(under.healthRegistry.enter('c', 'm', under.now).admitted, true);
  assert.equal(under.healthRegistry.bestUnavailable(everywhere, under.now)?.endpoint, 'c', 'its trial runs, but it failed only once');
});

test('among equals it is the one that is let through soonest', () => {
  const under = new RegistryUnderTest();
  open(under, 'a');
  under.now -= 20_000;
  open(under, 'b');
  under.now += 20_000;
  assert.deepEqual(under.healthRegistry.bestUnavailable(everywhere, under.now), { endpoint: 'b', model: 'm', retryAt: start + 40_000 });
});

test('a wait that the provider named is cut short by force alone, which says so, and comes after our own backoff', () => {
  const under = new RegistryUnderTest();
  under.fail('rate-limit', { endpoint: 'a', model: 'm', retryAfterMs: 5000 });
  under.fail('overloaded', { endpoint: 'b', model: 'm' });
  assert.equal(under.healthRegistry.bestUnavailable(everywhere, under.now)?.endpoint, 'b');
  assert.equal(under.healthRegistry.enter('a', 'm', under.now).admitted, false);
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now, { force: true }), { admitted: true, trial: false, early: true });
  assert.deepEqual(under.healthRegistry.enter('b', 'm', under.now, { force: true }), { admitted: true, trial: false });
  open(under, 'a');
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now, { force: true }), { admitted: true, trial: true, early: true }, 'an open breaker does not hide the wait');
});

test('there is no best unavailable target among available targets, unknown targets, or none', () => {
  const under = new RegistryUnderTest();
  assert.equal(under.healthRegistry.bestUnavailable(everywhere, under.now), undefined);
  assert.equal(under.healthRegistry.bestUnavailable([{ endpoint: 'unknown', model: 'm' }], under.now), undefined);
  assert.equal(under.healthRegistry.bestUnavailable([], under.now), undefined);
});

test('a forced attempt is the trial, and a second one beside it is not', () => {
  const under = new RegistryUnderTest();
  open(under, 'a');
  assert.equal(under.healthRegistry.enter('a', 'm', under.now).admitted, false);
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now, { force: true }), { admitted: true, trial: true });
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now, { force: true }), { admitted: true, trial: false });
  under.record({ model: 'm', trial: false });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'half-open', 'it decides nothing');
  for (let index = 0; index < 3; index += 1) {
    under.record({ model: 'm', trial: true });
    under.healthRegistry.enter('a', 'm', under.now);
  }
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
});

test('forced attempts that fail do not keep a breaker open for longer, and the next one goes to another target', () => {
  const under = new RegistryUnderTest();
  open(under, 'a');
  open(under, 'b');
  const chosen: string[] = [];
  for (let index = 0; index < 6; index += 1) {
    const least = under.healthRegistry.bestUnavailable(everywhere, under.now);
    assert.ok(least !== undefined);
    chosen.push(least.endpoint);
    assert.deepEqual(under.healthRegistry.enter(least.endpoint, 'm', under.now, { force: true }), { admitted: true, trial: true });
    under.fail('server', { endpoint: least.endpoint, model: 'm', trial: true });
    under.now += 100;
  }
  assert.deepEqual(chosen, ['a', 'b', 'a', 'b', 'a', 'b']);
  for (const endpoint of ['a', 'b']) assert.equal(under.healthRegistry.health(endpoint, under.now).retryAt, start + 60_000);
});

test('a target in its ramp after a recovery is preferred to any other', () => {
  const under = new RegistryUnderTest();
  open(under, 'a');
  open(under, 'b');
  under.now += 60_000;
  for (let index = 0; index < 3; index += 1) {
    under.healthRegistry.enter('a', 'm', under.now);
    under.record({ model: 'm', trial: true });
  }
  reopen(under, 'b');
  under.healthRegistry.enter('a', 'm', under.now);
  under.healthRegistry.enter('a', 'm', under.now);
  assert.match(under.reason('m') ?? '', /^just recovered/);
  assert.equal(under.healthRegistry.bestUnavailable([{ endpoint: 'b', model: 'm' }, { endpoint: 'a', model: 'm' }], under.now)?.endpoint, 'a');
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now, { force: true }), { admitted: true, trial: false });
});
