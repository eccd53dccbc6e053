import type { PlannedBudget } from '../../api/receipt.ts';
import type { PlanResult } from '../plan.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import { allowanceName, counts, isLifted, isMisfit, isSoft, type AllowanceLeft, type SpendLeft } from './allowance.ts';

type CostOf = (target: ResolvedTarget) => number | undefined;

/**
 * Where so much of a budget is used that cheaper targets come first, the plan's targets are put in the order of their expected cost; those
 * without a known price follow, and stand-ins and the last resort stay where they are.
 * @returns the budget that is the reason; undefined: the order is as it was
 */
export function cheaperFirst(result: PlanResult, { left }: SpendLeft, costOf: CostOf): AllowanceLeft | undefined {
  const saving = left.find(isSaving);
  if (saving === undefined || result.targets.length < 2) return undefined;
  const { plan, targets } = result;
  const waits = (target: ResolvedTarget): boolean => plan.standIns?.some(one => one.target === target.name) === true || plan.lastResort?.includes(target.name) === true;
  const [own, behind] = [targets.filter(target => !waits(target)), targets.filter(waits)];
  const costs = new Map(own.map(target => [target, costOf(target) ?? Infinity]));
  // Infinity minus itself is no number: two unknown prices keep their order.
  const ordered = own.toSorted((a, b) => ((costs.get(a) ?? 0) - (costs.get(b) ?? 0)) || 0);
  if (ordered.every((target, index) => target === own[index])) return undefined;
  result.targets = [...ordered, ...behind];
  plan.why = `it is expected to cost the least, and ${String(Math.floor(shareOf(saving) * 100))} % of ${allowanceName(saving)} are used`;
  return saving;
}

/** What budgets did to a plan. @param planned the targets before they held @param kept those that are left @param saving the budget that put cheaper ones first */
export function plannedBudgets(planned: readonly ResolvedTarget[], kept: readonly ResolvedTarget[], { left, isPriced }: SpendLeft, saving: AllowanceLeft | undefined, costOf: CostOf): PlannedBudget[] {
  const made: PlannedBudget[] = [];
  for (const one of left) {
    if (one.budget === undefined) continue;
    const { name, period, per, of, resetsAt } = one.budget;
    // A price that may still become known leaves nothing out.
    const beyond = planned.filter(target => (isPriced || costOf(target) !== undefined) && isBeyond(one, costOf(target), target.endpoint.name));
    const unpriced = !isSoft(one) ? beyond.length > 0 && kept.length === 0 && beyond.every(target => costOf(target) === undefined) : kept.some(target => counts(one, target.endpoint.name) && costOf(target) === undefined);
    made.push({
      name, period, per, ...(of === undefined ? {} : { of }), limitMicroUsd: one.limitMicroUsd, leftMicroUsd: one.leftMicroUsd, resetsAt,
      ...(isLifted(one) ? { lifted: true } : one.allowedMicroUsd === undefined ? {} : { allowedMicroUsd: one.allowedMicroUsd }),
      ...(one === saving ? { did: 'cheaper' } : {}),
      ...(beyond.length === 0 || isSoft(one) ? {} : { did: kept.length === 0 ? 'stopped' : 'passed-over' }),
      ...(isSoft(one) && one.leftMicroUsd <= 0 ? { did: 'warned' } : {}),
      ...(unpriced ? { unpriced: true } : {}),
    });
  }
  return made;
}

function isBeyond(one: AllowanceLeft, microUsd: number | undefined, endpoint: string): boolean {
  if (microUsd === undefined) return one.budget?.isHard === true && counts(one, endpoint) && !isLifted(one);
  return microUsd > 0 && isMisfit(one, microUsd, endpoint);
}

function isSaving(one: AllowanceLeft): boolean {
  const from = one.budget?.cheaperAt;
  return from !== undefined && !isLifted(one) && shareOf(one) >= from;
}

/** What is used and reserved, as a share of what may be spent. */
function shareOf({ limitMicroUsd, leftMicroUsd, allowedMicroUsd = 0 }: AllowanceLeft): number {
  const most = limitMicroUsd + allowedMicroUsd;
  return (most - leftMicroUsd) / most;
}
