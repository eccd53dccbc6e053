import type { TimeRange } from '../../../api/receipt.ts';
import type { RouteOutcomes } from '../../../ledger/spend.ts';
import { secondsBounds } from '../metrics/histogram.ts';
import type { RouteTotals } from './conditions.ts';

export interface WindowSources {
  /** What ended in a time, of all servers of the data folder. */
  outcomes(range: TimeRange, boundsMs: readonly number[]): Promise<readonly RouteOutcomes[]>;
  /** Changes with each request that ended. */
  revision(): number;
  /** Milliseconds of a clock that only goes on, for the time that a reading takes. */
  elapsed(): number;
}

const boundsMs = secondsBounds.map(seconds => seconds * 1000);
const nothing: ReadonlyMap<string, RouteTotals> = new Map();
/** Readings take at most so large a part of the process's time: the next one comes this many times later than one takes. */
const pauseFactor = 50;
/** What nobody asks for any more leaves a time by itself, so it is read again after this part of it. */
const agingShare = 20;

interface Reading { readonly at: number; readonly revision: number; readonly totals: ReadonlyMap<string, RouteTotals> }

/** What happened to the requests of all servers of the data folder within some times before now, as the ledger has it. */
export class Windows {
  readonly #sources: WindowSources;
  #readings = new Map<number, Reading>();
  #pausedUntil = -Infinity;

  constructor(sources: WindowSources) {
    this.#sources = sources;
  }

  /** Reads what changed. While the ledger cannot be read, nobody knows what happened. @param now milliseconds since the epoch @param windowsMs the times that are asked for */
  async take(now: number, windowsMs: ReadonlySet<number>): Promise<void> {
    const { outcomes, revision, elapsed } = this.#sources;
    const startedAt = elapsed();
    if (startedAt < this.#pausedUntil) return;
    const readings = new Map<number, Reading>();
    try {
      for (const windowMs of windowsMs) {
        const known = this.#readings.get(windowMs);
        const current = revision();
        const isFresh = known?.revision === current && now - known.at < windowMs / agingShare;
        readings.set(windowMs, isFresh ? known : { at: now, revision: current, totals: totalsOf(await outcomes({ from: now - windowMs, to: now + 1 }, boundsMs)) });
      }
    } finally {
      this.#readings = readings;
      this.#pausedUntil = startedAt + (elapsed() - startedAt) * pauseFactor;
    }
  }

  /** What ended within a time before the last reading, by route. */
  within(windowMs: number): ReadonlyMap<string, RouteTotals> {
    return this.#readings.get(windowMs)?.totals ?? nothing;
  }
}

function totalsOf(outcomes: readonly RouteOutcomes[]): ReadonlyMap<string, RouteTotals> {
  return new Map(outcomes.map(({ route, requests, failed, totalCounts, firstTokenCounts }) => [route, { requests, failed, seconds: [...totalCounts], firstTokenSeconds: [...firstTokenCounts], bounds: secondsBounds }]));
}
