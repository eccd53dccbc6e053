import type { ExchangeObserver } from '../../exchange/events.ts';
import type { Canaries } from '../canary/canaries.ts';

/** Canaries are judged by what became of the requests of their routes. */
export function canaryObserver(canaries: Pick<Canaries, 'planned' | 'ended' | 'priced'>): ExchangeObserver {
  return {
    name: 'The judgement of canaries',
    onPlanned({ exchange, plan }) {
      if (plan.canary !== undefined) canaries.planned(exchange.receipt.id, plan);
    },
    onEnded({ receipt }) {
      if (receipt.plan.canary !== undefined) canaries.ended(receipt);
    },
    onPriced({ receipt }) {
      if (receipt.plan.canary !== undefined) canaries.priced(receipt);
    },
  };
}
