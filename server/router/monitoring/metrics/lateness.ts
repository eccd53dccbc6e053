import { createHistogram } from 'node:perf_hooks';

/** How late something was, in seconds: the median, the 99th percentile and the longest. */
export interface LatenessFigures { p50: number; p99: number; max: number }

const nanosecondsInMs = 1e6;
const nanosecondsInSecond = 1e9;

/** How late the ticks of a timer were, which is how long the event loop kept it waiting. It has no timer of its own. */
export class Lateness {
  readonly #histogram = createHistogram();
  readonly #everyMs: number;
  #lastAt: number | undefined;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** @param at a moment of a clock that is never set, in milliseconds */
  tick(at: number): void {
    const lateMs = this.#lastAt === undefined ? 0 : at - this.#lastAt - this.#everyMs;
    // The smallest value that the histogram takes is 1.
    if (this.#lastAt !== undefined) this.#histogram.record(Math.max(1, Math.round(lateMs * nanosecondsInMs)));
    this.#lastAt = at;
  }

  /** What there was since the last reading; zeros where nothing ticked. */
  read(): LatenessFigures {
    const histogram = this.#histogram;
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    const figures = { p50: histogram.percentile(50) / nanosecondsInSecond, p99: histogram.percentile(99) / nanosecondsInSecond, max: histogram.max / nanosecondsInSecond };
    histogram.reset();
    return figures;
  }
}
