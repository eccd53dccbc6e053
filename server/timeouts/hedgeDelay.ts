import { QuantileSketch } from '../health/stats/quantileSketch.ts';

/** More than for timers: one request in a hundred is looked for. */
const window = 1_000;
const halfLifeMs = 3 * 86_400_000;
const fewest = 20;
/** Below this a second request would be sent because of a hiccup of this machine. */
const shortestMs = 10;
/** How much later each further question comes. */
const furtherFactor = 1.2;
/** A place where all takes the same time still has some spread. */
const leastSpread = 1.08;
/** In steps from the middle to the 80th percentile (of logarithms): beyond this lies what is not of the ordinary kind. */
const ordinarySteps = 2.8;
/** The share of ordinary requests that the later moment leaves to be asked for a second time. */
const lateShare = 0.0105;

/**
 * When a first token is late, learnt from those that came. Two moments: the 95th percentile, and a later one that about
 * one ordinary request in a hundred reaches. A route whose second requests are numbered waits for the later one, and so has
 * them left for requests that really stall.
 *
 * Two things would push the moments up without end if nothing held them. A stall that ends by itself looks like a slow
 * answer: where one in twenty stalls, the 95th percentile of everything is the stall. So percentiles are taken of the
 * ordinary part only, whose extent follows from the middle and the 80th percentile, which stalls hardly move. And a request
 * that lost to its second one was cut short, at a time that itself depends on the moment: these are left out, and the
 * later moment is moved to where it would be with them.
 */
export class HedgeDelay {
  readonly #sketch = new QuantileSketch({ lowest: 1, window, halfLifeMs });
  #early: number | undefined;
  #late = 0;
  #additionsUntilLook = fewest;

  /** A first token came. @param firstTokenMs since the attempt began */
  observe(firstTokenMs: number, at: number): void {
    this.#sketch.add(firstTokenMs, at);
    this.#additionsUntilLook -= 1;
  }

  /**
   * Milliseconds after the attempt began; undefined while too little is known.
   * @param asked how often was asked before for the same request: 0 gives the 95th percentile, 1 the later moment, more later ones yet
   */
  afterMs(asked: number): number | undefined {
    if (this.#additionsUntilLook <= 0) this.#look();
    if (this.#early === undefined || asked === 0) return this.#early;
    return this.#late * furtherFactor ** (asked - 1);
  }

  #look(): void {
    this.#additionsUntilLook = 1 + Math.floor(this.#sketch.held / 32);
    const middle = this.#sketch.quantile(0.5) ?? 0;
    const spread = Math.max(leastSpread, (this.#sketch.quantile(0.8) ?? 0) / middle);
    const ordinary = this.#sketch.shareUpTo(middle * spread ** ordinarySteps);
    // The wider the latencies spread, the more of the late ones lose to their second request and are missing here.
    const seenOfLate = Math.min(0.8, Math.max(0.35, 1.15 - 0.35 * spread));
    this.#early = Math.max(shortestMs, this.#sketch.quantile(0.95 * ordinary) ?? 0);
    this.#late = Math.max(this.#early, this.#sketch.quantile((1 - lateShare * seenOfLate) * ordinary) ?? 0);
  }
}
