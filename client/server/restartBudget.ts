export interface RestartBudgetOptions {
  /** How many crashes within `periodMs` lead to a restart. */
  restarts: number;
  /** How long a crash counts, in milliseconds. */
  periodMs: number;
  /** Wait before the first, second … restart within `periodMs`; the last value repeats. */
  delaysMs: readonly number[];
}

export type RestartDecision = { restart: true; delayMs: number } | { restart: false };

export const defaultRestartBudget: RestartBudgetOptions = { restarts: 4, periodMs: 180_000, delaysMs: [100, 1_000, 3_000, 8_000] };

/** Decides whether a server that crashed is started again, and when. Knows no clock: the time is handed in. */
export class RestartBudget {
  readonly #options: RestartBudgetOptions;
  #crashes: number[] = [];

  constructor(options: RestartBudgetOptions = defaultRestartBudget) {
    this.#options = options;
  }

  /** Records a crash at `now` (milliseconds) and returns what to do. */
  crash(now: number): RestartDecision {
    const { restarts, periodMs, delaysMs } = this.#options;
    this.#crashes = this.#crashes.filter(at => now - at < periodMs);
    this.#crashes.push(now);
    const crashes = this.#crashes.length;
    if (crashes > restarts) return { restart: false };
    return { restart: true, delayMs: delaysMs[Math.min(crashes, delaysMs.length) - 1] ?? 0 };
  }

  /** Forgets every crash: the user asked for a start. */
  reset(): void { this.#crashes = []; }
}
