import { asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { openAiGeneration } from './openaiModels.ts';
import { functionSchemaFault } from './openaiSchemas.ts';
import { dataUrlOf, isSet, mediaTypeOfBytes, objectOf } from './strictCheck.ts';
import type { StrictRefusal, StrictRequest } from './strictCheck.ts';

/* What both of OpenAI's protocols refuse alike. Sources stand with the groups in openaiChat.ts and openaiResponses.ts. */

/** A number outside its bounds. */
export function outOfBounds(body: JsonObject, field: string, least: number, most: number, kind: 'integer' | 'decimal'): StrictRefusal | undefined {
  const value = body[field];
  if (typeof value !== 'number') return undefined;
  if (value < least) return { message: `Invalid '${field}': ${kind} below minimum value. Expected a value >= ${least}, but got ${value} instead.`, param: field, code: `${kind}_below_min_value` };
  if (value > most) return { message: `Invalid '${field}': ${kind} above maximum value. Expected a value <= ${most}, but got ${value} instead.`, param: field, code: `${kind}_above_max_value` };
  return undefined;
}

export function tooLong(value: JsonValue | undefined, path: string, longest: number): StrictRefusal | undefined {
  if (typeof value !== 'string' || value.length <= longest) return undefined;
  return { message: `Invalid '${path}': string too long. Expected a string with maximum length ${longest}, but got a string with length ${value.length} instead.`, param: path, code: 'string_above_max_length' };
}

export function badName(value: JsonValue | undefined, path: string): StrictRefusal | undefined {
  if (typeof value !== 'string') return undefined;
  if (!/^[a-zA-Z0-9_-]+$/.test(value)) return { message: `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`, param: path, code: 'invalid_value' };
  return tooLong(value, path, 64);
}

export function badFunction(definition: JsonObject, path: string): StrictRefusal | undefined {
  const name = badName(definition['name'], `${path}.name`);
  if (name !== undefined) return name;
  const fault = functionSchemaFault(definition['parameters'], definition['strict'] === true);
  return fault === undefined ? undefined : { message: `Invalid schema for function '${asString(definition['name']) ?? ''}': ${fault}`, param: `${path}.parameters`, code: 'invalid_function_parameters' };
}

/** The image of a `data:` URL must be of a known type, and its bytes of the type that is named. */
export function badImage(url: JsonValue | undefined, path: string): StrictRefusal | undefined {
  const inline = typeof url === 'string' ? dataUrlOf(url) : undefined;
  if (inline === undefined) return undefined;
  const known = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
  if (known.includes(inline.type) && known.includes(mediaTypeOfBytes(inline.data) ?? inline.type)) return undefined;
  return { message: "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].", param: path, code: 'invalid_image_format' };
}

/** Fields that the API does not know. */
export function unknownField(body: JsonObject, known: ReadonlySet<string>): string | undefined {
  return Object.keys(body).find((name) => !known.has(name));
}

/** Sampling at other than the default, at a model that reasons. @param effort the one that is asked for */
export function refusedSampling({ body, model }: StrictRequest, effort: string | undefined): StrictRefusal | undefined {
  const generation = openAiGeneration(model);
  if (generation?.reasons !== true || effort === 'none') return undefined;
  const defaults: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };
  for (const [field, usual] of Object.entries(defaults)) {
    const value = body[field];
    if (isSet(value) && value !== usual) return field === 'temperature'
      ? { message: `Unsupported value: 'temperature' does not support ${JSON.stringify(value)} with this model. Only the default (1) value is supported.`, param: field, code: 'unsupported_value' }
      : { message: `Unsupported parameter: '${field}' is not supported with this model.`, param: field, code: 'unsupported_parameter' };
  }
  const other = ['stop', 'logprobs', 'top_logprobs', 'logit_bias'].find((field) => isSet(body[field]) && body[field] !== false);
  return other === undefined ? undefined : { message: `Unsupported parameter: '${other}' is not supported with this model.`, param: other, code: 'unsupported_parameter' };
}

/** @param path of the field in the protocol */
export function refusedEffort(model: string, effort: JsonValue | undefined, path: string): StrictRefusal | undefined {
  const generation = openAiGeneration(model);
  if (generation === undefined || !isSet(effort)) return undefined;
  if (!generation.reasons) return { message: `Unsupported parameter: '${path}' is not supported with this model.`, param: path, code: 'unsupported_parameter' };
  if (generation.efforts === undefined || typeof effort !== 'string' || generation.efforts.includes(effort)) return undefined;
  return {
    message: `Unsupported value: '${path}' does not support '${effort}' with this model. Supported values are: ${generation.efforts.map((name) => `'${name}'`).join(', ')}.`,
    param: path, code: 'unsupported_value',
  };
}

/** `tool_choice` and `parallel_tool_calls` go with tools only. */
export function choiceWithoutTools({ body, model }: StrictRequest): StrictRefusal | undefined {
  const tools = body['tools'];
  if (Array.isArray(tools) && tools.length === 0) return { message: "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.", param: 'tools', code: 'empty_array' };
  if (isSet(body['parallel_tool_calls']) && openAiGeneration(model)?.oneCallOnly === true) return { message: "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.", param: 'parallel_tool_calls', code: 'unsupported_parameter' };
  if (isSet(tools)) return undefined;
  const field = ['tool_choice', 'parallel_tool_calls'].find((name) => isSet(body[name]) && body[name] !== 'none');
  return field === undefined ? undefined : { message: `Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`, param: field };
}

/** A chosen tool must be among the tools. */
export function unknownChoice(choice: JsonValue | undefined, names: readonly (string | undefined)[]): StrictRefusal | undefined {
  if (!isObject(choice) || choice['type'] !== 'function') return undefined;
  const name = asString(objectOf(choice['function'])['name']) ?? asString(choice['name']);
  return name === undefined || names.includes(name) ? undefined : { message: `Tool choice 'function' not found in 'tools' parameter.`, param: 'tool_choice' };
}

/** Up to 16 pairs of texts. */
export function badMetadata(metadata: JsonValue | undefined): StrictRefusal | undefined {
  if (!isObject(metadata)) return undefined;
  const entries = Object.entries(metadata);
  if (entries.length > 16) return { message: `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`, param: 'metadata', code: 'object_above_max_properties' };
  for (const [key, value] of entries) {
    if (typeof value !== 'string') return { message: `Invalid type for 'metadata.${key}': expected a string.`, param: `metadata.${key}`, code: 'invalid_type' };
    const long = tooLong(value, `metadata.${key}`, 512);
    if (long !== undefined) return long;
  }
  return undefined;
}

