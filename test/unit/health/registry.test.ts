import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureClass } from '../../../server/api/failure.ts';
import type { Outcome } from '../../../server/health/healthReader.ts';
import { createHealthRegistry } from '../../../server/health/registry.ts';
import { RegistryUnderTest, breaker, start } from './registryUnderTest.ts';
import { seededRandom } from '../support/seededRandom.ts';

test('without an outcome an endpoint is unknown, and may be tried', () => {
  const under = new RegistryUnderTest();
  assert.deepEqual(under.healthRegistry.health('a', start), {
    state: 'unknown', breaker: 'closed', retryAt: undefined, firstToken: undefined, total: undefined,
    errorRate: undefined, uptime: undefined, lastError: undefined, lastCheckedAt: undefined,
  });
  assert.equal(under.reason(), undefined);
});

test('a killed endpoint is down at its first refused connection, long before the breaker opens', () => {
  const under = new RegistryUnderTest();
  under.record({ firstTokenMs: 300, totalMs: 900 });
  assert.equal(under.state(), 'healthy');
  under.now += 1000;
  under.fail('network', { networkKind: 'refused', message: 'connection refused' });
  assert.equal(under.state(), 'down');
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
  assert.deepEqual(under.healthRegistry.health('a', under.now).lastError, { at: under.now, failureClass: 'network', message: 'connection refused' });
  under.record();
  assert.notEqual(under.state(), 'down');
});

test('the state of a healthy endpoint after one outcome', () => {
  const table: [Partial<Outcome>, string][] = [
    [{}, 'healthy'],
    [{ failureClass: 'network' }, 'down'],
    [{ failureClass: 'timeout' }, 'degraded'],
    [{ failureClass: 'server' }, 'degraded'],
    [{ failureClass: 'overloaded' }, 'degraded'],
    [{ failureClass: 'rate-limit' }, 'degraded'],
    [{ failureClass: 'quota' }, 'degraded'],
    [{ failureClass: 'auth' }, 'degraded'],
    [{ failureClass: 'auth', keyScoped: true }, 'healthy'],
    [{ failureClass: 'rate-limit', keyScoped: true, retryAfterMs: 60_000 }, 'healthy'],
    [{ failureClass: 'bad-request' }, 'healthy'],
    [{ failureClass: 'context-overflow' }, 'healthy'],
    [{ failureClass: 'content-policy' }, 'healthy'],
    [{ failureClass: 'model-not-found' }, 'healthy'],
    [{ failureClass: 'cancelled' }, 'healthy'],
    [{ kind: 'probe' }, 'healthy'],
    [{ kind: 'probe', failureClass: 'network' }, 'down'],
    [{ kind: 'probe', failureClass: 'timeout' }, 'down'],
    [{ kind: 'probe', failureClass: 'auth' }, 'down'],
    [{ kind: 'probe', failureClass: 'server' }, 'degraded'],
  ];
  for (const [outcome, expected] of table) {
    const under = new RegistryUnderTest();
    for (let index = 0; index < 20; index += 1) under.record();
    under.record(outcome);
    assert.equal(under.state(), expected, JSON.stringify(outcome));
  }
});

test('failing twice with nothing else known is down, and one success ends that', () => {
  const under = new RegistryUnderTest();
  under.fail('server');
  assert.equal(under.state(), 'degraded');
  under.fail('server');
  assert.equal(under.state(), 'down');
  under.record();
  assert.equal(under.state(), 'healthy');
});

test('only being rate-limited is never down', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 20; index += 1) under.fail('rate-limit');
  assert.equal(under.state(), 'degraded');
});

test('one failed attempt in ten over the sliding window is degraded although the latest succeeded', () => {
  const under = new RegistryUnderTest();
  under.fail('server');
  for (let index = 0; index < 9; index += 1) under.record();
  assert.equal(under.state(), 'degraded');
  under.record();
  assert.equal(under.state(), 'healthy');
});

test('an open breaker refuses with a sentence that says why and until when', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 5; index += 1) under.fail('network', { networkKind: 'refused', message: 'connection refused' });
  under.now += 36_000;
  assert.equal(under.reason(), 'breaker open after 5 failures (connection refused), next try in 24 s');
  assert.equal(under.healthRegistry.health('a', under.now).retryAt, start + 60_000);
  assert.equal(under.state(), 'down');
});

test('reading the admission takes no trial, entering does, and half-open shows as degraded', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.now += 60_000;
  assert.deepEqual(under.healthRegistry.admission('a', 'm', under.now), { admitted: true, trial: true });
  assert.deepEqual(under.healthRegistry.admission('a', 'm', under.now), { admitted: true, trial: true });
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
  assert.equal(under.healthRegistry.enter('a', 'm', under.now).admitted, false);
  assert.equal(under.state(), 'degraded');
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'half-open');
  under.healthRegistry.release('a', 'm', true);
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
});

