import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureClass } from '../../../../server/api/failure.ts';
import type { Outcome } from '../../../../server/health/healthReader.ts';
import { createHealthRegistry } from '../../../../server/health/registry.ts';
import { RegistryUnderTest, breaker, start } from '../registryUnderTest.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const page = { failureClass: 'server', code: 'not-an-api' } as const;
const breakers = (under: RegistryUnderTest): string[] => ['a', 'b', 'c'].map(endpoint => under.healthRegistry.health(endpoint, under.now).breaker);

test('a machine that never had an interface does not count as offline', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(false, under.now);
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  under.fail('network', { networkKind: 'dns' });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  assert.equal(under.state(), 'down', 'it is the endpoint that cannot be reached');
});

test('a machine is offline as soon as its last interface is gone, until an interface is back', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(true, under.now);
  under.now += 1000;
  under.healthRegistry.reportInterfaces(false, under.now);
  assert.deepEqual(under.healthRegistry.networkTrouble(), { kind: 'offline', since: start + 1000 });
  assert.equal(under.healthRegistry.networkTrouble()?.since, start + 1000);
  assert.deepEqual([under.healthRegistry.isOffline('a'), under.healthRegistry.isOffline('local'), under.healthRegistry.isOffline('unknown')], [true, false, false]);
  assert.deepEqual([under.healthRegistry.health('a', under.now).offline, under.state('a'), under.state('local')], ['offline', 'down', 'unknown']);
  under.healthRegistry.reportInterfaces(true, under.now);
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  assert.equal(under.state('a'), 'unknown');
});

test('failures between two reads of the interfaces are taken back', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'm' });
  under.healthRegistry.reportInterfaces(true, under.now);
  under.now += 500;
  for (let index = 0; index < 5; index += 1) under.fail('network', { networkKind: 'reset', model: 'm' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
  under.now += 500;
  under.healthRegistry.reportInterfaces(false, under.now);
  under.healthRegistry.reportInterfaces(true, under.now);
  const { breaker: whole, lastError, errorRate, state, uptime } = under.healthRegistry.health('a', under.now);
  assert.deepEqual([whole, lastError, errorRate, state, uptime], ['closed', undefined, 0, 'healthy', 1]);
});

test('answers without an interface show that the machine is online without one', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(true, under.now);
  under.healthRegistry.reportInterfaces(false, under.now);
  under.now += 1000;
  under.record({ startedAt: under.now - 10 });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  under.healthRegistry.reportInterfaces(false, under.now);
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
});

test('an answer that was in flight when the interface went does not show that the machine is online', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(true, under.now);
  under.healthRegistry.reportInterfaces(false, under.now + 1000);
  under.now += 1500;
  under.record({ startedAt: start });
  under.healthRegistry.reportInterfaces(false, under.now + 500);
  assert.equal(under.healthRegistry.networkTrouble()?.kind, 'offline');
});

test('with local endpoints only no network trouble is reported', () => {
  const healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: start });
  healthRegistry.configure(new Map([['ollama', { breaker, baseUrl: 'http://localhost:11434' }]]));
  healthRegistry.reportInterfaces(true, start);
  healthRegistry.reportInterfaces(false, start);
  assert.equal(healthRegistry.networkTrouble(), undefined);
  healthRegistry.record({ endpoint: 'ollama', at: start, kind: 'traffic' });
  assert.equal(healthRegistry.health('ollama', start).state, 'healthy');
  for (let index = 0; index < 5; index += 1) healthRegistry.record({ endpoint: 'ollama', at: start, kind: 'traffic', failureClass: 'network', networkKind: 'refused' });
  assert.equal(healthRegistry.health('ollama', start).breaker, 'open', 'its own faults stay its own');
});

