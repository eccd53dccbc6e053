import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { liftedMicroUsd } from '../../../../server/api/budgets/budgetStatus.ts';
import type { Config } from '../../../../server/config/config.ts';
import { makePlan } from '../../../../server/routing/makePlan.ts';
import type { PlanResult, RoutingRequest } from '../../../../server/routing/plan.ts';
import type { AllowanceLeft, BudgetAllowance } from '../../../../server/routing/caps/allowance.ts';
import { ask, FakeRoutingView } from '../routingFixture.ts';

const cent = 10_000;
const costs: Record<string, number> = { 'dear/m': 30, 'fair/m': 10, 'cheap/m': 1, 'free/m': 0 };

interface Given { left: number; allowed?: number; budget?: Partial<BudgetAllowance['budget']> }

function planned(targets: string[], ...budgets: Given[]): PlanResult {
  return plannedWith(true, targets, ...budgets);
}

function plannedWith(isPriced: boolean, targets: string[], ...budgets: Given[]): PlanResult {
  const view = new FakeRoutingView({ dear: {}, fair: {}, cheap: {}, free: {}, unpriced: {} }, { auto: targets });
  (view.config as Config).budgets = [];
  view.signals.expectedCostMicroUsd = ({ name }) => (costs[name] === undefined ? undefined : costs[name] * cent);
  const left = budgets.map(({ left: cents, allowed, budget }, index): AllowanceLeft => ({
    key: String(index), limitMicroUsd: 100 * cent, leftMicroUsd: cents * cent, ...(allowed === undefined ? {} : { allowedMicroUsd: allowed }),
    budget: { name: `b${String(index)}`, period: 'day', per: 'everything', of: undefined, isHard: true, cheaperAt: undefined, resetsAt: new Date(2026, 10, 28).getTime(), startMicroUsd: 0, ...budget },
  }));
  const request: RoutingRequest = { ...ask('auto'), spend: () => ({ allowances: left, left, needsPrice: false, isPriced }) };
  return makePlan(request, view);
}

const names = ({ plan }: PlanResult): string[] => plan.targets.map(({ target }) => target);
const did = ({ plan }: PlanResult): (string | undefined)[] | undefined => plan.budgets?.map(one => one.did);

describe('a plan under budgets', () => {
  it('passes over what does not fit, serves from what does, and says so', () => {
    const result = planned(['dear/m', 'fair/m', 'free/m'], { left: 20 });
    assert.deepEqual(names(result), ['fair/m', 'free/m']);
    assert.deepEqual(did(result), ['passed-over']);
    assert.equal(result.plan.excluded[0]?.reason, 'it is expected to cost $0.30, and $0.20 is left of the budget "b0" ($1.00 a day)');
  });

  it('goes on with what costs nothing when nothing is left', () => {
    assert.deepEqual(names(planned(['dear/m', 'free/m'], { left: -5 })), ['free/m']);
  });

  it('stops with a sentence that has the budget, the amounts, the end and the way out, and asks a reader', () => {
    const result = planned(['dear/m', 'fair/m'], { left: 4 });
    assert.deepEqual([names(result), did(result), result.capped?.byBudget], [[], ['stopped'], true]);
    assert.equal(result.capped?.sentence, 'The budget "b0" ($1.00 a day) is reached: dear/m is expected to cost $0.30, and $0.040 is left until 2026-11-28 00:00. Allow more in VS Code by "Waybill: Allow More of a Budget…", raise "limitUsd" of the budget, or use a target that costs less.');
    const { accept, lift, microUsd } = result.capped?.question ?? assert.fail();
    assert.deepEqual([accept, lift, microUsd], ['Allow $1 More', 'Until Tomorrow', 1_000_000]);
  });

  it('keeps nothing back where the budget only warns, or was lifted', () => {
    for (const given of [{ left: -10, budget: { isHard: false } }, { left: liftedMicroUsd / cent, allowed: liftedMicroUsd }]) {
      const result = planned(['dear/m', 'unpriced/m'], given);
      assert.deepEqual([names(result), result.capped], [['dear/m', 'unpriced/m'], undefined]);
    }
    assert.deepEqual(planned(['unpriced/m'], { left: 50, budget: { isHard: false } }).plan.budgets?.[0]?.unpriced, true);
  });

  it('leaves out what has no known price, with the next action', () => {
    const result = planned(['unpriced/m'], { left: 50 });
    assert.deepEqual(names(result), []);
    assert.match(result.capped?.sentence ?? '', /the price of unpriced\/m is not known, and a budget holds\. Set the prices of the model/);
    assert.deepEqual(result.plan.budgets?.map(one => [one.did, one.unpriced]), [['stopped', true]], 'it is not reached');
    assert.deepEqual(planned(['unpriced/m', 'dear/m'], { left: 5 }).plan.budgets?.map(one => [one.did, one.unpriced]), [['stopped', undefined]]);
  });

  it('leaves nothing out, and says of nothing that it did, while prices may still become known', () => {
    const result = plannedWith(false, ['unpriced/m'], { left: 50 });
    assert.deepEqual([names(result), did(result)], [['unpriced/m'], [undefined]]);
  });

  it('of one endpoint concerns that endpoint alone', () => {
    const ofDear = { per: 'endpoint', of: 'dear', endpoint: 'dear' } as const;
    assert.deepEqual(names(planned(['dear/m', 'fair/m', 'unpriced/m'], { left: 0, budget: ofDear })), ['fair/m', 'unpriced/m']);
  });

  it('has cheaper targets first from the share on that the budget names', () => {
    const targets = ['dear/m', 'unpriced/m', 'fair/m', 'cheap/m'];
    assert.deepEqual(names(planned(targets, { left: 40, budget: { cheaperAt: 0.7, isHard: false } })), targets);
    const result = planned(targets, { left: 30, budget: { cheaperAt: 0.7, isHard: false } });
    assert.deepEqual(names(result), ['cheap/m', 'fair/m', 'dear/m', 'unpriced/m']);
    assert.deepEqual(did(result), ['cheaper']);
    assert.equal(result.plan.why, 'it is expected to cost the least, and 70 % of the budget "b0" ($1.00 a day) are used');
  });
});