test('an attempt from before the opening that ends late does not free the slot of the trial', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.enter('a', undefined, under.now);
  under.openBreaker();
  under.now += 60_000;
  under.healthRegistry.enter('a', undefined, under.now);
  under.record({ trial: false });
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, false);
  under.healthRegistry.release('a', undefined, false);
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, false);
  under.record({ trial: true });
  assert.deepEqual(under.healthRegistry.enter('a', undefined, under.now), { admitted: true, trial: true });
});

test('after three successful trials the endpoint is available, first for a few concurrent requests', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.now += 60_000;
  for (let index = 0; index < 3; index += 1) {
    under.healthRegistry.enter('a', undefined, under.now);
    under.record({ trial: true });
  }
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, true);
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, true);
  assert.equal(under.reason(), 'just recovered: no more than 2 requests at once for now, more in 2 s');
  under.record({ trial: false });
  assert.equal(under.reason(), undefined);
});

test('a rate limit with a named wait keeps that model away, and others are available', () => {
  const under = new RegistryUnderTest();
  under.fail('rate-limit', { model: 'm', retryAfterMs: 12_000 });
  assert.equal(under.reason('m'), 'rate-limited by the provider for another 12 s');
  assert.equal(under.reason('other'), undefined);
  assert.equal(under.state(), 'degraded');
  under.now += 12_000;
  assert.equal(under.reason('m'), undefined);
});

test('when breaker and cooldown both refuse, the later moment is reported', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.fail('server', { retryAfterMs: 300_000 });
  assert.equal(under.reason(), 'the provider asks to wait another 5 min (server error)');
  assert.equal(under.healthRegistry.health('a', under.now).retryAt, start + 300_000);
});

test('no trial is admitted before the end of a cooldown', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.fail('server', { retryAfterMs: 90_000 });
  under.now += 60_000;
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, false);
  under.now += 30_000;
  assert.deepEqual(under.healthRegistry.enter('a', undefined, under.now), { admitted: true, trial: true });
});

test('latency is that of answered prompts, not of probes', () => {
  const under = new RegistryUnderTest();
  under.record({ kind: 'probe', totalMs: 3 });
  assert.equal(under.healthRegistry.health('a', under.now).total, undefined);
  under.record({ firstTokenMs: 200, totalMs: 800 });
  const health = under.healthRegistry.health('a', under.now);
  assert.deepEqual([health.firstToken?.p50, health.total?.p99], [200, 800]);
});

test('a successful probe clears the failure of a probe, but not of requests', () => {
  const under = new RegistryUnderTest();
  under.record();
  under.record({ kind: 'probe', failureClass: 'auth' });
  under.record({ kind: 'probe' });
  assert.equal(under.state(), 'healthy');
  under.fail('server');
  under.record({ kind: 'probe' });
  assert.equal(under.state(), 'degraded');
});

test('uptime counts the time an endpoint was not down since its first observation', () => {
  const under = new RegistryUnderTest();
  under.now += 1000;
  under.record();
  under.now += 1000;
  under.fail('network');
  under.now += 1000;
  assert.equal(under.healthRegistry.health('a', under.now).uptime, 0.5);
  under.record();
  under.now += 2000;
  assert.equal(under.healthRegistry.health('a', under.now).uptime, 0.75);
});

test('two remote endpoints that cannot be reached together are the machine being offline: no breaker opens', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 6; index += 1) under.fail('network', { networkKind: 'dns' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open', 'so far only one endpoint failed');
  assert.equal(under.healthRegistry.networkTrouble()?.since, undefined);
  under.now += 1000;
  under.fail('network', { endpoint: 'b', networkKind: 'unreachable' });
  assert.equal(under.healthRegistry.networkTrouble()?.since, start);
  for (let index = 0; index < 20; index += 1) for (const endpoint of ['a', 'b', 'c']) under.fail('network', { endpoint, networkKind: 'dns' });
  for (const endpoint of ['a', 'b', 'c']) {
    assert.equal(under.healthRegistry.health(endpoint, under.now).breaker, 'closed');
    assert.equal(under.reason(undefined, endpoint), undefined);
  }
  under.fail('bad-request', { endpoint: 'c' });
  assert.equal(under.healthRegistry.networkTrouble()?.since, undefined, 'an answer of any kind came over the link');
});

test('neither refused connections nor local endpoints make the machine offline', () => {
  const under = new RegistryUnderTest();
  under.fail('network', { networkKind: 'refused' });
  under.fail('network', { endpoint: 'b', networkKind: 'refused' });
  under.fail('network', { endpoint: 'local', networkKind: 'unreachable' });
  under.fail('network', { endpoint: 'c', networkKind: 'dns' });
  assert.equal(under.healthRegistry.networkTrouble()?.since, undefined);
});

