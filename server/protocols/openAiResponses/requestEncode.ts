import type { ConversationRequest, ResponseFormat } from '../../api/conversation.ts';
import type { JsonObject } from '../../base/json.ts';
import type { EncodeTarget } from '../codec.ts';
import { joinedText, withoutAttribution } from '../conversationShape.ts';
import { withoutUndefined } from '../fields.ts';
import { encodeItems } from './itemsEncode.ts';
import { writeTools } from './tools.ts';
import { nearestEffort, requestedEffort } from '../reasoningEffort.ts';

/** Longer identifiers than this are refused by OpenAI; agents send whole JSON documents here. */
const maxUserLength = 64;

/**
 * Writes the body of `POST /v1/responses` for one target. Nothing is ever stored at the provider; the reasoning
 * it would have kept comes back encrypted instead. What this protocol cannot say (stop strings, penalties, seed,
 * several choices) is not in the body.
 */
export function encodeResponsesRequest(request: ConversationRequest, target: EncodeTarget): JsonObject {
  const { dialect } = target;
  const system = withoutAttribution(request.system).filter((part) => part.text !== '');
  const kind = openAiModelKind(target.model);
  const reasoning = encodeReasoningRequest(request, target, kind);
  const samples = kind !== 'reasoning' || reasoning?.effort === 'none';
  const include: string[] = [];
  // Models that do not reason refuse a request for reasoning.
  if (kind !== 'plain') include.push('reasoning.encrypted_content');
  if (request.logprobs !== undefined) include.push('message.output_text.logprobs');
  const text = withoutUndefined({ format: encodeFormat(request.responseFormat), verbosity: request.verbosity });
  return withoutUndefined({
    model: target.model,
    instructions: system.length === 0 ? undefined : joinedText(system, '\n\n'),
    input: encodeItems(request, target),
    max_output_tokens: request.maxOutputTokens,
    temperature: samples && request.temperature !== undefined ? Math.min(2, Math.max(0, request.temperature)) : undefined,
    top_p: samples ? request.topP : undefined,
    top_logprobs: request.logprobs?.top,
    text: Object.keys(text).length === 0 ? undefined : text,
    reasoning,
    ...writeTools(request, dialect),
    include: include.length === 0 ? undefined : include,
    store: false,
    truncation: request.truncation,
    metadata: request.metadata as JsonObject | undefined,
    service_tier: request.serviceTier === 'standard_only' ? undefined : request.serviceTier,
    safety_identifier: request.user !== undefined && request.user.length <= maxUserLength ? request.user : undefined,
    prompt_cache_key: request.promptCacheKey,
    stream: target.stream ? true : undefined,
  });
}

/** `format` is flat here, unlike in the chat protocol. */
function encodeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  switch (format?.type) {
    case undefined: return undefined;
    case 'text': return { type: 'text' };
    case 'json': return { type: 'json_object' };
    case 'json-schema':
      return withoutUndefined({
        type: 'json_schema', name: format?.name, description: format?.description, schema: format?.schema as JsonObject | undefined, strict: format?.strict,
      });
  }
}

function encodeReasoningRequest(request: ConversationRequest, { dialect }: EncodeTarget, kind: ModelKind): JsonObject | undefined {
  if (request.reasoning === undefined || kind === 'plain') return undefined;
  const wanted = requestedEffort(request.reasoning);
  const effort = wanted === undefined || dialect.efforts === undefined ? wanted : nearestEffort(wanted, dialect.efforts);
  const written = withoutUndefined({ effort, summary: request.reasoning.visible === true ? 'auto' : undefined });
  return Object.keys(written).length === 0 ? undefined : written;
}

type ModelKind = 'reasoning' | 'plain' | 'unknown';

/**
 * What a model of OpenAI's accepts, read from its name, as that is all a request carries: reasoning models refuse
 * sampling parameters, the others refuse everything about reasoning. Other vendors' models behind this protocol
 * are unknown: they get what was asked for.
 */
export function openAiModelKind(model: string): ModelKind {
  const name = model.toLowerCase().replace(/^.*\//, '');
  if (/^(gpt-3|gpt-4|chatgpt-4)/.test(name) || /^gpt-5.*-chat/.test(name)) return 'plain';
  return /^(o[1-9]|gpt-[5-9]|codex)/.test(name) ? 'reasoning' : 'unknown';
}
