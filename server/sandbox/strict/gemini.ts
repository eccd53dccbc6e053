import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { among, isSet, mediaTypeOfBytes, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/*
 * Google's generateContent. Sources: https://ai.google.dev/api/generate-content, /gemini-api/docs/thinking, /thought-signatures and
 * /image-understanding for fields, bounds and media types; error texts in google-gemini/gemini-cli#2966 (names), QwenLM/qwen-code#9094
 * and RooCodeInc/Roo-Code#4399 (thinking), askimo-ai/askimo#543 (signatures), Mai-with-u/MaiBot#1435 (GIF),
 * brianpetro/obsidian-smart-connections#1238 (image/jpg). Read in November 2026; other wordings are from memory. Names in snake case are not judged.
 */

const fields: ReadonlySet<string> = new Set(['model', 'contents', 'systemInstruction', 'system_instruction', 'tools', 'toolConfig', 'tool_config', 'safetySettings', 'safety_settings', 'generationConfig', 'generation_config', 'cachedContent', 'cached_content', 'serviceTier', 'service_tier', 'store', 'labels', 'continuationToken']);
const configFields: ReadonlySet<string> = new Set([
  'stopSequences', 'responseMimeType', 'responseSchema', 'responseJsonSchema', '_responseJsonSchema', 'responseModalities', 'candidateCount', 'maxOutputTokens', 'temperature', 'topP', 'topK', 'seed', 'presencePenalty', 'frequencyPenalty',
  'responseLogprobs', 'logprobs', 'enableEnhancedCivicAnswers', 'speechConfig', 'thinkingConfig', 'imageConfig', 'mediaResolution', 'audioTimestamp', 'routingConfig',
]);
const schemaFields: ReadonlySet<string> = new Set(['type', 'format', 'title', 'description', 'nullable', 'enum', 'maxItems', 'minItems', 'properties', 'required', 'minProperties', 'maxProperties', 'minLength', 'maxLength', 'pattern', 'example', 'anyOf', 'propertyOrdering', 'default', 'items', 'minimum', 'maximum', '$ref', '$defs', 'ref', 'defs', 'additionalProperties']);
const imageTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'];

/** 25 of `gemini-2.5-pro`; undefined: not a Gemini, or without a version. */
function versionOf(model: string): number | undefined {
  const match = /^gemini-(\d)(?:\.(\d))?/.exec(model);
  return match === null ? undefined : Number(match[1]) * 10 + Number(match[2] ?? 0);
}

function unknownName(body: JsonObject, known: ReadonlySet<string>, at: string): StrictRefusal | undefined {
  const name = Object.keys(body).find((field) => !known.has(field) && !field.includes('_'));
  return name === undefined ? undefined : { message: `Invalid JSON payload received. Unknown name "${name}"${at === '' ? '' : ` at '${at}'`}: Cannot find field.` };
}

const names: StrictCheck = ({ body }) => unknownName(body, fields, '') ?? unknownName(objectOf(body['generationConfig']), configFields, 'generation_config');

const contents: StrictCheck = ({ body, model }) => among(objectsOf(body['contents']), (content, index) => {
  let calls = 0;
  return among(objectsOf(content['parts']), (part, position) => {
    const path = `contents[${index}].parts[${position}]`;
    const call = part['functionCall'];
    if (isObject(call)) {
      calls += 1;
      const name = badName(call['name'], `${path}.function_call.name`);
      if (name !== undefined) return name;
      if (calls === 1 && (versionOf(model) ?? 0) >= 30 && !isSet(part['thoughtSignature']) && isCurrentTurn(body, index)) {
        return { message: `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${asString(call['name']) ?? ''}\` , position ${index}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.` };
      }
    }
    const answered = objectOf(part['functionResponse']);
    if (isObject(part['functionResponse']) && !isObject(answered['response'])) return { message: `Invalid value at '${path}.function_response.response' (type.googleapis.com/google.protobuf.Struct), ${JSON.stringify(answered['response'] ?? null)}` };
    if (objectsOf(answered['parts']).length > 0 && (versionOf(model) ?? 30) < 30) return { message: 'Multimodal function responses are not supported by this model.' };
    if (Object.keys(part).length === 0) return { message: `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field` };
    return badMedia(part['inlineData']) ?? among(objectsOf(answered['parts']), (inner) => badMedia(inner['inlineData']));
  });
});

/** Signatures are wanted since the last text of the user. */
function isCurrentTurn(body: JsonObject, index: number): boolean {
  const list = objectsOf(body['contents']);
  const asked = list.findLastIndex((content) => content['role'] !== 'model' && objectsOf(content['parts']).some((part) => isSet(part['text'])));
  return index > asked;
}

function badMedia(data: JsonValue | undefined): StrictRefusal | undefined {
  if (!isObject(data)) return undefined;
  const label = asString(data['mimeType']) ?? '';
  const real = mediaTypeOfBytes(asString(data['data']) ?? '');
  if (label.startsWith('image/') && !imageTypes.includes(label)) return { message: `Unsupported MIME type: ${label}` };
  return real === undefined || !label.startsWith('image/') || imageTypes.includes(real) ? undefined : { message: 'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting' };
}

function badName(name: JsonValue | undefined, path: string): StrictRefusal | undefined {
  if (/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/.test(asString(name) ?? '')) return undefined;
  return { message: `* GenerateContentRequest.${path}: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.) or dashes (-), with a maximum length of 64.` };
}

const tools: StrictCheck = ({ body, model }) => {
  const declared = objectsOf(body['tools']).flatMap((tool, index) => objectsOf(tool['functionDeclarations']).map((declaration, position) => ({ declaration, path: `tools[${index}].function_declarations[${position}]` })));
  const choice = objectOf(objectOf(body['toolConfig'])['functionCallingConfig']);
  const allowed = Array.isArray(choice['allowedFunctionNames']) ? choice['allowedFunctionNames'] : [];
  const listed = declared.map(({ declaration }) => declaration['name']);
  if (isSet(choice['mode']) && declared.length === 0) return { message: 'Function calling config is set without function_declarations.' };
  if (allowed.length > 0 && choice['mode'] !== 'ANY' && choice['mode'] !== 'VALIDATED') return { message: 'Allowed function names should be set only when function calling mode is ANY or VALIDATED.' };
  if (allowed.some((name) => name !== undefined && !listed.includes(name))) return { message: 'The allowed function name is not among the function declarations.' };
  if (new Set(listed).size !== listed.length) return { message: `Duplicate function declaration found: ${String(listed.find((name, index) => listed.indexOf(name) !== index))}` };
  const config = objectOf(body['generationConfig']);
  if (declared.length > 0 && config['responseMimeType'] === 'application/json' && (versionOf(model) ?? 30) < 30) return { message: "Function calling with a response mime type: 'application/json' is unsupported" };
  return among(declared, ({ declaration, path }) => {
    const { parameters, parametersJsonSchema } = declaration;
    if (isSet(parameters) && isSet(parametersJsonSchema)) return { message: `${path}: parameters and parameters_json_schema cannot both be set.` };
    return badName(declaration['name'], `${path}.name`) ?? (isObject(parameters) ? badSchema(parameters, `${path}.parameters`) : undefined)
      ?? (isObject(parametersJsonSchema) && parametersJsonSchema['type'] !== 'object' ? { message: `${path}.parameters_json_schema: parameters schema should be of type OBJECT.` } : undefined);
  });
};

/** Google's own kind of schema. */
function badSchema(schema: JsonObject, path: string, depth = 0): StrictRefusal | undefined {
  if (depth > 32) return undefined;
  const unknown = unknownName(schema, schemaFields, path) ?? Object.keys(schema).map((name) => (name.startsWith('$') && !schemaFields.has(name) ? { message: `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.` } : undefined)).find((found) => found !== undefined);
  if (unknown !== undefined) return unknown;
  if (Array.isArray(schema['type'])) return { message: `Invalid value at '${path}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), Starting an object on a scalar field` };
  const type = (asString(schema['type']) ?? '').toUpperCase();
  if (type === 'OBJECT' && isObject(schema['properties']) && Object.keys(schema['properties']).length === 0) return { message: `* GenerateContentRequest.${path}.properties: should be non-empty for OBJECT type` };
  if (type === 'ARRAY' && !isObject(schema['items'])) return { message: `* GenerateContentRequest.${path}.items: missing field.` };
  return among(Object.entries(objectOf(schema['properties'])), ([name, child]) => (isObject(child) ? badSchema(child, `${path}.properties[${name}]`, depth + 1) : undefined))
    ?? (isObject(schema['items']) ? badSchema(schema['items'], `${path}.items`, depth + 1) : undefined);
}

const config: StrictCheck = ({ body, model }) => {
  const wanted = objectOf(body['generationConfig']);
  for (const [field, least, most] of [['temperature', 0, 2], ['topP', 0, 1], ['presencePenalty', -2, 2], ['frequencyPenalty', -2, 2]] as const) {
    const value = asNumber(wanted[field]);
    if (value !== undefined && (value < least || value > most)) return { message: `* GenerateContentRequest.generation_config.${field}: ${field} must be in the range [${least}.0, ${most}.0].` };
  }
  for (const field of ['seed', 'maxOutputTokens', 'candidateCount', 'logprobs']) {
    const value = asNumber(wanted[field]);
    if (value !== undefined && (!Number.isInteger(value) || Math.abs(value) > 2_147_483_647)) return { message: `Invalid value at 'generation_config.${field}' (TYPE_INT32), ${value}` };
  }
  const most = (versionOf(model) ?? 30) < 25 ? 8192 : 65_536;
  const limit = asNumber(wanted['maxOutputTokens']) ?? 1;
  // BerriAI/litellm#10548, stackblitz-labs/bolt.diy#955.
  if (limit > most) return { message: `Unable to submit request because it has a maxOutputTokens value of ${limit} but the supported range is from 1 (inclusive) to ${most + 1} (exclusive). Update the value and try again.` };
  if ((asNumber(wanted['maxOutputTokens']) ?? 1) < 1) return { message: `* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.` };
  if (Array.isArray(wanted['stopSequences']) && wanted['stopSequences'].length > 5) return { message: '* GenerateContentRequest.generation_config.stop_sequences: The number of stop sequences must be at most 5.' };
  if (isSet(wanted['logprobs']) && wanted['responseLogprobs'] !== true) return { message: 'Logprobs is set but response_logprobs is false.' };
  if (isSet(wanted['responseSchema']) && isSet(wanted['responseJsonSchema'])) return { message: 'response_schema and response_json_schema cannot both be set.' };
  if ((isSet(wanted['responseSchema']) || isSet(wanted['responseJsonSchema'])) && wanted['responseMimeType'] !== 'application/json') return { message: "* GenerateContentRequest.generation_config.response_schema: only allowed for response_mime_type 'application/json'." };
  return badThinking(objectOf(wanted['thinkingConfig']), model);
};

function badThinking(wanted: JsonObject, model: string): StrictRefusal | undefined {
  const version = versionOf(model);
  const budget = asNumber(wanted['thinkingBudget']);
  const level = asString(wanted['thinkingLevel'])?.toLowerCase();
  if (version === undefined || Object.keys(wanted).length === 0) return undefined;
  if (budget !== undefined && level !== undefined) return { message: 'You can only set only one of thinking budget and thinking level.' };
  if (version < 25) return { message: 'Thinking is not supported by this model.' };
  if (level !== undefined && version < 30) return { message: 'thinking_level is not supported by this model' };
  if (level !== undefined && !levelsOf(model, version).includes(level)) return { message: `Thinking level ${level.toUpperCase()} is not supported for this model. Please retry with other thinking level.` };
  if (budget === undefined || budget === -1) return undefined;
  if (version >= 40) return { message: 'thinking_budget is not supported by this model' };
  const [least, most] = model.includes('pro') ? [128, 32_768] : [model.includes('lite') ? 512 : 1, 24_576];
  if (budget === 0 && model.includes('pro')) return { message: 'Budget 0 is invalid. This model only works in thinking mode.' };
  return budget !== 0 && (budget < least || budget > most) ? { message: `The thinking budget ${budget} is invalid. Please choose a value between ${least} and ${most}.` } : undefined;
}

function levelsOf(model: string, version: number): readonly string[] {
  if (model.includes('flash')) return ['minimal', 'low', 'medium', 'high'];
  return version === 30 ? ['low', 'high'] : ['low', 'medium', 'high'];
}

export const geminiChecks: readonly StrictCheck[] = [names, contents, tools, config];
