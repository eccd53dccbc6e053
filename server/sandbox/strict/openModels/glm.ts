import { asNumber, asString, isObject } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { callsOf, choiceOf, namesMatch, orphanOf, strangeRole } from '../chatChecks.ts';
import { among, dataUrlOf, isSet, mediaTypeOfBytes, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictCheck, StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorChoice, doorFault } from './messagesDoor.ts';
import { responsesFault } from './responsesDoor.ts';

/*
 * Z.ai's GLM. One code and one sentence stand for almost every wrong parameter, and another for wrong messages: what exactly is wrong is
 * not said. Its guide for OpenAI's library and its reference say what a parameter may be.
 */

const reference = 'https://docs.z.ai/api-reference/llm/chat-completion';
const wrongParameter: StrictRefusal = { code: '1210', message: 'Invalid API parameter, please check the documentation.' };
const wrongMessages: StrictRefusal = { code: '1214', message: 'The messages parameter is illegal. Please check the documentation.' };

const outside = (body: JsonObject, field: string, least: number, most: number): boolean => {
  const value = asNumber(body[field]);
  return value !== undefined && (value < least || value > most);
};

const messages = sourced('reported', 'https://github.com/anomalyco/opencode/issues/2557', ({ body }) => {
  if (strangeRole(body, ['system', 'user', 'assistant', 'tool']) !== undefined || orphanOf(body) !== undefined) return wrongMessages;
  const list = objectsOf(body['messages']);
  if (!list.some((message) => message['role'] === 'user')) return wrongMessages;
  return list.some((message) => message['role'] === 'assistant' && callsOf(message).length === 0 && Array.isArray(message['tool_calls'])) ? wrongMessages : undefined;
});

const choice = sourced('reported', 'https://github.com/vectorize-io/hindsight/issues/4246', ({ body }) => (
  ['none given', 'auto'].includes(choiceOf(body)) ? undefined : { code: '1210', message: 'Tool choice must be auto' }
));

const parameters = sourced('reported', 'https://github.com/Kilo-Org/kilocode/issues/13069', ({ body }) => {
  const format = objectOf(body['response_format'])['type'];
  const wrong = outside(body, 'temperature', 0, 1) || outside(body, 'top_p', 0, 1) || outside(body, 'max_tokens', 1, Infinity)
    || (Array.isArray(body['stop']) && body['stop'].length > 1)
    || (isSet(format) && format !== 'text' && format !== 'json_object')
    || objectsOf(body['tools']).some((tool) => tool['type'] === 'function' && isSet(objectOf(tool['function'])['parameters']) && objectOf(objectOf(tool['function'])['parameters'])['type'] !== 'object')
    || namesMatch(body, /^[a-zA-Z0-9_-]{1,64}$/, (path) => path) !== undefined;
  return wrong ? wrongParameter : undefined;
});

/** What a client library of others leaves out for GLM. */
const leftOutByOthers = sourced('assumed', 'https://java.agentscope.io/v2/en/integration/model/glm', ({ body }) => {
  const refused = ['max_completion_tokens', 'frequency_penalty', 'presence_penalty'].some((field) => isSet(body[field])) || objectsOf(body['tools']).some((tool) => isSet(objectOf(tool['function'])['strict']));
  const effort = asString(body['reasoning_effort']);
  return refused || (effort !== undefined && !['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'].includes(effort)) ? wrongParameter : undefined;
});

const images = sourced('documented', reference, ({ body }) => among(objectsOf(body['messages']).flatMap((message) => objectsOf(message['content'])), (part) => {
  const url = asString(objectOf(part['image_url'])['url']);
  const inline = url === undefined ? undefined : dataUrlOf(url);
  const type = inline === undefined ? undefined : mediaTypeOfBytes(inline.data) ?? inline.type;
  return type === undefined || type === 'image/jpeg' || type === 'image/png' ? undefined : wrongParameter;
}));

const door = sourced('reported', 'https://github.com/zed-industries/zed/issues/45704', ({ body }) => {
  const fault = doorFault(body);
  if (fault === undefined) return outside(body, 'temperature', 0, 1) ? wrongParameter : undefined;
  if (fault.kind === 'role') return { code: '1214', message: 'Incorrect role information' };
  return fault.kind === 'empty' ? { code: '1213', message: 'The prompt parameter was not received normally.' } : fault.kind === 'orphan' ? wrongMessages : wrongParameter;
});

/** The door leads to the same models as Chat does; that it takes no other choice either is not said anywhere. */
const doorForce = sourced('assumed', 'https://github.com/vectorize-io/hindsight/issues/4246', ({ body }) => (
  [undefined, 'auto'].includes(doorChoice(body)) ? undefined : { code: '1210', message: 'Tool choice must be auto' }
));

const responses = sourced('assumed', 'https://docs.z.ai/api-reference/api-code', ({ body }) => {
  const fault = responsesFault(body, undefined, true);
  if (fault !== undefined) return fault.kind === 'role' || fault.kind === 'orphan' ? wrongMessages : wrongParameter;
  return outside(body, 'temperature', 0, 1) || isObject(body['tool_choice']) || body['tool_choice'] === 'required' ? wrongParameter : undefined;
});

const glmBody = ({ message, code }: StrictRefusal): JsonObject => ({ error: { code: code ?? '1210', message } });
const doorBody = (refusal: StrictRefusal, requestId: string): JsonObject => ({ ...glmBody(refusal), request_id: requestId });
const chat: readonly StrictCheck[] = [messages, choice, parameters, leftOutByOthers, images];

export const zai = { checks: { 'openai-chat': chat, 'anthropic-messages': [door, doorForce] }, write: glmBody, writeIn: { 'anthropic-messages': doorBody } } as const satisfies StrictProvider;
export const zaiCodingPlan = { checks: { 'openai-chat': chat, 'anthropic-messages': [door, doorForce], 'openai-responses': [responses] }, write: glmBody, writeIn: { 'anthropic-messages': doorBody } } as const satisfies StrictProvider;
