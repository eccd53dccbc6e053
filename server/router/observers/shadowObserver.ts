import type { ExchangeObserver } from '../../exchange/events.ts';
import type { Shadows } from '../shadow/shadows.ts';

/** Shadows follow requests of callers that were drawn: copies go out after them, and their answers are what others are compared with. */
export function shadowObserver(shadows: Pick<Shadows, 'isWatching' | 'attemptStarted' | 'callerPriced'>): ExchangeObserver {
  return {
    name: 'The shadows of routes',
    onAttemptStarted(attempt) {
      if (shadows.isWatching) shadows.attemptStarted(attempt);
    },
    onPriced({ receipt }) {
      if (shadows.isWatching) shadows.callerPriced(receipt);
    },
  };
}

/** What became of the copies themselves. */
export function shadowCopyObserver(shadows: Pick<Shadows, 'copyPriced'>): ExchangeObserver {
  return {
    name: 'The comparison of shadows',
    onPriced({ receipt }) { shadows.copyPriced(receipt); },
  };
}
