import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CapOutcome, CapSettings } from '../../../../server/api/settings.ts';
import type { WorkKind } from '../../../../server/api/purpose.ts';
import { capsOf } from '../../../../server/config/routes/resolveCaps.ts';
import type { PlanResult, RoutingRequest } from '../../../../server/routing/plan.ts';
import type { AllowanceLeft } from '../../../../server/routing/caps/allowance.ts';
import { makePlan } from '../../../../server/routing/makePlan.ts';
import { ask, FakeRoutingView } from '../routingFixture.ts';

const cent = 10_000;
/** Expected costs in cents; `unpriced` has none. */
const costs: Record<string, number> = { 'dear/m': 30, 'fair/m': 10, 'cheap/m': 1, 'free/m': 0 };

interface Given { whenReached?: CapOutcome; left?: number; unpriced?: CapSettings['unpriced']; isPriced?: boolean; ofAll?: { left: number; whenReached: CapOutcome }; kind?: WorkKind }

/** A route with a cap of 1 dollar a turn. */
function planned(targets: string[], given: Given, lastResort?: { targets: string[]; kinds: WorkKind[] }): PlanResult {
  const view = new FakeRoutingView({ dear: {}, fair: {}, cheap: {}, free: {}, unpriced: {} }, { auto: targets });
  view.signals.expectedCostMicroUsd = ({ name }) => (costs[name] === undefined ? undefined : costs[name] * cent);
  const route = view.config.routes.get('auto') ?? assert.fail();
  if (given.left !== undefined) route.caps = capsOf({ turnUsd: 1, whenReached: given.whenReached });
  if (lastResort !== undefined) route.lastResort = { kinds: new Set(lastResort.kinds), targets: lastResort.targets.map(target => ({ endpoint: target.split('/')[0] ?? '', model: 'm' })) };
  const left: AllowanceLeft[] = [];
  if (given.ofAll !== undefined) left.push({ key: 'all', scope: 'session', route: undefined, limitMicroUsd: 100 * cent, whenReached: given.ofAll.whenReached, leftMicroUsd: given.ofAll.left * cent });
  if (given.left !== undefined) left.push({ key: 'auto', scope: 'turn', route: 'auto', limitMicroUsd: 100 * cent, whenReached: given.whenReached ?? 'stop', leftMicroUsd: given.left * cent });
  const request: RoutingRequest = {
    ...ask('auto'), ...(given.kind === undefined ? {} : { purpose: { role: 'main', kind: given.kind, why: 'it says so' } }),
    spend: () => ({ allowances: left, left, needsPrice: given.unpriced !== 'allow', isPriced: given.isPriced ?? true }),
  };
  return makePlan(request, view);
}

const names = ({ plan }: PlanResult): string[] => plan.targets.map(({ target }) => target);
const reasonOf = ({ plan }: PlanResult, target: string): string | undefined => plan.excluded.find(one => one.target === target)?.reason;