test('while the machine has no interface local endpoints keep their breakers', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(true, under.now - 1000);
  under.healthRegistry.reportInterfaces(false, under.now);
  for (let index = 0; index < 5; index += 1) for (const endpoint of ['a', 'local']) under.fail('network', { endpoint, networkKind: 'refused' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
  assert.equal(under.healthRegistry.health('local', under.now).breaker, 'open');
  under.healthRegistry.reportInterfaces(true, under.now);
  assert.equal(under.healthRegistry.networkTrouble()?.since, undefined);
});

test('a new configuration keeps the history of an endpoint that stays, and drops that of a removed one', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.fail('network', { endpoint: 'b' });
  under.healthRegistry.configure(new Map([['a', { breaker: { ...breaker, failures: 9 } }]]));
  assert.equal(under.state('a'), 'down');
  under.fail('server', { endpoint: 'b' });
  under.healthRegistry.configure(under.endpoints);
  assert.equal(under.state('b'), 'unknown');
});

test('an outcome of a peer counts, frees no slot here, and counts no more after a success', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 5; index += 1) under.fail('server', { foreign: true });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
  under.now += 60_000;
  under.healthRegistry.enter('a', undefined, under.now);
  under.record({ foreign: true });
  assert.equal(under.healthRegistry.enter('a', undefined, under.now).admitted, false);
  under.record({ trial: true });
  under.fail('network', { foreign: true, at: under.now - 5000 });
  assert.notEqual(under.state(), 'down');
});

test('in random sequences of everything that can happen no two trials ever run at once', () => {
  const classes: (FailureClass | undefined)[] = [undefined, undefined, 'network', 'server', 'timeout', 'overloaded', 'rate-limit', 'auth', 'bad-request', 'cancelled'];
  let trials = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const healthRegistry = createHealthRegistry({ random, startedAt: start });
    healthRegistry.configure(new Map([['a', { breaker: { ...breaker, failures: 1 + Math.floor(random() * 3), openForMs: 5000, halfOpenProbes: 1 + Math.floor(random() * 3) } }]]));
    const running: { trial: boolean }[] = [];
    let now = start;
    for (let step = 0; step < 400; step += 1) {
      now += Math.floor(random() * 1500);
      const move = random();
      if (move < 0.45) {
        const look = healthRegistry.admission('a', 'm', now);
        const admission = healthRegistry.enter('a', 'm', now);
        assert.equal(look.admitted, admission.admitted, 'a look gives the result that entering will have');
        if (admission.admitted) { running.push({ trial: admission.trial }); if (admission.trial) trials += 1; }
        else assert.ok(admission.retryAt > now && admission.reason.length > 0);
      } else if (move < 0.85 && running.length > 0) {
        const [ended] = running.splice(Math.floor(random() * running.length), 1);
        if (random() < 0.15) healthRegistry.release('a', 'm', ended?.trial);
        else healthRegistry.record({ endpoint: 'a', model: 'm', at: now, kind: 'traffic', failureClass: pick(classes), trial: ended?.trial });
      } else {
        const foreign = random() < 0.5;
        healthRegistry.record({ endpoint: 'a', at: now, kind: foreign ? 'traffic' : 'probe', foreign, failureClass: pick(classes) });
      }
      assert.ok(running.filter(({ trial }) => trial).length <= 1, `seed ${seed}, step ${step}`);
      const { state, breaker: circuit } = healthRegistry.health('a', now);
      if (circuit === 'open') assert.equal(state, 'down');
      if (circuit === 'half-open') assert.equal(state, 'degraded');
    }
  }
  assert.ok(trials > 100, 'the sequences must reach half-open often enough to prove anything');
});

test('a resource that this machine ran out of does not count against an endpoint, in attempts, probes and outcomes of peers', () => {
  const under = new RegistryUnderTest();
  under.record();
  const before = under.healthRegistry.health('a', under.now);
  for (let index = 0; index < 20; index += 1) {
    under.fail('local', { code: 'own-limit' });
    under.fail('local', { kind: 'probe', code: 'own-limit' });
    under.fail('local', { foreign: true });
  }
  assert.deepEqual(under.healthRegistry.health('a', under.now), before);
  assert.equal(under.reason(undefined, 'a'), undefined);
});

test('an endpoint that closes each connection without an answer is kept away as a whole, and does not show that the machine is online', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 6; index += 1) under.fail('server', { model: `m${index}`, code: 'connection-reset', networkKind: 'reset' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
  under.fail('network', { endpoint: 'b', networkKind: 'dns' });
  under.fail('server', { endpoint: 'a', code: 'connection-reset', networkKind: 'reset' });
  under.fail('network', { endpoint: 'c', networkKind: 'dns' });
  assert.notEqual(under.healthRegistry.networkTrouble()?.since, undefined);
});
