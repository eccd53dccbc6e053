import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routesWithoutSimulated, simulatedNames, simulatedRouteName, withoutSimulatedEndpoints, withSimulated } from '../../../../../client/commands/firstRun/simulatedSettings.ts';
import { simulatedRouteSettings } from '../../../../../server/api/firstRun/simulated.ts';

const own = { work: { provider: 'openai' } };
const ownRoutes = { default: { targets: ['work/gpt-5.5'] } };

describe('the settings of "Try It Without Keys"', () => {
  it('come and go without a trace', () => {
    const endpoints = withSimulated(own) ?? assert.fail();
    assert.deepEqual(simulatedNames(endpoints), ['simulated-a', 'simulated-b']);
    const { name, exists } = simulatedRouteName(ownRoutes);
    assert.deepEqual([name, exists], ['simulated', false]);
    const routes = { ...ownRoutes, [name]: simulatedRouteSettings };
    assert.deepEqual(withoutSimulatedEndpoints(endpoints), own);
    assert.deepEqual(routesWithoutSimulated(routes, simulatedNames(endpoints)), ownRoutes);
  });

  it('are the same after a second run', () => {
    const once = withSimulated({}) ?? assert.fail();
    assert.deepEqual(withSimulated(once), once);
    assert.deepEqual(simulatedRouteName({ simulated: simulatedRouteSettings }), { name: 'simulated', exists: true });
  });

  it('take no name that the user has given', () => {
    assert.equal(withSimulated({ 'simulated-a': { provider: 'ollama' } }), undefined);
    assert.deepEqual(simulatedRouteName({ simulated: { targets: ['work/gpt-5.5'] } }), { name: 'simulated-2', exists: false });
  });

  it('go out of routes that the user has put them into', () => {
    const mixed = { default: { targets: ['work/gpt-5.5', 'simulated-b/simulated-chat'] } };
    assert.deepEqual(routesWithoutSimulated(mixed, ['simulated-a', 'simulated-b']), ownRoutes);
  });
});
