import type { ConversationRequest, ReasoningEffort, ReasoningRequest, ResponseFormat } from '../../api/conversation.ts';
import { asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { RequestFormatError } from '../codec.ts';
import { severalAnswers } from '../conversationShape.ts';
import { arrayField, booleanField, numberField, objectField, stringField } from '../fields.ts';
import { readContents, readSystemInstruction } from './contentsDecode.ts';
import { camelCased, camelCasedOrEmpty } from './fields.ts';
import { jsonSchemaOf } from './schema.ts';
import { readToolChoice, readTools } from './tools.ts';
import { parseEffort } from '../reasoningEffort.ts';

/**
 * Reads the body of `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`; the model is in the path.
 * Both spellings of Google's field names are read. What only Google keeps or makes (`cachedContent`, an
 * answer in images or sound) is named in `providerState`. Safety settings and labels are Google's own and dropped.
 * @throws RequestFormatError
 */
export function decodeGeminiRequest(request: JsonObject): ConversationRequest {
  const body = camelCased(request);
  const config = camelCasedOrEmpty(objectField(body, 'generationConfig'));
  const path = (name: string): string => `generationConfig.${name}`;
  const number = (name: string): number | undefined => numberField(config, name, path(name));
  const { tools, hostedTools } = readTools(body.tools);
  const { choice, allowed } = readToolChoice(body.toolConfig);
  const reasons = pinnedBy(body, config);
  return {
    system: readSystemInstruction(body.systemInstruction),
    messages: readContents(body.contents),
    tools: allowed === undefined ? tools : tools.filter((tool) => allowed.has(tool.name)),
    hostedTools: hostedTools.length === 0 ? undefined : hostedTools,
    toolChoice: choice,
    maxOutputTokens: number('maxOutputTokens'),
    temperature: number('temperature'),
    topP: number('topP'),
    topK: number('topK'),
    stop: readStop(config),
    seed: number('seed'),
    frequencyPenalty: number('frequencyPenalty'),
    presencePenalty: number('presencePenalty'),
    choices: number('candidateCount'),
    logprobs: booleanField(config, 'responseLogprobs', path('responseLogprobs')) === true ? { top: number('logprobs') } : undefined,
    responseFormat: readFormat(config),
    reasoning: readThinking(camelCasedOrEmpty(objectField(config, 'thinkingConfig', path('thinkingConfig')))),
    serviceTier: stringField(body, 'serviceTier'),
    providerState: reasons.length === 0 ? undefined : { reason: reasons.join('; ') },
  };
}

function pinnedBy(body: JsonObject, config: JsonObject): string[] {
  const reasons: string[] = [];
  if (typeof body.cachedContent === 'string' && body.cachedContent !== '') reasons.push('cachedContent is kept by the provider');
  const several = severalAnswers(config.candidateCount);
  if (several !== undefined) reasons.push(several.reason);
  if (body.continuationToken !== undefined) reasons.push('continuationToken continues an answer at the provider');
  const modalities = Array.isArray(config.responseModalities) ? config.responseModalities : [];
  const others = modalities.filter((modality) => typeof modality === 'string' && !/^(text|modality_unspecified)$/i.test(modality));
  if (others.length > 0) reasons.push(`responseModalities asks for an answer in ${others.join(' and ')}`);
  return reasons;
}

function readStop(config: JsonObject): string[] | undefined {
  const stop = arrayField(config, 'stopSequences', 'generationConfig.stopSequences') ?? [];
  if (!stop.every((entry) => typeof entry === 'string')) throw new RequestFormatError('generationConfig.stopSequences', 'must be a list of strings');
  return stop.length === 0 ? undefined : stop;
}

function readFormat(config: JsonObject): ResponseFormat | undefined {
  const mimeType = asString(config.responseMimeType);
  const { responseJsonSchema, responseSchema } = config;
  const schema = isObject(responseJsonSchema) ? responseJsonSchema : isObject(responseSchema) ? jsonSchemaOf(responseSchema) : undefined;
  if (mimeType === 'text/plain') return { type: 'text' };
  if (schema !== undefined && (mimeType === undefined || mimeType === 'application/json')) return { type: 'json-schema', name: asString(schema.title)?.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'response', schema };
  return mimeType === 'application/json' ? { type: 'json' } : undefined;
}

/** A budget of 0 turns thinking off; -1 leaves its size to the model. */
function readThinking(config: JsonObject): ReasoningRequest | undefined {
  const visible = booleanField(config, 'includeThoughts', 'generationConfig.thinkingConfig.includeThoughts');
  const level = asString(config.thinkingLevel)?.toLowerCase();
  const budget = numberField(config, 'thinkingBudget', 'generationConfig.thinkingConfig.thinkingBudget');
  const effort: ReasoningEffort | undefined = budget === 0 ? 'none' : parseEffort(level);
  const budgetTokens = budget !== undefined && budget > 0 ? budget : undefined;
  if (effort === undefined && budgetTokens === undefined && visible === undefined && budget === undefined) return undefined;
  return { effort, budgetTokens, visible };
}
