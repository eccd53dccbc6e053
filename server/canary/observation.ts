import type { CanaryArm } from '../api/canary.ts';

/** What one request of a route with a running canary showed about its arm. */
export interface Observation {
  arm: CanaryArm;
  /** Per cent of conversations that the canary got when the arm was drawn; absent: the share of now. */
  share?: number | undefined;
  /** An attempt at the arm failed for a reason that lies with the provider. */
  failed: boolean;
  /** A target of the arm answered. */
  answered: boolean;
  /** What the baseline did with a request that the canary failed; absent: the baseline was not asked. */
  takenOver?: 'answered' | 'failed' | undefined;
  /** Of the attempt at the arm that answered. */
  firstTokenMs?: number | undefined;
  totalMs?: number | undefined;
}

/** What a request cost at an arm; it is known after the request has ended. */
export interface CostObservation {
  arm: CanaryArm;
  microUsd: number;
  /** In and out. */
  tokens: number;
}
