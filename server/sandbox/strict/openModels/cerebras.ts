import { asString, isObject } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { orphanOf, range, unknownFields } from '../chatChecks.ts';
import { among, isSet, objectOf, objectsOf, sourced, wordsOf } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';

/* Cerebras. Refusals are flat; what its schema does not have is "unsupported", on the top and in messages. Fields are those of `cerebras_cloud_sdk`. */

const compatibility = 'https://inference-docs.cerebras.ai/resources/openai';

const fields: ReadonlySet<string> = new Set([
  'model', 'messages', 'clear_thinking', 'disable_reasoning', 'logprobs', 'max_completion_tokens', 'max_tokens', 'min_completion_tokens', 'min_tokens', 'n', 'prediction', 'reasoning_effort', 'reasoning_format', 'response_format', 'seed', 'stop', 'stream',
  'stream_options', 'temperature', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'user',
]);
const messageFields: Readonly<Record<string, readonly string[]>> = { system: ['role', 'content', 'name'], user: ['role', 'content', 'name'], assistant: ['role', 'content', 'name', 'reasoning', 'tool_calls'], tool: ['role', 'content', 'name', 'tool_call_id'] };

const unsupported = (path: string): StrictRefusal => ({ message: `${path}: property '${path}' is unsupported`, param: 'validation_error' });

const single = sourced('reported', 'https://github.com/agno-agi/agno/issues/4508', ({ body }) => (
  body['parallel_tool_calls'] === false ? { message: 'parallel_tool_calls=False is not supported by this model.', param: 'parallel_tool_calls' } : undefined
));
const known = sourced('reported', 'https://github.com/anomalyco/opencode/issues/6648', ({ body }) => {
  const [unknown] = unknownFields(body, fields).filter((name) => isSet(body[name]));
  return unknown === undefined ? undefined : unsupported(`body.${unknown}`);
});
const inMessages = sourced('reported', 'https://github.com/Alishahryar1/free-claude-code/issues/1136', ({ body }) => among(objectsOf(body['messages']), (message, index) => {
  const role = asString(message['role']) ?? '';
  const allowed = messageFields[role];
  if (allowed === undefined) return { message: `messages.${index}.role: Input should be 'system', 'user', 'assistant' or 'tool'`, param: 'validation_error' };
  const strange = Object.keys(message).find((name) => !allowed.includes(name));
  return strange === undefined ? undefined : unsupported(`messages.${index}.${role}.${strange}`);
}));
const mixedStrict = sourced('reported', 'https://github.com/RooCodeInc/Roo-Code/issues/10334', ({ body }) => {
  const strict = new Set(objectsOf(body['tools']).map((tool) => objectOf(tool['function'])['strict'] === true));
  return strict.size > 1 ? { status: 422, message: "Tools with mixed values for 'strict' are not allowed. Please set all tools to 'strict: true' or 'strict: false'", param: 'tools' } : undefined;
});
const format = sourced('reported', 'https://github.com/Cerebras/cerebras-cloud-sdk-python/issues/4', ({ body }) => {
  const wanted = objectOf(body['response_format']);
  if (wanted['type'] === 'json_schema' && typeof objectOf(wanted['json_schema'])['name'] !== 'string') return { message: "type: Input should be 'text'", param: 'validation_error' };
  return wanted['type'] === 'json_object' && !/json/i.test(wordsOf(body['messages'])) ? { message: "Prompt must contain the word 'json' to use response_format of type json_object", param: 'response_format' } : undefined;
});
const others = sourced('assumed', compatibility, ({ body }) => {
  if (orphanOf(body) !== undefined) return { message: "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'", param: 'messages' };
  if (Array.isArray(body['stop']) && body['stop'].length > 4) return { message: 'stop: List should have at most 4 items after validation', param: 'validation_error' };
  if (isSet(body['max_tokens']) && isSet(body['max_completion_tokens'])) return { message: 'max_tokens and max_completion_tokens cannot both be set', param: 'validation_error' };
  return range(body, 'temperature', 0, 2, () => 'temperature: Input should be less than or equal to 2') ?? range(body, 'top_p', 0, 1, () => 'top_p: Input should be less than or equal to 1') ?? range(body, 'top_logprobs', 0, 20, () => 'top_logprobs: Input should be less than or equal to 20')
    ?? among(objectsOf(body['tools']), (tool, index) => {
      const { parameters } = objectOf(tool['function']);
      return isObject(parameters) && parameters['type'] !== 'object' ? { message: `tools.${index}.function.parameters: schema must have type 'object'`, param: 'tools' } : undefined;
    });
});

const cerebrasBody = ({ message, param }: StrictRefusal): JsonObject => ({ message, type: 'invalid_request_error', param: param ?? 'validation_error', code: 'wrong_api_format' });

export const cerebras = { checks: { 'openai-chat': [single, known, inMessages, mixedStrict, format, others] }, write: cerebrasBody } as const satisfies StrictProvider;
