/** Counts of durations in buckets that grow by a constant factor: small, and mergeable. Keys are the numbers of buckets. */
export type Latencies = Readonly<Record<string, number>>;

const growth = 1.07;
const logGrowth = Math.log(growth);
const largestBucket = 300;

export const noLatencies: Latencies = {};

export function withLatency(latencies: Latencies, ms: number): Latencies {
  const bucket = Math.min(largestBucket, Math.max(0, Math.ceil(Math.log(Math.max(1, ms)) / logGrowth)));
  return { ...latencies, [bucket]: (latencies[bucket] ?? 0) + 1 };
}

export function latencyCount(latencies: Latencies): number {
  return Object.values(latencies).reduce((sum, count) => sum + count, 0);
}

/** The duration at a rank that counts from 1, within 7 %; undefined beyond the data. */
function atRank(latencies: Latencies, rank: number): number | undefined {
  let seen = 0;
  // Keys that are whole numbers come in ascending order.
  for (const [bucket, count] of Object.entries(latencies)) {
    seen += count;
    if (seen >= rank) return growth ** Number(bucket);
  }
  return undefined;
}

/** A quantile with the order statistics that bound it at 95 %; the upper bound is absent where so few values have none. */
export function quantile(latencies: Latencies, share: number): { value: number; low?: number | undefined; high?: number | undefined } | undefined {
  const count = latencyCount(latencies);
  const value = atRank(latencies, Math.max(1, Math.ceil(count * share)));
  if (value === undefined) return undefined;
  const spread = 1.96 * Math.sqrt(count * share * (1 - share));
  return { value, low: atRank(latencies, Math.max(1, Math.floor(count * share - spread))), high: atRank(latencies, Math.ceil(count * share + spread) + 1) };
}
