import type { PlannedTarget } from '../../api/receipt.ts';
import type { WaybillError } from '../../base/failure.ts';
import type { Repair } from '../../protocols/repairs/repair.ts';
import type { KeptAway, PlanResult, UnfitTarget } from '../../routing/plan.ts';
import { isAboutKey, type KeyFailure, retryableWhenNothingElse, worthWaitingFor } from './failover.ts';

/** What an exchange has learnt of its targets and keys by trying them: a value, and functions from one value to the next. */
export interface TriedTargets {
  /** The last failure of each target, in the order in which they first failed. */
  readonly failures: ReadonlyMap<string, WaybillError>;
  /** Targets that turned out to be unable to serve such a request at all. */
  readonly unfit: readonly UnfitTarget[];
  /** Handles of the keys that are used up for this exchange, by endpoint; by target where only their use for the model is. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>;
  /** Targets that had their one more try. */
  readonly retried: ReadonlySet<string>;
  /** Targets that are to be sent no reasoning that another provider made. */
  readonly stripped: ReadonlySet<string>;
  /** What each target refused by name in this exchange, one list for each refusal. */
  readonly repaired: ReadonlyMap<string, readonly (readonly Repair[])[]>;
  /** Targets whose attempt a timer ended sooner than the full timers say, because others were left then. */
  readonly cutShort: ReadonlySet<string>;
}

const noNames: ReadonlySet<string> = new Set();
const noRepairs: readonly (readonly Repair[])[] = [];

/** Nothing was tried yet. One value for all exchanges, so that a request that succeeds at once makes none. */
export const nothingTried: TriedTargets = { failures: new Map(), unfit: [], keys: new Map(), retried: noNames, stripped: noNames, repaired: new Map(), cutShort: noNames };

/** Handles of keys that are used up for a target in this exchange. */
export function triedKeysOf({ keys }: TriedTargets, { endpoint, target }: PlannedTarget): ReadonlySet<string> {
  const ofEndpoint = keys.get(endpoint);
  const ofTarget = keys.get(target);
  if (ofEndpoint === undefined || ofTarget === undefined) return ofEndpoint ?? ofTarget ?? noNames;
  return new Set([...ofEndpoint, ...ofTarget]);
}

/** An attempt failed, seen or unseen. */
export function recordFailure(tried: TriedTargets, { target }: PlannedTarget, error: WaybillError, cutShort: boolean): TriedTargets {
  return {
    ...tried,
    failures: new Map(tried.failures).set(target, error),
    cutShort: cutShort ? withName(tried.cutShort, target) : tried.cutShort,
  };
}

/** A failure used up a key, at the whole endpoint or for the model alone. @param keyId undefined where the endpoint needs no key */
export function recordKey(tried: TriedTargets, { endpoint, target }: PlannedTarget, keyId: string | undefined, error: KeyFailure): TriedTargets {
  if (keyId === undefined || !isAboutKey(error)) return tried;
  const subject = error.scope === 'key-model' ? target : endpoint;
  const known = tried.keys.get(subject) ?? noNames;
  return known.has(keyId) ? tried : { ...tried, keys: new Map(tried.keys).set(subject, withName(known, keyId)) };
}

/** A pause is over: keys that cooled down may be used again. */
export function forgetKeys(tried: TriedTargets): TriedTargets {
  return tried.keys.size === 0 ? tried : { ...tried, keys: new Map() };
}

/** The target is sent no reasoning of other providers from now on. */
export function recordStripped(tried: TriedTargets, { target }: PlannedTarget): TriedTargets {
  return { ...tried, stripped: withName(tried.stripped, target) };
}

/** The target is asked once more without what it refused. */
export function recordRepaired(tried: TriedTargets, { target }: PlannedTarget, repairs: readonly Repair[]): TriedTargets {
  return { ...tried, repaired: new Map(tried.repaired).set(target, [...repairsOf(tried, target), repairs]) };
}

/** What a target refused by name in this exchange. */
export function repairsOf(tried: TriedTargets, target: string): readonly (readonly Repair[])[] {
  return tried.repaired.get(target) ?? noRepairs;
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

/** Whether it makes sense to wait until the target can be tried. What was said against a key is no wait: the key is tried at once. */
export function worthWaitingOut(tried: TriedTargets, { target, cause }: KeptAway): boolean {
  return cause !== 'auth' && cause !== 'quota' && cause !== 'model-not-found' && worthWaiting(tried, target);
}

/**
 * Targets that are kept away, were not tried yet, and may be asked all the same. A limit of the user's holds. Where a
 * provider limited the rate just now, others that named longer waits are not asked too.
 */
export function untriedOf(tried: TriedTargets, coolingDown: PlanResult['coolingDown']): KeptAway[] {
  const limited = [...tried.failures.values()].some(({ failureClass }) => failureClass === 'rate-limit');
  return coolingDown.filter(({ target, cause, ownLimit }) => ownLimit !== true && !(limited && cause === 'rate-limit') && !tried.failures.has(target.target) && !isUnfit(tried, target.target));
}

function isUnfit({ unfit }: TriedTargets, target: string): boolean {
  return unfit.some(one => one.target === target);
}

function withName(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return names.has(name) ? names : new Set([...names, name]);
}
