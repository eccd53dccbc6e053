import type { TokenUsage } from '../../api/conversation.ts';
import { isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Dialect } from '../codec.ts';
import { promptTokens } from '../../api/usage.ts';
import { cacheWriteTokens } from '../events.ts';
import { exceedsWhole, isAbsurd, missesTotal, plausibleCostMicroUsd, tokenCountOf } from '../usageFigures.ts';

const noDetails: JsonObject = {};

/**
 * Usage of the chat family as disjoint buckets. Prompt counts include what was cached, under whichever of the
 * names OpenAI, DeepSeek and Kimi use for it; a provider whose cached count exceeds its prompt count has
 * evidently excluded it (xAI). Figures that are no token counts are treated as absent.
 */
export function decodeChatUsage(usage: JsonObject, dialect: Dialect): TokenUsage {
  const promptDetails = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : noDetails;
  const completionDetails = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : noDetails;
  const prompt = tokenCountOf(usage.prompt_tokens);
  const cacheRead = tokenCountOf(promptDetails.cached_tokens) ?? tokenCountOf(usage.prompt_cache_hit_tokens) ?? tokenCountOf(usage.cached_tokens);
  const cacheWrite = tokenCountOf(promptDetails.cache_write_tokens);
  const completion = tokenCountOf(usage.completion_tokens);
  const reasoning = tokenCountOf(completionDetails.reasoning_tokens) ?? tokenCountOf(usage.reasoning_tokens);
  const output = completion === undefined || dialect.reasoningBesideOutput !== true ? completion : completion + (reasoning ?? 0);
  return {
    inputTokens: freshTokens(prompt, cacheRead, cacheWrite) ?? tokenCountOf(usage.prompt_cache_miss_tokens),
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    outputTokens: output,
    reasoningTokens: reasoning === undefined || output === undefined ? reasoning : Math.min(reasoning, output),
    reportedCostMicroUsd: reportedCost(usage),
  };
}

/** Whether the figures cannot all be true; see usageFigures.ts. */
export function contradictsChat(usage: JsonObject, dialect: Dialect): boolean {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total, cached_tokens: cachedBeside, reasoning_tokens: reasoningBeside } = usage;
  const { prompt_cache_hit_tokens: hit, prompt_cache_miss_tokens: miss } = usage;
  const completionDetails = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : noDetails;
  const promptDetails = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : noDetails;
  const { cached_tokens: cached, cache_write_tokens: written } = promptDetails;
  const reasoning = completionDetails.reasoning_tokens ?? reasoningBeside;
  const beside = dialect.reasoningBesideOutput === true;
  return isAbsurd(prompt) || isAbsurd(completion) || isAbsurd(total) || isAbsurd(hit) || isAbsurd(miss) || isAbsurd(cachedBeside)
    || isAbsurd(reasoningBeside) || isAbsurd(cached) || isAbsurd(written) || isAbsurd(completionDetails.reasoning_tokens)
    || exceedsWhole(prompt, cached, written) || exceedsWhole(prompt, hit, miss) || exceedsWhole(prompt, cachedBeside)
    || (!beside && exceedsWhole(completion, reasoning))
    || missesTotal(total, prompt, completion, undefined, beside ? reasoning : undefined);
}

function freshTokens(prompt: number | undefined, cacheRead = 0, cacheWrite = 0): number | undefined {
  if (prompt === undefined) return undefined;
  const cached = cacheRead + cacheWrite;
  return cacheRead > prompt ? prompt : Math.max(0, prompt - cached);
}

/** xAI counts in ticks, of which 10^10 make a US dollar (docs.x.ai, cost tracking). */
const ticksPerMicroUsd = 10_000;

/**
 * The answer's cost as the provider reports it, in micro-dollars: OpenRouter's `cost` in US dollars (with
 * the user's own key at the provider, that provider's bill comes on top), Perplexity's `cost.total_cost`, or xAI's `cost_in_usd_ticks`.
 */
export function reportedCost(usage: JsonObject): number | undefined {
  const { cost_in_usd_ticks: ticks } = usage;
  const cost = isObject(usage.cost) ? usage.cost.total_cost ?? null : usage.cost;
  if (cost === undefined) return typeof ticks === 'number' ? plausibleCostMicroUsd(ticks / ticksPerMicroUsd) : undefined;
  if (typeof cost !== 'number' || cost < 0) return undefined;
  const details = isObject(usage.cost_details) ? usage.cost_details : {};
  const upstream = usage.is_byok === true ? details.upstream_inference_cost ?? 0 : 0;
  // Nothing at OpenRouter, and no word on the other bill.
  if (usage.is_byok === true && cost === 0 && upstream === 0) return undefined;
  // A part that cannot be true makes the cost unknown: the sum of the others would be too low.
  return typeof upstream === 'number' && upstream >= 0 ? plausibleCostMicroUsd((cost + upstream) * 1_000_000) : undefined;
}

/** Usage as a chat caller expects it; undefined when neither side of it is known. */
export function encodeChatUsage(usage: TokenUsage): JsonObject | undefined {
  const prompt = promptTokens(usage);
  if (prompt === undefined && usage.outputTokens === undefined) return undefined;
  const completion = usage.outputTokens ?? 0;
  const written: JsonObject = {
    prompt_tokens: prompt ?? 0,
    completion_tokens: completion,
    total_tokens: (prompt ?? 0) + completion,
  };
  const cacheWrite = cacheWriteTokens(usage);
  if (usage.cacheReadTokens !== undefined || cacheWrite !== undefined) {
    const details: JsonObject = { cached_tokens: usage.cacheReadTokens ?? 0 };
    if (cacheWrite !== undefined) details.cache_write_tokens = cacheWrite;
    written.prompt_tokens_details = details;
  }
  if (usage.reasoningTokens !== undefined) written.completion_tokens_details = { reasoning_tokens: usage.reasoningTokens };
  return written;
}
