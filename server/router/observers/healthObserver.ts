import type { ExchangeObserver } from '../../exchange/events.ts';
import { isAboutKey } from '../../exchange/machine/failover.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';
import { networkKindOf } from '../../health/network/networkState.ts';
import type { KeyPool } from '../../keys/keyPool.ts';

const noKeys: ReadonlySet<string> = new Set();

/**
 * The health registry learns what an attempt proved about its endpoint and model. Subscribe it after the key pool: whether a
 * failure concerns one key alone depends on the keys that are usable once this one has been reported.
 */
export function healthObserver(healthRegistry: Pick<HealthRegistry, 'record'>, keys: Pick<KeyPool, 'pick'>): ExchangeObserver {
  return {
    name: 'The health of providers',
    onAttemptEnded({ attempt: { target, trial, startedAt }, record, verdict, error, status, timedOut, at }) {
      if (verdict === 'abandoned' || verdict === 'beaten') return;
      const keyScoped = error !== undefined && isAboutKey(error) && (error.scope === 'key-model' || keys.pick(target.endpoint, noKeys, at, undefined, target.model) !== undefined);
      healthRegistry.record({
        endpoint: target.endpoint, model: target.model, at, startedAt, kind: 'traffic', trial, keyScoped, scope: error?.scope, phase: timedOut,
        failureClass: error?.failureClass, code: error?.code, status, message: error?.storedMessage,
        firstTokenMs: record.firstTokenMs, totalMs: record.totalMs, retryAfterMs: error?.retryAfterMs,
        networkKind: error === undefined ? undefined : networkKindOf(error.systemCode),
        drill: record.drill,
      });
    },
  };
}
