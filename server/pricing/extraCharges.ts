import type { BilledExtras } from '../api/conversation.ts';
import type { Cost } from '../api/receipt.ts';
import { storedFigure } from './money.ts';

/**
 * What providers charge beside tokens at list price. Data, with its source and date: `D` the vendor's own page, `S` a secondary
 * public page. What is not here cannot be priced: the cost is then a lower bound that names the part.
 */
export interface ToolFee {
  /** Provider id in the price library. */
  readonly pricesId: string;
  /** As the decoders name it. */
  readonly tool: string;
  /** Models it holds for; absent: all. The first fee that fits applies. */
  readonly models?: RegExp;
  readonly microUsd: number;
  /** Each run is charged, or the request that ran the tool at all. */
  readonly per: 'run' | 'request';
  /** A part of the runs is free of charge, up to an allowance that the answer does not tell. */
  readonly allowance?: true;
  readonly source: string;
}

export const toolFees: readonly ToolFee[] = [
  { pricesId: 'anthropic', tool: 'web search', microUsd: 10_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'anthropic', tool: 'web fetch', microUsd: 0, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'web search', microUsd: 10_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'web search preview', models: /^(?:gpt-4o|gpt-4\.1)/, microUsd: 25_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'web search preview', microUsd: 10_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'file search', microUsd: 2500, per: 'run', source: 'S 2026-11' },
  { pricesId: 'google', tool: 'grounding', models: /gemini-(?:[12]\b|[12][.-])/, microUsd: 35_000, per: 'request', allowance: true, source: 'S 2026-10' },
  { pricesId: 'google', tool: 'grounding', models: /gemini-/, microUsd: 14_000, per: 'run', allowance: true, source: 'S 2026-10' },
  { pricesId: 'x-ai', tool: 'web search', microUsd: 5000, per: 'run', source: 'D docs.x.ai pricing, 2026-11' },
  { pricesId: 'x-ai', tool: 'file search', microUsd: 2500, per: 'run', source: 'D docs.x.ai pricing, 2026-11' },
];

/** What the list price of tokens is multiplied with in a service tier. */
export interface TierFactor { readonly pricesId: string; readonly tier: string; readonly models?: RegExp; readonly factor: number; readonly source: string }

export const tierFactors: readonly TierFactor[] = [
  { pricesId: 'openai', tier: 'flex', factor: 0.5, source: 'S 2026-11' },
  { pricesId: 'openai', tier: 'batch', factor: 0.5, source: 'S 2026-11' },
  { pricesId: 'openai', tier: 'priority', models: /^gpt-(?:[6-9]|5(?![\w.-]*-(?:mini|nano)))/, factor: 2, source: 'S 2026-11' },
  { pricesId: 'anthropic', tier: 'batch', factor: 0.5, source: 'S 2026-11' },
];
const listTiers: ReadonlySet<string> = new Set(['default', 'standard', 'auto', 'on_demand', 'ON_DEMAND', 'scale']);

/** Where the extras of a request are priced. */
export interface ExtrasPlace { readonly pricesId: string | undefined; readonly upstreamModel: string }

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

export function extraCharges(extras: BilledExtras, { pricesId, upstreamModel }: ExtrasPlace): ExtraCharges {
  const model = upstreamModel.toLowerCase().replace(/^.*\//, '');
  const unpriced: string[] = [];
  let feeMicroUsd = 0;
  let uncertain = false;
  for (const [tool, runs] of Object.entries(extras.tools ?? {})) {
    const fee = toolFees.find(one => one.pricesId === pricesId && one.tool === tool && one.models?.test(model) !== false);
    if (fee === undefined) unpriced.push(tool);
    else {
      feeMicroUsd += fee.microUsd * (fee.per === 'run' ? runs : 1);
      uncertain ||= fee.allowance === true;
    }
  }
  let factor = 1;
  const { serviceTier, speed, geo } = extras;
  if (serviceTier !== undefined && !listTiers.has(serviceTier)) {
    const found = tierFactors.find(one => one.pricesId === pricesId && one.tier === serviceTier && one.models?.test(model) !== false);
    if (found === undefined) unpriced.push(`service tier ${serviceTier}`);
    else factor = found.factor;
  }
  if (speed !== undefined) unpriced.push(`${speed} mode`);
  if (geo !== undefined) unpriced.push(`inference in ${geo}`);
  if ((extras.audioTokens ?? 0) > 0) unpriced.push('audio tokens');
  if ((extras.imageTokens ?? 0) > 0) unpriced.push('image tokens');
  return { factor, feeMicroUsd, uncertain, unpriced };
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
