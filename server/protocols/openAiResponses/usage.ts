import type { TokenUsage } from '../../api/conversation.ts';
import { isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { promptTokens } from '../../api/usage.ts';
import { cacheWriteTokens } from '../events.ts';
import { reportedCost } from '../openAiChat/usage.ts';
import { exceedsWhole, isAbsurd, missesTotal, tokenCountOf } from '../usageFigures.ts';

/**
 * Usage of a response as disjoint buckets: `input_tokens` include what was read from and written to a cache,
 * `output_tokens` include reasoning. Cache writes are split by life (30 minutes, 12 hours) where the provider does.
 */
export function decodeResponsesUsage(usage: JsonObject): TokenUsage {
  const inputDetails = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const outputDetails = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const lives = isObject(inputDetails.cache_write_tokens_details) ? inputDetails.cache_write_tokens_details : {};
  const input = tokenCountOf(usage.input_tokens);
  const cacheRead = tokenCountOf(inputDetails.cached_tokens);
  const written = tokenCountOf(inputDetails.cache_write_tokens);
  const long = tokenCountOf(lives.ttl_12h_tokens);
  const short = tokenCountOf(lives.ttl_30m_tokens) ?? (written === undefined ? undefined : Math.max(0, written - (long ?? 0)));
  const output = tokenCountOf(usage.output_tokens);
  const reasoning = tokenCountOf(outputDetails.reasoning_tokens);
  return {
    inputTokens: input === undefined ? undefined : Math.max(0, input - (cacheRead ?? 0) - (short ?? 0) - (long ?? 0)),
    cacheReadTokens: cacheRead,
    cacheWriteTokens: short,
    cacheWrite1hTokens: long,
    outputTokens: output,
    reasoningTokens: reasoning === undefined || output === undefined ? reasoning : Math.min(reasoning, output),
    reportedCostMicroUsd: reportedCost(usage),
  };
}

/** Whether the figures cannot all be true; see usageFigures.ts. */
export function contradictsResponses(usage: JsonObject): boolean {
  const { input_tokens: input, output_tokens: output, total_tokens: total } = usage;
  const inputDetails = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const outputDetails = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const { cached_tokens: cached, cache_write_tokens: written } = inputDetails;
  const lives = isObject(inputDetails.cache_write_tokens_details) ? inputDetails.cache_write_tokens_details : {};
  const { ttl_12h_tokens: long, ttl_30m_tokens: short } = lives;
  const reasoning = outputDetails.reasoning_tokens;
  return isAbsurd(input) || isAbsurd(output) || isAbsurd(total) || isAbsurd(cached) || isAbsurd(written) || isAbsurd(long) || isAbsurd(short) || isAbsurd(reasoning)
    || exceedsWhole(input, cached, written) || exceedsWhole(input, cached, long, short) || exceedsWhole(written, long, short) || exceedsWhole(output, reasoning)
    || missesTotal(total, input, output);
}

/** Usage as a caller of this protocol expects it; null when neither side of it is known. */
export function encodeResponsesUsage(usage: TokenUsage): JsonObject | null {
  const input = promptTokens(usage);
  if (input === undefined && usage.outputTokens === undefined) return null;
  const output = usage.outputTokens ?? 0;
  return {
    input_tokens: input ?? 0,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens ?? 0, cache_write_tokens: cacheWriteTokens(usage) ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: (input ?? 0) + output,
  };
}
