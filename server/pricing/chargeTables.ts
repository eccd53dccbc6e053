/**
 * What providers charge beside tokens at list price. Data, with its source and date: `D` the vendor's own page, `S` a secondary
 * public page, `P` the price library. What is not here cannot be priced: the cost is then a lower bound that names the part.
 */
interface ChargeRule {
  /** Provider id in the price library. */
  readonly pricesId: string;
  /** Models it holds for, in lower case without a vendor's prefix; absent: all. The first rule that fits applies. */
  readonly models?: RegExp;
  readonly source: string;
}

export interface ToolFee extends ChargeRule {
  /** As the decoders name it. */
  readonly tool: string;
  readonly microUsd: number;
  /** Each run is charged, or the request that ran the tool at all. */
  readonly per: 'run' | 'request';
  /** A part of the runs is free of charge, up to an allowance that the answer does not tell. */
  readonly allowance?: true;
  /** The least that a run costs: what more it costs, or how often it ran, the answer does not tell. */
  readonly least?: true;
}

export const toolFees: readonly ToolFee[] = [
  { pricesId: 'anthropic', tool: 'web search', microUsd: 10_000, per: 'run', source: 'D platform.claude.com pricing, 2026-11' },
  { pricesId: 'anthropic', tool: 'web fetch', microUsd: 0, per: 'run', source: 'D platform.claude.com pricing, 2026-11' },
  { pricesId: 'openai', tool: 'web search', microUsd: 10_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'web search preview', models: /^(?:gpt-4o|gpt-4\.1)/, microUsd: 25_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'web search preview', microUsd: 10_000, per: 'run', source: 'S 2026-11' },
  { pricesId: 'openai', tool: 'file search', microUsd: 2500, per: 'run', source: 'S 2026-11' },
  { pricesId: 'azure', tool: 'web search', microUsd: 10_000, per: 'run', source: 'P 0.1.8' },
  { pricesId: 'azure', tool: 'file search', microUsd: 2500, per: 'run', source: 'P 0.1.8' },
  { pricesId: 'google', tool: 'grounding', models: /gemini-(?:[12]\b|[12][.-])/, microUsd: 35_000, per: 'request', allowance: true, source: 'S 2026-10' },
  { pricesId: 'google', tool: 'grounding', models: /gemini-/, microUsd: 14_000, per: 'run', allowance: true, source: 'S 2026-10' },
  { pricesId: 'x-ai', tool: 'web search', microUsd: 5000, per: 'run', source: 'D docs.x.ai pricing, 2026-11' },
  { pricesId: 'x-ai', tool: 'x search', microUsd: 5000, per: 'run', source: 'D docs.x.ai pricing, 2026-11' },
  { pricesId: 'x-ai', tool: 'file search', microUsd: 2500, per: 'run', source: 'D docs.x.ai pricing, 2026-11' },
  { pricesId: 'moonshotai', tool: 'web search', microUsd: 5000, per: 'run', source: 'D platform.kimi.ai pricing/tools, 2026-11' },
  // A basic search is $5 for 1,000 and an advanced one $8; pages that a search opens are $1 for 1,000. Code and browsers are charged by the hour.
  { pricesId: 'groq', tool: 'web search', microUsd: 5000, per: 'run', least: true, source: 'S 2025-11-12, groq.com/pricing as a public relay quotes it' },
  { pricesId: 'groq', tool: 'browser search', microUsd: 5000, per: 'run', least: true, source: 'S 2025-11-12, groq.com/pricing as a public relay quotes it' },
  { pricesId: 'groq', tool: 'visit website', microUsd: 1000, per: 'run', least: true, source: 'S 2025-11-12, groq.com/pricing as a public relay quotes it' },
];

/** Models of Chat that search for each request, without a tool and without saying so in their usage. */
export const searchingModels: readonly (ChargeRule & { readonly models: RegExp; readonly microUsd: number })[] = [
  { pricesId: 'openai', models: /^gpt-4o.*-search-preview/, microUsd: 25_000, source: 'S 2026-11' },
  { pricesId: 'openai', models: /^gpt-[5-9].*-search-api/, microUsd: 10_000, source: 'S 2026-11' },
];

