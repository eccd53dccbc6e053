import type { calcPrice, MatchLogic, ModelPrice } from '@pydantic/genai-prices';
import type { PriceUsed } from '../api/receipt.ts';
import { isBedrockId, withoutBedrockParts } from '../catalog/bedrockNames.ts';

/** The one function of the price library that is used. */
export type CalcPrice = typeof calcPrice;

/** The version that is bundled; a test keeps it equal to the installed one. */
export const priceLibraryVersion = '0.1.8';
/** The day on which that version was published. */
export const priceLibraryDate = '2026-09-23';

/** What the library knows of a model at a moment. */
export interface LibraryPrice {
  /** Lowest first; the last one whose bound the whole prompt exceeds applies to the whole request. */
  tiers: { abovePromptTokens: number; rates: PriceUsed }[];
  /** False when the name merely begins like a known one and may be a newer model. */
  certain: boolean;
  /** The price depends on the date or the hour. */
  changes: boolean;
}

/** Loads the library: half a megabyte, so only when a price is wanted. */
export async function loadPriceLibrary(): Promise<CalcPrice> {
  return (await import('@pydantic/genai-prices')).calcPrice;
}

/**
 * Looks one name up.
 * @param at milliseconds since the epoch
 * @returns undefined when the library has no token price for that name
 */
export function libraryPrice(calc: CalcPrice, pricesId: string, name: string, at: number): LibraryPrice | undefined {
  const found = calc({}, name, { providerId: pricesId, timestamp: new Date(at) });
  if (found === null) return undefined;
  const price = found.model_price;
  if (price['input_mtok'] === undefined || price['output_mtok'] === undefined) return undefined;
  const bounds = new Set<number>([-1]);
  for (const value of Object.values(price)) {
    if (typeof value === 'object') for (const tier of value.tiers) bounds.add(tier.start);
  }
  return {
    tiers: [...bounds].sort((a, b) => a - b).map((bound) => ({ abovePromptTokens: bound, rates: ratesAbove(price, bound) })),
    certain: isCertain(found.model, name),
    changes: Array.isArray(found.model.prices),
  };
}

/**
 * How many tokens a model can hold, by the library.
 * @param at milliseconds since the epoch
 * @returns undefined also when the name merely begins like a known one
 */
export function libraryContextWindow(calc: CalcPrice, pricesId: string, name: string, at: number): number | undefined {
  const found = calc({}, name, { providerId: pricesId, timestamp: new Date(at) });
  if (found === null) return undefined;
  return isCertain(found.model, name) ? found.model.context_window : undefined;
}

function ratesAbove(price: ModelPrice, bound: number): PriceUsed {
  const rate = (key: string): number | undefined => {
    const value = price[key];
    if (value === undefined || typeof value === 'number') return value;
    let chosen = value.base;
    let chosenStart = -1;
    for (const tier of value.tiers) {
      if (tier.start <= bound && tier.start > chosenStart) {
        chosen = tier.price;
        chosenStart = tier.start;
      }
    }
    return chosen;
  };
  const used: PriceUsed = { inputPerMTok: rate('input_mtok') ?? 0, outputPerMTok: rate('output_mtok') ?? 0 };
  const cacheRead = rate('cache_read_mtok');
  const cacheWrite = rate('cache_write_mtok');
  const cacheWrite1h = rate('cache_write_1h_mtok');
  const reasoning = rate('output_reasoning_mtok');
  const perThousandRequests = rate('requests_kcount');
  if (cacheRead !== undefined) used.cacheReadPerMTok = cacheRead;
  if (cacheWrite !== undefined) used.cacheWritePerMTok = cacheWrite;
  if (cacheWrite1h !== undefined) used.cacheWrite1hPerMTok = cacheWrite1h;
  if (reasoning !== undefined) used.reasoningPerMTok = reasoning;
  if (perThousandRequests !== undefined) used.perRequestUsd = perThousandRequests / 1000;
  for (const [key, name] of modalityKeys) {
    const found = rate(key);
    if (found !== undefined) used[name] = found;
  }
  return used;
}

const modalityKeys = [
  ['input_audio_mtok', 'audioInputPerMTok'], ['cache_audio_read_mtok', 'audioCacheReadPerMTok'], ['output_audio_mtok', 'audioOutputPerMTok'], ['output_image_mtok', 'imageOutputPerMTok'],
] as const;

/** What may follow a known name without making it another model: a date, `latest`, `preview`. */
const harmlessTail = /^(?:[-@:](?:latest|preview|exp|\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}))*$/;

/** Whether the entry is the model of that name and not only one whose name begins alike. */
function isCertain({ id, match }: { id: string; match: MatchLogic }, name: string): boolean {
  return sameName(id, name) || matchesPrecisely(match, name.toLowerCase()) || sameAtBedrock(id.toLowerCase(), name.toLowerCase());
}

/** Two ids of Amazon Bedrock with one price: all profiles but the worldwide ones share that of their region, which the library marks with `regional`. */
function sameAtBedrock(id: string, name: string): boolean {
  const placed = id.replace(/^regional\./, '');
  return isBedrockId(name) && isBedrockId(placed) && id.startsWith('global.') === name.startsWith('global.') && withoutBedrockParts(placed) === withoutBedrockParts(name);
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase().replaceAll('.', '-') === other.toLowerCase().replaceAll('.', '-');
}

function matchesPrecisely(match: MatchLogic, name: string): boolean {
  if ('or' in match) return match.or.some((part) => matchesPrecisely(part, name));
  if ('equals' in match) return match.equals.toLowerCase() === name;
  if ('regex' in match) return match.regex.startsWith('^') && match.regex.endsWith('$') && new RegExp(match.regex).test(name);
  if ('starts_with' in match) {
    const prefix = match.starts_with.toLowerCase();
    return name.startsWith(prefix) && harmlessTail.test(name.slice(prefix.length));
  }
  return false;
}
