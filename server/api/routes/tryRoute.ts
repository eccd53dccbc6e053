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

/** What becomes of a request that no target would be asked for at once. */
export type DryRunOutcome =
  /** Waybill refuses it and sends nothing. `why`: the rest of a sentence, with its end and, for a cap, the next action */
  | { kind: 'refused'; why: string }
  /** VS Code's chat asks whether more may be spent; other callers are refused. */
  | { kind: 'asks'; why: string; button: string }
  /** Every target is kept away for a while: the one that is available soonest is waited for, or asked all the same. */
  | { kind: 'waits'; target: string }
  /** The same, where a limit that the user set keeps it away: it is not asked before. */
  | { kind: 'waits-for-limit'; target: string };

export interface TryRouteResult {
  /** As a receipt would have it. No arm of a canary is drawn. */
  plan: Plan;
  /** What it is expected to cost at each target of the plan, in micro-dollars; null where no price is known. */
  expectedMicroUsd: (number | null)[];
  /** Absent where a target would be asked. */
  outcome?: DryRunOutcome | undefined;
}

/** Client -> server, request: where a request would go now. Nothing is sent, and no strategy counts it. */
export const tryRouteRequest = requestType<TryRouteParams, TryRouteResult>('waybill/tryRoute');
