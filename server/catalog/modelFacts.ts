/** What is known of a model, whoever serves it. An absent field is unknown and must exclude nothing. */
export interface ModelFactsEntry {
  /** Prompt and answer together, in tokens. */
  contextWindow?: number;
  maxOutputTokens?: number;
  tools?: boolean;
  images?: boolean;
  thinking?: boolean;
  /** The maker's own list price, for people to read; money is counted from the price library, never from this. */
  pricing?: string;
}

/** What the table says of a model; empty when it is not in it. @param canonical see canonicalModelName */
export function modelFacts(canonical: string): ModelFactsEntry {
  return facts.get(canonical) ?? {};
}

/** Where a model stands in the table, which has the newest of each maker first; undefined when it is not in it. @param canonical see canonicalModelName */
export function knownModelRank(canonical: string): number | undefined {
  const rank = [...facts.keys()].indexOf(canonical);
  return rank < 0 ? undefined : rank;
}

const k = 1000;
const Ki = 1024;

/** Makes one entry for all the names. `list` is US dollars for a million tokens in and out. */
/** When the makers' list prices of this table were read. */
export const makersPricesAsOf = '2026-11';

function entries(names: string, entry: Omit<ModelFactsEntry, 'pricing'>, list?: readonly [number, number]): [string, ModelFactsEntry][] {
  const pricing = list === undefined ? {} : { pricing: `$${list[0]} in / $${list[1]} out per 1M` };
  return names.split(' ').map(name => [name, { ...entry, ...pricing }]);
}

const gpt = { tools: true, images: true } as const;
const reasoningGpt = { ...gpt, thinking: true } as const;
const claude = { tools: true, images: true, thinking: true } as const;
const gemini = { tools: true, images: true, thinking: true } as const;
const textOnly = { tools: true, images: false } as const;

/**
 * Sources: the makers' model pages and the price library, November 2026. Prices that change with the hour
 * (DeepSeek), that are announced to change, or that have no reliable source are left out. Of each maker the newest stands first.
 */
