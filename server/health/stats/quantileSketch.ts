/** Buckets an octave; a value is known to within about four percent. */
const bucketsPerOctave = 8;
const octaves = 21;
const bucketCount = bucketsPerOctave * octaves;
/** Weights are brought back to 1 before they become too large for their buckets. */
const largestWeight = 2 ** 60;

export interface SketchOptions {
  /** The smallest value that is told apart from smaller ones; the largest is two million times that. */
  lowest: number;
  /** About how many of the latest values count. */
  window: number;
  /** After this time a value counts half, in milliseconds. */
  halfLifeMs: number;
}

/**
 * The distribution of a figure, such as a latency, in constant memory: a histogram with buckets of equal ratio, in which
 * what is old counts for less. Older values are not made lighter; newer ones are entered with a larger weight, so that
 * an entry costs the same however much is held.
 */
export class QuantileSketch {
  readonly #options: SketchOptions;
  /** Made with the first entry: most of many endpoints never get a request. */
  #buckets = new Float64Array(0);
  readonly #growth: number;
  #weight = 1;
  #total = 0;
  #lastAt = 0;

  constructor(options: SketchOptions) {
    this.#options = options;
    this.#growth = options.window / (options.window - 1);
  }

  /** How many values are held, older ones counted for less; as of the latest entry. */
  get held(): number {
    return this.#total / this.#weight;
  }

  /** @param at milliseconds since the epoch; entries may come a little out of order */
  add(value: number, at: number): void {
    if (this.#total > 0) {
      this.#weight *= this.#growth;
      if (at > this.#lastAt) this.#weight *= 2 ** Math.min(60, (at - this.#lastAt) / this.#options.halfLifeMs);
      if (this.#weight > largestWeight) this.#rescale();
    }
    if (at > this.#lastAt) this.#lastAt = at;
    if (this.#buckets.length === 0) this.#buckets = new Float64Array(bucketCount);
    const bucket = this.#bucketOf(value);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + this.#weight;
    this.#total += this.#weight;
  }

  /** The value that a share (0..1) of what is held does not exceed; undefined while nothing is held. */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    let wanted = share * this.#total;
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      const weight = this.#buckets[bucket] ?? 0;
      if (weight > 0 && wanted <= weight) return this.#valueAt(bucket, wanted / weight);
      wanted -= weight;
    }
    return this.#largest();
  }

  /** The share (0..1) of what is held that lies in buckets up to that of a value. */
  shareUpTo(value: number): number {
    if (this.#total === 0) return 0;
    const last = this.#bucketOf(value);
    let weight = 0;
    for (let bucket = 0; bucket <= last; bucket += 1) weight += this.#buckets[bucket] ?? 0;
    return Math.min(1, weight / this.#total);
  }

  #bucketOf(value: number): number {
    const bucket = Math.floor(bucketsPerOctave * Math.log2(value / this.#options.lowest));
    return bucket > 0 ? Math.min(bucket, bucketCount - 1) : 0;
  }

  #valueAt(bucket: number, part: number): number {
    return this.#options.lowest * 2 ** ((bucket + part) / bucketsPerOctave);
  }

  /** Rounding may leave a little of the whole beyond the last bucket. */
  #largest(): number {
    return this.#valueAt(this.#buckets.findLastIndex((weight) => weight > 0), 1);
  }

  #rescale(): void {
    let total = 0;
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      const weight = (this.#buckets[bucket] ?? 0) / this.#weight;
      this.#buckets[bucket] = weight;
      total += weight;
    }
    this.#total = total;
    this.#weight = 1;
  }
}
