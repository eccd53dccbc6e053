import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { badFunction, badImage, badMetadata, badName, choiceWithoutTools, outOfBounds, refusedEffort, refusedSampling, tooLong, unknownChoice, unknownField } from './openaiChecks.ts';
import { openAiGeneration, openAiLargestOutput } from './openaiModels.ts';
import { answerSchemaFault } from './openaiSchemas.ts';
import { among, isSet, objectOf, objectsOf, wordsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/*
 * OpenAI's Chat Completions. Sources: https://platform.openai.com/docs/api-reference/chat/create and the types of `openai`
 * 7.55.0 for fields and bounds; error texts in camel-ai/camel#2215 and agno-agi/agno#5382 (call ids), ultimatejimmy/xray.koplugin#33
 * (JSON mode), run-llama/llama_index#20865 (parallel calls). Read in November 2026; other wordings are from memory.
 */

const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer'];
const fields: ReadonlySet<string> = new Set([
  'messages', 'model', 'audio', 'frequency_penalty', 'function_call', 'functions', 'logit_bias', 'logprobs', 'max_completion_tokens', 'max_tokens', 'metadata', 'modalities',
  'n', 'parallel_tool_calls', 'prediction', 'presence_penalty', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'reasoning_effort', 'response_format', 'safety_identifier', 'seed',
  'service_tier', 'stop', 'store', 'stream', 'stream_options', 'temperature', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'user', 'verbosity', 'web_search_options', 'moderation',
]);

const messages: StrictCheck = ({ body }) => among(objectsOf(body['messages']), (message, index) => {
  const path = `messages[${index}]`;
  if (!roles.includes(asString(message['role']) ?? '')) return { message: `Invalid value: '${asString(message['role']) ?? ''}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`, param: `${path}.role`, code: 'invalid_value' };
  const calls = message['tool_calls'];
  if (Array.isArray(calls) && calls.length === 0) return { message: `Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`, param: `${path}.tool_calls`, code: 'empty_array' };
  if (message['role'] !== 'assistant' && !isSet(message['content'])) return { message: `Invalid value for 'content': expected a string, got null.`, param: `${path}.content` };
  if (message['role'] === 'assistant' && !isSet(message['content']) && !isSet(calls) && !isSet(message['refusal']) && !isSet(message['function_call'])) return { message: `Invalid value for 'content': expected a string, got null.`, param: `${path}.content` };
  return tooLong(message['tool_call_id'], `${path}.tool_call_id`, 40)
    ?? among(objectsOf(calls), (call, position) => tooLong(call['id'], `${path}.tool_calls[${position}].id`, 40) ?? badName(objectOf(call['function'])['name'], `${path}.tool_calls[${position}].function.name`))
    ?? among(objectsOf(message['content']), (part, position) => badPart(part, message, `${path}.content[${position}]`));
});

function badPart(part: JsonObject, message: JsonObject, path: string): StrictRefusal | undefined {
  if (part['type'] === 'file') {
    const { file_data: data } = objectOf(part['file']);
    return typeof data !== 'string' || data.startsWith('data:application/pdf;base64,') ? undefined : { message: `Invalid file data: '${path}.file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without the 'data:' prefix or of another type.`, param: `${path}.file.file_data`, code: 'invalid_value' };
  }
  if (part['type'] !== 'image_url') return undefined;
  if (message['role'] !== 'user') return { message: `Invalid '${path}'. Image URLs are only allowed for messages with role 'user', but this message with role '${asString(message['role']) ?? ''}' contains an image URL.`, param: path, code: 'invalid_value' };
  return badImage(objectOf(part['image_url'])['url'], path);
}

/** Each result answers a call of the assistant's message before it. */
const results: StrictCheck = ({ body }) => {
  let open: string[] = [];
  return among(objectsOf(body['messages']), (message, index) => {
    if (message['role'] !== 'tool') {
      open = objectsOf(message['tool_calls']).map((call) => asString(call['id']) ?? '');
      return undefined;
    }
    return open.includes(asString(message['tool_call_id']) ?? '') ? undefined
      : { message: "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", param: `messages.[${index}].role` };
  });
};

const numbers: StrictCheck = (request) => {
  const { body, model } = request;
  if (isSet(body['max_tokens']) && isSet(body['max_completion_tokens'])) return { message: "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", param: 'max_tokens', code: 'invalid_parameter_combination' };
  if (isSet(body['max_tokens']) && openAiGeneration(model)?.reasons === true) return { message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", param: 'max_tokens', code: 'unsupported_parameter' };
  const wanted = asNumber(body['max_completion_tokens']) ?? asNumber(body['max_tokens']) ?? 0;
  const most = openAiLargestOutput(model) ?? Infinity;
  if (wanted > most) return { message: `max_tokens is too large: ${wanted}. This model supports at most ${most} completion tokens, whereas you provided ${wanted}.`, param: 'max_tokens', code: 'invalid_value' };
  return outOfBounds(body, 'max_tokens', 1, Infinity, 'integer') ?? outOfBounds(body, 'max_completion_tokens', 1, Infinity, 'integer')
    ?? outOfBounds(body, 'temperature', 0, 2, 'decimal') ?? outOfBounds(body, 'top_p', 0, 1, 'decimal')
    ?? outOfBounds(body, 'presence_penalty', -2, 2, 'decimal') ?? outOfBounds(body, 'frequency_penalty', -2, 2, 'decimal') ?? outOfBounds(body, 'top_logprobs', 0, 20, 'integer')
    ?? refusedSampling(request, asString(body['reasoning_effort']));
};

const format: StrictCheck = ({ body }) => {
  const wanted = objectOf(body['response_format']);
  if (wanted['type'] === 'json_object' && !/json/i.test(wordsOf(body['messages']))) return { message: "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", param: 'messages' };
  if (wanted['type'] !== 'json_schema') return undefined;
  const described = objectOf(wanted['json_schema']);
  const fault = answerSchemaFault(described['schema'], described['strict'] === true);
  return badName(described['name'], 'response_format.json_schema.name')
    ?? (fault === undefined ? undefined : { message: `Invalid schema for response_format '${asString(described['name']) ?? ''}': ${fault}`, param: 'response_format' });
};

const tools: StrictCheck = (request) => {
  const { body, model } = request;
  const list = objectsOf(body['tools']);
  return choiceWithoutTools(request)
    ?? among(list, (tool, index) => (isObject(tool['function']) ? badFunction(tool['function'], `tools[${index}].function`) : undefined))
    ?? unknownChoice(body['tool_choice'], list.map((tool) => asString(objectOf(tool['function'])['name'])))
    ?? (list.length > 0 && openAiGeneration(model)?.toolsWithoutReasoningOnly === true && body['reasoning_effort'] !== 'none'
      ? { message: `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`, param: 'reasoning_effort' } : undefined);
};

const others: StrictCheck = ({ body, model }) => {
  const unknown = unknownField(body, fields);
  if (unknown !== undefined) return { message: `Unrecognized request argument supplied: ${unknown}` };
  if (Array.isArray(body['stop']) && body['stop'].length > 4) return { message: `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${body['stop'].length} instead.`, param: 'stop', code: 'array_above_max_length' };
  if (isSet(body['stream_options']) && body['stream'] !== true) return { message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: 'stream_options' };
  if (isSet(body['top_logprobs']) && body['logprobs'] !== true) return { message: "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", param: 'top_logprobs' };
  return refusedEffort(model, body['reasoning_effort'], 'reasoning_effort') ?? tooLong(body['user'], 'user', 64) ?? tooLong(body['safety_identifier'], 'safety_identifier', 64)
    ?? tooLong(body['prompt_cache_key'], 'prompt_cache_key', 64) ?? badMetadata(body['metadata']);
};

export const openAiChatChecks: readonly StrictCheck[] = [others, messages, results, numbers, format, tools];
