import type { ConversationRequest, ReasoningRequest, ResponseFormat } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { arrayField, booleanField, numberField, objectField, stringField } from '../fields.ts';
import { readItems } from './itemsDecode.ts';
import { readToolChoice, readToolList } from './tools.ts';
import type { ReadTools } from './tools.ts';
import { parseEffort } from '../reasoningEffort.ts';

/**
 * Reads the body of `POST /v1/responses`. What the provider is to keep or to look up (`previous_response_id`,
 * `conversation`, `prompt`, `background`, items only it understands) is named in `providerState`: such a request
 * cannot be translated. Fields it does not know are ignored.
 * @throws RequestFormatError
 */
export function decodeResponsesRequest(body: JsonObject): ConversationRequest {
  const listed = readToolList(arrayField(body, 'tools') ?? []);
  const read: ReadTools = { tools: [...listed.tools], hostedTools: [...listed.hostedTools], names: new Set(listed.names) };
  const { system, messages, reasons } = readItems(body.input, read);
  const { choice, allowed, hosted } = readToolChoice(body.tool_choice);
  const pinned = [...pinnedBy(body), ...reasons, ...(hosted === undefined ? [] : [`tool_choice asks for the provider's own tool "${hosted}"`])];
  if ((body.input === undefined || body.input === null) && pinned.length === 0) throw new RequestFormatError('input', 'is required');
  const instructions = stringField(body, 'instructions');
  const text = objectField(body, 'text') ?? {};
  return {
    system: instructions === undefined || instructions === '' ? system : [{ type: 'text', text: instructions }, ...system],
    messages,
    tools: allowed !== undefined ? read.tools.filter((tool) => allowed.has(tool.name)) : read.tools.length === listed.tools.length ? listed.tools : read.tools,
    hostedTools: read.hostedTools.length === 0 ? undefined : read.hostedTools,
    toolChoice: choice,
    parallelToolCalls: booleanField(body, 'parallel_tool_calls'),
    maxOutputTokens: numberField(body, 'max_output_tokens'),
    temperature: numberField(body, 'temperature'),
    topP: numberField(body, 'top_p'),
    logprobs: readLogprobs(body),
    responseFormat: readFormat(text),
    reasoning: readReasoningRequest(body),
    verbosity: stringField(text, 'verbosity', 'text.verbosity'),
    serviceTier: stringField(body, 'service_tier'),
    user: stringField(body, 'safety_identifier') ?? stringField(body, 'user'),
    promptCacheKey: stringField(body, 'prompt_cache_key'),
    metadata: objectField(body, 'metadata'),
    truncation: stringField(body, 'truncation'),
    providerState: pinned.length === 0 ? undefined : { reason: pinned.join('; ') },
  };
}

/** Fields that refer to what the provider has stored. `store` alone does not: nothing is read from it. */
function pinnedBy(body: JsonObject): string[] {
  const reasons: string[] = [];
  if (typeof body.previous_response_id === 'string' && body.previous_response_id !== '') reasons.push('previous_response_id continues a response that the provider has stored');
  if (body.conversation !== undefined && body.conversation !== null) reasons.push('conversation is kept by the provider');
  if (isObject(body.prompt)) reasons.push('prompt is a template that the provider has stored');
  if (body.background === true) reasons.push('background responses are kept and polled at the provider');
  return reasons;
}

function readLogprobs(body: JsonObject): { top?: number | undefined } | undefined {
  const top = numberField(body, 'top_logprobs');
  const included = arrayField(body, 'include')?.includes('message.output_text.logprobs') === true;
  return included || (top !== undefined && top > 0) ? { top } : undefined;
}

function readFormat(text: JsonObject): ResponseFormat | undefined {
  const format = objectField(text, 'format', 'text.format');
  switch (format?.type) {
    case 'text': return { type: 'text' };
    case 'json_object': return { type: 'json' };
    case 'json_schema':
      return {
        type: 'json-schema',
        name: asString(format?.name) ?? 'response',
        schema: objectField(format ?? {}, 'schema', 'text.format.schema') ?? {},
        strict: booleanField(format ?? {}, 'strict', 'text.format.strict'),
        description: stringField(format ?? {}, 'description', 'text.format.description'),
      };
    default: return undefined;
  }
}

function readReasoningRequest(body: JsonObject): ReasoningRequest | undefined {
  const reasoning = objectField(body, 'reasoning');
  if (reasoning === undefined) return undefined;
  const effort = parseEffort(reasoning.effort);
  const summary = asString(reasoning.summary) ?? asString(reasoning.generate_summary);
  if (effort === undefined && summary === undefined) return undefined;
  return { effort, visible: summary === undefined ? undefined : summary !== 'none' };
}
