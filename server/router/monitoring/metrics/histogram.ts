/** A histogram as Prometheus counts it: how many values are at most each bound, with sum and number of all. */
export class Histogram {
  /** Rising. */
  readonly bounds: readonly number[];
  /** By bound, each without those of smaller bounds; the last one has what is above all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
    this.count += 1;
  }

  /** Takes in another histogram of the same bounds. */
  add(other: Histogram): void {
    for (let at = 0; at < this.counts.length; at += 1) this.counts[at] = (this.counts[at] as number) + (other.counts[at] as number);
    this.sum += other.sum;
    this.count += other.count;
  }
}

/** Bounds of times in seconds, those of the OpenTelemetry conventions for generative AI, and two above them for long answers. */
export const secondsBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68] as const;
/** Bounds of numbers of tokens, those of the same conventions. */
export const tokenBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864] as const;
/** Bounds of Waybill's own share of a request, in seconds. */
export const overheadBounds = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384] as const;