test('being offline counts against no endpoint: no failure, no lost uptime, no error to show', () => {
  const under = new RegistryUnderTest();
  for (const endpoint of ['a', 'b', 'c']) under.record({ endpoint, model: 'm' });
  under.now += 10_000;
  for (const endpoint of ['a', 'b']) under.fail('network', { endpoint, model: 'm', networkKind: 'dns' });
  assert.equal(under.healthRegistry.networkTrouble()?.since, under.now);
  for (let index = 0; index < 50; index += 1) {
    under.now += 1000;
    for (const endpoint of ['a', 'b', 'c']) under.fail(index % 2 === 0 ? 'network' : 'timeout', { endpoint, model: 'm', networkKind: 'unreachable' });
  }
  assert.deepEqual(breakers(under), ['closed', 'closed', 'closed']);
  under.record({ endpoint: 'c', model: 'm' });
  for (const endpoint of ['a', 'b', 'c']) {
    const { state, uptime, errorRate, lastError, modelBreakers } = under.healthRegistry.health(endpoint, under.now);
    assert.deepEqual([state, uptime, errorRate, lastError, modelBreakers], ['healthy', 1, 0, undefined, undefined], endpoint);
  }
});

test('an attempt that began while the machine was offline and fails after is the machine\'s, too', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.reportInterfaces(true, under.now);
  under.healthRegistry.reportInterfaces(false, under.now);
  const startedAt = under.now + 1000;
  under.now += 2000;
  under.healthRegistry.reportInterfaces(true, under.now);
  under.now += 5000;
  for (let index = 0; index < 5; index += 1) under.fail('timeout', { startedAt, phase: 'connect' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
  for (let index = 0; index < 5; index += 1) under.fail('timeout', { startedAt: under.now - 1000, phase: 'connect' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open', 'what began after it is the endpoint\'s');
});

test('two endpoints that are down among others that answer do not make the machine offline', () => {
  const under = new RegistryUnderTest();
  for (let round = 0; round < 8; round += 1) {
    under.now += 30_000;
    for (const endpoint of ['a', 'b']) under.fail('network', { endpoint, networkKind: 'dns', model: 'm' });
    under.now += 300;
    under.record({ endpoint: 'c', model: 'm' });
  }
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  assert.deepEqual(breakers(under), ['open', 'open', 'closed']);
});

test('two endpoints at one host count as one', () => {
  const under = new RegistryUnderTest();
  under.endpoints.set('a2', { breaker, baseUrl: 'https://a.example.com/other' });
  under.healthRegistry.configure(under.endpoints);
  for (const endpoint of ['a', 'a2']) under.fail('network', { endpoint, networkKind: 'dns' });
  for (const endpoint of ['a', 'a2']) under.fail('server', { endpoint, code: 'not-an-api' });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
});

test('what peers observed of connections does not make this machine offline', () => {
  const under = new RegistryUnderTest();
  for (const endpoint of ['a', 'b', 'c']) under.fail('network', { endpoint, foreign: true });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
});

test('pages, redirects and certificates at two hosts together are a sign-in page, and no breaker opens while it lasts', () => {
  const kinds: Partial<Outcome>[] = [page, { failureClass: 'server', code: 'redirect' }, { failureClass: 'network', code: 'certificate', networkKind: 'tls' }];
  for (const first of kinds) {
    for (const second of kinds) {
      const under = new RegistryUnderTest();
      for (let index = 0; index < 5; index += 1) under.record({ ...first, model: 'm' });
      assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open', 'alone it is the endpoint\'s own fault');
      under.now += 3000;
      under.record({ ...first, model: 'm' });
      under.record({ ...second, endpoint: 'b', model: 'm' });
      assert.equal(under.healthRegistry.networkTrouble()?.kind, 'portal');
      assert.equal(under.healthRegistry.health('b', under.now).offline, 'portal');
      for (let index = 0; index < 20; index += 1) {
        for (const endpoint of ['b', 'c']) under.record({ ...kinds[index % 3], endpoint, model: 'm' });
        under.fail('server', { endpoint: 'c', model: 'm' });
        under.fail('network', { endpoint: 'c', model: 'm', networkKind: 'reset' });
      }
      assert.deepEqual(breakers(under).slice(1), ['closed', 'closed']);
      under.fail('auth', { endpoint: 'c', keyScoped: true });
      assert.equal(under.healthRegistry.networkTrouble(), undefined, 'an API answered');
    }
  }
});

test('breakers that a sign-in page opened before it was recognised are closed again', () => {
  const under = new RegistryUnderTest();
  for (let index = 0; index < 5; index += 1) under.record({ ...page, model: 'm' });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
  under.now += 2000;
  under.record({ ...page, endpoint: 'b', model: 'm' });
  assert.deepEqual(breakers(under), ['closed', 'closed', 'closed']);
});

test('status 511 is a sign-in page at once', () => {
  const under = new RegistryUnderTest();
  under.fail('server', { code: 'provider-server', status: 511, model: 'm' });
  assert.deepEqual(under.healthRegistry.networkTrouble(), { kind: 'portal', since: start });
  assert.equal(under.healthRegistry.health('a', start).lastError, undefined);
  under.record({ endpoint: 'b' });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
});

test('pages of local endpoints are their own', () => {
  const under = new RegistryUnderTest();
  under.endpoints.set('nas', { breaker, baseUrl: 'http://192.168.1.7:8080' });
  under.healthRegistry.configure(under.endpoints);
  for (const endpoint of ['local', 'nas']) for (let index = 0; index < 5; index += 1) under.fail('server', { endpoint, code: 'not-an-api', status: 511 });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  assert.deepEqual(['local', 'nas'].map(endpoint => under.healthRegistry.health(endpoint, start).breaker), ['open', 'open']);
});

test('attempts from before a sleep that fail when the machine wakes count for nothing, at local endpoints too', () => {
  for (const outcome of [{ failureClass: 'network', networkKind: 'reset' }, { failureClass: 'timeout', phase: 'idle' }, { failureClass: 'server', code: 'stream-cut' }] as const) {
    const under = new RegistryUnderTest();
    const startedAt = under.now;
    under.now += 3_600_000;
    under.healthRegistry.slept(startedAt + 1000, under.now);
    under.now += 10_000;
    for (const endpoint of ['a', 'local']) {
      for (let index = 0; index < 5; index += 1) under.record({ ...outcome, endpoint, model: 'm', startedAt });
      const { breaker: whole, errorRate, lastError } = under.healthRegistry.health(endpoint, under.now);
      assert.deepEqual([whole, errorRate, lastError], ['closed', undefined, undefined]);
    }
    under.now += 5001;
    for (let index = 0; index < 5; index += 1) under.record({ ...outcome, model: 'm', startedAt });
    assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open', 'so long after waking it is the endpoint');
  }
});

test('an answer of a provider after a sleep counts as usual, and so do attempts that begin after it', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.slept(start - 60_000, start);
  for (let index = 0; index < 5; index += 1) under.fail('server', { model: 'm', code: 'provider-server', startedAt: start - 70_000 });
  for (let index = 0; index < 5; index += 1) under.fail('network', { endpoint: 'b', networkKind: 'refused', startedAt: start + 1 });
  assert.deepEqual(breakers(under), ['open', 'open', 'closed']);
});

