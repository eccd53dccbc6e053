import type { AwayMode } from '../../api/state/stateSettings.ts';
import type { StateFigures } from '../../state/stateFigures.ts';

export const countKinds = ['limits', 'budgets'] as const;
export type CountKind = typeof countKinds[number];
/** Who decided whether a request may be sent: the store, or a mode while it is away. */
export const deciders = ['store', 'share', 'open', 'closed'] as const;
export type Decider = 'store' | AwayMode;

/** How often what servers share was asked, and who decided. */
export class CountFigures {
  readonly decisions: Readonly<Record<CountKind, Record<Decider, number>>> = { limits: { store: 0, share: 0, open: 0, closed: 0 }, budgets: { store: 0, share: 0, open: 0, closed: 0 } };

  /** @param isAsked something of the kind holds for the request */
  decided(kind: CountKind, by: Decider, isAsked: boolean): void {
    if (isAsked) this.decisions[kind][by] += 1;
  }
}

/** What is known of a store that servers on several machines share. */
export interface SharedStoreFigures {
  readonly isUp: boolean;
  readonly replicas: number;
  readonly store: Pick<StateFigures, 'calls' | 'durations' | 'seconds' | 'losses'>;
  /** Upper bounds of `store.durations`, in seconds. */
  readonly bounds: readonly number[];
  readonly decisions: CountFigures['decisions'];
  /** Who decides now. */
  readonly inForce: Readonly<Record<CountKind, Decider>>;
}
