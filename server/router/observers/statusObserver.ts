import type { ExchangeObserver } from '../../exchange/events.ts';
import type { StatusChanges } from '../status/statusChanges.ts';

/** The state that a person sees has changed when an exchange ended; while it runs, every tick counts as a change. */
export function statusObserver(changes: Pick<StatusChanges, 'touched'>): ExchangeObserver {
  return {
    name: 'The update of the status',
    onEnded() { changes.touched(); },
  };
}
