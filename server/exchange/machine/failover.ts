import type { FailureClass, RefusalScope } from '../../api/failure.ts';
import { failureCodes, type FailureCode } from '../../base/failureCodes.ts';

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  failureClass: FailureClass;
  code: FailureCode;
  /** What the refusal speaks of; absent: by its class. */
  scope?: RefusalScope | undefined;
  /** Another key of the same endpoint is usable and was not tried. */
  anotherKey: boolean;
  /** Keys of this provider's account share limits. */
  sharedLimits: boolean;
  /** The request was already sent here without foreign reasoning. */
  stripped: boolean;
  /** The provider named parts of the request that are left out from now on. */
  repaired: boolean;
  /** Other targets are left in the plan. */
  anotherTarget: boolean;
}

export type FailoverStep = 'next-key' | 'next-target' | 'resend-without-reasoning' | 'resend-repaired' | 'tell-caller';

/**
 * What follows from a failure before the commit point. The class alone decides, but for what is left to try.
 * Source: the fault wall.
 */
export function nextStep(attempt: FailedAttempt): FailoverStep {
  switch (attempt.failureClass) {
    case 'bad-request':
      if (attempt.code === 'reasoning-rejected' && !attempt.stripped) return 'resend-without-reasoning';
      return attempt.repaired ? 'resend-repaired' : 'tell-caller';
    case 'content-policy':
    case 'cancelled':
      return 'tell-caller';
    case 'auth':
    case 'quota':
      return attempt.anotherKey ? 'next-key' : 'next-target';
    case 'rate-limit':
      // Where an account's keys share one limit, the next key meets it too, so another target comes first.
      if (attempt.anotherKey && !(attempt.sharedLimits && attempt.anotherTarget)) return 'next-key';
      return 'next-target';
    case 'network':
    case 'local':
    case 'overloaded':
    case 'server':
    case 'timeout':
    case 'context-overflow':
      return 'next-target';
    case 'model-not-found':
      return isAboutKey(attempt) && attempt.anotherKey ? 'next-key' : 'next-target';
  }
}

/** Whether no other target is to answer after such a failure: the request, the caller or a policy is the reason. */
export function isLastWord(failureClass: FailureClass): boolean {
  return failureClass === 'bad-request' || failureClass === 'content-policy' || failureClass === 'cancelled';
}

/** Whether a target that failed so may be tried once more when nothing else is left. */
export function retryableWhenNothingElse(failureClass: FailureClass, code?: FailureCode): boolean {
  return failureClass === 'server' || failureClass === 'overloaded' || failureClass === 'local'
    || (failureClass === 'network' && code !== undefined && failureCodes[code].mayRepeat === true);
}

/** Whether it makes sense to wait for a target that failed so. */
export function worthWaitingFor(failureClass: FailureClass): boolean {
  return failureClass === 'rate-limit' || failureClass === 'overloaded' || failureClass === 'server';
}

/** The part of a failure that says whether it is about a key. */
export interface KeyFailure { readonly failureClass: FailureClass; readonly scope?: RefusalScope | undefined }

/** Whether the failure is about the key that was used, so that another key may work. */
export function isAboutKey({ failureClass, scope }: KeyFailure): boolean {
  if (scope === 'endpoint' || scope === 'model') return false;
  return failureClass === 'auth' || failureClass === 'quota' || failureClass === 'rate-limit' || scope === 'key-model';
}

/** From least final to most final. The first of these that occurred is the class of the error when every target failed. */
const finality: readonly FailureClass[] = [
  'local', 'rate-limit', 'overloaded', 'server', 'timeout', 'network', 'context-overflow', 'quota', 'model-not-found', 'auth',
  'content-policy', 'bad-request', 'cancelled',
];

/** The least final of several failure classes. */
export function leastFinal(classes: readonly FailureClass[]): FailureClass {
  return finality.find(candidate => classes.includes(candidate)) ?? 'server';
}
