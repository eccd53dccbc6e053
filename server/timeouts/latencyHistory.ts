import { QuantileSketch } from '../health/stats/quantileSketch.ts';

/**
 * How a measurement ended. `seen`: it is complete. `timeout`: the timer ended it, so the value is a lower bound. `beaten`:
 * another attempt was faster, so the value is a lower bound as well.
 */
export type Measured = 'seen' | 'timeout' | 'beaten';

/** So many measurements are two or three days of an editor's traffic, or an hour of an agent's. */
const slidingWindow = 256;
const halfLifeMs = 3 * 86_400_000;
/** Limits are taken from this quantile, so that stalls in a tenth of the attempts do not raise them. */
const slowEnd = 0.9;
/** Four times the 90th percentile is exceeded by about one in a thousand, even with latencies that spread as widely as those of models. */
const ordinaryMargin = 4;
/** With few measurements the margin is wider: by this number divided by how many there are. */
const uncertainty = 10;
/** With so many measurements a single timeout is less than a tenth of them. */
const fewestForTimeouts = 20;
/** The factor by which each later measurement lowers the peak. */
const peakKept = 0.85;
/** The limit is at least this factor of the peak. */
const peakMargin = 2;

/** The bounds of a limit, and its factor of the usual time. */
export interface LimitRule { margin: number; lowest: number; highest: number }

/**
 * The history of one timer in one scope: how long its step usually takes, and the limit that follows.
 *
 * Two memories work together. The distribution gives the usual time; as the limit is taken from its slow end, single stalls
 * do not raise the limit, and a lasting change does. The peak reacts at once: from the second timeout in a row on, the next
 * limit is twice the last, so that attempts at a target which became slower succeed after a few tries. A success beyond the
 * usual limit keeps the peak up while the distribution follows.
 */
export class LatencyHistory {
  readonly #sketch: QuantileSketch;
  #timeoutsInARow = 0;
  #peak = 0;
  #slow: number | undefined;
  #additionsUntilUpdate = 0;
  #lastLimit: number | undefined;

  /** @param lowest the smallest value that is distinguished from 0 */
  constructor(lowest: number) {
    this.#sketch = new QuantileSketch({ lowest, window: slidingWindow, halfLifeMs });
  }

  /**
   * Adds one measurement, in constant time.
   * @param value undefined where a timer ended a step that was not measured; the last limit stands for it
   */
  observe(value: number | undefined, at: number, measured: Measured): void {
    const known = value ?? (measured === 'timeout' ? this.#lastLimit : undefined);
    if (known === undefined || !Number.isFinite(known) || known < 0) return;
    this.#peak *= peakKept;
    switch (measured) {
      case 'seen':
        this.#timeoutsInARow = 0;
        if (known > ordinaryMargin * (this.#usual() ?? Infinity)) this.#peak = Math.max(this.#peak, known);
        break;
      case 'timeout':
        this.#timeoutsInARow += 1;
        if (this.#timeoutsInARow > 1) this.#peak = Math.max(this.#peak, known);
        // A run of timeouts is one event: an outage says nothing about how long answers take. Neither does a timeout among few measurements.
        if (this.#timeoutsInARow > 1 || this.#sketch.held < fewestForTimeouts) return;
        break;
      case 'beaten':
        break;
    }
    this.#sketch.add(known, at);
    this.#additionsUntilUpdate -= 1;
  }

  /** Whether there are enough measurements. */
  knows(fewest: number): boolean {
    // Measurements fade with time; slightly faded ones still count.
    return this.#sketch.held >= 0.9 * fewest;
  }

  /** The slow end of the usual time; undefined without measurements. */
  get slowEnd(): number | undefined {
    return this.#usual();
  }

  /** The limit for the next attempt. @param allowance added to the usual time; short steps need it */
  limit({ margin, lowest, highest }: LimitRule, allowance = 0): number {
    const usual = this.#usual() ?? 0;
    const wide = margin * (1 + uncertainty / Math.max(uncertainty, this.#sketch.held));
    const limit = Math.min(highest, Math.max(lowest, allowance + wide * usual, peakMargin * this.#peak));
    this.#lastLimit = limit;
    return limit;
  }

  #usual(): number | undefined {
    if (this.#additionsUntilUpdate <= 0) {
      this.#slow = this.#sketch.quantile(slowEnd);
      this.#additionsUntilUpdate = 1 + Math.floor(this.#sketch.held / 32);
    }
    return this.#slow;
  }
}
