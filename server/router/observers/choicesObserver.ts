import type { ExchangeObserver } from '../../exchange/events.ts';
import type { ExpectedUsage } from '../../pricing/expectedUsage.ts';
import { firstTokenSampleOf, type FirstTokenAverages } from '../../timeouts/firstTokenAverages.ts';

/** Strategies learn how soon targets begin to answer, and how many tokens requests of a caller use. */
export function choicesObserver(firstTokens: Pick<FirstTokenAverages, 'observe'>, expectedUsage: Pick<ExpectedUsage, 'observe'>): ExchangeObserver {
  return {
    name: 'The measures of strategies',
    onAttemptEnded({ attempt: { stream }, record, at }) {
      const sample = firstTokenSampleOf(record, stream);
      if (sample !== undefined) firstTokens.observe(record.endpoint, record.model, record.kind ?? 'normal', stream, at, sample);
    },
    onEnded({ receipt: { caller: { tool }, plan }, attempts }) {
      for (const { record: { target, model, kind = 'normal', outcome, usage, usageEstimated } } of attempts) {
        if (outcome === 'ok' && !usageEstimated) expectedUsage.observe({ tool, kind, target, model }, usage, plan.requirements?.answers);
      }
    },
  };
}
