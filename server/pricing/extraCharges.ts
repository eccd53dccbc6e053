import type { BilledExtras } from '../api/conversation.ts';
import type { Cost, PriceUsed } from '../api/receipt.ts';
import { geoFactors, listTiers, modalityRates, ruleFor, ruleName, searchingModels, speedFactors, tierFactors, toolFees, type PriceFactor } from './chargeTables.ts';
import { storedFigure } from './money.ts';

/** Where the extras of a request are priced. */
export interface ExtrasPlace {
  readonly pricesId: string | undefined;
  readonly upstreamModel: string;
  /** The prompt is charged at a price for long contexts. */
  readonly isLong?: boolean;
  /** Some of the prompt was read from a cache or written to it. */
  readonly usesCache?: boolean;
  /** The rates of the tokens, before factors; absent: sound and pictures have no price. */
  readonly rates?: PriceUsed | undefined;
}

/** What extras mean for the price of the tokens and for the sum. */
export interface ExtraCharges {
  /** What the tokens' list price is multiplied with. */
  readonly factor: number;
  readonly feeMicroUsd: number;
  /** A fee may be covered by an allowance that the answer does not tell. */
  readonly uncertain: boolean;
  /** Parts of the bill that cannot be priced, in words. */
  readonly unpriced: readonly string[];
}

export function extraCharges(extras: BilledExtras, { pricesId, upstreamModel, isLong, usesCache, rates }: ExtrasPlace): ExtraCharges {
  const model = ruleName(upstreamModel);
  const unpriced: string[] = [];
  let feeMicroUsd = 0;
  let uncertain = false;
  for (const [tool, runs] of Object.entries(extras.tools ?? {})) {
    const fee = ruleFor(toolFees, pricesId, model, one => one.tool === tool);
    if (fee === undefined || fee.least === true) unpriced.push(tool);
    if (fee !== undefined) {
      feeMicroUsd += fee.microUsd * (fee.per === 'run' ? runs : 1);
      uncertain ||= fee.allowance === true;
    }
  }
  let factor = 1;
  const apply = (found: PriceFactor | undefined, part: string): void => {
    if (found === undefined || (found.shortOnly === true && isLong === true)) unpriced.push(part);
    else {
      factor *= found.factor;
      if (found.least === true) unpriced.push(part);
      else if (found.freshOnly === true && usesCache === true) unpriced.push(`cached tokens of ${part}`);
    }
  };
  const { serviceTier, speed, geo } = extras;
  if (serviceTier !== undefined && !listTiers.has(serviceTier)) apply(ruleFor(tierFactors, pricesId, model, one => one.tiers.includes(serviceTier)), `service tier ${serviceTier}`);
  if (speed !== undefined) apply(ruleFor(speedFactors, pricesId, model, one => one.speed === speed), `${speed} mode`);
  if (geo !== undefined) apply(ruleFor(geoFactors, pricesId, model, one => one.geo === geo), `inference in ${geo}`);
  for (const part of unpricedModalities(extras, rates)) unpriced.push(part);
  return { factor, feeMicroUsd, uncertain, unpriced };
}

/** What a model charges for each request because it always runs a tool; 0 for almost all. */
export function requestFee(pricesId: string | undefined, upstreamModel: string): number {
  return upstreamModel.includes('search') ? ruleFor(searchingModels, pricesId, ruleName(upstreamModel))?.microUsd ?? 0 : 0;
}

/** Rates with those of sound and pictures from our table, where the list has none. */
export function withModalityRates(rates: PriceUsed, pricesId: string | undefined, upstreamModel: string): PriceUsed {
  const found = ruleFor(modalityRates, pricesId, ruleName(upstreamModel));
  if (found === undefined || rates.audioInputPerMTok !== undefined) return rates;
  return { ...rates, audioInputPerMTok: found.audioInputPerMTok, audioOutputPerMTok: found.audioOutputPerMTok };
}

function unpricedModalities(extras: BilledExtras, rates: PriceUsed | undefined): string[] {
  const parts: string[] = [];
  const missing = (count: number | undefined, rate: number | undefined): boolean => count !== undefined && count > 0 && rate === undefined;
  if (missing(extras.audioInputTokens, rates?.audioInputPerMTok) || missing(extras.audioCacheReadTokens, rates?.audioCacheReadPerMTok)
    || missing(extras.audioOutputTokens, rates?.audioOutputPerMTok)) parts.push('audio tokens');
  if (missing(extras.imageOutputTokens, rates?.imageOutputPerMTok)) parts.push('image tokens');
  if ((extras.videoOutputTokens ?? 0) > 0) parts.push('video tokens');
  return parts;
}

/** A cost of tokens with the other charges added. What cannot be priced makes it a lower bound that names the part. */
export function withExtraCharges(cost: Cost, { feeMicroUsd, uncertain, unpriced }: ExtraCharges): Cost {
  if (cost.microUsd === undefined) return cost;
  const microUsd = storedFigure(cost.microUsd + feeMicroUsd);
  if (microUsd === null) return { certainty: 'unknown' };
  const sum: Cost = { ...cost, microUsd, certainty: uncertain || unpriced.length > 0 ? 'estimated' : cost.certainty };
  if (unpriced.length > 0) sum.unpriced = unpriced;
  return sum;
}
