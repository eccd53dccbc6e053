import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StrategyName } from '../../../../server/api/settings.ts';
import { createPlanner } from '../../../../server/routing/makePlan.ts';
import { strategies } from '../../../../server/routing/strategies/strategies.ts';
import type { Strategy } from '../../../../server/routing/strategies/strategy.ts';
import { ask, FakeRoutingView, now, plainRequirements } from '../routingFixture.ts';

/** A complete new strategy: the quietest endpoint first; among equals the cheapest for this request; then a random one. */
const quietest: Strategy = (choices, { request: { requirements }, signals, random }) => {
  const usage = { inputTokens: requirements.estimatedInputTokens, outputTokens: requirements.maxOutputTokens ?? 0 };
  const drawn = new Map(choices.map(choice => [choice, random()]));
  const order = [...choices].sort((a, b) => signals.inFlight(a.first) - signals.inFlight(b.first)
    || (signals.costMicroUsd(a.first, usage) ?? Infinity) - (signals.costMicroUsd(b.first, usage) ?? Infinity)
    || (drawn.get(a) ?? 0) - (drawn.get(b) ?? 0));
  return { order, why: `quietest: ${order[0]?.name ?? ''}` };
};

/** The table with one more entry. */
const withToy = { ...strategies, quietest };
const makePlan = createPlanner(withToy);

/** A view whose route `auto` names the strategy, with loads and prices by endpoint. */
function toyView(load: Record<string, number>, cost: Record<string, number> = {}): FakeRoutingView {
  const view = new FakeRoutingView({ a: { models: ['m'] }, b: { models: ['m'] }, c: { models: ['m'] } }, { auto: ['a/m', 'b/m', 'c/m'], listed: ['a/m', 'b/m', 'c/m'] });
  const route = view.config.routes.get('auto') ?? assert.fail();
  view.config.routes.set('auto', { ...route, strategy: 'quietest' as StrategyName });
  view.signals.inFlight = ({ endpoint }) => load[endpoint.name] ?? 0;
  view.signals.costMicroUsd = ({ endpoint }, usage) => { const price = cost[endpoint.name]; return price === undefined ? undefined : price * (usage.inputTokens ?? 0); };
  return view;
}

function order(view: FakeRoutingView, name = 'auto'): string[] {
  const { plan, targets } = makePlan(ask(name), view);
  assert.deepEqual(targets.map(target => target.planned), plan.targets, 'the resolved targets come in the order of the plan');
  return plan.targets.map(({ target }) => target);
}

describe('a strategy that is one file and one entry of the table', () => {
  it('orders the targets of a route that names it', () => {
    assert.deepEqual(order(toyView({ a: 2, b: 0, c: 1 })), ['b/m', 'c/m', 'a/m']);
    assert.equal(makePlan(ask('auto'), toyView({})).plan.strategy, 'quietest');
  });

  it('receives the signals, the request and a random source', () => {
    assert.deepEqual(order(toyView({}, { a: 3, b: 1, c: 2 })), ['b/m', 'c/m', 'a/m']);
    const view = toyView({});
    const draws = [0.9, 0.5, 0.1];
    view.random = () => draws.shift() ?? 0;
    assert.deepEqual(order(view), ['c/m', 'b/m', 'a/m']);
  });

  it('orders only targets that can serve now, and the others keep their reasons', () => {
    const view = toyView({ a: 1 });
    view.factsByTarget.set('b/m', { tools: false });
    view.admissions.set('c/m', { admitted: false, reason: 'breaker open', retryAt: now + 1000 });
    const { plan, coolingDown } = makePlan(ask('auto', { ...plainRequirements, tools: true }), view);
    assert.deepEqual(plan.targets.map(({ target }) => target), ['a/m']);
    assert.deepEqual(plan.excluded.map(({ target }) => target), ['b/m', 'c/m']);
    assert.deepEqual(coolingDown.map(({ target }) => target.target), ['c/m']);
  });

  it('does not affect other routes, models and pinned targets', () => {
    const view = toyView({ a: 2, b: 1 });
    assert.deepEqual(order(view, 'listed'), ['a/m', 'b/m', 'c/m']);
    assert.deepEqual(order(view, 'm'), ['a/m', 'b/m', 'c/m']);
    assert.deepEqual(order(view, 'a/m'), ['a/m']);
  });
});
