import type { Requirements } from '../api/routes/requirements.ts';
import type { Purpose } from '../api/purpose.ts';
import type { Plan, PlannedTarget } from '../api/receipt.ts';
import type { PurposeMap, RouteConfig } from '../config/config.ts';
import { cheaperFirst, plannedBudgets } from './caps/budgets.ts';
import { withinCaps } from './caps/withinCaps.ts';
import { isTooLong, missingCapability } from './capabilities.ts';
import { readersOf } from './mediaPreference.ts';
import type { KeptAway, MakePlan, PlanResult, RoutingRequest, RoutingView } from './plan.ts';
import { choosePurpose, purposeTarget } from './purpose/choosePurpose.ts';
import { modelKey, resolveName, type Resolved } from './resolveName.ts';
import type { Candidate, ResolvedTarget, RouteTable } from './routeTable.ts';
import type { StandIn } from './standIns.ts';
import { orderRoute } from './strategies/orderRoute.ts';
import { strategies } from './strategies/strategies.ts';
import type { Strategies } from './strategies/strategy.ts';
import { keepWarm } from './warmth/keepWarm.ts';

/** Whether a target can be tried now, and if not, why. */
export type Verdict = { fit: true } | Unfit;

export interface Unfit {
  fit: false;
  /** One sentence without its end. */
  reason: string;
  /** The target can be tried from then on, in milliseconds since the epoch; absent where no time helps. */
  retryAt?: number | undefined;
  cause?: KeptAway['cause'];
  ownLimit?: true | undefined;
  /** The target can never serve such a request. */
  never?: { tooLong: boolean } | undefined;
}

const fit: Verdict = { fit: true };

/**
 * Makes a planner that orders targets by the given strategies.
 *
 * A name that means nothing gives an empty plan with the strategy `none`; see `unknownNameMessage`. Targets that cannot be
 * tried before a moment (breaker, cooldown, limits, keys) are left out with their reason and stand in `coolingDown` too; when
 * `plan.targets` is empty the caller decides whether to wait for one of them.
 */
export function createPlanner(known: Strategies): MakePlan {
  return (request, view) => {
    const { requestedModel } = request;
    const resolved = resolveName(requestedModel, view.table);
    const plan: Plan = { requestedModel, kind: resolved?.kind ?? 'model', strategy: resolved?.strategy ?? 'none', targets: [], excluded: [] };
    const result: PlanResult = { plan, targets: noTargets, coolingDown: [], unfit: [] };
    if (resolved === undefined) return result;
    if (resolved.route !== undefined) plan.route = resolved.route;
    const lead = resolved.purposes === undefined || request.purpose === undefined ? undefined : leadOf(resolved.purposes, request.purpose, view.table, plan);
    // What goes elsewhere by its purpose says nothing about the route's own targets, nor about what would replace them.
    const canary = lead === undefined ? canaryOf(resolved, request, view, plan) : undefined;
    const first = lead ?? canary;
    if (first !== undefined) result.targets = serving(first, known, request, view, result);
    if (canary !== undefined && plan.canary !== undefined && result.targets.length === 0 && isKeptAway(canary.candidates, result)) plan.canary = { ...plan.canary, keptAway: true };
    const own = serving(first === undefined ? resolved : withoutLead(resolved, first), known, request, view, result);
    result.targets = result.targets.length === 0 ? own : [...result.targets, ...own];
    const standIns = allowedStandIns(resolved, request.allowedModels);
    if (standIns !== undefined && standIns.length > 0) addStandIns(standIns, resolved.route, request, view, result);
    result.coolingDown.sort((a, b) => a.retryAt - b.retryAt);
    if (resolved.strategy !== 'pinned') preferReaders(request, result);
    if (view.warm !== undefined) keepWarm({ resolved, request, view, result, lead: first, serving: target => waits(target, result) ? undefined : servingAt(target, resolved, canary, request, view, result) });
    const route = plan.route === undefined ? undefined : view.table.config.routes.get(plan.route);
    if (route?.lastResort !== undefined) addLastResort(route, request, view, result);
    if (view.table.config.caps !== undefined || route?.caps !== undefined || view.table.config.budgets !== undefined || request.ownBudget === true) keepWithinCaps(route, request, view, result);
    for (const target of result.targets) plan.targets.push(target.planned);
    return result;
  };
}