/** What the list price of tokens is multiplied with. */
export interface PriceFactor extends ChargeRule {
  readonly factor: number;
  /** It is not published for prompts of the long-context tier: those cannot be priced. */
  readonly shortOnly?: true;
  /** It is not published for cached tokens: they are multiplied, too, and the cost is a lower bound where there are any. */
  readonly freshOnly?: true;
  /** The least of a range that is published. */
  readonly least?: true;
}

export interface TierFactor extends PriceFactor {
  /** As answers name it. */
  readonly tiers: readonly string[];
}

/** OpenAI renamed priority to fast on 2026-07-30; answers may say either. */
const priority = ['priority', 'fast'] as const;
const openAiPriority = 'D openai.com/api-fast-mode, 2026-11';

export const tierFactors: readonly TierFactor[] = [
  { pricesId: 'openai', tiers: ['flex', 'batch'], factor: 0.5, source: 'S 2026-11' },
  { pricesId: 'openai', tiers: priority, models: /^gpt-5\.5/, factor: 2.5, shortOnly: true, source: openAiPriority },
  { pricesId: 'openai', tiers: priority, models: /^gpt-5\.4/, factor: 2, shortOnly: true, source: openAiPriority },
  { pricesId: 'openai', tiers: priority, models: /^gpt-5-mini/, factor: 1.8, source: openAiPriority },
  { pricesId: 'openai', tiers: priority, models: /^gpt-4\.1(?:-mini)?(?:-\d|$)/, factor: 1.75, source: openAiPriority },
  { pricesId: 'openai', tiers: priority, models: /^gpt-(?:[6-9]|5(?![\w.-]*-(?:mini|nano)))/, factor: 2, source: openAiPriority },
  { pricesId: 'anthropic', tiers: ['batch'], factor: 0.5, source: 'D platform.claude.com pricing, 2026-11' },
  // Vertex AI names the tier as a type of traffic. No price of cached tokens is published for them all.
  { pricesId: 'google', tiers: ['flex', 'batch', 'ON_DEMAND_FLEX'], factor: 0.5, freshOnly: true, source: 'D ai.google.dev optimization and docs.cloud.google.com flex-paygo, 2026-11' },
  { pricesId: 'google', tiers: ['priority'], models: /^gemini-(?:4|3[.-]7)/, factor: 1.8, freshOnly: true, source: 'S 2026-11, ai.google.dev pricing as public price lists quote it' },
  { pricesId: 'google', tiers: ['priority'], models: /^gemini-/, factor: 1.75, least: true, source: 'D ai.google.dev optimization, "75% to 100% more than standard", 2026-11' },
  // Groq's flex is charged like on demand; it only fails where there is no capacity.
  { pricesId: 'groq', tiers: ['flex'], factor: 1, source: 'S 2026-11' },
];

/** Names of tiers that are charged at list price. */
export const listTiers: ReadonlySet<string> = new Set(['default', 'standard', 'auto', 'on_demand', 'ON_DEMAND', 'scale']);

/** Speeds that an answer names. Cached tokens are multiplied as the others. */
export const speedFactors: readonly (PriceFactor & { readonly speed: string })[] = [
  { pricesId: 'anthropic', speed: 'fast', models: /^claude-opus-5(?:-\d{8})?$/, factor: 2, source: 'S openrouter.ai, 2026-07-24' },
  { pricesId: 'anthropic', speed: 'fast', models: /^claude-opus-4[.-]8/, factor: 2, source: 'S 2026-11' },
  { pricesId: 'anthropic', speed: 'fast', models: /^claude-opus-4[.-][67]/, factor: 6, source: 'S 2026-07' },
];

