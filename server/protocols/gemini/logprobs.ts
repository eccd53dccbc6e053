import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';

/** Google's `logprobsResult` in the form of the OpenAI protocols; undefined when it holds no chosen token. */
export function decodeLogprobs(result: JsonValue | undefined): JsonValue[] | undefined {
  if (!isObject(result) || !Array.isArray(result.chosenCandidates)) return undefined;
  const tops = Array.isArray(result.topCandidates) ? result.topCandidates : [];
  const tokens = result.chosenCandidates.map((chosen, index): JsonObject => {
    const top = tops[index];
    const others = isObject(top) && Array.isArray(top.candidates) ? top.candidates : [];
    return { ...tokenOf(chosen), top_logprobs: others.map(tokenOf) };
  });
  return tokens.length === 0 ? undefined : tokens;
}

function tokenOf(candidate: JsonValue): JsonObject {
  const holder = isObject(candidate) ? candidate : {};
  const token = asString(holder.token) ?? '';
  return { token, logprob: asNumber(holder.logProbability) ?? 0, bytes: [...Buffer.from(token, 'utf8')] };
}

/** Log probabilities of the OpenAI protocols as Google's `logprobsResult`. */
export function encodeLogprobs(logprobs: readonly unknown[]): JsonObject {
  const tokens = logprobs.filter((entry) => isObject(entry));
  return {
    chosenCandidates: tokens.map(candidateOf),
    topCandidates: tokens.map((entry) => ({ candidates: Array.isArray(entry.top_logprobs) ? entry.top_logprobs.filter((top) => isObject(top)).map(candidateOf) : [] })),
  };
}

function candidateOf(token: JsonObject): JsonObject {
  return { token: asString(token.token) ?? '', logProbability: asNumber(token.logprob) ?? 0 };
}
