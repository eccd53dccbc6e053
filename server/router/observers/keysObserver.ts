import type { ExchangeObserver } from '../../exchange/events.ts';
import type { KeyPool } from '../../keys/keyPool.ts';

/** The key pool learns which keys are accepted, rejected, without money or to be left alone for a while. */
export function keysObserver(keys: Pick<KeyPool, 'observe' | 'report'>): ExchangeObserver {
  return {
    name: 'The states of keys',
    onAnswering({ attempt: { target, keyId }, headers }) {
      if (keyId !== undefined) keys.observe(target.endpoint, keyId, headers);
    },
    onAttemptEnded({ attempt: { target, keyId, startedAt }, record, verdict, error, at }) {
      if (keyId === undefined || verdict === 'abandoned' || verdict === 'beaten') return;
      keys.report(target.endpoint, keyId, error?.failureClass ?? 'ok', at, error?.retryAfterMs, { model: target.model, startedAt, scope: error?.scope, drill: record.drill === true });
    },
  };
}
