import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryUnderTest } from '../registryUnderTest.ts';

/** A machine whose calls all fail to find their way out. */
function offline(): RegistryUnderTest {
  const under = new RegistryUnderTest();
  for (let round = 0; round < 4; round += 1) {
    for (const endpoint of ['a', 'b', 'c']) {
      under.now += 500;
      under.healthRegistry.record({ endpoint, model: 'm', at: under.now, startedAt: under.now - 100, kind: 'traffic', failureClass: 'network', networkKind: 'unreachable', trial: false });
    }
  }
  assert.equal(under.healthRegistry.networkTrouble()?.kind, 'offline');
  return under;
}

test('an answer that another machine got does not end being offline here', () => {
  const under = offline();
  under.now += 1000;
  under.healthRegistry.record({ endpoint: 'a', model: 'm', at: under.now, startedAt: under.now - 100, kind: 'traffic', foreign: true, elsewhere: true });
  assert.equal(under.healthRegistry.networkTrouble()?.kind, 'offline');
  under.healthRegistry.record({ endpoint: 'a', model: 'm', at: under.now, startedAt: under.now - 100, kind: 'traffic', trial: false });
  assert.equal(under.healthRegistry.networkTrouble(), undefined);
});

test('failures that another machine met count against the endpoint while this machine is offline', () => {
  const under = offline();
  for (let index = 0; index < 5; index += 1) {
    under.now += 500;
    under.healthRegistry.record({ endpoint: 'a', model: 'm', at: under.now, startedAt: under.now - 100, kind: 'traffic', failureClass: 'network', foreign: true, elsewhere: true });
  }
  assert.notEqual(under.healthRegistry.health('a', under.now).breaker, 'closed');
});
