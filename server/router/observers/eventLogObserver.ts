import type { Clock } from '../../base/clock.ts';
import type { ExchangeObserver } from '../../exchange/events.ts';
import type { EventLog } from '../eventLog.ts';

/** The log has a line for each failed attempt. */
export function eventLogObserver(eventLog: Pick<EventLog, 'settled'>, clock: Clock): ExchangeObserver {
  return {
    name: 'The log of events',
    onEnded({ receipt }) { eventLog.settled(receipt, clock.now()); },
  };
}
