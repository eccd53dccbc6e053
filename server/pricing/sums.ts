import type { TokenUsage } from '../api/conversation.ts';
import type { Attempt, Cost, SpendTotals } from '../api/receipt.ts';
import { tokenBuckets, usageBuckets } from '../api/usage.ts';

/** Adds `more` to `sum` in place, bucket by bucket. A bucket that neither reports stays absent. */
export function addUsage(sum: TokenUsage, more: TokenUsage): void {
  for (const bucket of usageBuckets) {
    const value = more[bucket];
    if (value !== undefined) sum[bucket] = (sum[bucket] ?? 0) + value;
  }
}

/**
 * Adds the buckets that `more` leaves out, where it has any at all, to those that a sum lacks a part of. An attempt that
 * used nothing leaves nothing out.
 */
export function addMissing(missing: Set<keyof TokenUsage>, more: TokenUsage): void {
  if (usageBuckets.every(bucket => more[bucket] === undefined)) return;
  for (const bucket of usageBuckets) if (more[bucket] === undefined) missing.add(bucket);
}

/** The buckets that a sum has a figure for and lacks a part of; undefined where there is none. */
export function incompleteBuckets(sum: TokenUsage, missing: ReadonlySet<keyof TokenUsage>): (keyof TokenUsage)[] | undefined {
  const incomplete = tokenBuckets.filter(bucket => sum[bucket] !== undefined && missing.has(bucket));
  return incomplete.length === 0 ? undefined : incomplete;
}

/** Usage of all attempts of an exchange together. */
export function sumUsage(attempts: readonly Pick<Attempt, 'usage'>[]): TokenUsage {
  const sum: TokenUsage = {};
  for (const attempt of attempts) addUsage(sum, attempt.usage);
  return sum;
}

/**
 * What an exchange cost: the sum of what is known of its attempts. Unknown when an attempt's cost is unknown
 * and nothing else cost anything; beside a known part an unknown one makes the sum an estimate.
 */
export function sumCost(attempts: readonly Pick<Attempt, 'cost'>[]): Cost {
  let microUsd = 0;
  let unknown = 0;
  let estimated = false;
  let sources: string[] | undefined;
  let unpriced: string[] | undefined;
  for (const { cost } of attempts) {
    if (cost.certainty === 'unknown') unknown += 1;
    if (cost.certainty === 'estimated') estimated = true;
    microUsd += cost.microUsd ?? 0;
    for (const part of cost.unpriced ?? []) if (unpriced?.includes(part) !== true) (unpriced ??= []).push(part);
    if (cost.priceSource !== undefined && sources?.includes(cost.priceSource) !== true) (sources ??= []).push(cost.priceSource);
  }
  if (unknown > 0 && microUsd === 0) return { certainty: 'unknown' };
  const sum: Cost = { microUsd, certainty: unknown > 0 || estimated ? 'estimated' : 'exact' };
  if (unknown > 0) sum.unknownParts = unknown;
  if (unpriced !== undefined) sum.unpriced = unpriced;
  if (sources !== undefined) sum.priceSource = sources.join(', ');
  return sum;
}

/**
 * An attempt has ended, however it ended, and its cost is unknown. What certainly cost nothing has a cost of 0.
 * @param running it has not ended, which its own record does not distinguish from an interruption
 */
export function costIsMissing(attempt: Pick<Attempt, 'cost'>, running: boolean): boolean {
  return attempt.cost.certainty === 'unknown' && !running;
}

type UnpricedSum = Pick<SpendTotals, 'unpricedAttempts' | 'unpriced'>;

/** Gathers the parts without a price of sums of spend, and writes them into the sums by frequency. */
export class UnpricedParts {
  readonly #parts = new Map<UnpricedSum, Map<string, number>>();

  /** @param parts of each of `count` attempts, separated by commas */
  add(sum: UnpricedSum, parts: string, count: number): void {
    sum.unpricedAttempts = (sum.unpricedAttempts ?? 0) + count;
    let counts = this.#parts.get(sum);
    if (counts === undefined) this.#parts.set(sum, counts = new Map());
    for (const part of parts.split(', ')) counts.set(part, (counts.get(part) ?? 0) + count);
  }

  write(): void {
    for (const [sum, counts] of this.#parts) {
      sum.unpriced = [...counts].sort(([one, first], [other, second]) => second - first || one.localeCompare(other)).map(([part]) => part);
    }
  }
}
