import type { Clock } from '../../base/clock.ts';
import type { ExchangeObserver } from '../../exchange/events.ts';
import type { Prober } from '../prober.ts';

/** Traffic takes the place of probes, and a model that is not found shows that the list of models is out of date. */
export function proberObserver(prober: Pick<Prober, 'observe' | 'modelNotFound'>, clock: Clock): ExchangeObserver {
  return {
    name: 'The probes of endpoints',
    onAttemptEnded({ attempt, record, error }) {
      if (error?.failureClass === 'model-not-found' && record.drill !== true) prober.modelNotFound(attempt.endpoint.name);
    },
    onEnded({ receipt }) {
      const now = clock.now();
      for (const attempt of receipt.attempts) prober.observe(attempt.endpoint, now);
    },
  };
}
