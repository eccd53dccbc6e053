import { requestType } from '../messageTypes.ts';
import type { RequestRole, WorkKind } from '../purpose.ts';
import type { Plan } from '../receipt.ts';

/** A request that is made up, to see where it would go. */
export interface TryRouteParams {
  /** A route, a model or a target. */
  requestedModel: string;
  /** The prompt, in tokens. */
  inputTokens: number;
  /** The longest answer that it allows, in tokens; absent: what the model can write. */
  maxOutputTokens?: number | undefined;
  tools: boolean;
  images: boolean;
  /** Who asks, and what for; absent: what the route says of purposes is not looked at. */
  role?: RequestRole | undefined;
  kind?: WorkKind | undefined;
}

export interface TryRouteResult {
  /** As a receipt would have it. No arm of a canary is drawn. */
  plan: Plan;
  /** What it is expected to cost at each target of the plan, in micro-dollars; null where no price is known. */
  expectedMicroUsd: (number | null)[];
}

/** Client -> server, request: where a request would go now. Nothing is sent, and no strategy counts it. */
export const tryRouteRequest = requestType<TryRouteParams, TryRouteResult>('waybill/tryRoute');
