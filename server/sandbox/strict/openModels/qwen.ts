import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { callsOf, choiceOf, orphanOf, range, strangeRole, unansweredOf } from '../chatChecks.ts';
import { among, isSet, objectOf, objectsOf, sourced, wordsOf } from '../strictCheck.ts';
import type { StrictRefusal, StrictRequest } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorChoice, doorFault } from './messagesDoor.ts';

/* Alibaba's Model Studio. What its algorithms refuse begins with the same words; what its gate refuses does not. */

const errorCodes = 'https://help.aliyun.com/en/model-studio/error-code';
const refused = (words: string): StrictRefusal => ({ message: `<400> InternalError.Algo.InvalidParameter: ${words}`, code: 'invalid_parameter_error' });
const roles = ['system', 'assistant', 'user', 'tool', 'function'];

/** Qwen3 in its first open form answers with thinking in streams only. */
const openQwen3 = /^qwen3-(?:235b-a22b|32b|30b-a3b|14b|8b|4b|1\.7b|0\.6b)$/;
const thinksByDefault = (model: string): boolean => openQwen3.test(model) || /^qwen3\.[5-9]/.test(model);
const thinks = ({ body, model }: { body: JsonObject; model: string }): boolean => (typeof body['enable_thinking'] === 'boolean' ? body['enable_thinking'] : thinksByDefault(model));

const role = sourced('reported', 'https://github.com/proma-ai/Proma/issues/1496', ({ body }) => {
  const strange = strangeRole(body, roles);
  return strange === undefined ? undefined : { message: `${strange.role} is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.[${strange.index}].role'`, code: 'invalid_parameter_error' };
});
const orphan = sourced('documented', errorCodes, ({ body }) => (orphanOf(body) === undefined ? undefined : refused('messages with role "tool" must be a response to a preceeding message with "tool_calls".')));
const unanswered = sourced('reported', 'https://github.com/agentscope-ai/agentscope/issues/772', ({ body }) => {
  const open = unansweredOf(body);
  return open === undefined ? undefined : refused(`An assistant message with "tool_calls" must be followed by tool messages responding to each "tool_call_id". The following tool_call_ids did not have response messages: message[${open.index}].role`);
});
const callText = sourced('documented', errorCodes, ({ body }) => among(objectsOf(body['messages']).flatMap(callsOf), (call) => (
  isJson(objectOf(call['function'])['arguments']) ? undefined : refused('The "function.arguments" parameter of the code model must be in JSON format.')
)));
const forced = sourced('reported', 'https://github.com/cloudwego/eino/issues/994', (request) => (
  ['required', 'function'].includes(choiceOf(request.body)) && thinks(request) ? refused('The tool_choice parameter does not support being set to required or object in thinking mode') : undefined
));
const plain = sourced('documented', errorCodes, (request) => (
  openQwen3.test(request.model) && request.body['stream'] !== true && thinks(request) ? { message: 'parameter.enable_thinking must be set to false for non-streaming calls', code: 'invalid_parameter_error' } : undefined
));
const format = sourced('documented', errorCodes, (request) => {
  const wanted = objectOf(request.body['response_format'])['type'];
  // Models from 3.8 on think before they write JSON (QwenLM/Qwen#2329).
  if ((wanted === 'json_object' || wanted === 'json_schema') && thinks(request) && !/^qwen3\.[89]/.test(request.model)) return { message: 'Json mode response is not supported when enable_thinking is true', code: 'invalid_parameter_error' };
  return wanted === 'json_object' && !/json/i.test(wordsOf(request.body['messages'])) ? refused("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.") : undefined;
});
/** The most tokens of an answer: anomalyco/opencode#40770 (3.8), NousResearch/hermes-agent#19624 (before it). */
function limitRefused({ body, model }: StrictRequest): StrictRefusal | undefined {
  const most = model.startsWith('qwen3.8') ? 131_072 : 65_536;
  return range(body, 'max_tokens', 1, most, () => `Range of max_tokens should be [1, ${most}]`);
}
const numbers = sourced('reported', 'https://github.com/mnfst/modelparams.dev/pull/232', (request) => {
  const { body } = request;
  const temperature = asNumber(body['temperature']);
  if (temperature !== undefined && (temperature < 0 || temperature >= 2)) return refused('Temperature should be in [0.0, 2.0)');
  const found = limitRefused(request) ?? range(body, 'top_p', 0, 1, () => 'Range of top_p should be [0.0, 1.0]')
    ?? range(body, 'presence_penalty', -2, 2, () => 'Presence_penalty should be in [-2.0, 2.0]') ?? range(body, 'n', 1, 4, () => 'Range of n should be [1, 4]') ?? range(body, 'top_logprobs', 0, 5, () => 'Range of top_logprobs should be [0, 5]');
  return found === undefined ? undefined : refused(found.message);
});
const tools = sourced('assumed', errorCodes, ({ body }) => among(objectsOf(body['tools']), (tool) => {
  const definition = objectOf(tool['function']);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(asString(definition['name']) ?? '')) return refused('[] is too short - \'tools\'');
  return isSet(definition['parameters']) && objectOf(definition['parameters'])['type'] !== 'object' ? refused('The tool parameters must be a JSON Schema of type object.') : undefined;
}));

const door = sourced('assumed', 'https://github.com/QwenLM/Qwen/issues/2244', ({ body }) => {
  const fault = doorFault(body);
  if (fault?.kind === 'role') return { message: `${fault.path}: unknown variant \`${fault.value}\`, expected \`user\` or \`assistant\`` };
  if (fault?.kind === 'orphan') return refused('messages with role "tool" must be a response to a preceeding message with "tool_calls".');
  return fault === undefined ? undefined : refused(`Invalid ${fault.path}: ${fault.value}`);
});
const doorNumbers = sourced('reported', 'https://github.com/musistudio/claude-code-router/issues/1327', (request) => {
  const { body } = request;
  const temperature = asNumber(body['temperature']);
  if (temperature !== undefined && (temperature < 0 || temperature >= 2)) return refused('Temperature should be in [0.0, 2.0)');
  const limit = limitRefused(request);
  return limit === undefined ? undefined : refused(limit.message);
});
const doorForced = sourced('reported', 'https://github.com/decolua/9router/pull/551', ({ body }) => (
  ['any', 'tool'].includes(doorChoice(body) ?? '') && ['enabled', 'adaptive'].includes(asString(objectOf(body['thinking'])['type']) ?? '') ? refused('The tool_choice parameter does not support being set to required or object in thinking mode') : undefined
));

function isJson(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const chatBody = ({ message, code }: StrictRefusal, requestId: string): JsonObject => ({ error: { message, type: 'invalid_request_error', param: null, code: code ?? 'invalid_parameter_error' }, id: `chatcmpl-${requestId}`, request_id: requestId });
const doorBody = ({ message }: StrictRefusal, requestId: string): JsonObject => ({ code: 'InvalidParameter', message, request_id: requestId });

export const qwen = {
  checks: { 'openai-chat': [role, orphan, unanswered, callText, forced, plain, format, numbers, tools], 'anthropic-messages': [door, doorNumbers, doorForced] },
  write: chatBody, writeIn: { 'anthropic-messages': doorBody },
} as const satisfies StrictProvider;
