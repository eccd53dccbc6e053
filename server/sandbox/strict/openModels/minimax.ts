import { asNumber, asString, isObject } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { callsOf, orphanOf, strangeRole } from '../chatChecks.ts';
import { among, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictCheck, StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorFault } from './messagesDoor.ts';
import { responsesFault } from './responsesDoor.ts';

/* MiniMax. All it refuses has one number, which stands behind the words. */

const refused = (words: string): StrictRefusal => ({ message: `invalid params, ${words} (2013)` });

const roles = sourced('reported', 'https://github.com/BigPizzaV3/CodexPlusPlus/issues/267', ({ body }) => {
  const strange = strangeRole(body, ['system', 'user', 'assistant', 'tool']);
  if (strange !== undefined) return refused(`chat content has invalid message role: ${strange.role}`);
  const list = objectsOf(body['messages']);
  const later = list.findIndex((message, index) => index > 0 && message['role'] === 'system' && list[index - 1]?.['role'] !== 'system');
  return later === -1 ? undefined : refused('chat content has invalid message role: system');
});
const oneSystem = sourced('reported', 'https://github.com/can1357/oh-my-pi/pull/954', ({ body }) => (
  objectsOf(body['messages']).filter((message) => message['role'] === 'system').length > 1 ? refused('invalid chat setting') : undefined
));
const orphan = sourced('reported', 'https://github.com/MiniMax-AI/MiniMax-M2/issues/76', ({ body }) => {
  const found = orphanOf(body);
  return found === undefined ? undefined : refused(`tool result's tool id(${found.id}) not found`);
});
const callText = sourced('reported', 'https://github.com/earendil-works/pi/issues/5468', ({ body }) => among(objectsOf(body['messages']).flatMap(callsOf), (call) => {
  try {
    JSON.parse(asString(objectOf(call['function'])['arguments']) ?? '');
    return undefined;
  } catch {
    return refused(`invalid function arguments json string, tool_call_id: ${asString(call['id']) ?? ''}`);
  }
}));
const parameters = sourced('reported', 'https://github.com/QwenLM/qwen-code/issues/11905', ({ body }) => among(objectsOf(body['tools']), (tool) => {
  if (tool['type'] !== 'function') return refused('invalid tool type:');
  return isObject(objectOf(tool['function'])['parameters']) ? undefined : refused('function parameters is empty');
}));
const thinking = sourced('reported', 'https://github.com/CherryHQ/cherry-studio/issues/16431', ({ body, model }) => {
  const { type } = objectOf(body['thinking']);
  return model.startsWith('minimax-m3') && typeof type === 'string' && type !== 'adaptive' && type !== 'disabled' ? refused(`invalid thinking.type: "${type}" (allowed: adaptive, disabled)`) : undefined;
});
/** The bounds are documented for both protocols; the words are not. */
const numbers = sourced('assumed', 'https://platform.minimax.io/docs/api-reference/text-chat', ({ body }) => {
  const temperature = asNumber(body['temperature']);
  if (temperature !== undefined && (temperature <= 0 || temperature > 1)) return refused('temperature is out of range (0.0, 1.0]');
  const topP = asNumber(body['top_p']);
  if (topP !== undefined && (topP <= 0 || topP > 1)) return refused('top_p is out of range (0.0, 1.0]');
  return (asNumber(body['n']) ?? 1) === 1 ? undefined : refused('n only supports 1');
});

const door = sourced('reported', 'https://github.com/codexu/note-gen/issues/918', ({ body }) => {
  const fault = doorFault(body);
  if (fault?.kind === 'role') return refused(`chat content has invalid message role: ${fault.value}`);
  if (fault?.kind === 'orphan') return refused(`tool result's tool id(${fault.value}) not found`);
  return fault === undefined ? undefined : refused(`invalid ${fault.path}`);
});
const responses = sourced('reported', 'https://github.com/BigPizzaV3/CodexPlusPlus/issues/267', ({ body }) => {
  const fault = responsesFault(body);
  if (fault?.kind === 'role') return refused(`chat content has invalid message role: ${fault.value}`);
  if (fault?.kind === 'orphan') return refused(`tool result's tool id(${fault.value}) not found`);
  return fault === undefined ? undefined : refused(`invalid ${fault.path}`);
});

const minimaxBody = ({ message }: StrictRefusal, requestId: string): JsonObject => ({ type: 'error', error: { type: 'bad_request_error', message, http_code: '400' }, request_id: requestId });
const chat: readonly StrictCheck[] = [oneSystem, roles, orphan, callText, parameters, thinking, numbers];

export const minimax = { checks: { 'openai-chat': chat, 'anthropic-messages': [door, numbers], 'openai-responses': [responses, numbers] }, write: minimaxBody } as const satisfies StrictProvider;
