/** How long a prompt stays in the cache of a provider, and from what length on it is kept there. */
export interface CacheRule {
  /** Since the last request that used it, in milliseconds: the shortest that is documented, so that a cache that is taken for warm is. */
  readonly lifetimeMs: number;
  /** The shortest prompt that is kept, in tokens. */
  readonly leastTokens: number;
  /** Every prompt of that length is kept without being asked to, so that the whole prompt of the last answer counts as kept. */
  readonly automatic: boolean;
  /** Where it stands; `assumed` where nothing is documented. */
  readonly source: string;
}

interface RuleFor extends CacheRule {
  /** Ids of providers of the catalog; absent: whoever serves the model. */
  readonly providers?: readonly string[];
  /** Matches the name that the provider knows the model by, in lower case; absent: all of its models. */
  readonly models?: RegExp;
}

const minuteMs = 60_000;
/** What was asked to be kept for an hour (Anthropic, `ttl: "1h"`) is billed apart and lasts so long. */
export const longLifetimeMs = 60 * minuteMs;

/** The first that fits holds. */
const rules: readonly RuleFor[] = [
  { models: /claude/, lifetimeMs: 5 * minuteMs, leastTokens: 1024, automatic: false, source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching' },
  { providers: ['openai'], models: /gpt-5\.(?:[6-9]|\d\d)|gpt-[6-9]/, lifetimeMs: 30 * minuteMs, leastTokens: 1024, automatic: true, source: 'https://developers.openai.com/api/docs/guides/prompt-caching' },
  { providers: ['openai'], lifetimeMs: 5 * minuteMs, leastTokens: 1024, automatic: true, source: 'https://developers.openai.com/docs/guides/prompt-caching' },
  { providers: ['azure'], lifetimeMs: 5 * minuteMs, leastTokens: 1024, automatic: true, source: 'https://learn.microsoft.com/azure/foundry/openai/how-to/prompt-caching' },
  { providers: ['deepseek'], lifetimeMs: 60 * minuteMs, leastTokens: 64, automatic: true, source: 'https://api-docs.deepseek.com/guides/kv_cache' },
  { providers: ['groq'], lifetimeMs: 120 * minuteMs, leastTokens: 1024, automatic: false, source: 'https://console.groq.com/docs/prompt-caching' },
  { providers: ['gemini', 'vertex'], lifetimeMs: 3 * minuteMs, leastTokens: 1024, automatic: false, source: 'https://ai.google.dev/gemini-api/docs/caching (that it is implicit); its lifetime is assumed' },
];

const assumed: CacheRule = { lifetimeMs: 5 * minuteMs, leastTokens: 1024, automatic: false, source: 'assumed' };

/** The shortest prompt that any provider keeps and that is worth a thought: a shorter one is read again for a fraction of a cent. */
export const leastCachedTokens = 1024;

/** @param provider the id of its catalog entry @param upstreamModel the name the provider knows the model by */
export function cacheRule(provider: string, upstreamModel: string): CacheRule {
  const model = upstreamModel.toLowerCase();
  return rules.find(({ providers, models }) => providers?.includes(provider) !== false && models?.test(model) !== false) ?? assumed;
}
