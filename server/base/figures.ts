import type { PriceUsed } from '../api/receipt.ts';
import { isObject } from './json.ts';

/** More than any model charges, in US dollars for a million tokens. */
export const largestPricePerMTok = 100_000;
/** More than any model charges for one request, in US dollars. */
const largestPricePerRequestUsd = 1_000;
/** More tokens than any model takes or makes at once: for context windows and output limits. */
export const largestTokenLimit = 100_000_000;

/** The value when it is a number from 0 to `largest`; undefined for anything else, so that nothing absurd goes on as a figure. */
export function boundedNumber(value: unknown, largest: number): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= largest ? value : undefined;
}

/** A limit in tokens: a whole number from 1 to `largestTokenLimit`; undefined for anything else. */
export function tokenLimit(value: unknown): number | undefined {
  return Number.isInteger(value) && value !== 0 ? boundedNumber(value, largestTokenLimit) : undefined;
}

const optionalRates = [
  'cacheReadPerMTok', 'cacheWritePerMTok', 'cacheWrite1hPerMTok', 'reasoningPerMTok', 'audioInputPerMTok', 'audioCacheReadPerMTok', 'audioOutputPerMTok', 'imageOutputPerMTok',
] as const;

/**
 * Prices from outside this process: a provider's list, a file, settings. A rate that cannot be one is left out.
 * @returns undefined where the rates of input or output are missing: the others mean nothing without them
 */
export function plausiblePrices(value: unknown): PriceUsed | undefined {
  if (!isObject(value)) return undefined;
  const inputPerMTok = boundedNumber(value.inputPerMTok, largestPricePerMTok);
  const outputPerMTok = boundedNumber(value.outputPerMTok, largestPricePerMTok);
  if (inputPerMTok === undefined || outputPerMTok === undefined) return undefined;
  const prices: PriceUsed = { inputPerMTok, outputPerMTok };
  for (const name of optionalRates) {
    const rate = boundedNumber(value[name], largestPricePerMTok);
    if (rate !== undefined) prices[name] = rate;
  }
  const perRequestUsd = boundedNumber(value.perRequestUsd, largestPricePerRequestUsd);
  if (perRequestUsd !== undefined) prices.perRequestUsd = perRequestUsd;
  return prices;
}
