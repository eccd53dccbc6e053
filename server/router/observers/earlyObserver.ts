import type { EarlyAttempts } from '../../exchange/attempt/earlyAttempts.ts';
import type { ExchangeObserver } from '../../exchange/events.ts';

/** A target that answers an early attempt well may be asked by others at once. */
export function earlyObserver(early: Pick<EarlyAttempts, 'answered'>): ExchangeObserver {
  return {
    name: 'The attempts before a wait is over',
    onAnswering({ attempt: { target, role }, status }) {
      if (role === 'last-resort' && status !== undefined && status < 300) early.answered(target.endpoint, target.model);
    },
  };
}
