import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Choice } from '../../../../server/routing/strategies/strategy.ts';
import { createPlanner } from '../../../../server/routing/makePlan.ts';
import { strategies } from '../../../../server/routing/strategies/strategies.ts';
import { Turns } from '../../../../server/routing/turns.ts';
import { ask, FakeRoutingView, now } from '../routingFixture.ts';
import { choicesOf, StrategyUnderTest } from './strategyFixture.ts';

const requests = 10_000;
const weights = { a: 5, b: 3, c: 1.5, d: 0.5 };
const total = 10;
const seeds = [1, 2, 3, 4, 5];

/** How many of the requests each entry comes first for. */
function counted(first: (index: number) => string, count = requests): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < count; index++) {
    const name = first(index);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** @param tolerance in shares of all requests */
function hasShares(counts: Record<string, number>, wanted: Record<string, number>, tolerance = 0.01, count = requests): void {
  for (const [name, weight] of Object.entries(wanted)) {
    const share = (counts[name] ?? 0) / count;
    assert.ok(Math.abs(share - weight) <= tolerance, `${name} has ${share} of the requests and should have ${weight}`);
  }
}

const without = (choices: readonly Choice[], name: string): Choice[] => choices.filter(choice => choice.name !== name);
const conversation = (index: number): { conversation: string } => ({ conversation: `conversation-${index}` });

describe('weighted', () => {
  const choices = choicesOf(weights);

  for (const seed of seeds) {
    it(`gives each entry its share within 1 % of all requests, also over any hundred of them (seed ${seed})`, () => {
      const strategy = new StrategyUnderTest('weighted', seed);
      const drawn = Array.from({ length: requests }, () => strategy.first(choices));
      hasShares(counted(index => drawn[index] ?? ''), { a: 0.5, b: 0.3, c: 0.15, d: 0.05 });
      for (let from = 0; from + 100 <= requests; from += 100) hasShares(counted(index => drawn[from + index] ?? '', 100), { a: 0.5, b: 0.3, c: 0.15, d: 0.05 }, 0.04, 100);
    });
  }

  it('gives the share of an entry that leaves to the others in proportion', () => {
    const strategy = new StrategyUnderTest('weighted', 7);
    hasShares(counted(() => strategy.first(without(choices, 'a'))), { b: 0.6, c: 0.3, d: 0.1 });
  });

  it('gives the requests of an entry that fails to the others in proportion', () => {
    const strategy = new StrategyUnderTest('weighted', 8);
    const seconds = counted(() => { const [first, second] = strategy.order(choices); return first?.name === 'a' ? second?.name ?? '' : '-'; });
    hasShares(seconds, { b: 0.3, c: 0.15, d: 0.05 });
  });
});

describe('round-robin', () => {
  const choices = choicesOf({ a: 1, b: 1, c: 1 });

  it('puts each entry first in turn, the others behind it as they are listed', () => {
    const strategy = new StrategyUnderTest('round-robin', 1);
    const orders = Array.from({ length: 6 }, () => strategy.order(choices).map(({ name }) => name).join(''));
    assert.deepEqual(new Set(orders.slice(0, 3)), new Set(['abc', 'bca', 'cab']));
    assert.deepEqual(orders.slice(0, 3), orders.slice(3));
  });

  it('spreads evenly over those that are left when one leaves', () => {
    const strategy = new StrategyUnderTest('round-robin', 2);
    hasShares(counted(() => strategy.first(without(choices, 'b'))), { a: 0.5, c: 0.5 }, 0.001);
  });

  it('begins elsewhere in servers that start together', () => {
    assert.ok(new Set(seeds.map(seed => new StrategyUnderTest('round-robin', seed).first(choices))).size > 1);
  });
});

describe('sticky', () => {
  const choices = choicesOf(weights);

  it('gives a conversation the same order each time, in every server', () => {
    const servers = seeds.map(seed => new StrategyUnderTest('sticky', seed));
    for (let index = 0; index < 100; index++) {
      assert.equal(new Set(servers.map(server => server.order(choices, conversation(index)).map(({ name }) => name).join())).size, 1);
    }
  });

  it('spreads conversations by the weights within 1 %', () => {
    const strategy = new StrategyUnderTest('sticky', 1);
    hasShares(counted(index => strategy.first(choices, conversation(index))), { a: 0.5, b: 0.3, c: 0.15, d: 0.05 });
  });

  for (const left of Object.keys(weights) as (keyof typeof weights)[]) {
    it(`moves only the conversations of ${left} when it leaves, and brings them back when it returns`, () => {
      const strategy = new StrategyUnderTest('sticky', 1);
      let moved = 0;
      for (let index = 0; index < requests; index++) {
        const before = strategy.first(choices, conversation(index));
        const after = strategy.first(without(choices, left), conversation(index));
        if (before === after) continue;
        moved += 1;
        assert.equal(before, left);
        assert.equal(after, strategy.order(choices, conversation(index))[1]?.name, 'it goes to the second of its own order');
        assert.equal(strategy.first(choices, conversation(index)), before);
      }
      assert.ok(Math.abs(moved / requests - weights[left] / total) <= 0.01, `${moved} of ${requests} conversations moved`);
    });
  }
});

describe('routes within routes', () => {
  const makePlan = createPlanner(strategies);

  function nestedView(): FakeRoutingView {
    const view = new FakeRoutingView({ a: { models: ['m'] }, b: { models: ['m'] }, c: { models: ['m'] } }, { outer: ['a/m', 'b/m', 'c/m'], west: ['a/m', 'b/m'] });
    const turns = new Turns(() => 0);
    view.signals.turn = (route, request) => turns.of(route, request);
    const [outer, west] = [view.config.routes.get('outer') ?? assert.fail(), view.config.routes.get('west') ?? assert.fail()];
    view.config.routes.set('west', { ...west, strategy: 'round-robin' });
    view.config.routes.set('outer', { ...outer, strategy: 'weighted', members: [{ route: 'west', weight: 3 }, { target: { endpoint: 'c', model: 'm' }, weight: 1 }] });
    return view;
  }

  it('are each ordered by their own strategy', () => {
    const view = nestedView();
    const { table } = view;
    const seen = Object.assign(Object.create(view) as FakeRoutingView, {});
    Object.defineProperty(seen, 'table', { value: table });
    hasShares(counted(() => makePlan(ask('outer'), seen).plan.targets[0]?.target ?? '', 4000), { 'a/m': 0.375, 'b/m': 0.375, 'c/m': 0.25 }, 0.01, 4000);
    const { plan } = makePlan(ask('outer'), seen);
    assert.deepEqual(new Set(plan.targets.map(({ target }) => target)), new Set(['a/m', 'b/m', 'c/m']));
    assert.equal(plan.targets.length, 3);
  });

  it('say for each route why its first comes first', () => {
    const whys = new Set(Array.from({ length: 40 }, ((view: FakeRoutingView) => () => makePlan(ask('outer'), view).plan.why)(nestedView())));
    assert.deepEqual(whys, new Set([
      'weighted: west has 75 % of the requests; within it, round-robin: it is the turn of a/m', 'weighted: west has 75 % of the requests; within it, round-robin: it is the turn of b/m', 'weighted: c/m has 25 % of the requests',
    ]));
  });

  it('are left out where none of their targets can serve', () => {
    const view = nestedView();
    for (const target of ['a/m', 'b/m']) view.admissions.set(target, { admitted: false, reason: 'breaker open', retryAt: now + 1000 });
    const { plan, coolingDown } = makePlan(ask('outer'), view);
    assert.deepEqual(plan.targets.map(({ target }) => target), ['c/m']);
    assert.equal(plan.why, 'outer: only c/m can serve now');
    assert.deepEqual(coolingDown.map(({ target }) => target.target), ['a/m', 'b/m']);
  });

  it('keep the turn of a request that is planned again, and a rehearsal takes none', () => {
    const view = nestedView();
    const west = (): string => makePlan(ask('west'), view).plan.targets[0]?.target ?? '';
    const request = ask('west');
    const first = makePlan(request, view).plan.targets[0]?.target;
    for (let again = 0; again < 3; again++) assert.equal(makePlan(request, view).plan.targets[0]?.target, first);
    for (let again = 0; again < 3; again++) makePlan({ ...ask('west'), rehearsal: true }, view);
    assert.notEqual(west(), first);
    assert.equal(west(), first);
  });

  it('have no group, and so no work, where targets stand as they are listed', () => {
    const view = new FakeRoutingView({ a: { models: ['m'] }, b: { models: ['m'] } }, { plain: ['a/m', 'b/m'] });
    assert.equal(view.table.groupOfRoute('plain'), undefined);
    assert.equal(makePlan(ask('plain'), view).plan.why, undefined);
  });
});
