import type { DashboardState, Pick } from '../dashboardState.ts';

/** What parts of the page ask for. */
export interface DashboardWishes {
  change(change: Partial<DashboardState>): void;
  only(pick: Pick): void;
  open(picks: Pick[], step?: { from: number; to: number }): void;
  receipt(request: string): void;
}
