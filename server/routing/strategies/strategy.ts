import type { StrategyName } from '../../api/settings.ts';
import type { Random } from '../../base/clock.ts';
import type { RoutingRequest } from '../plan.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import type { Signals } from '../signals.ts';

/** One entry of a route that can serve a request now: a target, or another route. */
export interface Choice {
  /** As the route names it: `endpoint/model`, or the name of a route. */
  readonly name: string;
  /** Positive; 1 where the route gives none. */
  readonly weight: number;
  /** The target itself; of a route the one that its own strategy puts first. */
  readonly first: ResolvedTarget;
}

export interface StrategyContext {
  /** The route whose entries are ordered. */
  readonly route: string;
  readonly request: RoutingRequest;
  readonly signals: Signals;
  /** A number in [0, 1) with each call. */
  readonly random: Random;
}

export interface Ordered {
  /** Each choice once. */
  readonly order: readonly Choice[];
  /** Why the first comes first, as one sentence without its end. */
  readonly why: string;
}

/**
 * Orders the entries of a route that can serve a request now. It is pure: the same arguments give the same order.
 *
 * @param choices in the order of the configuration, two or more
 */
export type Strategy = (choices: readonly Choice[], context: StrategyContext) => Ordered;

/** A name without a strategy does not compile. */
export type Strategies = Readonly<Record<StrategyName, Strategy>>;
