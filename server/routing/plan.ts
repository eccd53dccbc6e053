import type { Requirements } from '../api/routes/requirements.ts';
import type { Purpose } from '../api/purpose.ts';
import type { Caller, Plan, PlannedTarget, RequestKind } from '../api/receipt.ts';
import type { ArmOfPlan } from '../api/canary.ts';
import type { FailureClass } from '../api/failure.ts';
import type { Random } from '../base/clock.ts';
import type { CapConfig, RouteConfig } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import type { SpendLeft } from './caps/allowance.ts';
import type { Capped } from './caps/withinCaps.ts';
import type { ResolvedTarget, RouteTable } from './routeTable.ts';
import type { Signals } from './signals.ts';
import type { WarmCachesReader } from './warmth/warmCaches.ts';

/** The most tokens that a request lets a target write, all answers together; undefined: it names no limit. */
export function writableTokens({ maxOutputTokens, answers = 1 }: Pick<Requirements, 'maxOutputTokens' | 'answers'>): number | undefined {
  return maxOutputTokens === undefined ? undefined : maxOutputTokens * answers;
}

/** What was asked for, as far as a route may go by it. */
export interface RoutingRequest {
  /** The name of a route, a model or a target, as the caller wrote it. */
  readonly requestedModel: string;
  readonly requirements: Requirements;
  readonly caller: Caller;
  /** What kind of work it is; see `requestKind`. */
  readonly kind: RequestKind;
  /** The caller wants a stream. */
  readonly stream: boolean;
  /**
   * The conversation that it belongs to: a digest that says nothing about the prompt, the same in all servers and after a
   * restart. It is found out when it is first read, which has to be while a plan is made: later the body may be gone.
   */
  readonly conversation: string;
  /** Nothing is sent by this plan, so the request takes no turn of a route. */
  readonly rehearsal?: true | undefined;
  /** What it is for; found out when it is first read, which only a plan for a route does that goes by it. Absent: nothing is known of it. */
  readonly purpose?: Purpose | undefined;
  /** Its token has a budget of its own. */
  readonly ownBudget?: boolean | undefined;
  /** The models that its token may ask for; absent: all. A model is replaced by one of these alone. */
  readonly allowedModels?: readonly string[] | undefined;
  /** What is left of the caps and budgets that hold for it. Asked only where some may hold. Absent: none does. @param budgets there are some */
  spend?(ofAll: CapConfig | undefined, route: RouteConfig | undefined, budgets: boolean): SpendLeft | undefined;
}

/** The state a plan is made from at one moment: reads memory only. */
export interface RoutingView {
  readonly table: RouteTable;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signals: Signals;
  readonly random: Random;
  /** Which arm of its canary a request of a route goes to; undefined where none takes part. Asked only of routes that have a canary. */
  arm?(route: RouteConfig, request: RoutingRequest): ArmOfPlan | undefined;
  /** Where the prompts of conversations lie in caches; absent: nothing is known of caches. */
  readonly warm?: WarmCachesReader | undefined;
  /** Why requests go around an endpoint that a person paused, as the end of a sentence; undefined where it is not paused. */
  paused(endpoint: string): string | undefined;
  /** Whether breaker, cooldowns and limits let an attempt through. @param model canonical */
  admission(endpoint: string, model: string): Admission;
  /**
   * Why no key of the endpoint can be used now; undefined when one can.
   * @param model for which model, its limits included; absent: for the endpoint as a whole
   */
  keysBlocked(endpoint: string, model?: string): BlockedKeys | undefined;
}

/** Why no key can be used now; see `KeysBlocked` in keys/keysBlocked.ts. */
export interface BlockedKeys {
  reason: string;
  retryAt?: number | undefined;
  cause?: 'auth' | 'quota' | 'rate-limit' | undefined;
  ofModel?: true | undefined;
  ownLimit?: true | undefined;
}

/** A target that is kept away until a moment. */
export interface KeptAway {
  target: PlannedTarget;
  /** Milliseconds since the epoch. */
  retryAt: number;
  /** What keeps it away longest; absent: a breaker. */
  cause?: FailureClass | 'busy' | undefined;
  /** A limit that the user set keeps it away: it is not asked before, whatever else can serve. */
  ownLimit?: true | undefined;
}

/** A plan, and what the server needs beside it. */
export interface PlanResult {
  /** Plain data: it becomes part of the receipt. */
  plan: Plan;
  /** The targets of the plan in the same order, resolved. */
  targets: readonly ResolvedTarget[];
  /**
   * Targets left out only until a moment (breaker, cooldown, limits, keys), soonest first: a caller may wait for the
   * first of them when nothing else can serve.
   */
  coolingDown: KeptAway[];
  /** Targets that can never serve such a request. */
  unfit: UnfitTarget[];
  /** Caps keep targets away that could serve; absent: they keep none away. */
  capped?: Capped | undefined;
}

export interface UnfitTarget {
  target: string;
  /** The prompt is too long for its context window. */
  tooLong: boolean;
}

/** Turns a request into targets in order, with a reason for every target left out. */
export type MakePlan = (request: RoutingRequest, view: RoutingView) => PlanResult;