/** A route that may be asked for goes wherever it leads. A model is replaced by those alone that its token may ask for. */
function allowedStandIns({ kind, standIns }: Resolved, allowed: readonly string[] | undefined): Resolved['standIns'] {
  if (standIns === undefined || kind !== 'model' || allowed === undefined) return standIns;
  const keys = new Set(allowed.map(modelKey));
  return standIns.filter(({ target: { model, name } }) => keys.has(modelKey(model)) || keys.has(modelKey(name)));
}

/** What takes over when all targets are out, before what is for the last resort. What a canary tries out stands in for nothing. */
function addStandIns(standIns: readonly StandIn<ResolvedTarget>[], route: string | undefined, request: RoutingRequest, view: RoutingView, result: PlanResult): void {
  const { plan, targets } = result;
  const tried = route === undefined ? undefined : view.table.canaryTargets(route);
  const taken = new Set([...targets, ...tried ?? []].map(({ name }) => name));
  const open = standIns.filter(({ target }) => !taken.has(target.name));
  const able = serving({ candidates: open.map(({ target }) => target) }, strategies, request, view, result);
  const isLast = (target: ResolvedTarget): boolean => plan.standIns?.some(one => one.target === target.name && one.why === lastResort) === true;
  const firstLast = targets.findIndex(isLast);
  const before = firstLast < 0 ? targets : targets.slice(0, firstLast);
  if (before.length === 0 && able.length > 0) plan.why = `${open.find(({ target }) => target === able[0])?.why ?? ''}, because nothing before it can serve now`;
  result.targets = [...before, ...able, ...(firstLast < 0 ? [] : targets.slice(firstLast))];
  const named = open.filter(({ target }) => able.includes(target)).map(({ target, why }) => ({ target: target.name, why }));
  if (named.length > 0) plan.standIns = [...plan.standIns ?? [], ...named];
}

const lastResort = 'last resort';

/** A target waits while the first one does not, whatever lies in its cache; one for the last resort while anything else serves. */
function waits(target: string, { plan: { standIns }, targets: [first] }: PlanResult): boolean {
  const why = (name: string | undefined): string | undefined => standIns?.find(one => one.target === name)?.why;
  const own = why(target);
  return own !== undefined && first?.name !== target && (why(first?.name) === undefined || own === lastResort);
}

/** The planner of the server. */
export const makePlan: MakePlan = createPlanner(strategies);

/** A target is left out only until a moment, and by no limit of the user's own. */
function isKeptAway(candidates: readonly Candidate[], { coolingDown }: PlanResult): boolean {
  return coolingDown.some(({ target, ownLimit }) => ownLimit === undefined && candidates.some(({ name }) => name === target.target));
}

const noTargets: readonly ResolvedTarget[] = [];

/** Targets that cannot read a picture or document of the request go, where another can. */
function preferReaders({ requirements }: RoutingRequest, result: PlanResult): void {
  const { targets: [first], plan } = result;
  result.targets = readersOf(result.targets, requirements.media, plan);
  if (result.targets[0] !== first) delete plan.why;
}

/** A target that a conversation was at before, where it can serve now. The arm of a canary wins over what a conversation was at. */
function servingAt(name: string, resolved: Resolved, canary: Ordering | undefined, request: RoutingRequest, view: RoutingView, { targets }: PlanResult): ResolvedTarget | undefined {
  if (canary !== undefined && !canary.candidates.some(candidate => candidate.name === name)) return undefined;
  const planned = targets.find(target => target.name === name);
  if (planned !== undefined || resolved.purposes === undefined || request.requirements.media !== undefined) return planned;
  // It may be one that another purpose of the route leads to.
  const other = purposeTarget(resolved.purposes, name, view.table);
  return other !== undefined && judgeTarget(other, request.requirements, view).fit ? other : undefined;
}

