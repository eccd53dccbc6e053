import { asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { badFunction, badImage, badMetadata, badName, choiceWithoutTools, outOfBounds, refusedEffort, refusedSampling, tooLong, unknownChoice, unknownField } from './openaiChecks.ts';
import { answerSchemaFault } from './openaiSchemas.ts';
import { among, isSet, objectOf, objectsOf, wordsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/*
 * OpenAI's Responses. Sources: https://platform.openai.com/docs/api-reference/responses/create and the types of `openai` 7.55.0 for
 * fields, `client_metadata` from Codex, which sends it; error texts in Wei-Shaw/sub2api#3785 and #3981, mweinbach/open-grok#23, openai/codex#33176 (ids of items),
 * AnswerDotAI/fastllm#45 (ids of calls), vectorize-io/hindsight#58 (least output). Read in November 2026; other wordings are from memory.
 */

const fields: ReadonlySet<string> = new Set([
  'model', 'input', 'instructions', 'background', 'client_metadata', 'context_management', 'conversation', 'include', 'max_output_tokens', 'max_tool_calls', 'metadata', 'moderation', 'parallel_tool_calls', 'previous_response_id',
  'prompt', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'reasoning', 'safety_identifier', 'service_tier', 'store', 'stream', 'stream_options', 'temperature', 'text',
  'tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation', 'user',
]);

/** How the ids of items begin, by type. */
const idPrefixes: Readonly<Record<string, string>> = { message: 'msg', function_call: 'fc', reasoning: 'rs', custom_tool_call: 'ctc' };

const items: StrictCheck = ({ body }) => among(objectsOf(body['input']), (item, index) => {
  const path = `input[${index}]`;
  const type = asString(item['type']) ?? 'message';
  const prefix = idPrefixes[type];
  const { id } = item;
  if (typeof id === 'string' && prefix !== undefined) {
    if (!/^[a-zA-Z0-9_-]+$/.test(id)) return { message: `Invalid '${path}.id': '${id}'. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.`, param: `${path}.id`, code: 'invalid_value' };
    const long = tooLong(id, `${path}.id`, 64);
    if (long !== undefined) return long;
    if (!id.startsWith(prefix)) return { message: `Invalid '${path}.id': '${id}'. Expected an ID that begins with '${prefix}'.`, param: `${path}.id`, code: 'invalid_value' };
  }
  if (item['call_id'] === '') return { message: `Invalid '${path}.call_id': empty string. Expected a string with minimum length 1, but got an empty string instead.`, param: `${path}.call_id`, code: 'empty_string' };
  return tooLong(item['call_id'], `${path}.call_id`, 64)
    ?? (type === 'function_call' ? badName(item['name'], `${path}.name`) : undefined)
    ?? among(objectsOf(item['content']), (part, position) => badPart(part, item, `${path}.content[${position}]`))
    ?? among(objectsOf(item['output']), (part, position) => badPart(part, { role: 'user' }, `${path}.output[${position}]`));
});

function badPart(part: JsonObject, item: JsonObject, path: string): StrictRefusal | undefined {
  const type = asString(part['type']) ?? '';
  if (item['role'] === 'assistant' && type.startsWith('input_')) return { message: `Invalid value: '${type}'. Supported values are: 'output_text' and 'refusal'.`, param: path, code: 'invalid_value' };
  if (item['role'] !== undefined && item['role'] !== 'assistant' && type.startsWith('output_')) return { message: `Invalid value: '${type}'. Supported values are: 'input_text', 'input_image', 'input_file', and 'input_audio'.`, param: path, code: 'invalid_value' };
  return type === 'input_image' ? badImage(part['image_url'], path) : undefined;
}

/** Calls and results belong together. */
const results: StrictCheck = ({ body }) => {
  const called = new Set<string>();
  return among(objectsOf(body['input']), (item) => {
    const id = asString(item['call_id']) ?? '';
    if (item['type'] === 'function_call' || item['type'] === 'custom_tool_call') called.add(id);
    if (item['type'] !== 'function_call_output' && item['type'] !== 'custom_tool_call_output') return undefined;
    return called.has(id) ? undefined : { message: `No tool call found for function call output with call_id ${id}.`, param: 'input' };
  });
};

const format: StrictCheck = ({ body }) => {
  const wanted = objectOf(objectOf(body['text'])['format']);
  if (wanted['type'] === 'json_object' && !/json/i.test(wordsOf(body['input']) + wordsOf(body['instructions']))) return { message: "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.", param: 'input' };
  if (wanted['type'] !== 'json_schema') return undefined;
  const fault = answerSchemaFault(wanted['schema'], wanted['strict'] === true);
  return badName(wanted['name'], 'text.format.name') ?? (fault === undefined ? undefined : { message: `Invalid schema for response_format '${asString(wanted['name']) ?? ''}': ${fault}`, param: 'text.format.schema', code: 'invalid_json_schema' });
};

const tools: StrictCheck = (request) => {
  const list = objectsOf(request.body['tools']);
  return choiceWithoutTools(request)
    ?? among(list, (tool, index) => (tool['type'] === 'function' ? badFunction(tool, `tools[${index}]`) : undefined))
    ?? unknownChoice(request.body['tool_choice'], list.map((tool) => asString(tool['name'])));
};

const others: StrictCheck = (request) => {
  const { body, model } = request;
  const unknown = unknownField(body, fields);
  if (unknown !== undefined) return { message: `Unknown parameter: '${unknown}'.`, param: unknown, code: 'unknown_parameter' };
  const reasoning = isObject(body['reasoning']) ? body['reasoning'] : undefined;
  return outOfBounds(body, 'max_output_tokens', 16, Infinity, 'integer')
    ?? outOfBounds(body, 'temperature', 0, 2, 'decimal') ?? outOfBounds(body, 'top_p', 0, 1, 'decimal') ?? outOfBounds(body, 'top_logprobs', 0, 20, 'integer')
    ?? refusedEffort(model, reasoning?.['effort'], 'reasoning.effort')
    ?? refusedSampling(request, asString(reasoning?.['effort']))
    ?? tooLong(body['user'], 'user', 64) ?? tooLong(body['safety_identifier'], 'safety_identifier', 64) ?? tooLong(body['prompt_cache_key'], 'prompt_cache_key', 64) ?? badMetadata(body['metadata'])
    ?? (isSet(body['stream_options']) && body['stream'] !== true ? { message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: 'stream_options' } : undefined);
};

export const openAiResponsesChecks: readonly StrictCheck[] = [others, items, results, format, tools];
