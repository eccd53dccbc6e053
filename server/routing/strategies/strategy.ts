import type { StrategyName } from '../../api/settings.ts';
import type { Random } from '../../base/clock.ts';
import type { RoutingRequest } from '../plan.ts';
import type { ResolvedTarget } from '../routeTable.ts';
import type { Signals } from '../signals.ts';

/**
 * Orders the targets that can serve a request now. It is pure: the same arguments give the same order. It gives back each
 * candidate once, or the candidates themselves where their order stands.
 *
 * @param candidates in the order of the configuration: of a route as its targets are listed; of a model by endpoint
 *   priority, then the larger weight, then the endpoint's name
 * @param random a number in [0, 1) with each call
 */
export type Strategy = (candidates: readonly ResolvedTarget[], request: RoutingRequest, signals: Signals, random: Random) => readonly ResolvedTarget[];

/** A name without a strategy does not compile. */
export type Strategies = Readonly<Record<StrategyName, Strategy>>;
