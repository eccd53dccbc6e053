import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { orphanOf, strangeRole } from '../chatChecks.ts';
import { among, isSet, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorFault, isOwnTool } from './messagesDoor.ts';
import { responsesFault } from './responsesDoor.ts';

/* SambaNova. The shape of an error and the words for numbers are documented; the bounds are those of its library. */

const errorCodes = 'https://docs.sambanova.ai/docs/en/api-reference/using-the-api/api-error-codes';
const library = 'https://github.com/sambanova/sambanova-python';

function outside(body: JsonObject, field: string, least: number, most: number): StrictRefusal | undefined {
  const value = asNumber(body[field]);
  if (value === undefined || (value >= least && value <= most)) return undefined;
  const over = value > most;
  return { message: `Decimal ${over ? 'above maximum' : 'below minimum'} value. Expected a value between ${least} and ${most}, but got ${value} instead.`, param: field, code: over ? 'decimal_above_max_value' : 'decimal_below_min_value' };
}

const numbers = sourced('documented', errorCodes, ({ body }) => outside(body, 'temperature', 0, 2) ?? outside(body, 'top_p', 0, 1) ?? outside(body, 'frequency_penalty', -2, 2) ?? outside(body, 'presence_penalty', -2, 2));
const textOnly = sourced('reported', 'https://github.com/musistudio/claude-code-router/issues/965', ({ body, model }) => (
  model.startsWith('deepseek') && objectsOf(body['messages']).some((message) => Array.isArray(message['content']) && objectsOf(message['content']).every((part) => part['type'] === 'text'))
    ? { message: `Unable to tokenize message with status code 400 for model ${model}: Invalid 'content' type. Expected one of: ['str'], got list.` } : undefined
));
const parameters = sourced('assumed', library, ({ body }) => {
  const strange = strangeRole(body, ['system', 'user', 'assistant', 'tool']);
  if (strange !== undefined) return { message: `Invalid value: '${strange.role}'. Supported values are: 'system', 'user', 'assistant' and 'tool'.`, param: `messages[${strange.index}].role`, code: 'invalid_value' };
  const orphan = orphanOf(body);
  if (orphan !== undefined) return { message: `Messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`, param: `messages[${orphan.index}]`, code: 'invalid_value' };
  const effort = body['reasoning_effort'];
  if (isSet(effort) && !['low', 'medium', 'high'].includes(String(effort))) return { message: `Invalid value: '${String(effort)}'. Supported values are: 'low', 'medium', and 'high'.`, param: 'reasoning_effort', code: 'invalid_value' };
  return among(objectsOf(body['tools']), (tool, index) => (
    isSet(objectOf(tool['function'])['parameters']) && objectOf(objectOf(tool['function'])['parameters'])['type'] !== 'object' ? { message: "Invalid schema: expected type 'object'.", param: `tools[${index}].function.parameters`, code: 'invalid_function_parameters' } : undefined
  ));
});

const doorLimits = sourced('documented', 'https://docs.sambanova.ai/docs/en/features/messages', ({ body }) => {
  const own = objectsOf(body['tools']).find(isOwnTool);
  if (own !== undefined) return { message: `Server-side tools are not supported: ${asString(own['type']) ?? ''}`, param: 'tools' };
  const parts = objectsOf(body['messages']).flatMap((message) => objectsOf(message['content'])).flatMap((block) => [block, ...objectsOf(block['content'])]);
  return among(parts, (part) => {
    if (part['type'] === 'document') return { message: 'document content blocks are not supported', param: 'messages' };
    return part['type'] === 'image' && objectOf(part['source'])['type'] === 'url' ? { message: 'URL image sources are not supported; use base64-encoded images', param: 'messages' } : undefined;
  });
});
const door = sourced('assumed', 'https://docs.sambanova.ai/docs/en/features/messages', ({ body }) => {
  const fault = doorFault(body);
  return fault === undefined ? outside(body, 'temperature', 0, 2) : { message: `Invalid '${fault.path}': ${fault.value}`, param: fault.path, code: 'invalid_value' };
});
const responses = sourced('assumed', errorCodes, ({ body }) => {
  const fault = responsesFault(body);
  const effort = objectOf(body['reasoning'])['effort'];
  if (fault !== undefined) return { message: `Invalid '${fault.path}': ${fault.value}`, param: fault.path, code: 'invalid_value' };
  return isSet(effort) && !['low', 'medium', 'high'].includes(String(effort)) ? { message: `Invalid value: '${String(effort)}'. Supported values are: 'low', 'medium', and 'high'.`, param: 'reasoning.effort', code: 'invalid_value' } : outside(body, 'temperature', 0, 2);
});

const sambanovaBody = ({ message, param, code }: StrictRefusal, requestId: string): JsonObject => ({ error: { message, type: 'invalid_request_error', param: param ?? null, code: code ?? null }, request_id: requestId });

export const sambanova = { checks: { 'openai-chat': [numbers, textOnly, parameters], 'anthropic-messages': [doorLimits, door], 'openai-responses': [responses] }, write: sambanovaBody } as const satisfies StrictProvider;
