import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TryRouteParams, TryRouteResult } from '../../../server/api/routes/tryRoute.ts';
import { rehearse } from '../../../server/router/rehearsal.ts';
import { makePlan } from '../../../server/routing/makePlan.ts';
import type { RoutingRequest } from '../../../server/routing/plan.ts';
import { FakeRoutingView, now } from '../routing/routingFixture.ts';

const params: TryRouteParams = { requestedModel: 'best', inputTokens: 40_000, tools: false, images: false };

class View extends FakeRoutingView {
  /** What asked for turns of strategies, and for arms of canaries. */
  readonly asked: string[] = [];
  arm(): undefined { this.asked.push('arm'); return undefined; }
}

function view(): View {
  const made = new View({ a: { models: ['m'] }, b: { models: ['m'] }, c: { models: ['m'] } }, { best: ['a/m', 'b/m'] });
  made.signals.expectedCostMicroUsd = ({ name }): number | undefined => (name === 'a/m' ? 5_000 : undefined);
  return made;
}

function tried(changes: Partial<TryRouteParams> = {}, of = view()): { result: TryRouteResult; asked: [number, number | undefined][]; requests: RoutingRequest[] } {
  const asked: [number, number | undefined][] = [];
  const requests: RoutingRequest[] = [];
  const result = rehearse({ ...params, ...changes }, (request, at) => {
    requests.push(request);
    return makePlan(request, at);
  }, (tokens, writable) => {
    asked.push([tokens, writable]);
    return of;
  });
  return { result, asked, requests };
}

const targetsOf = ({ plan }: TryRouteResult): string[] => plan.targets.map(({ target }) => target);

describe('a rehearsal', () => {
  it('gives the plan of such a request, with what each target is expected to cost', () => {
    const { result } = tried();
    assert.deepEqual([targetsOf(result), result.expectedMicroUsd], [['a/m', 'b/m'], [5_000, null]]);
  });

  it('asks limits for room for its size, and targets for what it needs', () => {
    const { asked, requests } = tried({ maxOutputTokens: 900, tools: true, images: true });
    assert.deepEqual(asked, [[40_000, 900]]);
    assert.deepEqual(requests.map(({ requirements }) => requirements), [{ tools: true, images: true, documents: false, jsonSchema: false, estimatedInputTokens: 40_000, maxOutputTokens: 900 }]);
    const small = view();
    small.factsByTarget.set('a/m', { contextWindow: 8_000 });
    const { result } = tried({}, small);
    assert.deepEqual(targetsOf(result), ['b/m']);
    assert.match(result.plan.excluded[0]?.reason ?? '', /8/);
  });

  it('says what is out now, and why', () => {
    const out = view();
    out.admissions.set('a/m', { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    out.blockedKeys.set('b', { reason: 'no key is set' });
    const { result } = tried({}, out);
    assert.deepEqual([targetsOf(result), result.plan.excluded, result.expectedMicroUsd], [[], [{ target: 'a/m', reason: 'its breaker is open' }, { target: 'b/m', reason: 'no key is set' }], []]);
  });

  it('says whether the request would be refused, by what and why, or what happens instead', () => {
    const refused = view();
    refused.blockedKeys.set('a', { reason: 'no key is set' });
    refused.blockedKeys.set('b', { reason: 'no key is set' });
    assert.deepEqual(tried({}, refused).result.outcome, { kind: 'refused', why: 'no target can serve it: a/m, because no key is set; b/m, because no key is set.' });
    assert.deepEqual(tried({ requestedModel: 'nope' }).result.outcome, { kind: 'refused', why: 'no route, model or target is named "nope".' });
    const out = view();
    out.blockedKeys.set('a', { reason: 'no key is set' });
    out.admissions.set('b/m', { admitted: false, reason: 'its breaker is open', retryAt: now + 1000 });
    assert.deepEqual(tried({}, out).result.outcome, { kind: 'waits', target: 'b/m' });
    out.admissions.set('b/m', { admitted: false, reason: 'its limit is used up', retryAt: now + 1000, ownLimit: true });
    assert.deepEqual(tried({}, out).result.outcome, { kind: 'waits-for-limit', target: 'b/m' });
    assert.equal(tried().result.outcome, undefined);
  });

  it('heeds caps as they are for the first request of a conversation', () => {
    const capped = (whenReached: 'stop' | 'degrade' | 'ask', microUsd: number): TryRouteResult => {
      const made = view();
      made.config.routes.set('best', Object.assign(made.config.routes.get('best') ?? assert.fail(), { caps: { limits: [{ scope: 'turn', microUsd }], whenReached } }));
      return tried({}, made).result;
    };
    const { outcome, plan } = capped('stop', 4_000);
    assert.ok(outcome?.kind === 'refused');
    assert.match(outcome.why, /^The cap of this turn on route "best" \(\$0\.0040\) is reached: a\/m is expected to cost \$0\.0050, and \$0\.0040 is left\. Raise "turnUsd"/);
    assert.deepEqual(plan.targets, []);
    assert.deepEqual(capped('ask', 4_000).outcome?.kind, 'asks');
    assert.deepEqual(targetsOf(capped('stop', 6_000)), ['a/m']);
  });

  it('takes no turn of a route, and draws no arm of a canary', () => {
    const made = view();
    const route = made.config.routes.get('best');
    made.config.routes.set('best', Object.assign(route ?? assert.fail(), { strategy: 'round-robin' }));
    const { requests } = tried({}, made);
    assert.deepEqual([made.asked, requests[0]?.rehearsal], [[], true]);
  });

  it('has a purpose only where one was chosen', () => {
    assert.equal(tried().requests[0]?.purpose, undefined);
    assert.deepEqual(tried({ role: 'subagent' }).requests[0]?.purpose, { role: 'subagent', kind: 'balanced', why: 'that was chosen for the dry run' });
    assert.equal(tried({ kind: 'low-cost' }).requests[0]?.purpose?.role, 'main');
  });

  it('of a name that means nothing is a plan without targets', () => {
    const { result } = tried({ requestedModel: 'nope' });
    assert.deepEqual([result.plan.strategy, result.plan.targets, result.expectedMicroUsd], ['none', [], []]);
  });
});