test('a machine that just woke may lack its network for some time', () => {
  const under = new RegistryUnderTest();
  under.healthRegistry.slept(start - 60_000, start);
  under.now += 2000;
  for (let index = 0; index < 9; index += 1) under.fail('network', { model: 'm', networkKind: 'dns', startedAt: start + 1000 });
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'closed');
});

test('failures that were counted before the sleep was noticed are taken back', () => {
  const under = new RegistryUnderTest();
  under.record({ model: 'm' });
  under.now += 3_600_000;
  for (let index = 0; index < 5; index += 1) under.fail('network', { networkKind: 'reset', model: 'm', startedAt: start });
  for (let index = 0; index < 5; index += 1) under.fail('server', { endpoint: 'local', code: 'stream-cut', model: 'm', startedAt: start });
  assert.deepEqual(['a', 'local'].map(endpoint => under.healthRegistry.health(endpoint, under.now).breaker), ['open', 'open']);
  under.healthRegistry.slept(start + 1000, under.now + 10);
  assert.deepEqual(['a', 'local'].map(endpoint => under.healthRegistry.health(endpoint, under.now + 10).breaker), ['closed', 'closed']);
  assert.deepEqual(under.healthRegistry.health('a', under.now + 10).uptime, 1);
});

test('time asleep is not observed time', () => {
  const under = new RegistryUnderTest();
  under.fail('network', { networkKind: 'refused' });
  under.now += 1000;
  under.healthRegistry.slept(under.now, under.now + 3_600_000);
  under.now += 3_600_000;
  under.record();
  under.now += 1000;
  assert.equal(under.healthRegistry.health('a', under.now).uptime, 0.5);
});

