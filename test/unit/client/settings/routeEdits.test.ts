import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heedsWeights, strategyPolicy } from '../../../../client/settings/policies/ordering.ts';
import { policyText, type ChoiceField } from '../../../../client/settings/policies/policy.ts';
import { leadsTo, routesWithoutEndpoint, weightProblem, withoutRoute, withTargets, withWeight, type Routes } from '../../../../client/settings/settingsEdits.ts';
import { routeStrategies } from '../../../../server/api/settings.ts';

const routes: Routes = {
  outer: { targets: ['a/m', 'inner'], strategy: 'weighted', weights: { 'a/m': 2, inner: 3 } },
  inner: { targets: ['b/m', 'c/m'], strategy: 'fastest' },
  lone: { targets: ['inner'] },
};

describe('weights of a route', () => {
  it('are written where they are not the default', () => {
    assert.deepEqual(withWeight(routes, 'outer', 'a/m', 5)['outer']?.weights, { 'a/m': 5, inner: 3 });
    assert.deepEqual(withWeight(routes, 'outer', 'a/m', 1)['outer']?.weights, { inner: 3 });
    assert.deepEqual(withWeight(withWeight(routes, 'outer', 'a/m', 1), 'outer', 'inner', 1)['outer'], { targets: ['a/m', 'inner'], strategy: 'weighted' });
  });

  it('go with their targets', () => {
    assert.deepEqual(withTargets(routes, 'outer', ['inner'])['outer'], { targets: ['inner'], strategy: 'weighted', weights: { inner: 3 } });
    assert.deepEqual(routesWithoutEndpoint(routes, 'a')['outer'], { targets: ['inner'], strategy: 'weighted', weights: { inner: 3 } });
  });

  it('are numbers above 0', () => {
    for (const text of ['0', '-1', '', ' ', 'x', 'NaN', '1000001']) assert.ok(weightProblem(text) !== undefined, text);
    for (const text of ['1', '0.5', '70', '1e3']) assert.equal(weightProblem(text), undefined, text);
  });
});

describe('routes within routes', () => {
  it('are taken out of other routes when they are removed, but for one that has nothing else', () => {
    assert.deepEqual(withoutRoute(routes, 'inner'), { outer: { targets: ['a/m'], strategy: 'weighted', weights: { 'a/m': 2 } }, lone: { targets: ['inner'] } });
  });

  it('are offered only where they make no circle', () => {
    assert.deepEqual(['outer', 'inner', 'lone'].map(name => leadsTo(routes, name, 'inner')), [true, true, true]);
    assert.deepEqual(['outer', 'inner', 'lone'].map(name => leadsTo(routes, name, 'lone')), [false, false, true]);
    assert.equal(leadsTo({ x: { targets: ['y'] }, y: { targets: ['x'] } }, 'x', 'z'), false, 'a circle that a person wrote ends');
  });
});

describe('the strategy of a route in the palette', () => {
  it('is each one that the settings know', () => {
    const { values } = strategyPolicy.fields[0] as ChoiceField;
    assert.equal(values.length, Object.keys(routeStrategies).length);
    assert.equal(policyText(strategyPolicy, routes['inner'] ?? assert.fail()), 'The fastest');
    for (const { detail } of values) assert.match(detail, /^[A-Z][^`]+$/);
  });

  it('decides whether weights are asked for', () => {
    assert.deepEqual([undefined, 'priority', 'weighted', 'sticky', 'least-busy', 'fastest'].map(strategy => heedsWeights({ targets: [], strategy: strategy as 'priority' })), [false, false, true, true, true, false]);
  });
});
