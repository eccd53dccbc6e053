import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TryRouteParams, TryRouteResult } from '../../../server/api/routes/tryRoute.ts';
import { silentLog } from '../../../server/base/log.ts';
import type { BudgetConfig, Config } from '../../../server/config/config.ts';
import { Allowances } from '../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../server/limits/allowances/memoryAllowanceStore.ts';
import { BudgetBook } from '../../../server/limits/budgets/budgetBook.ts';
import { rehearse } from '../../../server/router/rehearsal.ts';
import { makePlan } from '../../../server/routing/makePlan.ts';
import type { RoutingRequest } from '../../../server/routing/plan.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
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

  it('heeds budgets, with what is left of them now', async () => {
    const budgets: BudgetConfig[] = [
      { name: 'daily', limitMicroUsd: 100_000, period: 'day', per: 'everything', isHard: true, warnAt: 0.8 },
      { name: 'talks', limitMicroUsd: 6_000, period: 'day', per: 'conversation', isHard: true, warnAt: 0.8 },
    ];
    const made = view();
    (made.config as Config).budgets = budgets;
    const allowances = new Allowances(new MemoryAllowanceStore());
    const book = new BudgetBook({
      allowances, ledger: new InMemoryLedger(), config: () => made.config, clock: { now: () => now }, log: silentLog, recorded: () => Promise.resolve(), changed: () => undefined, hasAudience: () => false, notify: () => undefined,
    });
    await book.ready();
    const rehearsed = (): TryRouteResult => rehearse(params, makePlan, () => made, true, book);
    assert.deepEqual(targetsOf(rehearsed()), ['a/m']);
    const spent = book.of({ input: { caller: { tool: 'codex' } }, route: 'best', conversation: () => 'digest' });
    allowances.settle({ allowances: spent.slice(0, 1), microUsd: 0 }, 97_000);
    const { outcome } = rehearsed();
    assert.ok(outcome?.kind === 'asks');
    assert.match(outcome.why, /a\/m is expected to cost \$0\.0050, and \$0\.0030 is left of the budget "daily" \(\$0\.10 a day\)/);
    assert.deepEqual(book.statuses()?.map(({ name, of }) => [name, of]), [['daily', undefined], ['talks', '~digest']], 'a rehearsal is no conversation');
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