test('a trial that ends by a network problem of the machine has no outcome, and its slot is free', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.healthRegistry.reportInterfaces(true, under.now);
  under.now += 60_000;
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
  under.healthRegistry.reportInterfaces(false, under.now);
  under.fail('network', { model: 'm', trial: true, networkKind: 'unreachable' });
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
});

test('a drill does not change the network state', () => {
  const under = new RegistryUnderTest();
  for (const endpoint of ['a', 'b', 'c']) for (let index = 0; index < 5; index += 1) under.fail('network', { endpoint, networkKind: 'dns', drill: true, model: 'm' });
  for (const endpoint of ['a', 'b']) under.fail('server', { endpoint, code: 'not-an-api', status: 511, drill: true, model: 'm' });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
  assert.deepEqual(breakers(under), ['open', 'open', 'open']);
});

test('after a drill an endpoint has exactly its earlier state', () => {
  const classes: (FailureClass | undefined)[] = [undefined, undefined, undefined, 'network', 'server', 'timeout', 'overloaded', 'rate-limit', 'auth', 'quota', 'bad-request'];
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = seededRandom(seed);
    const under = new RegistryUnderTest();
    const some = (count: number, drill: boolean): void => {
      for (let index = 0; index < count; index += 1) {
        under.now += Math.floor(random() * 3000);
        const failureClass = classes[Math.floor(random() * classes.length)];
        const model = random() < 0.5 ? 'm' : 'n';
        const admission = under.healthRegistry.enter('a', model, under.now);
        if (admission.admitted) under.record({ failureClass, model, networkKind: 'refused', trial: admission.trial, drill, firstTokenMs: random() * 500, totalMs: 900, retryAfterMs: failureClass === 'rate-limit' && random() < 0.5 ? 20_000 : undefined });
        else under.record({ kind: 'probe', failureClass, networkKind: 'refused', drill });
      }
    };
    some(60, false);
    const at = under.now;
    const look = (): unknown => [under.healthRegistry.health('a', at), under.healthRegistry.admission('a', 'm', at), under.healthRegistry.admission('a', 'n', at), under.healthRegistry.admission('a', undefined, at)];
    const before = look();
    const snapshot = under.healthRegistry.snapshotOf('a');
    assert.ok(snapshot !== undefined);
    some(60, true);
    const left = ['m', 'n'].map(model => ({ model, admission: under.healthRegistry.enter('a', model, under.now, { force: true }) }));
    under.healthRegistry.restore('a', snapshot);
    for (const { model, admission } of left) if (admission.admitted) under.fail('server', { model, trial: admission.trial, drill: true, retryAfterMs: 60_000 });
    assert.deepEqual(look(), before, `seed ${seed}`);
    some(30, false);
    under.healthRegistry.restore('a', snapshot);
    assert.deepEqual(look(), before, `the snapshot is a value, seed ${seed}`);
  }
});

test('a snapshot of another endpoint, or of another registry, changes nothing', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  const other = under.healthRegistry.snapshotOf('b');
  const elsewhere = new RegistryUnderTest().healthRegistry.snapshotOf('a');
  assert.ok(other !== undefined && elsewhere !== undefined);
  under.healthRegistry.restore('a', other);
  under.healthRegistry.restore('a', elsewhere);
  assert.equal(under.healthRegistry.health('a', under.now).breaker, 'open');
  assert.equal(under.healthRegistry.snapshotOf('unknown'), undefined);
});

test('a trial that ended during a drill does not keep its slot after it', () => {
  const under = new RegistryUnderTest();
  under.openBreaker();
  under.now += 60_000;
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
  const snapshot = under.healthRegistry.snapshotOf('a');
  assert.ok(snapshot !== undefined);
  under.fail('network', { model: 'm', trial: true, drill: true });
  under.healthRegistry.restore('a', snapshot);
  assert.deepEqual(under.healthRegistry.enter('a', 'm', under.now), { admitted: true, trial: true });
});
