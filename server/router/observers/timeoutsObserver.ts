import type { ExchangeObserver } from '../../exchange/events.ts';
import type { AdaptiveTimeouts } from '../../timeouts/adaptiveTimeouts.ts';
import { observationOf } from '../../timeouts/attemptObservation.ts';

/** Adaptive timeouts learn how long each step of an attempt took. */
export function timeoutsObserver(timers: Pick<AdaptiveTimeouts, 'observe'>): ExchangeObserver {
  return {
    name: 'The adaptive timeouts',
    onAttemptEnded({ attempt, record, verdict, timedOut, tokensPerSecond }) {
      const observed = observationOf(record, attempt.stream, { timedOut, beaten: verdict === 'beaten', tokensPerSecond });
      if (observed !== undefined) timers.observe(observed);
    },
  };
}
