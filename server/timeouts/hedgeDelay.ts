import { QuantileSketch } from '../health/stats/quantileSketch.ts';

/** More outcomes than timers keep: the moment sought is reached by one request in a hundred. */
const slidingWindow = 1_000;
const halfLifeMs = 3 * 86_400_000;
const fewest = 20;
/** Shorter delays would be triggered by pauses of this machine itself. */
const shortestMs = 10;
/** The factor between one question for a second request and the next. */
const furtherFactor = 1.2;
/** The smallest spread that is assumed, also where all measurements are equal. */
const leastSpread = 1.08;
/** Where the ordinary part ends, in steps from the median to the 80th percentile (of logarithms). */
const ordinarySteps = 2.8;
/** The share of ordinary requests that are still without a first token at the later moment. */
const lateShare = 0.0105;

/**
 * When a first token is late, learnt from those that came. There are two moments: the 95th percentile, and a later one that
 * about one ordinary request in a hundred reaches. A route with a small budget of second requests waits for the later one,
 * and so keeps the budget for requests that really stall.
 *
 * Two effects would push the moments up without end. A stall that ends by itself looks like a slow answer: where one in
 * twenty stalls, the 95th percentile of everything is the stall. So percentiles are taken of the ordinary part only, whose
 * extent follows from the median and the 80th percentile, which stalls hardly move. And a request that lost to its second
 * one was cut short, at a time that itself depends on the moment: such requests are left out, and the later moment is
 * corrected for their absence.
 */
export class HedgeDelay {
  readonly #sketch = new QuantileSketch({ lowest: 1, window: slidingWindow, halfLifeMs });
  #early: number | undefined;
  #late = 0;
  #additionsUntilUpdate = fewest;

  /** A first token came. @param firstTokenMs since the attempt began */
  observe(firstTokenMs: number, at: number): void {
    this.#sketch.add(firstTokenMs, at);
    this.#additionsUntilUpdate -= 1;
  }

  /**
   * Milliseconds after the attempt began; undefined while too little was measured.
   * @param asked how many questions for the same request came before: 0 gives the 95th percentile, 1 the later moment, more give later ones
   */
  afterMs(asked: number): number | undefined {
    if (this.#additionsUntilUpdate <= 0) this.#update();
    if (this.#early === undefined || asked === 0) return this.#early;
    return this.#late * furtherFactor ** (asked - 1);
  }

  #update(): void {
    this.#additionsUntilUpdate = 1 + Math.floor(this.#sketch.held / 32);
    const middle = this.#sketch.quantile(0.5) ?? 0;
    const spread = Math.max(leastSpread, (this.#sketch.quantile(0.8) ?? 0) / middle);
    const ordinary = this.#sketch.shareUpTo(middle * spread ** ordinarySteps);
    // The wider the spread, the more late requests lose to their second one and are missing here.
    const seenOfLate = Math.min(0.8, Math.max(0.35, 1.15 - 0.35 * spread));
    this.#early = Math.max(shortestMs, this.#sketch.quantile(0.95 * ordinary) ?? 0);
    this.#late = Math.max(this.#early, this.#sketch.quantile((1 - lateShare * seenOfLate) * ordinary) ?? 0);
  }
}
