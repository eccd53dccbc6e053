import type { Admission } from '../health/healthReader.ts';
import type { HandedKey } from './keyHandles.ts';
import { keyInSentence, restingFor, type PooledKey } from './keyState.ts';

/** Why no key can be used now. */
export interface KeysBlocked {
  /** One clause. */
  reason: string;
  /** When the first key may be used; absent: there is no key. */
  retryAt?: number | undefined;
  /** What the provider said of the keys, where that keeps all of them away. */
  cause?: 'auth' | 'quota' | 'rate-limit' | undefined;
  /** The keys are refused for the model, and used for others. */
  ofModel?: true | undefined;
  /** A limit that the user set keeps every key away. */
  ownLimit?: true | undefined;
}

/** Why none of these keys can be used now; undefined when one can. Parameters as of `KeyPool.blocked`. */
export function whyBlocked(keys: readonly PooledKey[], model: string | undefined, now: number, admits: ((key: HandedKey) => Admission) | undefined): KeysBlocked | undefined {
  let soonest = Infinity;
  let limited: { reason: string; retryAt: number } | undefined;
  let limitedKeys = 0;
  let ownLimits = 0;
  let kinds: Set<string> | undefined;
  for (const key of keys) {
    const resting = restingFor(key, model, now);
    const admission = admits?.(key.material);
    const refused = admission?.admitted === false ? admission : undefined;
    if (resting === undefined && refused === undefined) return undefined;
    if (refused?.ownLimit === true) ownLimits += 1;
    if (resting !== undefined) {
      const isWhole = model === undefined || (restingFor(key, undefined, now)?.until ?? 0) >= resting.until;
      (kinds ??= new Set()).add(isWhole ? resting.kind : `${resting.kind} for the model`);
    } else if (refused !== undefined) {
      limitedKeys += 1;
      if (limited === undefined || refused.retryAt < limited.retryAt) limited = refused;
    }
    soonest = Math.min(soonest, Math.max(resting?.until ?? 0, refused?.retryAt ?? 0));
  }
  const ownLimit = ownLimits === keys.length ? { ownLimit: true as const } : {};
  if (limited !== undefined && limitedKeys === keys.length) {
    return { reason: keys.length === 1 ? limited.reason : `every key is at its limit: ${limited.reason}`, retryAt: soonest, cause: 'rate-limit', ...ownLimit };
  }
  return { ...refusedWords(keys, [...kinds ?? []], limited !== undefined, model), retryAt: soonest, ...ownLimit };
}

function refusedWords(keys: readonly PooledKey[], kinds: readonly string[], limited: boolean, model: string | undefined): Pick<KeysBlocked, 'reason' | 'cause' | 'ofModel'> {
  const only = keys.length === 1 ? keyInSentence(keys[0]?.material.label ?? '') : undefined;
  if (!limited && kinds.length === 1 && kinds[0] === 'rejected') return { reason: 'the provider rejected every key', cause: 'auth' };
  if (!limited && kinds.every(kind => kind.startsWith('rejected'))) {
    return { reason: only === undefined ? `none of its keys may use ${model}` : `${only} may not use ${model}`, cause: 'auth', ofModel: true };
  }
  if (!limited && kinds.length === 1 && kinds[0] === 'no-money for the model') {
    return { reason: only === undefined ? `no key of it has quota left for ${model}` : `${only} has no quota left for ${model}`, cause: 'quota', ofModel: true };
  }
  const isCooling = kinds.some(kind => kind.startsWith('cooling'));
  const reasons = [...(limited ? ['at its limit'] : []), ...(isCooling ? ['rate-limited'] : []), 'out of money'];
  return { reason: `every key is ${reasons.join(', ')} or rejected`, cause: isCooling || limited ? 'rate-limit' : 'quota' };
}
