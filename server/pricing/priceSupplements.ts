import type { PriceUsed } from '../api/receipt.ts';

/**
 * Prices of models that the price library does not know yet, or knows without a rule that matters. Data only.
 * Compiled 2026-11-20. `D`: the vendor's own page; `S`: a secondary public page (release notes); `P`: the
 * price library itself, with a rule added. US dollars per million tokens.
 */
export interface PriceSupplement {
  /** Provider id in the price library. */
  pricesId: string;
  /** Other providers of the library that charge the same for it. */
  alsoAt?: readonly string[];
  /** Names in lower case with dashes for dots, without a date. */
  models: readonly string[];
  /** Where the figures come from: `D`, `S` or `P`, and of when. */
  source: string;
  /** Oldest first; the last one that has begun applies. */
  periods: readonly PricePeriod[];
}
export interface PricePeriod {
  /** UTC date from which it applies; absent: always. */
  from?: string;
  rates: PriceUsed;
  /** For the whole request once the whole prompt is longer than this. */
  long?: { abovePromptTokens: number; rates: PriceUsed };
  /** Charged inside the peak hours below. */
  peak?: PriceUsed;
}

function rates(input: number, output: number, cacheRead?: number, cacheWrite?: number, cacheWrite1h?: number): PriceUsed {
  return {
    inputPerMTok: input,
    outputPerMTok: output,
    ...(cacheRead === undefined ? {} : { cacheReadPerMTok: cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWritePerMTok: cacheWrite }),
    ...(cacheWrite1h === undefined ? {} : { cacheWrite1hPerMTok: cacheWrite1h }),
  };
}

/** An id of Amazon Bedrock by itself and by the profiles of parts of the world, which cost the same. */
function inRegions(id: string): string[] {
  return ['', 'us-', 'eu-', 'apac-', 'jp-', 'au-', 'ca-', 'in-'].map(profile => profile + id);
}

