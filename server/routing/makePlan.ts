import type { Plan, PlannedTarget } from '../api/receipt.ts';
import type { MakePlan, Requirements, PlanResult, RoutingView } from './plan.ts';
import { chooseProtocol } from './chooseProtocol.ts';
import { resolveName, type Candidate } from './resolveName.ts';
import { isTooLong, missingCapability } from './capabilities.ts';

/** Whether a candidate can be tried now, and if not, why. */
export type Verdict =
  | { fit: true }
  /** `retryAt`: only time stands in the way, and until when. */
  | { fit: false; reason: string; retryAt?: number | undefined; never?: { tooLong: boolean } | undefined };

/**
 * Turns a wanted name into targets in order, with a reason for every target left out.
 *
 * A name that means nothing gives an empty plan with the strategy `none`; see `unknownNameMessage`. Targets that only
 * rest (breaker, cool-down, limits, keys) are left out with their reason and also stand in `resting`, soonest first; when
 * `plan.targets` is empty the caller decides whether to wait for one of them.
 */
export const makePlan: MakePlan = (requestedModel, requirements, view, now) => {
  const resolved = resolveName(requestedModel, view);
  const plan: Plan = { requestedModel, kind: resolved?.kind ?? 'model', strategy: resolved?.strategy ?? 'none', targets: [], excluded: [] };
  if (resolved?.route !== undefined) plan.route = resolved.route;
  const coolingDown: PlanResult['coolingDown'] = [];
  const unfit: PlanResult['unfit'] = [];
  for (const candidate of resolved?.candidates ?? []) {
    const name = `${candidate.endpoint}/${candidate.model}`;
    const verdict = judgeTarget(candidate, requirements, view);
    if (verdict.fit) {
      plan.targets.push(plannedTarget(name, candidate, view));
      continue;
    }
    plan.excluded.push({ target: name, reason: verdict.reason });
    if (verdict.never !== undefined) unfit.push({ target: name, tooLong: verdict.never.tooLong });
    if (verdict.retryAt !== undefined) coolingDown.push({ target: plannedTarget(name, candidate, view), retryAt: Math.max(now, verdict.retryAt) });
  }
  coolingDown.sort((a, b) => a.retryAt - b.retryAt);
  return { plan, route: resolved?.route, coolingDown, unfit };
};

/** A candidate as a plan holds it. @param target endpoint and model */
export function plannedTarget(target: string, { endpoint, model }: Candidate, view: RoutingView): PlannedTarget {
  return { target, endpoint, model, upstreamModel: view.upstreamName(endpoint, model) };
}

/**
 * Judges one candidate. What can never work is asked first: a target that rests and could not serve anyway is not worth
 * waiting for.
 */
export function judgeTarget({ endpoint, model }: Candidate, requirements: Requirements, view: RoutingView): Verdict {
  const config = view.config.endpoints.get(endpoint);
  if (config === undefined) return { fit: false, reason: `there is no endpoint named "${endpoint}"` };
  if (!config.enabled) return { fit: false, reason: 'the endpoint is disabled' };
  // Asked for by one protocol only, a provider that speaks it too is spoken to in it.
  const spoken = chooseProtocol(config, { model, caller: requirements.onlyProtocol?.protocol, tools: requirements.tools });
  const facts = view.facts(endpoint, model);
  const misfit = missingCapability(requirements, spoken, facts);
  if (misfit !== undefined) return { fit: false, reason: misfit, never: { tooLong: isTooLong(requirements, facts) } };
  const blocked = view.keysBlocked(endpoint, model);
  if (blocked !== undefined && blocked.retryAt === undefined) return { fit: false, reason: blocked.reason };
  const admission = view.admission(endpoint, model);
  if (blocked === undefined) return admission.admitted ? { fit: true } : { fit: false, reason: admission.reason, retryAt: admission.retryAt };
  // Both stand in the way: the one that lasts longer decides.
  const keysFreeAt = blocked.retryAt ?? 0;
  if (admission.admitted || admission.retryAt <= keysFreeAt) return { fit: false, reason: blocked.reason, retryAt: keysFreeAt };
  return { fit: false, reason: admission.reason, retryAt: admission.retryAt };
}

/**
 * The targets worth trying after one said that the prompt is too long for it: those whose context window is larger than
 * its, or unknown, in their order. Where the failed target's own window is unknown, all others remain.
 *
 * @param targets what is left of the plan; the failed target itself is dropped wherever it stands
 */
export function nextLargerContext(targets: readonly PlannedTarget[], failedTarget: PlannedTarget, view: RoutingView): PlannedTarget[] {
  const failedWindow = view.facts(failedTarget.endpoint, failedTarget.model).contextWindow;
  return targets.filter(({ target, endpoint, model }) => {
    if (target === failedTarget.target) return false;
    const window = view.facts(endpoint, model).contextWindow;
    return failedWindow === undefined || window === undefined || window > failedWindow;
  });
}
