import { localMidnight } from '../../base/localMidnight.ts';
import type { Config } from '../../config/config.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';
import { handleOf } from '../../keys/keyHandles.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { RateLimiter } from '../../limits/rateLimiter.ts';
import type { Pauses } from '../endpoints/pauses.ts';

export interface TimedSources {
  config: Config;
  healthRegistry: Pick<HealthRegistry, 'changesAt'>;
  keys: Pick<KeyPool, 'all' | 'changesAt'>;
  limiter: Pick<RateLimiter, 'admission' | 'keyAdmission' | 'keyTrouble' | 'leftChangesAt'>;
  pauses: Pick<Pauses, 'changesAt'>;
}

/** A day with a change of the clock has 25 hours at most. */
const longerThanADayMs = 26 * 3_600_000;

/**
 * When the status changes by time alone, in milliseconds since the epoch: cooldowns and the open time of breakers end, outcomes
 * grow too old to count, and at midnight the figures of today start over. While a limit keeps requests away, the moment is `now`:
 * what is left of a limit has no fixed end.
 */
export function statusChangesAt({ config, healthRegistry, keys, limiter, pauses }: TimedSources, now: number): number {
  let first = localMidnight(localMidnight(now) + longerThanADayMs);
  for (const { name } of config.endpoints.values()) {
    first = Math.min(first, healthRegistry.changesAt(name, now), keys.changesAt(name, now), pauses.changesAt(name, now), limiter.leftChangesAt(name, now));
    if (isLimited(name, keys, limiter, now)) return now;
  }
  return first;
}

function isLimited(endpoint: string, keys: TimedSources['keys'], limiter: TimedSources['limiter'], now: number): boolean {
  if (!limiter.admission(endpoint, 0, now).admitted) return true;
  const known = keys.all(endpoint);
  return known.length === 0 ? isKeyLimited(endpoint, '', limiter, now) : known.some(key => isKeyLimited(endpoint, handleOf(key), limiter, now));
}

function isKeyLimited(endpoint: string, keyId: string, limiter: TimedSources['limiter'], now: number): boolean {
  return limiter.keyTrouble(endpoint, keyId, now) !== undefined
    || !limiter.keyAdmission({ endpoint, keyId, model: '', promptTokens: 0, writableTokens: 0, now }).admitted;
}
