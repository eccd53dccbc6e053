import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StrategyName, TargetTier } from '../../../server/api/settings.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { makePlan } from '../../../server/routing/makePlan.ts';
import type { PlanResult } from '../../../server/routing/plan.ts';
import { defaults } from '../canary/simulatedTraffic.ts';
import { seededRandom } from '../support/seededRandom.ts';
import { ask, FakeRoutingView, now } from './routingFixture.ts';

class View extends FakeRoutingView {
  constructor(routes: Record<string, string[]> = {}) {
    super({ a: { models: ['m', 'n'] }, b: { models: ['m'], priority: 2 }, c: { models: ['x'], priority: 3 }, d: { models: ['x', 'y'], priority: 4 } }, routes);
  }

  declare(equivalents: Record<string, string[]>): this {
    Object.assign(this.config, { equivalents: new Map(Object.entries(equivalents)) });
    return this;
  }

  out(...targets: readonly string[]): this {
    for (const name of targets) this.admissions.set(name, { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    return this;
  }
}

const targetsOf = ({ plan }: PlanResult): string[] => plan.targets.map(({ target }) => target);

describe('a model whose endpoints are all out', () => {
  it('is served by the same model elsewhere, and then by what was declared, in its order', () => {
    const view = new View().declare({ m: ['y', 'x'] });
    assert.deepEqual(targetsOf(makePlan(ask('m'), view)), ['a/m', 'b/m', 'd/y', 'c/x', 'd/x']);
    const { plan } = makePlan(ask('m'), view.out('a/m', 'b/m'));
    assert.deepEqual(plan.targets.map(({ target }) => target), ['d/y', 'c/x', 'd/x']);
    assert.equal(plan.why, 'y stands in for m, because nothing before it can serve now');
    assert.deepEqual(plan.standIns?.map(({ target, why }) => `${target}: ${why}`), ['d/y: y stands in for m', 'c/x: x stands in for m', 'd/x: x stands in for m']);
  });

  it('is never replaced by one that was not declared, nor by what is declared for that one', () => {
    const view = new View().declare({ n: ['x'], x: ['y'] }).out('a/m', 'b/m');
    assert.deepEqual(targetsOf(makePlan(ask('m'), view)), []);
    assert.deepEqual(targetsOf(makePlan(ask('n'), view)), ['a/n', 'c/x', 'd/x']);
    assert.ok(!('standIns' in makePlan(ask('m'), view).plan));
  });

  it('is replaced by those alone that the token of the request may ask for', () => {
    const view = new View().declare({ m: ['y', 'x'] }).out('a/m', 'b/m');
    const servedFor = (allowedModels: readonly string[]): string[] => targetsOf(makePlan({ ...ask('m'), allowedModels }, view));
    assert.deepEqual(servedFor(['m']), []);
    assert.deepEqual(servedFor(['m', 'X']), ['c/x', 'd/x']);
    assert.deepEqual(servedFor(['m', 'd/x']), ['d/x']);
  });

  it('may be one that no endpoint serves, in any spelling', () => {
    const view = new View().declare({ 'gone-4.1': ['x'] });
    assert.deepEqual(targetsOf(makePlan(ask('gone-4-1'), view)), ['c/x', 'd/x']);
    assert.equal(makePlan(ask('unknown'), view).plan.strategy, 'none');
  });

  it('stays alone where the target itself was asked for', () => {
    assert.deepEqual(targetsOf(makePlan(ask('a/m'), new View().declare({ m: ['x'] }))), ['a/m']);
  });
});

describe('a route whose targets are all out', () => {
  const routes = { coding: ['a/m'], twice: ['a/n', 'a/m'] };

  it('falls to the same models elsewhere and then to what the configuration declares for them', () => {
    assert.deepEqual(targetsOf(makePlan(ask('coding'), new View(routes).declare({ m: ['x'] }))), ['a/m', 'b/m', 'c/x', 'd/x']);
    assert.deepEqual(targetsOf(makePlan(ask('twice'), new View(routes).declare({ n: ['y'], m: ['x'] }))), ['a/n', 'a/m', 'b/m', 'd/y', 'c/x', 'd/x']);
  });

  it('has equivalents of its own before those, and none where it says so', () => {
    const view = new View(routes).declare({ m: ['x'] });
    const route = view.config.routes.get('coding') ?? assert.fail();
    route.equivalents = ['y'];
    assert.deepEqual(targetsOf(makePlan(ask('coding'), view)), ['a/m', 'b/m', 'd/y']);
    route.equivalents = [];
    assert.deepEqual(targetsOf(makePlan(ask('coding'), view)), ['a/m']);
  });

  it('stays with its targets where nothing is declared', () => {
    const { plan } = makePlan(ask('coding'), new View(routes).out('a/m'));
    assert.deepEqual([plan.targets, plan.standIns], [[], undefined]);
  });

  it('does not fall to the targets of its canary', () => {
    const view = new View(routes).declare({ m: ['x'] });
    const route = view.config.routes.get('coding') ?? assert.fail();
    route.canary = { ...defaults, targets: [{ endpoint: 'c', model: 'x' }] };
    assert.deepEqual(targetsOf(makePlan(ask('coding'), view)), ['a/m', 'b/m', 'd/x']);
  });
});

/** A route as it is written, with its tiers. */
function tiered(strategy: StrategyName, tiers: Record<string, TargetTier>, weights?: Record<string, number>): View {
  const view = new View();
  const endpoint = { provider: 'openai-compatible', baseUrl: 'https://x.example.com/v1' };
  const { config, problems } = resolveConfig({
    endpoints: { a: endpoint, b: endpoint, c: endpoint, d: endpoint }, routes: { tiers: { strategy, targets: ['c/x', 'a/m', 'b/m', 'd/y'], tiers, weights } },
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  assert.deepEqual(problems, []);
  view.config.routes.set('tiers', config.routes.get('tiers') ?? assert.fail());
  return view;
}

describe('tiers of a route', () => {
  const tiers = { 'c/x': 'backup', 'd/y': 'last-resort' } as const;
  const strategies: readonly StrategyName[] = ['priority', 'weighted', 'round-robin', 'least-busy', 'fastest', 'cheapest', 'sticky'];

  for (const strategy of strategies) {
    it(`keep backups behind every main target, whatever is drawn or measured: ${strategy}`, () => {
      const view = tiered(strategy, tiers);
      view.random = seededRandom(5);
      let turn = 0;
      Object.assign(view.signals, { turn: () => turn += 1, inFlight: (endpoint: string) => endpoint === 'c' || endpoint === 'd' ? 0 : 50, expectedCostMicroUsd: ({ name }: { name: string }) => name === 'c/x' || name === 'd/y' ? 1 : 1000 });
      for (let round = 0; round < 50; round += 1) {
        const result = makePlan({ ...ask('tiers'), conversation: String(round) }, view);
        assert.deepEqual([...targetsOf(result).slice(0, 2)].sort(), ['a/m', 'b/m']);
        assert.deepEqual(targetsOf(result).slice(2), ['c/x', 'd/y']);
        assert.deepEqual(result.plan.standIns, [{ target: 'c/x', why: 'backup' }, { target: 'd/y', why: 'last resort' }]);
      }
    });
  }

  it('let the backup serve when every main target is out, and say so', () => {
    const view = tiered('round-robin', tiers).out('a/m', 'b/m');
    assert.match(makePlan(ask('tiers'), view).plan.why ?? '', /^backup: nothing before it can serve now; tiers \(backup\): only c\/x/);
    assert.deepEqual(targetsOf(makePlan(ask('tiers'), view.out('c/x'))), ['d/y']);
  });

  it('put what is for the last resort behind equivalent models too', () => {
    const view = tiered('priority', { 'b/m': 'backup', 'd/y': 'last-resort', 'c/x': 'backup' }).declare({ m: ['n'] });
    assert.deepEqual(targetsOf(makePlan(ask('tiers'), view)), ['a/m', 'c/x', 'b/m', 'a/n', 'd/y']);
  });

  it('keep a conversation from a backup whose cache is warm, once a main target is back', () => {
    const view = tiered('priority', tiers);
    const asked: string[] = [];
    const known = { last: 'c/x', places: [] };
    Object.assign(view, { warm: { of: () => { asked.push('known'); return known; }, coldReturnChance: 0, lowerTurns: () => undefined } });
    const request = { ...ask('tiers'), requirements: { ...ask('tiers').requirements, estimatedInputTokens: 200_000 } };
    assert.equal(targetsOf(makePlan(request, view))[0], 'a/m');
    assert.deepEqual(asked, ['known']);
  });

  it('keep the shares of the main targets what their weights say', () => {
    const view = tiered('weighted', tiers, { 'a/m': 3, 'c/x': 100 });
    view.random = seededRandom(9);
    let turn = 0;
    Object.assign(view.signals, { turn: () => turn += 1 });
    let first = 0;
    for (let round = 0; round < 4000; round += 1) if (targetsOf(makePlan(ask('tiers'), view))[0] === 'a/m') first += 1;
    assert.ok(Math.abs(first / 4000 - 0.75) < 0.02, String(first));
  });
});

describe('tiers and equivalents that are written wrongly', () => {
  it('are reported in one sentence each, and the rest works', () => {
    const endpoint = { provider: 'openai-compatible', baseUrl: 'https://x.example.com/v1' };
    const { config, problems } = resolveConfig({
      endpoints: { a: endpoint }, routes: { one: { targets: ['a/m'], tiers: { 'a/mm': 'backup' } }, all: { targets: ['a/m'], tiers: { 'a/m': 'backup' } }, odd: { targets: ['a/m'], tiers: { 'a/m': 'spare' } } },
      equivalents: { m: 'x', n: ['y'] },
    }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    assert.deepEqual(problems.map(({ path }) => path), ['routes.odd.tiers.a/m', 'routes.one.tiers.a/mm', 'routes.all.tiers', 'equivalents.m']);
    assert.match(problems[1]?.message ?? '', /the tier of "a\/mm" is not used: no target of the route is written like this; did you mean "a\/m"\?/);
    assert.deepEqual([...config.routes.keys()], ['one', 'all']);
    assert.deepEqual([...config.equivalents ?? []], [['n', ['y']]]);
  });
});
