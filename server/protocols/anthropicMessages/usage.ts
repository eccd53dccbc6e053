import type { TokenUsage } from '../../api/conversation.ts';
import { isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { cacheWriteTokens } from '../events.ts';
import { exceedsWhole, isAbsurd, missesTotal, tokenCountOf } from '../usageFigures.ts';

/**
 * Usage of a Messages answer. Its buckets are disjoint already, and later reports replace earlier ones, with two
 * exceptions: `message_delta` gives cache writes only as one sum after `message_start` split it by life, and
 * some compatible servers repeat the prompt there as 0.
 * @param earlier what the same answer reported before
 */
export function decodeMessagesUsage(usage: JsonObject, earlier: TokenUsage): TokenUsage {
  const split = isObject(usage.cache_creation) ? usage.cache_creation : undefined;
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const written = tokenCountOf(usage.cache_creation_input_tokens);
  const long = tokenCountOf(split?.ephemeral_1h_input_tokens) ?? earlier.cacheWrite1hTokens;
  const short = tokenCountOf(split?.ephemeral_5m_input_tokens) ?? (written === undefined ? undefined : Math.max(0, written - (long ?? 0)));
  const input = tokenCountOf(usage.input_tokens);
  return {
    inputTokens: input === 0 && (earlier.inputTokens ?? 0) > 0 ? earlier.inputTokens : input,
    cacheReadTokens: tokenCountOf(usage.cache_read_input_tokens),
    cacheWriteTokens: short,
    cacheWrite1hTokens: long,
    outputTokens: tokenCountOf(usage.output_tokens),
    reasoningTokens: tokenCountOf(details.thinking_tokens),
  };
}

/** Whether the figures of one report cannot all be true; see usageFigures.ts. */
export function contradictsMessages(usage: JsonObject): boolean {
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const split = isObject(usage.cache_creation) ? usage.cache_creation : {};
  const { cache_creation_input_tokens: written, output_tokens: output } = usage;
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = split;
  return isAbsurd(usage.input_tokens) || isAbsurd(output) || isAbsurd(usage.cache_read_input_tokens) || isAbsurd(written) || isAbsurd(short)
    || isAbsurd(long) || isAbsurd(details.thinking_tokens) || exceedsWhole(output, details.thinking_tokens) || missesTotal(written, short, long);
}

/** The counts of a `message_delta`; what is unknown is null where the format allows it. */
export function encodeDeltaUsage(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens ?? null,
    cache_creation_input_tokens: cacheWriteTokens(usage) ?? null,
    cache_read_input_tokens: usage.cacheReadTokens ?? null,
    output_tokens: usage.outputTokens ?? 0,
    output_tokens_details: usage.reasoningTokens === undefined ? null : { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
}

/**
 * The counts of a whole message. The format demands the prompt's size, also before a provider has reported it.
 * @param estimatedInputTokens used while the true count is unknown
 */
export function encodeMessageUsage(usage: TokenUsage, estimatedInputTokens: number | undefined): JsonObject {
  const written = cacheWriteTokens(usage);
  return {
    ...encodeDeltaUsage(usage),
    input_tokens: usage.inputTokens ?? estimatedInputTokens ?? 0,
    cache_creation: written === undefined ? null : {
      ephemeral_5m_input_tokens: usage.cacheWriteTokens ?? 0,
      ephemeral_1h_input_tokens: usage.cacheWrite1hTokens ?? 0,
    },
    inference_geo: null,
    service_tier: null,
    speed: null,
  };
}
