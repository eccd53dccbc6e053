import type { ExchangeObserver } from '../../exchange/events.ts';
import type { FaultInjectionRunner } from '../drills/faultInjectionRunner.ts';

/** A fire drill counts the requests that met it. */
export function drillsObserver(drills: Pick<FaultInjectionRunner, 'settled'>): ExchangeObserver {
  return {
    name: 'The count of fire drills',
    onEnded({ receipt }) { drills.settled(receipt); },
  };
}
