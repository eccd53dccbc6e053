import type { FailureClass } from '../../api/failure.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import type { PlanResult, UnfitTarget } from '../../routing/plan.ts';
import { isAboutKey, retryableWhenNothingElse, worthWaitingFor } from './failover.ts';

/** What an exchange has learnt of its targets and keys by trying them: a value, and functions from one value to the next. */
export interface TriedTargets {
  /** The last failure of each target, in the order in which they first failed. */
  readonly failures: ReadonlyMap<string, WaybillError>;
  /** Targets that turned out to be unable to serve such a request at all. */
  readonly unfit: readonly UnfitTarget[];
  /** Ids of the keys that are used up for this exchange, by endpoint. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>;
  /** Targets that had their one more try. */
  readonly retried: ReadonlySet<string>;
  /** Targets that are to be sent no reasoning that another provider made. */
  readonly stripped: ReadonlySet<string>;
  /** Targets whose attempt a timer ended sooner than the full timers say, because others were left then. */
  readonly cutShort: ReadonlySet<string>;
}

const noNames: ReadonlySet<string> = new Set();

/** Nothing was tried yet. One value for all exchanges, so that a request that succeeds at once makes none. */
export const nothingTried: TriedTargets = { failures: new Map(), unfit: [], keys: new Map(), retried: noNames, stripped: noNames, cutShort: noNames };

/** Ids of keys of an endpoint that are used up for this exchange. */
export function triedKeysOf(tried: TriedTargets, endpoint: string): ReadonlySet<string> {
  return tried.keys.get(endpoint) ?? noNames;
}

/** As `triedKeysOf`, after one more attempt failed. @param keyId undefined where the endpoint needs no key */
export function triedKeysAfter(tried: TriedTargets, endpoint: string, keyId: string | undefined, failureClass: FailureClass): ReadonlySet<string> {
  const known = triedKeysOf(tried, endpoint);
  return keyId === undefined || !isAboutKey(failureClass) || known.has(keyId) ? known : new Set([...known, keyId]);
}

/** An attempt failed, seen or unseen. */
export function recordFailure(tried: TriedTargets, { target }: PlannedTarget, error: WaybillError, cutShort: boolean): TriedTargets {
  return {
    ...tried,
    failures: new Map(tried.failures).set(target, error),
    cutShort: cutShort ? withName(tried.cutShort, target) : tried.cutShort,
  };
}

/** A failure used up a key. */
export function recordKeys(tried: TriedTargets, endpoint: string, keys: ReadonlySet<string>): TriedTargets {
  return keys.size === 0 || tried.keys.get(endpoint) === keys ? tried : { ...tried, keys: new Map(tried.keys).set(endpoint, keys) };
}

/** A pause is over: keys that cooled down may be used again. */
export function forgetKeys(tried: TriedTargets): TriedTargets {
  return tried.keys.size === 0 ? tried : { ...tried, keys: new Map() };
}

/** The target is sent no reasoning of other providers from now on. */
export function recordStripped(tried: TriedTargets, { target }: PlannedTarget): TriedTargets {
  return { ...tried, stripped: withName(tried.stripped, target) };
}

/** The target can never serve such a request. @param tooLong the prompt is too long for its context window */
export function recordUnfit(tried: TriedTargets, { target }: PlannedTarget, tooLong: boolean): TriedTargets {
  return { ...tried, unfit: [...tried.unfit, { target, tooLong }] };
}

/** The one more try of the target is made. */
export function recordRetry(tried: TriedTargets, { target }: PlannedTarget): TriedTargets {
  return { ...tried, retried: withName(tried.retried, target) };
}

/** The first target that is worth one more try now that nothing else is left. @param patienceLeftMs how long the caller still waits */
export function worthAnotherTry({ failures, retried, cutShort }: TriedTargets, targets: readonly PlannedTarget[], patienceLeftMs: number): PlannedTarget | undefined {
  return targets.find(({ target }) => {
    const failure = failures.get(target);
    if (failure === undefined || retried.has(target) || (failure.retryAfterMs ?? 0) > patienceLeftMs) return false;
    return retryableWhenNothingElse(failure.failureClass, failure.code) || (failure.failureClass === 'timeout' && cutShort.has(target));
  });
}

/** Whether it makes sense to wait until the target can be tried. */
export function worthWaiting(tried: TriedTargets, { target }: PlannedTarget): boolean {
  if (isUnfit(tried, target)) return false;
  const failure = tried.failures.get(target);
  return failure === undefined || worthWaitingFor(failure.failureClass);
}

/** Targets that are kept away and were not tried yet. */
export function untriedOf(tried: TriedTargets, coolingDown: PlanResult['coolingDown']): PlannedTarget[] {
  return coolingDown.map(cooldown => cooldown.target).filter(({ target }) => !tried.failures.has(target) && !isUnfit(tried, target));
}

function isUnfit({ unfit }: TriedTargets, target: string): boolean {
  return unfit.some(one => one.target === target);
}

function withName(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return names.has(name) ? names : new Set([...names, name]);
}