const facts: ReadonlyMap<string, ModelFactsEntry> = new Map([
  ...entries('gpt-6-astra', { contextWindow: 1050 * k, maxOutputTokens: 128 * k, ...reasoningGpt }, [10, 50]),
  ...entries('gpt-6.1-sol', { contextWindow: 1050 * k, maxOutputTokens: 128 * k, ...reasoningGpt }, [2, 10]),
  ...entries('gpt-6.1-terra', { contextWindow: 1050 * k, maxOutputTokens: 128 * k, ...reasoningGpt }, [1, 5]),
  ...entries('gpt-6-sol', { contextWindow: 1050 * k, maxOutputTokens: 128 * k, ...reasoningGpt }, [2, 10]),
  ...entries('gpt-6-luna', { contextWindow: 1050 * k, maxOutputTokens: 128 * k, ...reasoningGpt }, [0.1, 0.5]),
  ...entries('gpt-5.6-sol', { contextWindow: 1050 * k, ...reasoningGpt }, [4, 20]),
  ...entries('gpt-5.6-terra', { contextWindow: 1050 * k, ...reasoningGpt }, [2, 12]),
  ...entries('gpt-5.6-luna', { contextWindow: 1050 * k, ...reasoningGpt }, [0.2, 1.2]),
  ...entries('gpt-5.5', { contextWindow: 1000 * k, ...reasoningGpt }, [5, 30]),
  ...entries('gpt-5.4', { contextWindow: 1050 * k, ...reasoningGpt }, [2.5, 15]),
  ...entries('gpt-5.4-mini', { contextWindow: 400 * k, ...reasoningGpt }, [0.75, 4.5]),
  ...entries('gpt-5.4-nano', { contextWindow: 400 * k, ...reasoningGpt }, [0.2, 1.25]),
  ...entries('gpt-5.3-codex', { contextWindow: 400 * k, ...reasoningGpt }, [1.75, 14]),
  ...entries('gpt-5 gpt-5.1 gpt-5.2 gpt-5-mini gpt-5-nano', { contextWindow: 400 * k, maxOutputTokens: 128 * k, ...reasoningGpt }),
  ...entries('gpt-4.1', { contextWindow: 1_047_576, maxOutputTokens: 32_768, ...gpt, thinking: false }, [2, 8]),
  ...entries('gpt-4.1-mini', { contextWindow: 1_047_576, maxOutputTokens: 32_768, ...gpt, thinking: false }, [0.4, 1.6]),
  ...entries('gpt-4o gpt-4o-mini', { contextWindow: 128 * k, maxOutputTokens: 16_384, ...gpt, thinking: false }),
  ...entries('o3 o4-mini', { contextWindow: 200 * k, maxOutputTokens: 100 * k, ...reasoningGpt }),
  ...entries('gpt-oss-120b gpt-oss-20b', { contextWindow: 128 * Ki, maxOutputTokens: 65_536, ...textOnly, thinking: true }),

  ...entries('claude-fable-5.1', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [10, 50]),
  ...entries('claude-opus-5.5', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [4, 20]),
  ...entries('claude-sonnet-5.5', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [2, 10]),
  ...entries('claude-haiku-5.5', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [0.1, 0.5]),
  ...entries('claude-opus-5', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [5, 25]),
  ...entries('claude-sonnet-5', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [2, 10]),
  ...entries('claude-sonnet-4.6', { contextWindow: 1000 * k, maxOutputTokens: 64 * k, ...claude }, [3, 15]),
  // "128001 > 128000, which is the maximum allowed number of output tokens for claude-opus-4-6": anthropics/claude-code#23923.
  ...entries('claude-opus-4.6 claude-opus-4.7 claude-opus-4.8', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...claude }, [5, 25]),
  // anthropics/claude-code#24451 (Opus 4.5), coolcline/CoolCline#23 (3.7), and the vendor's list of models.
  ...entries('claude-opus-4.5', { contextWindow: 200 * k, maxOutputTokens: 64 * k, ...claude }),
  ...entries('claude-sonnet-4', { contextWindow: 200 * k, maxOutputTokens: 64 * k, ...claude }),
  ...entries('claude-opus-4 claude-opus-4.1', { contextWindow: 200 * k, maxOutputTokens: 32 * k, ...claude }),
  ...entries('claude-3.7-sonnet', { contextWindow: 200 * k, maxOutputTokens: 64 * k, ...claude }),
  ...entries('claude-3.5-haiku claude-3.5-sonnet', { contextWindow: 200 * k, maxOutputTokens: 8192, tools: true, images: true, thinking: false }),
  ...entries('claude-haiku-4.5', { contextWindow: 200 * k, maxOutputTokens: 64 * k, ...claude }, [1, 5]),
  ...entries('claude-sonnet-4.5', { contextWindow: 200 * k, maxOutputTokens: 64 * k, ...claude }, [3, 15]),

  // Argon shares its context window between prompt, thinking and answer; its price doubles in December 2026.
  ...entries('gemini-4-argon', { contextWindow: 1024 * Ki, maxOutputTokens: 65_536, ...gemini }),
  ...entries('gemini-3.8-flash gemini-3.7-flash gemini-3.6-flash', { contextWindow: 1000 * k, maxOutputTokens: 65_536, ...gemini }),
  ...entries('gemini-3.5-flash', { contextWindow: 1000 * k, ...gemini }, [1.5, 9]),
  ...entries('gemini-3.5-flash-lite', { contextWindow: 1000 * k, ...gemini }, [0.3, 2.5]),
  ...entries('gemini-3.1-pro-preview', { contextWindow: 1000 * k, ...gemini }, [2, 12]),
  ...entries('gemini-3.1-flash-lite', { contextWindow: 1000 * k, ...gemini }, [0.25, 1.5]),
  ...entries('gemini-3-pro-preview', { contextWindow: 1024 * Ki, maxOutputTokens: 65_536, ...gemini }),
  // stackblitz-labs/bolt.diy#955.
  ...entries('gemini-2.0-flash', { contextWindow: 1024 * Ki, maxOutputTokens: 8192, tools: true, images: true, thinking: false }),
  ...entries('gemini-2.5-pro', { contextWindow: 1024 * Ki, maxOutputTokens: 65_536, ...gemini }, [1.25, 10]),
  ...entries('gemini-2.5-flash', { contextWindow: 1024 * Ki, maxOutputTokens: 65_536, ...gemini }, [0.3, 2.5]),
  ...entries('gemini-2.5-flash-lite', { contextWindow: 1024 * Ki, maxOutputTokens: 65_536, ...gemini }, [0.1, 0.4]),

  ...entries('deepseek-flash deepseek-v4-flash', { contextWindow: 1000 * k, maxOutputTokens: 384 * k, tools: true, images: true, thinking: true }),
  ...entries('deepseek-v4-pro', { contextWindow: 1000 * k, maxOutputTokens: 384 * k, ...textOnly, thinking: true }),
  ...entries('deepseek-v3.2', { contextWindow: 128 * k, ...textOnly, thinking: true }),

  ...entries('kimi-k3', { contextWindow: 1_048_576, maxOutputTokens: 131_072, tools: true, thinking: true }, [3, 15]),
  ...entries('kimi-k2.7-code', { contextWindow: 256 * Ki, tools: true, thinking: true }, [0.95, 4]),
  ...entries('kimi-k2.7-code-highspeed', { contextWindow: 256 * Ki, tools: true, thinking: true }, [1.9, 8]),
  ...entries('kimi-k2.6', { contextWindow: 256 * Ki, tools: true, thinking: true }, [0.95, 4]),
  ...entries('kimi-k2.5', { contextWindow: 256 * Ki, tools: true, thinking: true }, [0.6, 3]),

  // As public pages quote docs.z.ai and platform.minimax.io, September 2026.
  ...entries('glm-5.3 glm-5.2', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, ...textOnly, thinking: true }, [1.4, 4.4]),
  ...entries('glm-5.3-flash', { contextWindow: 1000 * k, maxOutputTokens: 128 * k, tools: true, images: true, thinking: true }),
  ...entries('glm-5.1', { contextWindow: 200 * k, maxOutputTokens: 128 * k, ...textOnly, thinking: true }, [1.4, 4.4]),
  ...entries('glm-5', { contextWindow: 200 * k, maxOutputTokens: 128 * k, ...textOnly, thinking: true }, [1, 3.2]),
  ...entries('glm-4.7 glm-4.6', { contextWindow: 200 * k, maxOutputTokens: 128 * k, ...textOnly, thinking: true }, [0.6, 2.2]),
  ...entries('glm-4.5', { contextWindow: 128 * k, maxOutputTokens: 96 * k, ...textOnly, thinking: true }, [0.6, 2.2]),
  ...entries('glm-4.5-air', { contextWindow: 128 * k, maxOutputTokens: 96 * k, ...textOnly, thinking: true }, [0.2, 1.1]),
  // anomalyco/opencode#40770 and the model's page; anomalyco/models.dev#2090.
  ...entries('qwen3.8-max', { contextWindow: 1000 * k, maxOutputTokens: 131_072, tools: true, thinking: true }),
  ...entries('qwen3.7-plus', { maxOutputTokens: 65_536, tools: true, thinking: true }),
  ...entries('minimax-m3', { contextWindow: 1000 * k, maxOutputTokens: 524_288, tools: true, images: true, thinking: true }, [0.3, 1.2]),
  ...entries('minimax-m2.7 minimax-m2.5 minimax-m2.1', { contextWindow: 204_800, ...textOnly, thinking: true }, [0.3, 1.2]),
  ...entries('minimax-m2.7-highspeed minimax-m2.5-highspeed minimax-m2.1-highspeed', { contextWindow: 204_800, ...textOnly, thinking: true }, [0.6, 2.4]),

  ...entries('mistral-medium-3.5 mistral-medium-latest', { contextWindow: 256 * Ki, tools: true }, [1.5, 7.5]),
  ...entries('mistral-large-2512', { contextWindow: 256 * Ki, tools: true }, [0.5, 1.5]),
  ...entries('mistral-small-2603', { contextWindow: 256 * Ki, tools: true }, [0.15, 0.6]),
  ...entries('codestral-2508', { contextWindow: 256 * k, images: false }, [0.3, 0.9]),
  ...entries('devstral-2512', { contextWindow: 256 * Ki, tools: true }, [0.4, 2]),

  ...entries('llama-3.3-70b-versatile', { ...textOnly, thinking: false }, [0.59, 0.79]),
  ...entries('grok-4.7 grok-4.6', { contextWindow: 500 * k, tools: true, thinking: true }, [2, 6]),
  ...entries('grok-4.3 grok-4.20', { contextWindow: 1000 * k, tools: true }, [1.25, 2.5]),
  ...entries('grok-build-0.1', { contextWindow: 256 * k, tools: true }, [1, 2]),
]);
