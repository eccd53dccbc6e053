import type { ExchangeObserver } from '../../exchange/events.ts';
import type { RunningExchanges } from '../runningExchanges.ts';

/** Keeps the set of running exchanges; the ledger gets the record of each when it begins. */
export function runningObserver(running: Pick<RunningExchanges, 'started' | 'ended'>): ExchangeObserver {
  return {
    name: 'The record of a running exchange',
    onStarted({ exchange }) { running.started(exchange); },
    onEnded({ exchange }) { running.ended(exchange); },
  };
}
