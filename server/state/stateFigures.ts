/** How a call ended. `away`: it was not sent, because the store is away. */
export type StateOutcome = 'ok' | 'timeout' | 'error' | 'away';

/** Upper bounds of the time that calls took, in seconds. */
export const stateSecondsBounds: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What was counted of a store since the start. */
export class StateFigures {
  readonly calls: Record<StateOutcome, number> = { ok: 0, timeout: 0, error: 0, away: 0 };
  /** Calls that took up to each of the bounds and no less than the one before, and one more for those that took longer. */
  readonly durations: number[] = [...stateSecondsBounds, Infinity].map(() => 0);
  /** The time of all of them, in seconds. */
  seconds = 0;
  /** How often the store went away. */
  losses = 0;

  /** @param seconds how long it took; undefined: it was not sent */
  called(outcome: StateOutcome, seconds?: number): void {
    this.calls[outcome] += 1;
    if (seconds === undefined) return;
    this.seconds += seconds;
    const place = stateSecondsBounds.findIndex(bound => seconds <= bound);
    const index = place < 0 ? stateSecondsBounds.length : place;
    this.durations[index] = (this.durations[index] ?? 0) + 1;
  }
}