/** Places that an answer names. */
export const geoFactors: readonly (PriceFactor & { readonly geo: string })[] = [
  { pricesId: 'anthropic', geo: 'us', models: /^claude-(?:opus|sonnet|haiku|fable|mythos)-(?:4[.-][6-9]|[5-9])(?:\D|$)/, factor: 1.1, source: 'D platform.claude.com data-residency, 2026-11' },
];

/** Places that the address of an endpoint stands for. */
export interface PlaceFactor extends PriceFactor {
  /** Matches the host of the base URL. */
  readonly host: RegExp;
}

const vertexRegions = /^(?:[a-z]+-[a-z]+\d+-aiplatform|aiplatform\.[a-z]{2}\.rep)\.googleapis\.com$/;

export const placeFactors: readonly PlaceFactor[] = [
  // For models released since 2026-03-05, the day of GPT-5.4.
  { pricesId: 'openai', host: /^[a-z]{2}\.api\.openai\.com$/, models: /^gpt-(?:5\.[4-9]|[6-9])/, factor: 1.1, source: 'D developers.openai.com data-residency, 2026-11' },
  { pricesId: 'x-ai', host: /^us\.api\.x\.ai$/, models: /^grok-4[.-][67]/, factor: 1.1, source: 'D docs.x.ai pricing, 2026-11' },
  { pricesId: 'together', host: /^(?:us|ca)-api\.together\.(?:ai|xyz)$/, factor: 1.25, source: 'D docs.together.ai geo-specific-inference, 2026-11' },
  // One region, or a group of regions: Claude since Sonnet 4.5, Haiku 4.5 and Opus 4.5, and Gemini since 3.1.
  { pricesId: 'google', host: vertexRegions, models: /^gemini-(?:3[.-]\d|[4-9])/, factor: 1.1, source: 'S 2026-08-19, BerriAI/litellm#37543: since July 2026' },
  { pricesId: 'google', host: vertexRegions, models: /^claude-(?:opus|sonnet|haiku|fable|mythos)-(?:4[.-][5-9]|[5-9])(?:\D|$)/, factor: 1.1, source: 'S 2026-11' },
];

/** US dollars per million tokens of sound and pictures, where the price library has none. */
export interface ModalityRates extends ChargeRule {
  readonly models: RegExp;
  readonly audioInputPerMTok?: number;
  readonly audioOutputPerMTok?: number;
}

export const modalityRates: readonly ModalityRates[] = [
  { pricesId: 'openai', models: /^gpt-4o-mini-audio-preview/, audioInputPerMTok: 10, audioOutputPerMTok: 20, source: 'S 2026-11' },
  { pricesId: 'openai', models: /^gpt-4o-audio-preview(?:-2024-12-17|-2025-06-03)?$/, audioInputPerMTok: 40, audioOutputPerMTok: 80, source: 'S 2026-11' },
];

/** The first rule that holds for a model. @param model in lower case, without a vendor's prefix */
export function ruleFor<Rule extends ChargeRule>(rules: readonly Rule[], pricesId: string | undefined, model: string, fits?: (rule: Rule) => boolean): Rule | undefined {
  return rules.find(rule => rule.pricesId === pricesId && rule.models?.test(model) !== false && fits?.(rule) !== false);
}

/** A model's name as the rules see it. */
export function ruleName(upstreamModel: string): string {
  return upstreamModel.toLowerCase().replace(/^.*\//, '').replace(/@/, '-');
}

/** What list prices are multiplied with at an address; 1 where nothing is known to be. */
export function placeFactor(pricesId: string | undefined, baseUrl: string, upstreamModel: string): number {
  if (pricesId === undefined) return 1;
  const host = hostOf(baseUrl);
  return host === undefined ? 1 : ruleFor(placeFactors, pricesId, ruleName(upstreamModel), rule => rule.host.test(host))?.factor ?? 1;
}

function hostOf(baseUrl: string): string | undefined {
  return URL.canParse(baseUrl) ? new URL(baseUrl).hostname.toLowerCase() : undefined;
}
