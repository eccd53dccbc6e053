import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureClass } from '../../../../server/api/failure.ts';
import { createHealthRegistry } from '../../../../server/health/registry.ts';
import { RegistryUnderTest, breaker, start } from '../registryUnderTest.ts';
import { seededRandom } from '../../support/seededRandom.ts';

function failTimes(under: RegistryUnderTest, times: number, failureClass: FailureClass, model: string, endpoint = 'a'): void {
  for (let index = 0; index < times; index += 1) under.fail(failureClass, { model, endpoint });
}

test('a model that fails is kept away, and its neighbours at the endpoint are not', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'good' });
  failTimes(under, 5, 'server', 'bad');
  assert.match(under.reason('bad') ?? '', /^breaker open after 5 failures \(server error\), next try in 60 s$/);
  assert.equal(under.reason('good'), undefined);
  assert.equal(under.reason('never asked'), undefined);
  const health = under.healthRegistry.health('a', under.now);
  assert.equal(health.breaker, 'closed');
  assert.equal(health.state, 'degraded');
  assert.deepEqual(health.modelBreakers, [{ model: 'bad', breaker: 'open', retryAt: start + 60_000, reason: 'breaker open after 5 failures (server error)' }]);
});

test('with a single model the endpoint has the state of its model', () => {
  const under = new RegistryUnderTest();
  failTimes(under, 5, 'server', 'm');
  const open = under.healthRegistry.health('a', under.now);
  assert.deepEqual([open.breaker, open.state, open.retryAt], ['open', 'down', start + 60_000]);
  assert.match(under.reason() ?? '', /^breaker open/, 'the endpoint as a whole cannot be asked for anything');
  under.now += 60_000;
  assert.equal(under.reason(), undefined);
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
  assert.deepEqual([under.healthRegistry.health('a', under.now).breaker, under.state()], ['half-open', 'degraded']);
  for (let index = 0; index < 3; index += 1) {
    under.record({ model: 'm', trial: true });
    under.healthRegistry.enter('a', 'm', under.now);
  }
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
});

test('an endpoint is down when most of its models are, and at least two', () => {
  const under = new RegistryUnderTest();
  for (const model of ['one', 'two', 'three']) under.record({ model });
  failTimes(under, 5, 'server', 'one');
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
  failTimes(under, 5, 'server', 'two');
  assert.deepEqual([under.healthRegistry.health('a', under.now).breaker, under.state()], ['open', 'down']);
  assert.equal(under.reason('three'), undefined, 'what works there goes on being used');
  under.record({ model: 'four' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed', 'two of four are no majority');
});

test('models that were not used lately do not count for the state of the endpoint', () => {
  const under = new RegistryUnderTest();
  for (const model of ['one', 'two', 'three', 'four']) under.record({ model });
  under.now += 3_600_000;
  failTimes(under, 5, 'server', 'one');
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
});

test('a failed connection counts against all models at once', () => {
  const under = new RegistryUnderTest();
  failTimes(under, 3, 'network', 'one');
  failTimes(under, 2, 'network', 'two');
  assert.match(under.reason('three') ?? '', /^breaker open after 5 failures/);
  assert.equal(under.healthRegistry.health('a', under.now).modelBreakers, undefined);
});

test('a timer that ran out while connecting counts against the endpoint, later against the model', () => {
  for (const [outcome, others] of [
    [{ phase: 'connect' }, 'closed'], [{ code: 'connect-timeout' }, 'closed'],
    [{ phase: 'headers' }, 'open'], [{ phase: 'first-token' }, 'open'], [{ phase: 'idle' }, 'open'], [{ phase: 'throughput' }, 'open'], [{ phase: 'total' }, 'open'], [{}, 'open'],
  ] as const) {
    const under = new RegistryUnderTest();
    under.record({ model: 'other' });
    for (let index = 0; index < 5; index += 1) under.fail('timeout', { model: 'm', ...outcome });
    assert.notEqual(under.reason('m'), undefined, JSON.stringify(outcome));
    assert.equal(under.reason('other') === undefined ? 'open' : 'closed', others, JSON.stringify(outcome));
  }
});

test('an answer, even a failure, shows that the connection works again', () => {
  const under = new RegistryUnderTest();
  failTimes(under, 5, 'network', 'm');
  under.now += 60_000;
  for (let index = 0; index < 3; index += 1) {
    assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
    under.fail('server', { model: 'm', trial: true });
  }
  assert.equal(under.reason('other'), undefined);
  failTimes(under, 2, 'server', 'm');
  assert.match(under.reason('m') ?? '', /^breaker open after 5 failures/);
});

test('failures of the connection and of the model are separate streaks', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'm' });
  for (const failureClass of ['network', 'server', 'network', 'server', 'network', 'server', 'network', 'server'] as const) under.fail(failureClass, { model: 'm' });
  assert.equal(under.reason('m'), undefined);
});

test('a probe that succeeds changes nothing for a model, unless probes had failed as it did', () => {
  const alone = new RegistryUnderTest();
  failTimes(alone, 5, 'server', 'm');
  alone.record({ kind: 'probe' });
  assert.equal(alone.healthRegistry.health('a', alone.now).breaker, 'open');
  const both = new RegistryUnderTest();
  failTimes(both, 5, 'server', 'm');
  both.fail('server', { kind: 'probe' });
  both.record({ kind: 'probe' });
  assert.equal(both.healthRegistry.health('a', both.now).breaker, 'half-open');
  assert.deepEqual(both.healthRegistry.admission('a', 'm', both.now), { admitted: true, trial: true });
});

