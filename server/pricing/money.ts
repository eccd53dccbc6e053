import type { BilledExtras, TokenUsage } from '../api/conversation.ts';
import type { PriceUsed } from '../api/receipt.ts';
import { tokenBuckets } from '../api/usage.ts';
import { plausiblePrices } from '../base/figures.ts';

/** Rates are kept as whole billionths of a micro-dollar per token, so that no price in use is rounded. */
const scale = 1_000_000_000n;
const scaleNumber = 1_000_000_000;

/**
 * The largest figure the ledger keeps, in tokens or micro-dollars (10 million US dollars). What is beyond it is some
 * provider's mistake, and stays unknown; below it, sums of years are still exact whole numbers.
 */
export const largestFigure = 10_000_000_000_000;

/** A figure as the ledger keeps it: whole and between 0 and the largest one; null for what is unknown or impossible. */
export function storedFigure(value: number | undefined): number | null {
  if (value === undefined) return null;
  const rounded = Math.round(value);
  return rounded >= 0 && rounded <= largestFigure ? rounded : null;
}

/** Rates made ready for whole-number arithmetic. Immutable; one object serves every attempt it prices. */
export interface PriceCard {
  /** The same rates in dollars, as a receipt shows them. */
  readonly used: PriceUsed;
  readonly input: bigint;
  readonly output: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly cacheWrite1h: bigint;
  readonly reasoning: bigint | undefined;
  /** Scaled micro-dollars. */
  readonly perRequest: bigint;
  /** What a token of sound or of a picture costs more than one of text; absent where no such price is known. */
  readonly audioInputMore: bigint | undefined;
  readonly audioCacheReadMore: bigint | undefined;
  readonly audioOutputMore: bigint | undefined;
  readonly imageOutputMore: bigint | undefined;
}

/** US dollars per million tokens are micro-dollars per token. */
function scaled(rate: number): bigint {
  return BigInt(Math.round(rate * scaleNumber));
}

/**
 * A price card. A cache bucket without a rate of its own falls back: 1 hour write, short write, input.
 * @returns undefined where a rate of input or output is none that can be charged; other such rates count as absent
 */
export function priceCard(prices: PriceUsed): PriceCard | undefined {
  const used = plausiblePrices(prices);
  if (used === undefined) return undefined;
  const input = scaled(used.inputPerMTok);
  const output = scaled(used.outputPerMTok);
  const cacheRead = used.cacheReadPerMTok === undefined ? input : scaled(used.cacheReadPerMTok);
  const cacheWrite = used.cacheWritePerMTok === undefined ? input : scaled(used.cacheWritePerMTok);
  const more = (rate: number | undefined, text: bigint): bigint | undefined => (rate === undefined ? undefined : scaled(rate) - text);
  return {
    used,
    input,
    output,
    cacheRead,
    cacheWrite,
    cacheWrite1h: used.cacheWrite1hPerMTok === undefined ? cacheWrite : scaled(used.cacheWrite1hPerMTok),
    reasoning: used.reasoningPerMTok === undefined ? undefined : scaled(used.reasoningPerMTok),
    perRequest: scaled((used.perRequestUsd ?? 0) * 1_000_000),
    audioInputMore: more(used.audioInputPerMTok, input),
    audioCacheReadMore: more(used.audioCacheReadPerMTok, cacheRead),
    audioOutputMore: more(used.audioOutputPerMTok, output),
    imageOutputMore: more(used.imageOutputPerMTok, output),
  };
}

/** A count as it may be charged: whole, not negative; 0 when unknown. */
export function tokenCount(value: number | undefined): number {
  return storedFigure(value) ?? 0;
}

/** Whether the ledger can keep each reported count: other counts have no cost. */
export function isChargeable(usage: TokenUsage): boolean {
  for (const bucket of tokenBuckets) {
    const count = usage[bucket];
    if (count !== undefined && storedFigure(count) === null) return false;
  }
  return true;
}

/**
 * Exact cost in micro-dollars, rounded half up once at the end. Unknown buckets count as none.
 * @param extras which of the tokens are of sound or pictures
 * @returns undefined when the figures make no believable sum
 */
export function costMicroUsd(usage: TokenUsage, card: PriceCard, extras?: BilledExtras): number | undefined {
  const output = tokenCount(usage.outputTokens);
  const reasoning = card.reasoning === undefined ? 0 : Math.min(output, tokenCount(usage.reasoningTokens));
  let sum = card.perRequest
    + BigInt(tokenCount(usage.inputTokens)) * card.input
    + BigInt(output - reasoning) * card.output;
  const cacheRead = tokenCount(usage.cacheReadTokens);
  const cacheWrite = tokenCount(usage.cacheWriteTokens);
  const cacheWrite1h = tokenCount(usage.cacheWrite1hTokens);
  if (cacheRead > 0) sum += BigInt(cacheRead) * card.cacheRead;
  if (cacheWrite > 0) sum += BigInt(cacheWrite) * card.cacheWrite;
  if (cacheWrite1h > 0) sum += BigInt(cacheWrite1h) * card.cacheWrite1h;
  if (reasoning > 0 && card.reasoning !== undefined) sum += BigInt(reasoning) * card.reasoning;
  if (extras !== undefined) sum += modalityMore(usage, card, extras);
  return sum < 0n ? undefined : storedFigure(Number((sum * 2n + scale) / (scale * 2n))) ?? undefined;
}

/** What sound and pictures cost more than the same tokens of text. A part is never more than its whole. */
function modalityMore(usage: TokenUsage, card: PriceCard, extras: BilledExtras): bigint {
  const more = (count: number | undefined, whole: number | undefined, rate: bigint | undefined): bigint =>
    (count === undefined || rate === undefined ? 0n : BigInt(Math.min(tokenCount(count), tokenCount(whole))) * rate);
  return more(extras.audioInputTokens, usage.inputTokens, card.audioInputMore)
    + more(extras.audioCacheReadTokens, usage.cacheReadTokens, card.audioCacheReadMore)
    + more(extras.audioOutputTokens, usage.outputTokens, card.audioOutputMore)
    + more(extras.imageOutputTokens, usage.outputTokens, card.imageOutputMore);
}

/** Every bucket that was used has a rate of its own, so that nothing was charged by convention. */
export function ratesCover(usage: TokenUsage, used: PriceUsed): boolean {
  return (used.cacheReadPerMTok !== undefined || tokenCount(usage.cacheReadTokens) === 0)
    && (used.cacheWritePerMTok !== undefined || tokenCount(usage.cacheWriteTokens) === 0)
    && (used.cacheWrite1hPerMTok !== undefined || tokenCount(usage.cacheWrite1hTokens) === 0)
    && (used.reasoningPerMTok === undefined || usage.reasoningTokens !== undefined || tokenCount(usage.outputTokens) === 0);
}
