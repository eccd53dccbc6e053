import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArmOfPlan } from '../../../server/api/canary.ts';
import type { PlanResult } from '../../../server/routing/plan.ts';
import { makePlan } from '../../../server/routing/makePlan.ts';
import { defaults } from '../canary/simulatedTraffic.ts';
import { ask, FakeRoutingView, now } from './routingFixture.ts';

class CanaryView extends FakeRoutingView {
  arms = 0;
  readonly #arm: ArmOfPlan['arm'] | undefined;

  constructor(arm: ArmOfPlan['arm'] | undefined) {
    super({ old: { models: ['m'] }, older: { models: ['m'] }, new: { models: ['m'] }, newer: { models: ['m'] } }, { coding: ['old/m', 'older/m'], plain: ['old/m'] });
    this.#arm = arm;
    const route = this.config.routes.get('coding');
    if (route !== undefined) route.canary = { ...defaults, targets: [{ endpoint: 'new', model: 'm' }, { endpoint: 'newer', model: 'm' }] };
  }

  arm(): ArmOfPlan | undefined {
    this.arms += 1;
    return this.#arm === undefined ? undefined : { arm: this.#arm, share: 5, why: 'it was drawn' };
  }
}

function targetsOf({ plan }: PlanResult): string[] {
  return plan.targets.map(({ target }) => target);
}

describe('a plan of a route with a canary', () => {
  it('tries the canary first and then the route\'s own targets, so that no failure of it loses a turn', () => {
    const result = makePlan(ask('coding'), new CanaryView('canary'));
    assert.deepEqual(targetsOf(result), ['new/m', 'newer/m', 'old/m', 'older/m']);
    assert.deepEqual(result.plan.canary, { arm: 'canary', share: 5, why: 'it was drawn' });
    assert.deepEqual(result.targets.map(({ name }) => name), targetsOf(result));
  });

  it('of the baseline never tries the canary', () => {
    const result = makePlan(ask('coding'), new CanaryView('baseline'));
    assert.deepEqual(targetsOf(result), ['old/m', 'older/m']);
    assert.equal(result.plan.canary?.arm, 'baseline');
  });

  it('without a part in it is the plan of the route', () => {
    const result = makePlan(ask('coding'), new CanaryView(undefined));
    assert.deepEqual(targetsOf(result), ['old/m', 'older/m']);
    assert.ok(!('canary' in result.plan));
  });

  it('whose canary is kept away says so, and goes to the baseline', () => {
    const view = new CanaryView('canary');
    for (const name of ['new/m', 'newer/m']) view.admissions.set(name, { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    const result = makePlan(ask('coding'), view);
    assert.deepEqual(targetsOf(result), ['old/m', 'older/m']);
    assert.equal(result.plan.canary?.keptAway, true);
    assert.deepEqual(result.plan.excluded.map(({ target }) => target), ['new/m', 'newer/m']);
  });

  it('whose canary can never serve such a request, or is at a limit of the user\'s own, does not blame it', () => {
    const view = new CanaryView('canary');
    view.config.endpoints.forEach(endpoint => { if (endpoint.name.startsWith('new')) endpoint.enabled = false; });
    assert.equal(makePlan(ask('coding'), view).plan.canary?.keptAway, undefined);
    const limited = new CanaryView('canary');
    for (const name of ['new/m', 'newer/m']) limited.admissions.set(name, { admitted: false, reason: 'its limit is reached', retryAt: now + 1000, ownLimit: true });
    assert.equal(makePlan(ask('coding'), limited).plan.canary?.keptAway, undefined);
  });

  it('orders the canary\'s targets by the strategy of the route, with turns of their own', () => {
    const view = new CanaryView('canary');
    const route = view.config.routes.get('coding');
    if (route !== undefined) route.strategy = 'round-robin';
    view.signals.turn = name => (name === 'coding' ? 0 : 1);
    const result = makePlan(ask('coding'), view);
    assert.deepEqual(targetsOf(result), ['newer/m', 'new/m', 'old/m', 'older/m']);
    assert.equal(result.plan.why, 'round-robin: it is the turn of newer/m');
  });

  it('of a route that holds other routes tries the canary before all of them', () => {
    const view = new CanaryView('canary');
    const route = view.config.routes.get('coding');
    if (route !== undefined) route.members = [{ target: { endpoint: 'older', model: 'm' }, weight: 1 }, { route: 'plain', weight: 1 }];
    assert.deepEqual(targetsOf(makePlan(ask('coding'), view)), ['new/m', 'newer/m', 'older/m', 'old/m']);
  });

  it('has no arm where the purpose of the request leads elsewhere, and one where it does not', () => {
    const view = new CanaryView('canary');
    const route = view.config.routes.get('coding');
    if (route !== undefined) route.purposes = { byRole: {}, byKind: { 'low-cost': { route: 'plain' } } };
    const purpose = (kind: 'low-cost' | 'balanced'): PlanResult => makePlan({ ...ask('coding'), purpose: { role: 'main', kind, why: 'w' } }, view);
    assert.deepEqual(targetsOf(purpose('low-cost')), ['old/m', 'older/m']);
    assert.equal(purpose('low-cost').plan.canary, undefined);
    assert.equal(view.arms, 0);
    assert.deepEqual(targetsOf(purpose('balanced')), ['new/m', 'newer/m', 'old/m', 'older/m']);
    assert.equal(purpose('balanced').plan.canary?.arm, 'canary');
  });

  it('is not asked for an arm where the route has none, or a model or a pinned target was asked for', () => {
    const view = new CanaryView('canary');
    for (const name of ['plain', 'm', 'old/m', 'new/m']) assert.ok(!('canary' in makePlan(ask(name), view).plan), name);
    assert.equal(view.arms, 0);
  });
});
