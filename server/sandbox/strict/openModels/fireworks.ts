import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { namesMatch, orphanOf, range, unknownFields } from '../chatChecks.ts';
import { among, isSet, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorFault } from './messagesDoor.ts';
import { responsesFault } from './responsesDoor.ts';

/*
 * Fireworks. Its schema closes every object: a field that it does not have is refused, on the top and in messages, tools and calls.
 * The schema was read at https://github.com/api-evangelist/fireworks-ai (openapi/fireworks-ai-chat-api-openapi.yml), November 2026.
 */

const reference = 'https://docs.fireworks.ai/api-reference/post-chatcompletions';
const extra = 'https://github.com/web-infra-dev/midscene/issues/1322';

const fields: ReadonlySet<string> = new Set([
  'model', 'messages', 'tools', 'tool_choice', 'stream', 'response_format', 'temperature', 'top_k', 'user', 'prompt_cache_key', 'prompt_cache_isolation_key', 'raw_output', 'perf_metrics_in_response', 'n', 'service_tier', 'stop',
  'max_tokens', 'max_completion_tokens', 'top_p', 'min_p', 'typical_p', 'frequency_penalty', 'presence_penalty', 'repetition_penalty', 'mirostat_target', 'mirostat_lr', 'seed', 'logprobs', 'top_logprobs', 'echo', 'echo_last', 'ignore_eos',
  'context_length_exceeded_behavior', 'logit_bias', 'speculation', 'prediction', 'metadata', 'reasoning_effort', 'reasoning_history', 'thinking', 'return_token_ids', 'functions', 'prompt_truncate_len', 'parallel_tool_calls', 'safe_tokenization', 'function_call',
]);
const messageFields = ['role', 'content', 'reasoning_content', 'tool_calls', 'tool_call_id'];

const extraField = (path: string, value: unknown): StrictRefusal => ({ message: `Extra inputs are not permitted, field: '${path}', value: ${JSON.stringify(value)}` });

const closed = sourced('reported', extra, ({ body }) => {
  const [unknown] = unknownFields(body, fields);
  if (unknown !== undefined) return extraField(unknown, body[unknown]);
  return among(objectsOf(body['messages']), (message, index) => {
    const name = Object.keys(message).find((field) => !messageFields.includes(field));
    return name === undefined ? undefined : extraField(`messages[${index}].${name}`, message[name]);
  });
});
const roles = sourced('assumed', reference, ({ body }) => among(objectsOf(body['messages']), (message, index) => (
  ['system', 'user', 'assistant', 'tool', 'function'].includes(asString(message['role']) ?? '') ? undefined : { message: `Input should be 'system', 'user', 'assistant' or 'tool', field: 'messages[${index}].role', value: '${asString(message['role']) ?? ''}'` }
)));
const orphan = sourced('assumed', reference, ({ body }) => (orphanOf(body) === undefined ? undefined : { message: "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'" }));
const longAnswers = sourced('reported', 'https://github.com/nullclaw/nullclaw/pull/231', ({ body }) => {
  const limit = asNumber(body['max_tokens']) ?? asNumber(body['max_completion_tokens']) ?? 0;
  return limit > 4096 && body['stream'] !== true ? { message: 'Requests with max_tokens > 4096 must have stream=true', param: 'max_tokens', code: 'BAD_REQUEST', type: 'error' } : undefined;
});
const parameters = sourced('assumed', reference, ({ body, model }) => {
  if (isSet(body['max_tokens']) && isSet(body['max_completion_tokens'])) return { message: 'Cannot specify both max_tokens and max_completion_tokens' };
  if (isSet(body['thinking']) && isSet(body['reasoning_effort'])) return { message: 'Cannot specify both thinking and reasoning_effort' };
  if (Array.isArray(body['stop']) && body['stop'].length > 4) return { message: `List should have at most 4 items after validation, not ${body['stop'].length}, field: 'stop'` };
  const bound = ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty'].map((field) => range(body, field, field.endsWith('penalty') ? -2 : 0, field === 'top_p' ? 1 : 2, (value) => `Input is out of range, field: '${field}', value: ${value}`)).find((found) => found !== undefined)
    ?? range(body, 'top_logprobs', 0, 5, (value) => `Input should be less than or equal to 5, field: 'top_logprobs', value: ${value}`) ?? range(body, 'n', 1, 128, (value) => `Input is out of range, field: 'n', value: ${value}`);
  if (bound !== undefined) return bound;
  const effort = body['reasoning_effort'];
  const efforts = model.startsWith('gpt-oss') || model.startsWith('minimax-m2') ? ['low', 'medium', 'high'] : ['none', 'low', 'medium', 'high', 'max'];
  return typeof effort === 'string' && !efforts.includes(effort) ? { message: `Invalid reasoning effort: ${effort}`, param: 'reasoning_effort' } : undefined;
});
const tools = sourced('assumed', reference, ({ body }) => {
  const name = namesMatch(body, /^[a-zA-Z0-9_-]{1,64}$/, (path) => `Invalid function name, field: '${path}'`);
  return name ?? among(objectsOf(body['tools']), (tool, index) => (
    isSet(objectOf(tool['function'])['parameters']) && objectOf(objectOf(tool['function'])['parameters'])['type'] !== 'object' ? { message: `JSON Schema not supported: could not understand the instance, field: 'tools[${index}].function.parameters'` } : undefined
  ));
});

const door = sourced('assumed', 'https://docs.fireworks.ai/tools-sdks/anthropic-compatibility', ({ body }) => {
  const fault = doorFault(body);
  return fault === undefined ? undefined : { message: fault.kind === 'role' ? `${fault.path}: Input should be 'user' or 'assistant'` : `${fault.path}: Input is not valid, value: '${fault.value}'` };
});
const responses = sourced('assumed', 'https://docs.fireworks.ai/api-reference/post-responses', ({ body }) => {
  const fault = responsesFault(body, ['system', 'user', 'assistant', 'developer'], true);
  return fault === undefined ? undefined : { message: `Input is not valid, field: '${fault.path}', value: '${fault.value}'` };
});

const fireworksBody = ({ message, param, code, type }: StrictRefusal): JsonObject => ({ error: { message, ...(param === undefined ? { object: 'error' } : { param }), code: code ?? 'invalid_request_error', type: type ?? 'invalid_request_error' } });
const doorBody = ({ message }: StrictRefusal): JsonObject => ({ error: { type: 'invalid_request_error', message }, type: 'error' });

export const fireworks = {
  checks: { 'openai-chat': [closed, roles, orphan, longAnswers, parameters, tools], 'anthropic-messages': [door], 'openai-responses': [responses] },
  write: fireworksBody, writeIn: { 'anthropic-messages': doorBody },
} as const satisfies StrictProvider;