test('each model has its own ramp after it recovered', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'other' });
  failTimes(under, 5, 'server', 'm');
  under.now += 60_000;
  for (let index = 0; index < 3; index += 1) {
    under.healthRegistry.enter('a', 'm', under.now);
    under.record({ model: 'm', trial: true });
  }
  for (let index = 0; index < 2; index += 1) assert.equal(under.healthRegistry.enter('a', 'm', under.now).admitted, true);
  assert.match(under.reason('m') ?? '', /^just recovered/);
  for (let index = 0; index < 20; index += 1) assert.equal(under.healthRegistry.enter('a', 'other', under.now).admitted, true);
});

test('what a peer observed of one model still counts although another model answered here', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'good' });
  for (let index = 0; index < 5; index += 1) under.fail('server', { model: 'bad', foreign: true, at: under.now - 100 });
  assert.notEqual(under.reason('bad'), undefined);
});

test('models that callers invent are not kept for ever', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 2000; index += 1) {
    under.now += 1;
    failTimes(under, 5, 'server', `made up ${index}`);
  }
  assert.equal(under.healthRegistry.health('a', under.now).modelBreakers?.length, 128);
  assert.notEqual(under.reason('made up 1999'), undefined);
  assert.equal(under.reason('made up 0'), undefined, 'those longest unused are forgotten first');
});

test('a trial of one model is no trial of another, nor of the endpoint', () => {
  const under = new RegistryUnderTest();
  failTimes(under, 5, 'server', 'one');
  failTimes(under, 5, 'server', 'two');
  under.now += 60_000;
  assert.deepEqual(under.healthRegistry.enter('a', 'one', under.now), { admitted: true, trial: true });
  assert.deepEqual(under.healthRegistry.enter('a', 'two', under.now), { admitted: true, trial: true });
  under.record({ model: 'one', trial: true });
  assert.equal(under.healthRegistry.enter('a', 'two', under.now).admitted, false, 'its own trial still runs');
  // The connection fails, and recovers with a trial of model three.
  failTimes(under, 5, 'network', 'four');
  under.now += 60_000;
  assert.deepEqual(under.healthRegistry.enter('a', 'three', under.now), { admitted: true, trial: true });
  under.fail('server', { model: 'two', trial: true });
  assert.equal(under.healthRegistry.enter('a', 'five', under.now).admitted, false, 'the trial of model three still runs');
});

test('in random sequences over several models no two trials of one model run at once, and no breaker stays open for good', () => {
  const classes: (FailureClass | undefined)[] = [undefined, undefined, 'network', 'server', 'timeout', 'overloaded', 'rate-limit', 'auth', 'bad-request', 'cancelled'];
  const models = ['m', 'n', 'o'];
  let trials = 0;
  let forcedIn = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const healthRegistry = createHealthRegistry({ random, startedAt: start });
    healthRegistry.configure(new Map([['a', { breaker: { ...breaker, failures: 1 + Math.floor(random() * 3), openForMs: 3000, maxOpenForMs: 12_000, halfOpenProbes: 1 + Math.floor(random() * 3) } }]]));
    const running: { model: string; trial: boolean; startedAt: number }[] = [];
    let now = start;
    for (let step = 0; step < 500; step += 1) {
      now += Math.floor(random() * 900);
      const move = random();
      const model = pick(models);
      if (move < 0.5) {
        const force = random() < 0.2;
        const look = healthRegistry.admission('a', model, now);
        const admission = healthRegistry.enter('a', model, now, { force });
        if (!force) assert.deepEqual(look, admission, 'a look gives the result that entering will have');
        if (!look.admitted && admission.admitted) forcedIn += 1;
        if (admission.admitted) running.push({ model, trial: admission.trial, startedAt: now });
        if (admission.admitted && admission.trial) trials += 1;
      } else if (move < 0.9 && running.length > 0) {
        const [ended] = running.splice(Math.floor(random() * running.length), 1);
        if (ended === undefined) continue;
        if (random() < 0.15) healthRegistry.release('a', ended.model, ended.trial);
        else healthRegistry.record({ endpoint: 'a', model: ended.model, at: now, startedAt: ended.startedAt, kind: 'traffic', failureClass: pick(classes), trial: ended.trial });
      } else {
        const foreign = random() < 0.5;
        healthRegistry.record({ endpoint: 'a', model: foreign ? model : undefined, at: now, kind: foreign ? 'traffic' : 'probe', foreign, failureClass: pick(classes) });
      }
      for (const one of models) assert.ok(running.filter(({ model: of, trial }) => of === one && trial).length <= 1, `seed ${seed}, step ${step}`);
      const { state, breaker: whole } = healthRegistry.health('a', now);
      if (whole === 'open') assert.equal(state, 'down');
      if (whole === 'half-open') assert.equal(state, 'degraded');
    }
    for (const { model, trial } of running) healthRegistry.release('a', model, trial);
    // Longer than any open time and any backoff of our own: everything may be tried.
    now += 120_000;
    for (const model of models) assert.equal(healthRegistry.admission('a', model, now).admitted, true, `seed ${seed}`);
  }
  assert.ok(trials > 200 && forcedIn > 50, `the sequences must get there often enough to prove anything: ${trials}, ${forcedIn}`);
});
