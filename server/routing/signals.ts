import type { TokenUsage } from '../api/conversation.ts';
import type { Caller, RequestKind } from '../api/receipt.ts';
import type { ResolvedTarget } from './routeTable.ts';

/** What signals look at of a request. */
export interface SignalRequest {
  readonly caller: Pick<Caller, 'tool'>;
  readonly kind: RequestKind;
  readonly stream: boolean;
  readonly requirements: { readonly estimatedInputTokens: number; readonly maxOutputTokens?: number | undefined; readonly answers?: number | undefined };
  readonly rehearsal?: true | undefined;
}

/** What is measured of targets, for strategies to order them by. Figures that are not known are undefined. */
export interface Signals {
  /** The turn that a request has in a route: a number that grows by 1 with each request of the route. */
  turn(route: string, request: SignalRequest): number;
  /** Attempts of this process that run at the target's endpoint now, whatever model they ask. */
  inFlight(target: ResolvedTarget): number;
  /** Share of failed attempts at the target's endpoint in the last ten minutes, 0 to 1. */
  errorRate(target: ResolvedTarget): number | undefined;
  /** The slow end of the usual time to the first token of a stream, in milliseconds (the 90th percentile). */
  firstTokenMs(target: ResolvedTarget, kind: RequestKind): number | undefined;
  /** The slow end of the usual pace of a stream, in tokens a second. */
  tokensPerSecond(target: ResolvedTarget, kind: RequestKind): number | undefined;
  /** How soon the target begins to answer such a request, prompt and length of the answer left aside; undefined where nothing was measured lately. */
  firstTokenAverage(target: ResolvedTarget, request: SignalRequest): { readonly ms: number; readonly samples: number } | undefined;
  /** How near the target's endpoint is, in milliseconds of its health check. */
  probeMs(target: ResolvedTarget): number | undefined;
  /** What the request is expected to cost at the target, in millionths of a US dollar; undefined where no price is known. */
  expectedCostMicroUsd(target: ResolvedTarget, request: SignalRequest): number | undefined;
  /** What so many tokens cost at the target, in millionths of a US dollar; an estimate from the prices of the moment. */
  costMicroUsd(target: ResolvedTarget, usage: Pick<TokenUsage, 'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens' | 'outputTokens'>): number | undefined;
}