/** Expensive targets stand last, for the kinds of work that they are for. */
function addLastResort({ name, lastResort }: RouteConfig, request: RoutingRequest, view: RoutingView, result: PlanResult): void {
  const { plan } = result;
  const kind = request.purpose?.kind;
  const candidates = view.table.lastResortOf(name).filter(candidate => !result.targets.some(one => one.name === candidate.name));
  if (kind === undefined || lastResort?.kinds.has(kind) !== true) {
    for (const { name: target } of candidates) plan.excluded.push({ target, reason: `it is the last resort of the route, and not for ${kind === undefined ? 'work of no known kind' : `${kind} work`}` });
    return;
  }
  const able = serving({ candidates, group: undefined }, strategies, request, view, result);
  if (able.length === 0) return;
  plan.lastResort = able.map(target => target.name);
  result.targets = [...result.targets, ...able];
  result.coolingDown.sort((a, b) => a.retryAt - b.retryAt);
}

/** Targets that cost more than a cap or a budget leaves go; the plan says why, and what was left. */
function keepWithinCaps(route: RouteConfig | undefined, request: RoutingRequest, view: RoutingView, result: PlanResult): void {
  const { config } = view.table;
  const spend = request.spend?.(config.caps, route, config.budgets !== undefined || request.ownBudget === true);
  if (spend === undefined || spend.left.length === 0) return;
  const { plan } = result;
  const costOf = (target: ResolvedTarget): number | undefined => view.signals.expectedCostMicroUsd(target, request);
  const saving = plan.kind === 'target' ? undefined : cheaperFirst(result, spend, costOf);
  const { targets: [first] } = result;
  const { targets, passedOver, capped } = withinCaps(result.targets, spend, costOf);
  const caps = spend.left.filter(one => one.budget === undefined);
  if (caps.length > 0) plan.caps = caps.map(({ scope, route: of, limitMicroUsd, leftMicroUsd }) => ({ scope, ...(of === undefined ? {} : { route: of }), limitMicroUsd, leftMicroUsd }));
  const budgets = plannedBudgets(result.targets, targets, spend, saving, costOf);
  if (budgets.length > 0) plan.budgets = budgets;
  if (passedOver.length === 0) return;
  for (const { target, reason } of passedOver) plan.excluded.push({ target: target.name, reason });
  result.targets = targets;
  result.capped = capped;
  if (targets[0] !== first) delete plan.why;
}

/** Candidates, and what orders them. */
type Ordering = Pick<Resolved, 'candidates' | 'group'>;

/** Those that can serve now, in order; the others are left out. */
function serving({ candidates, group }: Ordering, known: Strategies, request: RoutingRequest, view: RoutingView, result: PlanResult): readonly ResolvedTarget[] {
  const able: ResolvedTarget[] = [];
  for (const candidate of candidates) {
    const verdict = judgeTarget(candidate, request.requirements, view);
    if (!verdict.fit) leaveOut(candidate, verdict, result, view.now);
    else if (candidate.endpoint !== undefined) able.push(candidate);
  }
  if (group === undefined) return able;
  const { targets, why, waiting } = orderRoute(group, new Set(able.map(({ name }) => name)), known, { request, signals: view.signals, random: view.random });
  // Where something goes before these targets, why the first of them is the first says nothing of the plan.
  if (why !== undefined && result.targets.length === 0) result.plan.why = why;
  if (waiting !== undefined && waiting.size > 0) result.plan.standIns = [...result.plan.standIns ?? [], ...[...waiting].map(([target, tier]) => ({ target, why: tier === 'backup' ? tier : lastResort }))];
  return targets;
}

/** What goes before the targets of a route, because of what a request is for; the plan says why. */
function leadOf(purposes: PurposeMap, purpose: Purpose, table: RouteTable, plan: Plan): Ordering | undefined {
  const chosen = choosePurpose(purposes, purpose, table);
  plan.purpose = chosen === undefined ? purpose : { ...purpose, entry: chosen.entry, first: chosen.name };
  if (chosen === undefined) return undefined;
  return { candidates: chosen.candidates, group: chosen.route === undefined ? undefined : table.groupOfRoute(chosen.route) };
}

