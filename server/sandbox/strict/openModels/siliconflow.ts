import { asNumber } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { namesMatch, orphanOf, strangeRole } from '../chatChecks.ts';
import { isSet, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { doorChoice, doorFault } from './messagesDoor.ts';

/* SiliconFlow. One number stands for every wrong parameter; its reference has the bounds, and reports have the words of two refusals. */

const reference = 'https://docs.siliconflow.cn/docs/api/chat-completions-post';
const doorReference = 'https://docs.siliconflow.cn/cn/docs/api/messages-post';
const invalid = (words: string): StrictRefusal => ({ message: words, code: '20015' });

/** Models that do not think, or always do. */
const withoutSwitch = /qwen2|-vl-|hunyuan-mt|deepseek-r1|instruct|^deepseek-v3$/;

const thinking = sourced('reported', 'https://github.com/CherryHQ/cherry-studio/issues/6642', ({ body, model }) => (
  body['enable_thinking'] !== undefined && withoutSwitch.test(model) ? invalid('Value error, current model does not support parameter `enable_thinking`.') : undefined
));
const messages = sourced('reported', 'https://github.com/anomalyco/opencode/issues/18893', ({ body }) => (
  strangeRole(body, ['system', 'user', 'assistant', 'tool']) !== undefined || orphanOf(body) !== undefined ? invalid('"messages" in request are illegal.') : undefined
));
const parameters = sourced('assumed', reference, ({ body }) => {
  if (Array.isArray(body['stop']) && body['stop'].length > 4) return invalid('Value error, stop has more than 4 sequences.');
  if (objectOf(body['response_format'])['type'] === 'json_schema') return invalid('Value error, response_format json_schema is not supported.');
  const budget = asNumber(body['thinking_budget']);
  if (budget !== undefined && (budget < 128 || budget > 32_768)) return invalid('Value error, thinking_budget must be between 128 and 32768.');
  const effort = body['reasoning_effort'];
  if (isSet(effort) && !['low', 'medium', 'high', 'xhigh', 'max'].includes(String(effort))) return invalid(`Value error, reasoning_effort ${String(effort)} is not supported.`);
  if ((asNumber(body['temperature']) ?? 0) > 2 || (asNumber(body['temperature']) ?? 0) < 0) return invalid('Value error, temperature must be between 0 and 2.');
  if ((asNumber(body['top_p']) ?? 1) > 1) return invalid('Value error, top_p must be at most 1.');
  if (namesMatch(body, /^[a-zA-Z0-9_-]{1,64}$/, (path) => path) !== undefined) return invalid('Value error, the name of a function may have a-z, A-Z, 0-9, underscores and dashes, with a maximum length of 64.');
  const loose = objectsOf(body['tools']).some((tool) => isSet(objectOf(tool['function'])['parameters']) && objectOf(objectOf(tool['function'])['parameters'])['type'] !== 'object');
  return loose ? invalid('Value error, the parameters of a function must be an object.') : undefined;
});

const door = sourced('assumed', doorReference, ({ body }) => {
  const fault = doorFault(body);
  if (fault !== undefined) return invalid(fault.kind === 'role' || fault.kind === 'orphan' ? '"messages" in request are illegal.' : `Value error, ${fault.path} is not valid.`);
  return (asNumber(body['temperature']) ?? 0) > 2 || (asNumber(body['top_k']) ?? 0) > 100 || (asNumber(body['top_p']) ?? 0) > 1 ? invalid('Value error, a sampling parameter is out of range.') : undefined;
});
/** The choices are a list in its reference: automatic, a certain tool, none. */
const doorForce = sourced('documented', doorReference, ({ body }) => (doorChoice(body) === 'any' ? invalid('Value error, tool_choice any is not supported.') : undefined));

const siliconflowBody = ({ message, code }: StrictRefusal): JsonObject => ({ code: Number(code ?? '20015'), message, data: null });

export const siliconflow = { checks: { 'openai-chat': [thinking, messages, parameters], 'anthropic-messages': [door, doorForce] }, write: siliconflowBody } as const satisfies StrictProvider;
