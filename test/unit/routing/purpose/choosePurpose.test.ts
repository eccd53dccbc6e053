import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Purpose } from '../../../../server/api/purpose.ts';
import type { PurposeMap } from '../../../../server/config/config.ts';
import { makePlan } from '../../../../server/routing/makePlan.ts';
import type { RoutingRequest } from '../../../../server/routing/plan.ts';
import { ask, FakeRoutingView, now } from '../routingFixture.ts';

function view(maps: Record<string, PurposeMap>): FakeRoutingView {
  const made = new FakeRoutingView({ a: { models: ['large', 'huge'] }, b: { models: ['small', 'large'] } }, { coding: ['a/large', 'b/large'], cheap: ['b/small', 'b/large'], best: ['a/huge'] });
  for (const [name, purposes] of Object.entries(maps)) Object.assign(made.config.routes.get(name) ?? {}, { purposes });
  return made;
}

const maps: Record<string, PurposeMap> = {
  coding: { byRole: { compaction: { route: 'cheap' }, inline: { target: { endpoint: 'b', model: 'small' } } }, byKind: { 'low-cost': { route: 'cheap' }, 'high-quality': { route: 'best' } } },
};

function plan(purpose: Partial<Purpose>, one = view(maps), name = 'coding'): ReturnType<typeof makePlan>['plan'] {
  return makePlan({ ...ask(name), purpose: { role: 'main', kind: 'balanced', why: 'w', ...purpose } }, one).plan;
}
const targets = (purpose: Partial<Purpose>, one?: FakeRoutingView, name?: string): string[] => plan(purpose, one, name).targets.map(({ target }) => target);

describe('a route that goes by roles and kinds', () => {
  it('puts the targets of the kind first, and its own after them', () => {
    assert.deepEqual(targets({ kind: 'low-cost' }), ['b/small', 'b/large', 'a/large']);
    assert.deepEqual(targets({ kind: 'high-quality' }), ['a/huge', 'a/large', 'b/large']);
    assert.deepEqual(targets({ kind: 'balanced' }), ['a/large', 'b/large']);
  });

  it('goes by the role before the kind, and by the kind alone where a loop was stuck', () => {
    assert.deepEqual(targets({ role: 'compaction', kind: 'high-quality' }), ['b/small', 'b/large', 'a/large']);
    assert.deepEqual(targets({ role: 'inline' }), ['b/small', 'a/large', 'b/large']);
    assert.deepEqual(targets({ role: 'compaction', kind: 'high-quality', stalled: true }), ['a/huge', 'a/large', 'b/large']);
    assert.deepEqual(targets({ role: 'compaction', kind: 'balanced', stalled: true }), ['b/small', 'b/large', 'a/large'], 'no entry for the kind');
  });

  it('says in the plan what the request was taken for, and what followed', () => {
    const { purpose, route, requestedModel } = plan({ kind: 'low-cost', why: 'it asks for a summary' });
    assert.deepEqual(purpose, { role: 'main', kind: 'low-cost', why: 'it asks for a summary', entry: 'byKind.low-cost', first: 'cheap' });
    assert.deepEqual([route, requestedModel], ['coding', 'coding']);
    assert.deepEqual(plan({ why: 'w' }).purpose, { role: 'main', kind: 'balanced', why: 'w' });
  });

  it('serves with its own targets while those of the kind cannot', () => {
    const one = view(maps);
    one.admissions.set('a/huge', { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    const made = plan({ kind: 'high-quality' }, one);
    assert.deepEqual(made.targets.map(({ target }) => target), ['a/large', 'b/large']);
    assert.deepEqual(made.excluded, [{ target: 'a/huge', reason: 'its breaker is open' }]);
  });

  it('follows a route that goes by roles and kinds itself', () => {
    const chained = view({ ...maps, cheap: { byRole: {}, byKind: { 'low-cost': { target: { endpoint: 'a', model: 'huge' } } } } });
    assert.deepEqual(plan({ kind: 'low-cost' }, chained).purpose?.first, 'a/huge');
    assert.deepEqual(targets({ role: 'compaction', kind: 'balanced' }, chained), ['b/small', 'b/large', 'a/large']);
  });

  it('is found by its name with a role or a kind behind it', () => {
    assert.deepEqual(targets({ kind: 'low-cost' }, undefined, 'coding:low-cost'), ['b/small', 'b/large', 'a/large']);
    assert.deepEqual(targets({}, undefined, 'waybill/best:main'), ['a/huge']);
    assert.deepEqual([targets({}, undefined, 'coding:cheap'), targets({}, undefined, 'large:low-cost')], [[], []]);
  });

  it('is served without a purpose where nothing is known of the request', () => {
    assert.deepEqual(makePlan(ask('coding'), view(maps)).plan.targets.map(({ target }) => target), ['a/large', 'b/large']);
  });
});

describe('a route without roles and kinds', () => {
  it('does not ask what a request is for', () => {
    const asked = (requestedModel: string): RoutingRequest => Object.defineProperty(ask(requestedModel), 'purpose', { get: () => assert.fail('the purpose is read') });
    for (const name of ['cheap', 'cheap:low-cost', 'a/large', 'large']) assert.ok(makePlan(asked(name), view(maps)).plan.targets.length > 0);
  });
});