/** The canary's targets, where a request of a route goes to them; the plan says to which arm it goes. */
function canaryOf({ route: name }: Resolved, request: RoutingRequest, view: RoutingView, plan: Plan): Ordering | undefined {
  const route = name === undefined ? undefined : view.table.config.routes.get(name);
  const arm = route?.canary === undefined ? undefined : view.arm?.(route, request);
  if (route === undefined || arm === undefined) return undefined;
  plan.canary = arm;
  return arm.arm === 'canary' ? { candidates: view.table.canaryTargets(route.name), group: view.table.groupOfCanary(route.name) } : undefined;
}

function withoutLead({ candidates, group }: Ordering, lead: Ordering): Ordering {
  return { group, candidates: candidates.filter(({ name }) => !lead.candidates.some(first => first.name === name)) };
}

function leaveOut(candidate: Candidate, { reason, never, retryAt, cause, ownLimit }: Unfit, { plan, unfit, coolingDown }: PlanResult, now: number): void {
  plan.excluded.push({ target: candidate.name, reason });
  if (never !== undefined) unfit.push({ target: candidate.name, tooLong: never.tooLong });
  if (retryAt !== undefined && candidate.endpoint !== undefined) coolingDown.push({ target: candidate.planned, retryAt: Math.max(now, retryAt), cause, ownLimit });
}

/**
 * Judges one candidate. What can never serve is found out first: a target that cools down and could not serve anyway is
 * not worth waiting for.
 */
export function judgeTarget(candidate: Candidate, requirements: Requirements, view: RoutingView): Verdict {
  const { endpoint, model } = candidate;
  if (endpoint === undefined) return { fit: false, reason: `there is no endpoint named "${candidate.endpointName}"` };
  if (!endpoint.enabled) return { fit: false, reason: 'the endpoint is disabled' };
  const paused = view.paused(endpoint.name);
  if (paused !== undefined) return { fit: false, reason: paused };
  const missing = missingCapability(requirements, candidate.facts);
  if (missing !== undefined) return { fit: false, reason: missing, never: { tooLong: isTooLong(requirements, candidate.facts) } };
  const blocked = view.keysBlocked(endpoint.name, model);
  if (blocked !== undefined && blocked.retryAt === undefined) return { fit: false, reason: blocked.reason };
  const admission = view.admission(endpoint.name, model);
  if (blocked === undefined) return admission.admitted ? fit : { fit: false, reason: admission.reason, retryAt: admission.retryAt, cause: admission.cause, ownLimit: admission.ownLimit };
  // Both keep the target away: the reason that lasts longer is given, and a limit of the user's holds in any case.
  const keysFreeAt = blocked.retryAt ?? 0;
  if (admission.admitted) return { fit: false, reason: blocked.reason, retryAt: keysFreeAt, cause: blocked.cause, ownLimit: blocked.ownLimit };
  const ownLimit = blocked.ownLimit ?? admission.ownLimit;
  if (admission.retryAt <= keysFreeAt) return { fit: false, reason: blocked.reason, retryAt: keysFreeAt, cause: blocked.cause, ownLimit };
  return { fit: false, reason: admission.reason, retryAt: admission.retryAt, cause: admission.cause, ownLimit };
}

/**
 * The targets worth trying after a provider said that the prompt is too long for one of them: those whose context window is
 * larger than its, or unknown, in their order. Where the failed target's own context window is unknown, all others remain.
 *
 * @param targets what is left of the plan; the failed target itself is left out wherever it stands
 */
export function nextLargerContext(targets: readonly PlannedTarget[], failedTarget: PlannedTarget, table: Pick<RouteTable, 'target'>): PlannedTarget[] {
  const contextWindowOf = ({ endpoint, model }: PlannedTarget): number | undefined => table.target(endpoint, model)?.facts.contextWindow;
  const tooSmall = contextWindowOf(failedTarget);
  return targets.filter(target => {
    if (target.target === failedTarget.target) return false;
    const contextWindow = contextWindowOf(target);
    return tooSmall === undefined || contextWindow === undefined || contextWindow > tooSmall;
  });
}
