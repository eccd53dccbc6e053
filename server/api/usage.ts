import type { TokenUsage } from './conversation.ts';

/** A bucket that is missing here does not compile. */
const buckets: Readonly<Record<keyof TokenUsage, true>> = {
  inputTokens: true, cacheReadTokens: true, cacheWriteTokens: true, cacheWrite1hTokens: true, outputTokens: true, reasoningTokens: true, reportedCostMicroUsd: true,
};

/** All buckets of usage. */
export const usageBuckets = Object.keys(buckets) as readonly (keyof TokenUsage)[];
/** The buckets that hold tokens. */
export const tokenBuckets: readonly (keyof TokenUsage)[] = usageBuckets.filter(bucket => bucket !== 'reportedCostMicroUsd');

/** All tokens of the prompt, cached or not; undefined when no bucket of it is known. */
export function promptTokens({ inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens }: TokenUsage): number | undefined {
  if (inputTokens === undefined && cacheReadTokens === undefined && cacheWriteTokens === undefined && cacheWrite1hTokens === undefined) return undefined;
  return (inputTokens ?? 0) + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0) + (cacheWrite1hTokens ?? 0);
}

/** Whether any bucket is known. */
export function hasFigures(usage: TokenUsage): boolean {
  for (const bucket of usageBuckets) if (usage[bucket] !== undefined) return true;
  return false;
}
