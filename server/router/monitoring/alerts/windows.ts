import type { RequestRow } from '../metrics/figures.ts';
import type { RouteTotals } from './conditions.ts';

interface Reading { at: number; totals: Map<string, RouteTotals> }

/** Remembers what was counted until now and then, so that it can be said what happened since. */
export class Windows {
  readonly #readings: Reading[] = [];

  /** Takes the counts of a moment, in milliseconds since the epoch. @param keepMs of the longest window */
  take(rows: Iterable<RequestRow>, at: number, keepMs: number): void {
    const totals = new Map<string, RouteTotals>();
    for (const { route, outcome, seconds, firstTokenSeconds } of rows) {
      const known = totals.get(route) ?? { requests: 0, failed: 0, seconds: seconds.counts.map(() => 0), firstTokenSeconds: seconds.counts.map(() => 0), bounds: seconds.bounds };
      known.requests += seconds.count;
      if (outcome === 'failed') known.failed += seconds.count;
      add(known.seconds, seconds.counts);
      add(known.firstTokenSeconds, firstTokenSeconds.counts);
      totals.set(route, known);
    }
    this.#readings.push({ at, totals });
    // The one before the window is its beginning.
    while ((this.#readings[1]?.at ?? at) <= at - keepMs) this.#readings.shift();
  }

  /** What was counted within a time before the last reading. */
  within(windowMs: number): Map<string, RouteTotals> {
    const last = this.#readings.at(-1);
    if (last === undefined) return new Map();
    const begin = this.#readings.findLast(({ at }) => at <= last.at - windowMs) ?? this.#readings[0];
    return new Map([...last.totals].map(([route, now]) => {
      const then = begin?.totals.get(route);
      return [route, then === undefined ? now : {
        requests: now.requests - then.requests, failed: now.failed - then.failed, bounds: now.bounds,
        seconds: less(now.seconds, then.seconds), firstTokenSeconds: less(now.firstTokenSeconds, then.firstTokenSeconds),
      }];
    }));
  }
}

function add(sums: number[], counts: readonly number[]): void {
  for (const [index, one] of counts.entries()) sums[index] = (sums[index] ?? 0) + one;
}

function less(now: readonly number[], then: readonly number[]): number[] {
  return now.map((one, index) => one - (then[index] ?? 0));
}