export const priceSupplements: readonly PriceSupplement[] = [
  {
    pricesId: 'openai', models: ['gpt-6-1-sol'], source: 'S 2026-09-29',
    periods: [{
      rates: rates(2, 10, 0.1, 2.5),
      // Only "twice the input, one and a half times the output" is published for the long tier.
      long: { abovePromptTokens: 272_000, rates: rates(4, 15, 0.2, 5) },
    }],
  },
  {
    pricesId: 'openai', models: ['gpt-6-1-terra'], source: 'S 2026-10-26',
    periods: [{
      rates: rates(1, 5, 0.05, 1.25, 2.5),
      // No price of cache writes is published for the long tier.
      long: { abovePromptTokens: 272_000, rates: rates(2, 7.5, 0.1) },
    }],
  },
  {
    pricesId: 'anthropic', alsoAt: ['google'], models: ['claude-sonnet-5-5'], source: 'D 2026-11',
    periods: [
      { rates: rates(2, 10, 0.2, 2.5, 4) },
      { from: '2026-10-07', rates: rates(2, 10, 0.1, 2.5, 4) },
    ],
  },
  {
    pricesId: 'anthropic', alsoAt: ['google'], models: ['claude-haiku-5-5'], source: 'D 2026-11',
    periods: [{
      rates: rates(0.1, 0.5, 0.01, 0.125, 0.2),
      long: { abovePromptTokens: 100_000, rates: rates(0.5, 2.5, 0.05, 0.625, 1) },
    }],
  },
  // Amazon Bedrock charges Anthropic's list by a worldwide profile, and a tenth more elsewhere, as the library has it for other models.
  {
    pricesId: 'aws', models: ['global-anthropic-claude-sonnet-5-5'], source: 'S 2026-10-07',
    periods: [{ rates: rates(2, 10, 0.1, 2.5, 4) }],
  },
  {
    pricesId: 'aws', models: inRegions('anthropic-claude-sonnet-5-5'), source: 'S 2026-10-07',
    periods: [{ rates: rates(2.2, 11, 0.11, 2.75, 4.4) }],
  },
  {
    pricesId: 'aws', models: ['global-anthropic-claude-haiku-5-5'], source: 'S 2026-10-15',
    periods: [{ rates: rates(0.1, 0.5, 0.01, 0.125, 0.2), long: { abovePromptTokens: 100_000, rates: rates(0.5, 2.5, 0.05, 0.625, 1) } }],
  },
  {
    pricesId: 'aws', models: inRegions('anthropic-claude-haiku-5-5'), source: 'S 2026-10-15',
    periods: [{ rates: rates(0.11, 0.55, 0.011, 0.1375, 0.22), long: { abovePromptTokens: 100_000, rates: rates(0.55, 2.75, 0.055, 0.6875, 1.1) } }],
  },
  // In the library by its profiles only. No price of its cache is published for one region.
  { pricesId: 'aws', models: ['amazon-nova-2-lite-v1:0'], source: 'S 2026-01-10', periods: [{ rates: rates(0.33, 2.75) }] },
  {
    pricesId: 'google', models: ['gemini-4-argon'], source: 'D 2026-11',
    periods: [
      { rates: rates(2, 10, 0.1) },
      { from: '2026-12-01', rates: rates(4, 20, 0.2) },
    ],
  },
  {
    // The old name is served and billed as the new one.
    pricesId: 'deepseek', models: ['deepseek-flash', 'deepseek-v4-flash'], source: 'D 2026-11-15',
    periods: [{ rates: rates(0.15, 0.6, 0.003, 0.15, 0.15), peak: rates(0.3, 1.2, 0.006, 0.3, 0.3) }],
  },
  {
    // In the library, but without the rule that peak hours are those of working days.
    pricesId: 'deepseek', models: ['deepseek-v4-pro'], source: 'D 2026-11-15',
    periods: [{ rates: rates(0.66, 1.98, 0.022, 0.66, 0.66), peak: rates(1.32, 3.96, 0.044, 1.32, 1.32) }],
  },
  {
    // The vendor's tier begins at 200,000 tokens, not above it.
    pricesId: 'x-ai', models: ['grok-4-7'], source: 'S 2026-11',
    periods: [{ rates: rates(2, 6, 0.5), long: { abovePromptTokens: 199_999, rates: rates(4, 12, 1) } }],
  },
  // As a public page quotes docs.z.ai/guides/overview/pricing.
  { pricesId: 'zai', models: ['glm-5-1'], source: 'S 2026-09-29', periods: [{ rates: rates(1.4, 4.4, 0.26) }] },
  { pricesId: 'zai', models: ['glm-5'], source: 'S 2026-09-29', periods: [{ rates: rates(1, 3.2, 0.2) }] },
  { pricesId: 'zai', models: ['glm-4-7', 'glm-4-6', 'glm-4-5'], source: 'S 2026-09-29', periods: [{ rates: rates(0.6, 2.2, 0.11) }] },
  { pricesId: 'zai', models: ['glm-4-5-air'], source: 'S 2026-09-29', periods: [{ rates: rates(0.2, 1.1, 0.03) }] },
  { pricesId: 'zai', models: ['glm-4-7-flashx'], source: 'S 2026-09-29', periods: [{ rates: rates(0.07, 0.4, 0.01) }] },
  { pricesId: 'zai', models: ['glm-5-3-flashx'], source: 'S 2026-09-29', periods: [{ rates: rates(0.37, 1.25, 0.075) }] },
];

/** DeepSeek's peak hours: working days, 09:00-12:00 and 14:00-18:00 in Beijing. Hours are UTC, end exclusive. */
const peakHoursUtc = [[1, 4], [6, 10]] as const;

/**
 * Month and day ranges (`MMDD`, inclusive, Beijing) in which a public holiday of China can fall. The exact days
 * are decreed each year, so a peak price inside them is an estimate.
 */
const possibleHolidays = [
  [101, 103], [117, 228], [403, 407], [430, 506], [528, 628], [907, 1008],
] as const;

/** Whether a moment is priced as peak, and whether that is certain. */
export function deepseekPeak(at: number): { peak: boolean; certain: boolean } {
  const moment = new Date(at);
  const hour = moment.getUTCHours();
  if (!peakHoursUtc.some(([from, to]) => hour >= from && hour < to)) return { peak: false, certain: true };
  // Inside the peak hours the UTC day and the Beijing day are the same.
  const weekday = moment.getUTCDay();
  if (weekday === 0 || weekday === 6) return { peak: false, certain: true };
  const monthDay = (moment.getUTCMonth() + 1) * 100 + moment.getUTCDate();
  return { peak: true, certain: !possibleHolidays.some(([from, to]) => monthDay >= from && monthDay <= to) };
}
