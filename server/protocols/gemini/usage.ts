import type { TokenUsage } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';
import { promptTokens } from '../../api/usage.ts';
import { exceedsWhole, isAbsurd, missesTotal, tokenCountOf } from '../usageFigures.ts';

/**
 * Usage of a Gemini answer as disjoint buckets: the prompt includes what was cached but not what hosted tools
 * put into it; candidates do not include thoughts.
 */
export function decodeGeminiUsage(usage: JsonObject): TokenUsage {
  const prompt = tokenCountOf(usage.promptTokenCount);
  const cached = tokenCountOf(usage.cachedContentTokenCount);
  const toolUse = tokenCountOf(usage.toolUsePromptTokenCount);
  const candidates = tokenCountOf(usage.candidatesTokenCount);
  const thoughts = tokenCountOf(usage.thoughtsTokenCount);
  return {
    inputTokens: prompt === undefined ? undefined : Math.max(0, prompt + (toolUse ?? 0) - (cached ?? 0)),
    cacheReadTokens: cached,
    outputTokens: candidates === undefined && thoughts === undefined ? undefined : (candidates ?? 0) + (thoughts ?? 0),
    reasoningTokens: thoughts,
  };
}

/** Whether the figures cannot all be true; see usageFigures.ts. */
export function contradictsGemini(usage: JsonObject): boolean {
  const { promptTokenCount: prompt, cachedContentTokenCount: cached, toolUsePromptTokenCount: toolUse } = usage;
  const { candidatesTokenCount: candidates, thoughtsTokenCount: thoughts, totalTokenCount: total } = usage;
  return isAbsurd(prompt) || isAbsurd(cached) || isAbsurd(toolUse) || isAbsurd(candidates) || isAbsurd(thoughts) || isAbsurd(total)
    || exceedsWhole(prompt, cached) || missesTotal(total, prompt, candidates, thoughts, toolUse);
}

/** Usage as a Gemini caller expects it; undefined when neither side of it is known. */
export function encodeGeminiUsage(usage: TokenUsage): JsonObject | undefined {
  const prompt = promptTokens(usage);
  if (prompt === undefined && usage.outputTokens === undefined) return undefined;
  const written: JsonObject = { totalTokenCount: (prompt ?? 0) + (usage.outputTokens ?? 0) };
  if (prompt !== undefined) written.promptTokenCount = prompt;
  if (usage.outputTokens !== undefined) written.candidatesTokenCount = Math.max(0, usage.outputTokens - (usage.reasoningTokens ?? 0));
  if (usage.cacheReadTokens !== undefined) written.cachedContentTokenCount = usage.cacheReadTokens;
  if (usage.reasoningTokens !== undefined) written.thoughtsTokenCount = usage.reasoningTokens;
  return written;
}
