import type { ExchangeObserver } from '../../exchange/events.ts';
import type { CostRecorder } from '../spend/costRecorder.ts';

/** The attempts of an exchange that ended are priced, and its record is written to the ledger. */
export function costsObserver(costs: Pick<CostRecorder, 'settled'>): ExchangeObserver {
  return {
    name: 'The recording of costs',
    onEnded(event) { costs.settled(event); },
  };
}
