import type { TokenUsage } from '../api/conversation.ts';
import type { RequestKind } from '../api/receipt.ts';
import type { RoutingRequest } from './plan.ts';
import type { ResolvedTarget } from './routeTable.ts';

/** What is measured of targets, for strategies to order them by. Figures that are not known are undefined. */
export interface Signals {
  /** The turn that a request has in a route: a number that grows by 1 with each request of the route. */
  turn(route: string, request: RoutingRequest): number;
  /** Attempts of this process that run at the target's endpoint now, whatever model they ask. */
  inFlight(target: ResolvedTarget): number;
  /** Share of failed attempts at the target's endpoint in the last ten minutes, 0 to 1. */
  errorRate(target: ResolvedTarget): number | undefined;
  /** The slow end of the usual time to the first token of a stream, in milliseconds (the 90th percentile). */
  firstTokenMs(target: ResolvedTarget, kind: RequestKind): number | undefined;
  /** The slow end of the usual pace of a stream, in tokens a second. */
  tokensPerSecond(target: ResolvedTarget, kind: RequestKind): number | undefined;
  /** What so many tokens cost at the target, in millionths of a US dollar; an estimate from the prices of the moment. */
  costMicroUsd(target: ResolvedTarget, usage: Pick<TokenUsage, 'inputTokens' | 'outputTokens'>): number | undefined;
}
