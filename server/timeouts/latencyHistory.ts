import { QuantileSketch } from '../health/stats/quantileSketch.ts';

/**
 * How a measurement ended: it was `seen` whole; the timer ended it (`timeout`), so that it is at least this; or another
 * attempt was faster (`beaten`), which also makes it at least this.
 */
export type Measured = 'seen' | 'timeout' | 'beaten';

/** Two or three days of an editor's traffic, an hour of an agent's. */
const window = 256;
const halfLifeMs = 3 * 86_400_000;
/** Limits are taken from the slow end that is still ordinary, so that a tenth of stalls does not lift them. */
const slowEnd = 0.9;
/** Four times the ninth tenth is about one in a thousand, even of latencies that spread as widely as models' do. */
const ordinaryMargin = 4;
/** With few measurements the margin is wider, by this many parts of their number. */
const uncertainty = 10;
/** So many that a single timeout is no tenth of them. */
const fewestForTimeouts = 20;
/** How much of a slow measurement's memory each later one leaves. */
const peakKept = 0.85;
/** What was recently as slow as this is let through with as much again. */
const peakMargin = 2;

/** Which limit is asked for. */
export interface LimitRule { margin: number; lowest: number; highest: number }

/**
 * The history of one timer in one place: how long the thing it watches usually takes, and what limit follows.
 *
 * Two memories work together. The distribution says what is usual; as it looks at the slow end that is still ordinary,
 * single stalls do not lift the limit, and a lasting change does. The peak reacts at once: from the second timeout in a
 * row on, the next limit is twice the last, so that a place which became slower gets through after a few attempts, and
 * what got through beyond the usual limit keeps the way open while the distribution follows.
 */
export class LatencyHistory {
  readonly #sketch: QuantileSketch;
  #timeoutsInARow = 0;
  #peak = 0;
  #slow: number | undefined;
  #additionsUntilLook = 0;
  #lastLimit: number | undefined;

  /** @param lowest the smallest value worth telling apart */
  constructor(lowest: number) {
    this.#sketch = new QuantileSketch({ lowest, window, halfLifeMs });
  }

  /**
   * Takes in one measurement. Constant time.
   * @param value absent where a timer ended what nobody measured; the limit last given out stands for it
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
        // A run of timeouts is one event: an outage says nothing of how long answers take. Nor does one among a few.
        if (this.#timeoutsInARow > 1 || this.#sketch.held < fewestForTimeouts) return;
        break;
      case 'beaten':
        break;
    }
    this.#sketch.add(known, at);
    this.#additionsUntilLook -= 1;
  }

  /** Whether it has seen enough. */
  knows(fewest: number): boolean {
    // What has faded a little since it came still counts.
    return this.#sketch.held >= 0.9 * fewest;
  }

  /** The slow end of what is usual; undefined while nothing was seen. */
  get slowEnd(): number | undefined {
    return this.#usual();
  }

  /** The limit for the next attempt. @param allowance added to the usual time, which many small figures need */
  limit({ margin, lowest, highest }: LimitRule, allowance = 0): number {
    const usual = this.#usual() ?? 0;
    const wide = margin * (1 + uncertainty / Math.max(uncertainty, this.#sketch.held));
    const limit = Math.min(highest, Math.max(lowest, allowance + wide * usual, peakMargin * this.#peak));
    this.#lastLimit = limit;
    return limit;
  }

  #usual(): number | undefined {
    if (this.#additionsUntilLook <= 0) {
      this.#slow = this.#sketch.quantile(slowEnd);
      this.#additionsUntilLook = 1 + Math.floor(this.#sketch.held / 32);
    }
    return this.#slow;
  }
}
