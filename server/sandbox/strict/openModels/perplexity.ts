import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { among, isSet, objectOf, objectsOf, sourced } from '../strictCheck.ts';
import type { StrictRefusal } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';

/*
 * Perplexity's Agent API. Its schema says what each field may be, and nothing of the words of a refusal; the shape is that of its
 * other APIs. Fields that the schema does not have are taken, because it tells people to use OpenAI's libraries.
 */

const reference = 'https://docs.perplexity.ai/api-reference/responses-post';
const rule = (check: Parameters<typeof sourced>[2]): ReturnType<typeof sourced> => sourced('assumed', reference, check);

const items = rule(({ body }) => among(objectsOf(body['input']), (item, index) => {
  const type = asString(item['type']);
  const path = `input[${index}]`;
  if (type === 'function_call') return undefined;
  if (type === 'function_call_output') return typeof item['output'] === 'string' ? undefined : { message: `${path}.output: expected a string` };
  if (type !== 'message') return { message: `${path}: unknown input item type "${type ?? ''}", expected one of message, function_call, function_call_output` };
  if (!['user', 'assistant', 'system', 'developer'].includes(asString(item['role']) ?? '')) return { message: `${path}.role: invalid role "${asString(item['role']) ?? ''}"` };
  return among(objectsOf(item['content']), (part, position) => (
    part['type'] === 'input_text' || part['type'] === 'input_image' ? undefined : { message: `${path}.content[${position}]: unknown content part type "${asString(part['type']) ?? ''}", expected input_text or input_image` }
  ));
}));
const results = rule(({ body }) => {
  const called = new Set<unknown>();
  return among(objectsOf(body['input']), (item) => {
    if (item['type'] === 'function_call') called.add(item['call_id']);
    return item['type'] === 'function_call_output' && !called.has(item['call_id']) ? { message: `No tool call found for function call output with call_id ${asString(item['call_id']) ?? ''}.` } : undefined;
  });
});
const tools = rule(({ body }) => among(objectsOf(body['tools']), (tool, index) => {
  if (!['web_search', 'fetch_url', 'function'].includes(asString(tool['type']) ?? '')) return { message: `tools[${index}]: unknown tool type "${asString(tool['type']) ?? ''}"` };
  return tool['type'] === 'function' && typeof tool['name'] !== 'string' ? { message: `tools[${index}].name: required` } : undefined;
}));
const others = rule(({ body }) => {
  const effort = objectOf(body['reasoning'])['effort'];
  if (isSet(effort) && !['low', 'medium', 'high'].includes(String(effort))) return { message: `reasoning.effort: invalid value "${String(effort)}", expected one of low, medium, high` };
  if ((asNumber(body['max_output_tokens']) ?? 1) < 1) return { message: 'max_output_tokens: must be at least 1' };
  const format = objectOf(body['response_format']);
  if (isSet(format['type']) && format['type'] !== 'json_schema') return { message: `response_format.type: invalid value "${String(format['type'])}", expected json_schema` };
  const name = asString(objectOf(format['json_schema'])['name']) ?? 'x';
  return name.length >= 1 && name.length <= 64 ? undefined : { message: 'response_format.json_schema.name: must have 1 to 64 characters' };
});

const perplexityBody = ({ message, status }: StrictRefusal): JsonObject => ({ error: { message, type: 'invalid_request', code: status ?? 400 } });

export const perplexity = { checks: { 'openai-responses': [items, results, tools, others] }, write: perplexityBody } as const satisfies StrictProvider;
