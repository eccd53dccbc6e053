import { asNumber, asString } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { among, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/*
 * DeepSeek's Messages. Sources: https://api-docs.deepseek.com/guides/anthropic_api (names of models, what is supported and what is ignored), and the
 * error texts in deepseek-ai/DeepSeek-V3#1026 (types of blocks) and decolua/9router#2397 (thinking); NousResearch/hermes-agent#16149 says that
 * turning thinking off needs an explicit `disabled`. Documents are ignored in silence (maximhq/bifrost#6741). Read in November 2026.
 */

const blocks = ['text', 'image', 'document', 'tool_use', 'tool_result', 'thinking'];
const models = ['deepseek-flash', 'deepseek-v4-pro', 'deepseek-v4-flash', 'deepseek-v4-flash-vision-exp'];

const known: StrictCheck = ({ model }) => (model.startsWith('claude') || models.includes(model) ? undefined : { message: `The supported API model names are ${models.slice(0, 2).join(' or ')}, but you passed ${model}.` });

const messages: StrictCheck = ({ body }) => {
  const thinks = objectOf(body['thinking'])['type'] !== 'disabled';
  return among(objectsOf(body['messages']), (message, index) => {
    const content = objectsOf(message['content']);
    const strange = content.find((block) => !blocks.includes(asString(block['type']) ?? ''));
    if (strange !== undefined) return { message: `Failed to deserialize the JSON body into the target type: messages[${index}].content: unknown variant \`${asString(strange['type']) ?? ''}\`, expected one of ${blocks.map((name) => `\`${name}\``).join(', ')} at line 1 column 30` };
    const calls = content.some((block) => block['type'] === 'tool_use');
    return thinks && calls && !content.some((block) => block['type'] === 'thinking') ? { message: 'The `content[].thinking` in the thinking mode must be passed back to the API.' } : undefined;
  });
};

const rest: StrictCheck = ({ body }) => {
  const forced = ['any', 'tool'].includes(asString(objectOf(body['tool_choice'])['type']) ?? '');
  if (forced && objectOf(body['thinking'])['type'] !== 'disabled') return { message: 'Thinking mode does not support this tool_choice' };
  return range(body, 'max_tokens', 1, 393_216, 'Invalid max_tokens value, the valid range of max_tokens is [1, 393216]')
    ?? range(body, 'temperature', 0, 2, 'Invalid temperature value, the valid range of temperature is [0, 2]')
    ?? among(objectsOf(body['tools']), (tool, index) => (/^[a-zA-Z0-9_-]{1,64}$/.test(asString(tool['name']) ?? '') ? undefined : { message: `Invalid 'tools[${index}].name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.` }));
};

function range(body: JsonObject, field: string, least: number, most: number, message: string): StrictRefusal | undefined {
  const value = asNumber(body[field]);
  return value === undefined || (value >= least && value <= most) ? undefined : { message };
}

export const deepseekMessagesChecks: readonly StrictCheck[] = [known, messages, rest];