describe('a plan under caps', () => {
  const all = ['dear/m', 'fair/m', 'cheap/m'];

  it('has every target that fits, and says what was left', () => {
    const result = planned(all, { left: 50 });
    assert.deepEqual(names(result), all);
    assert.deepEqual(result.plan.caps, [{ scope: 'turn', route: 'auto', limitMicroUsd: 100 * cent, leftMicroUsd: 50 * cent }]);
    assert.equal(result.capped, undefined);
  });

  it('passes over what does not fit where the cap degrades, with the reason', () => {
    const result = planned(all, { left: 20, whenReached: 'degrade' });
    assert.deepEqual(names(result), ['fair/m', 'cheap/m']);
    assert.equal(reasonOf(result, 'dear/m'), 'it is expected to cost $0.30, and $0.20 is left of the cap of this turn on route "auto" ($1.00)');
  });

  it('has nothing cheaper where the cap stops: the first that does not fit ends it', () => {
    for (const whenReached of ['stop', 'ask'] as const) {
      const result = planned(['cheap/m', 'dear/m', 'free/m'], { left: 20, whenReached });
      assert.deepEqual(names(result), ['cheap/m']);
      assert.equal(result.plan.excluded.length, 2);
    }
  });

  it('ends in one sentence with the next action where nothing fits', () => {
    const result = planned(all, { left: -5, whenReached: 'degrade' });
    assert.deepEqual(names(result), []);
    assert.equal(result.capped?.sentence, 'The cap of this turn on route "auto" ($1.00) is reached: dear/m is expected to cost $0.30, and nothing is left. Raise "turnUsd" in "caps" of the route, in the editor by "Waybill: Edit Route…", or send the next message.');
    assert.equal(result.capped.question, undefined);
  });

  it('always has what costs nothing, also where more was used than allowed', () => {
    assert.deepEqual(names(planned(['dear/m', 'free/m'], { left: -5, whenReached: 'degrade' })), ['free/m']);
    assert.deepEqual(names(planned(['free/m'], { left: -5 })), ['free/m']);
  });

  it('asks for as many dollars as are missing, only where every cap that is reached asks', () => {
    const asked = planned(['dear/m'], { left: 20, whenReached: 'ask' }).capped?.question;
    assert.equal(asked?.message, 'dear/m is expected to cost $0.30, and $0.20 is left of the cap of this turn on route "auto" ($1.00). The turn waits for your answer.');
    assert.deepEqual([asked.accept, asked.decline, asked.microUsd, asked.allowances.map(({ key }) => key)], ['Allow $1 More', 'Stop', 1_000_000, ['auto']]);
    assert.equal(planned(['dear/m'], { left: -250, whenReached: 'ask' }).capped?.question?.accept, 'Allow $3 More');
    assert.equal(planned(['dear/m'], { left: 20, whenReached: 'ask', ofAll: { left: 10, whenReached: 'stop' } }).capped?.question, undefined);
    assert.deepEqual(planned(['dear/m'], { left: 20, whenReached: 'ask', ofAll: { left: 10, whenReached: 'ask' } }).capped?.question?.allowances.map(({ key }) => key), ['all', 'auto']);
  });

  it('keeps to caps of everything besides', () => {
    const result = planned(all, { left: 90, ofAll: { left: 5, whenReached: 'degrade' } });
    assert.deepEqual(names(result), ['cheap/m']);
    assert.match(reasonOf(result, 'dear/m') ?? '', /of the cap of this session \(\$1\.00\)$/);
  });

  it('passes over targets without a price, unless the caps allow them or prices are still being loaded', () => {
    const result = planned(['unpriced/m', 'cheap/m'], { left: 50 });
    assert.deepEqual(names(result), ['cheap/m']);
    assert.match(reasonOf(result, 'unpriced/m') ?? '', /^its price is not known/);
    assert.match(planned(['unpriced/m'], { left: 50 }).capped?.sentence ?? '', /^Nothing was sent: the price of unpriced\/m is not known/);
    assert.deepEqual(names(planned(['unpriced/m'], { left: 50, unpriced: 'allow' })), ['unpriced/m']);
    assert.deepEqual(names(planned(['unpriced/m'], { left: 50, isPriced: false })), ['unpriced/m']);
  });

  it('asks nothing where no cap holds', () => {
    const result = planned(all, {});
    assert.deepEqual([names(result), result.plan.caps], [all, undefined]);
  });
});

describe('an expensive last resort', () => {
  const last = { targets: ['dear/m'], kinds: ['high-quality' as const] };

  it('stands last and is marked, for the kinds that say so', () => {
    const result = planned(['cheap/m'], { kind: 'high-quality' }, last);
    assert.deepEqual([names(result), result.plan.lastResort], [['cheap/m', 'dear/m'], ['dear/m']]);
  });

  it('serves no other kind, and the plan says so', () => {
    for (const kind of ['balanced', undefined] as const) {
      const result = planned(['cheap/m'], kind === undefined ? {} : { kind }, last);
      assert.deepEqual([names(result), result.plan.lastResort], [['cheap/m'], undefined]);
      assert.match(reasonOf(result, 'dear/m') ?? '', kind === undefined ? /work of no known kind$/ : /not for balanced work$/);
    }
  });

  it('is held by caps as any other', () => {
    const result = planned(['cheap/m'], { kind: 'high-quality', left: 5, whenReached: 'degrade' }, last);
    assert.deepEqual(names(result), ['cheap/m']);
  });
});
