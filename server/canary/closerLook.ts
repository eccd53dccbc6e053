import type { CanaryArm } from '../api/canary.ts';
import { noEvidence, withEvent, type Evidence } from './evidence.ts';

/*
 * While the canary has most of the traffic, the baseline has too little to compare it with. So once the canary fails
 * more than once in a short time, it gets a small share until its failures are explained: what decides then is the
 * same evidence, with a baseline of the same moment. An outage of both arms shows at the baseline and explains them.
 */

/** Per cent of conversations that go to the canary meanwhile. */
export const shareMeanwhile = 5;

/** The memory for failures, in requests to the canary. */
const memory = 20;
/** Two failures among about twenty requests. */
const beginsAt = 1.35;
/** About fifteen requests after the last failure. */
const endsBelow = 0.9;

/** What says whether the canary is looked at more closely. */
export interface CloserLook {
  readonly on: boolean;
  /** Failures of the canary that the baseline did not share, each weighing a little less than the one after it. */
  readonly failures: number;
  /** How often one has begun in this stage. */
  readonly times: number;
  /** Against the canary since the last one began: a canary that was well for long is found out as soon. */
  readonly errors: Evidence;
  /** The baseline got a request since the last failure of the canary that counted: failures of one run of requests count once. */
  readonly compared: boolean;
}

export const noCloserLook: CloserLook = { on: false, failures: 0, times: 0, errors: noEvidence, compared: false };

/** Whether a failure says something: while the canary is looked at, one conversation's failures in a row say no more than the first of them. */
export function counts({ on, compared }: CloserLook, failure: CanaryArm | undefined): boolean {
  return failure === 'baseline' || (failure === 'canary' && (!on || compared));
}

/**
 * @param failure the arm that a failure counts for, undefined where nothing failed
 * @param share of the canary in the traffic around the request, 0..1
 */
export function withOutcome(look: CloserLook, arm: CanaryArm, failure: CanaryArm | undefined, share: number): CloserLook {
  const counted = counts(look, failure);
  const errors = look.on && failure !== undefined && counted ? withEvent(look.errors, failure, share) : look.errors;
  const compared = arm === 'baseline' || (look.compared && !(counted && failure === 'canary'));
  if (arm === 'baseline' || (failure !== 'canary' && look.failures === 0)) return errors === look.errors && compared === look.compared ? look : { ...look, errors, compared };
  const failures = look.failures * (1 - 1 / memory) + (failure === 'canary' ? 1 : 0);
  if (look.on) return { ...look, on: failures >= endsBelow, failures, errors, compared };
  return failures >= beginsAt ? { on: true, failures, times: look.times + 1, errors: noEvidence, compared: false } : { ...look, failures, compared };
}
