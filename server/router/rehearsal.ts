import type { Requirements } from '../api/routes/requirements.ts';
import type { Caller } from '../api/receipt.ts';
import type { Purpose } from '../api/purpose.ts';
import type { DryRunOutcome, TryRouteParams, TryRouteResult } from '../api/routes/tryRoute.ts';
import type { CapConfig, RouteConfig } from '../config/config.ts';
import type { BudgetBook } from '../limits/budgets/budgetBook.ts';
import type { AllowanceLeft, SpendLeft } from '../routing/caps/allowance.ts';
import { requestKind } from '../routing/classify.ts';
import type { MakePlan, PlanResult, RoutingRequest, RoutingView } from '../routing/plan.ts';
import type { ViewNow } from './view.ts';

/**
 * Where a request that is made up would go now. It takes no turn of a route, no arm of a canary is drawn for it, and its caps have everything
 * left, as for the first request of a conversation. Budgets have what is left of them now.
 * @param isPriced whether prices are known as far as they can be
 * @param budgets those that hold for it, with what is left of each; absent: there are none
 */
export function rehearse({ requestedModel, inputTokens, maxOutputTokens, tools, images, role, kind }: TryRouteParams, makePlan: MakePlan, viewNow: ViewNow, isPriced = true, budgets?: Pick<BudgetBook, 'rehearsed'>): TryRouteResult {
  const requirements: Requirements = { tools, images, documents: false, jsonSchema: false, estimatedInputTokens: inputTokens, maxOutputTokens };
  const purpose: Purpose | undefined = role === undefined && kind === undefined ? undefined : { role: role ?? 'main', kind: kind ?? 'balanced', why: 'that was chosen for the dry run' };
  const caller: Caller = { tool: 'vscode-chat' };
  const request: RoutingRequest = {
    requestedModel, requirements, caller, kind: requestKind({ requirements }), stream: true, conversation: '', rehearsal: true, ...(purpose === undefined ? {} : { purpose }),
    spend: (ofAll, route, hasBudgets) => spendLeft(ofAll, route, hasBudgets ? budgets?.rehearsed({ input: { caller }, route: route?.name }) : undefined, isPriced),
  };
  const view = viewNow(inputTokens, maxOutputTokens);
  const result = makePlan(request, withoutCanaries(view));
  const outcome = outcomeOf(result);
  return { plan: result.plan, expectedMicroUsd: result.targets.map(target => view.signals.expectedCostMicroUsd(target, request) ?? null), ...(outcome === undefined ? {} : { outcome }) };
}

function spendLeft(ofAll: CapConfig | undefined, route: RouteConfig | undefined, budgets: readonly AllowanceLeft[] | undefined, isPriced: boolean): SpendLeft {
  const unused = [{ caps: ofAll, name: undefined }, { caps: route?.caps, name: route?.name }].flatMap(({ caps, name }) => (caps?.limits ?? []).map(({ scope, microUsd }): AllowanceLeft => (
    { key: '', scope, route: name, limitMicroUsd: microUsd, whenReached: caps?.whenReached ?? 'stop', leftMicroUsd: microUsd }
  )));
  const left = budgets === undefined ? unused : [...unused, ...budgets];
  return { allowances: left, left, needsPrice: unused.length > 0 && (route?.caps?.unpriced ?? ofAll?.unpriced ?? 'pass-over') === 'pass-over', isPriced };
}

/** What becomes of a request that no target is planned for; undefined where one is. */
function outcomeOf({ plan, targets, coolingDown, capped }: PlanResult): DryRunOutcome | undefined {
  if (targets.length > 0) return undefined;
  if (plan.excluded.length === 0) return { kind: 'refused', why: `no route, model or target is named "${plan.requestedModel}".` };
  const [kept] = coolingDown;
  if (kept !== undefined) return kept.ownLimit === true ? { kind: 'waits-for-limit', target: kept.target.target } : { kind: 'waits', target: kept.target.target };
  if (capped !== undefined) return capped.question === undefined ? { kind: 'refused', why: capped.sentence } : { kind: 'asks', why: capped.question.message, button: capped.question.accept };
  return { kind: 'refused', why: `no target can serve it: ${plan.excluded.map(({ target, reason }) => `${target}, because ${reason}`).join('; ')}.` };
}

function withoutCanaries(view: RoutingView): RoutingView {
  const { table, now, signals, random } = view;
  return { table, now, signals, random, paused: endpoint => view.paused(endpoint), admission: (endpoint, model) => view.admission(endpoint, model), keysBlocked: (endpoint, model) => view.keysBlocked(endpoint, model) };
}
