import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { claudeGeneration } from './anthropicModels.ts';
import { among, isSet, mediaTypeOfBytes, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/*
 * Anthropic's Messages. Sources: https://platform.claude.com/docs/en/api/messages and the types of `@anthropic-ai/sdk` 1.11.0 for fields;
 * error texts in openclaw/openclaw#7107 (call ids), hermes-agent#55432 (media types), BerriAI/litellm#15097 (temperature beside top_p),
 * BerriAI/litellm#11432 (identifiers of users), agentjido/req_llm#302 and ax-llm/ax#458 (schemas of answers), the crate gproxy-transform
 * 2.6.1 (turns of the system). Read in November 2026; other
 * wordings are from memory.
 */

const fields: ReadonlySet<string> = new Set([
  'model', 'messages', 'max_tokens', 'metadata', 'stop_sequences', 'stream', 'system', 'temperature', 'thinking', 'tool_choice', 'tools', 'top_k', 'top_p', 'service_tier', 'container', 'cache_control',
  'mcp_servers', 'context_management', 'output_config', 'output_format', 'inference_geo', 'speed', 'safeguards', 'thread', 'fallbacks', 'user_profile_id', 'diagnostics',
]);
const mediaTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const largestImage = 5 * 1024 * 1024;
const idPattern = /^[a-zA-Z0-9_-]+$/;

function blocksOf(content: JsonValue | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsOf(content);
}

const messages: StrictCheck = ({ body, model }) => {
  const list = objectsOf(body['messages']);
  return among(list, (message, index) => {
    const path = `messages.${index}`;
    if (message['role'] === 'system' && claudeGeneration(model)?.systemTurns === false) return { message: "role 'system' is not supported on this model" };
    const blocks = blocksOf(message['content']);
    if (blocks.length === 0 || message['content'] === '') return { message: `${path}: all messages must have non-empty content except for the optional final assistant message` };
    return among(blocks, (block, position) => badBlock(block, `${path}.content.${position}`, message['role'] === 'assistant'));
  });
};

function badBlock(block: JsonObject, path: string, assistant: boolean): StrictRefusal | undefined {
  switch (block['type']) {
    case 'text':
      if (block['text'] === '') return { message: 'messages: text content blocks must be non-empty' };
      return typeof block['text'] === 'string' && block['text'].trim() === '' ? { message: 'messages: text content blocks must contain non-whitespace text' } : undefined;
    case 'tool_use':
      if (!idPattern.test(asString(block['id']) ?? '')) return { message: `${path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'` };
      if (!/^[a-zA-Z0-9_-]{1,200}$/.test(asString(block['name']) ?? '')) return { message: `${path}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,200}$'` };
      if (!assistant) return { message: `${path}: \`tool_use\` blocks can only be in \`assistant\` messages` };
      return isObject(block['input']) ? undefined : { message: `${path}.tool_use.input: Input should be a valid dictionary` };
    case 'tool_result':
      if (assistant) return { message: `${path}: \`tool_result\` blocks can only be in \`user\` messages` };
      if (!idPattern.test(asString(block['tool_use_id']) ?? '')) return { message: `${path}.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'` };
      return among(objectsOf(block['content']), (part, position) => badBlock(part, `${path}.tool_result.content.${position}`, false));
    case 'image': {
      const source = objectOf(block['source']);
      if (source['type'] !== 'base64') return undefined;
      const label = asString(source['media_type']) ?? '';
      if (!mediaTypes.includes(label)) return { message: `${path}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'` };
      const size = (asString(source['data']) ?? '').length;
      // anthropics/claude-code#10612, lobehub/lobehub#14711: the bound is that of the base64.
      if (size > largestImage) return { message: `${path}.image.source.base64: image exceeds 5 MB maximum: ${size} bytes > ${largestImage} bytes` };
      const real = mediaTypeOfBytes(asString(source['data']) ?? '');
      return real === undefined || real === label ? undefined : { message: `${path}.image.source.base64.data: The image was specified using the ${label} media type, but the image appears to be a ${real} image` };
    }
    default:
      return undefined;
  }
}

/** Each result follows its call, at the beginning of the next message. */
const results: StrictCheck = ({ body }) => {
  const list = objectsOf(body['messages']);
  return among(list, (message, index) => {
    const blocks = blocksOf(message['content']);
    const called = new Set(blocksOf(list[index - 1]?.['content']).filter((block) => block['type'] === 'tool_use').map((block) => block['id']));
    const orphan = blocks.findIndex((block) => block['type'] === 'tool_result' && !called.has(block['tool_use_id']));
    if (orphan !== -1) return { message: `messages.${index}.content.${orphan}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${asString(blocks[orphan]?.['tool_use_id']) ?? ''}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.` };
    const ids = blocks.filter((block) => block['type'] === 'tool_use').map((block) => block['id']);
    return new Set(ids).size === ids.length ? undefined : { message: `messages.${index}: \`tool_use\` ids must be unique` };
  });
};

const lastTurn: StrictCheck = ({ body, model }) => {
  const last = objectsOf(body['messages']).at(-1);
  if (last?.['role'] !== 'assistant') return undefined;
  if (claudeGeneration(model)?.prefill === false) return { message: 'This model does not support assistant message prefill. The conversation must end with a user message.' };
  const text = asString(blocksOf(last['content']).at(-1)?.['text']);
  return text === undefined || text === text.trimEnd() ? undefined : { message: 'messages: final assistant content cannot end with trailing whitespace' };
};

const system: StrictCheck = ({ body }) => among(typeof body['system'] === 'string' ? [] : objectsOf(body['system']), (block) => (typeof block['text'] === 'string' && block['text'].trim() === '' ? { message: 'system: text content blocks must be non-empty' } : undefined));

const tools: StrictCheck = ({ body, model }) => {
  const list = objectsOf(body['tools']);
  const names = list.map((tool) => tool['name']);
  if (new Set(names).size !== names.length) return { message: 'tools: Tool names must be unique.' };
  const choice = objectOf(body['tool_choice']);
  if (choice['type'] !== undefined && list.length === 0) return { message: 'tool_choice may only be specified while providing tools.' };
  if (choice['type'] === 'tool' && !names.includes(choice['name'])) return { message: `Tool '${asString(choice['name']) ?? ''}' not found in provided tools` };
  if ((choice['type'] === 'any' || choice['type'] === 'tool') && claudeGeneration(model)?.forcedChoice === false) return { message: `tool_choice.type: \`${String(choice['type'])}\` is not supported for this model. Use \`auto\`.` };
  return among(list, (tool, index) => {
    if (tool['type'] !== undefined && tool['type'] !== 'custom') return undefined;
    const path = `tools.${index}.custom`;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(asString(tool['name']) ?? '')) return { message: `${path}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'` };
    const schema = tool['input_schema'];
    if (!isObject(schema)) return { message: `${path}.input_schema: Field required` };
    if (schema['type'] !== 'object') return { message: `${path}.input_schema.type: ${schema['type'] === undefined ? 'Field required' : "Input should be 'object'"}` };
    return ['oneOf', 'allOf', 'anyOf'].some((name) => schema[name] !== undefined) ? { message: `${path}: input_schema does not support oneOf, allOf, or anyOf at the top level` }
      : tool['strict'] === true ? badStrictSchema(schema, `${path}.input_schema`) : undefined;
  });
};

const sampling: StrictCheck = ({ body, model, headers }) => {
  const generation = claudeGeneration(model);
  const newVersion = (asString(headers['anthropic-version']) ?? '') >= '2026-10-21';
  for (const field of ['temperature', 'top_p', 'top_k']) {
    const value = body[field];
    if (!isSet(value)) continue;
    if (newVersion) return { message: `${field}: Extra inputs are not permitted` };
    const usual = (field === 'temperature' && value === 1) || (field === 'top_p' && typeof value === 'number' && value >= 0.99);
    if (generation?.sampling === false && !usual) return { message: `\`${field}\` is deprecated for this model.` };
  }
  const temperature = asNumber(body['temperature']);
  const topP = asNumber(body['top_p']);
  if (temperature !== undefined && (temperature < 0 || temperature > 1)) return { message: `temperature: range: 0..1` };
  if (topP !== undefined && (topP < 0 || topP > 1)) return { message: 'top_p: range: 0..1' };
  if (temperature !== undefined && topP !== undefined && generation?.bothSampling === false) return { message: '`temperature` and `top_p` cannot both be specified for this model. Please use only one.' };
  if (thinks(body) && temperature !== undefined && temperature !== 1) return { message: '`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking.' };
  if (thinks(body) && isSet(body['top_k'])) return { message: '`top_k` must be unset when thinking is enabled or in adaptive mode.' };
  return thinks(body) && topP !== undefined && topP < 0.95 ? { message: '`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode.' } : undefined;
};

function thinks(body: JsonObject): boolean {
  const { type } = objectOf(body['thinking']);
  return type === 'enabled' || type === 'adaptive';
}

const thinking: StrictCheck = ({ body, model }) => {
  const generation = claudeGeneration(model);
  const wanted = objectOf(body['thinking']);
  const forced = ['any', 'tool'].includes(asString(objectOf(body['tool_choice'])['type']) ?? '');
  if (thinks(body) && forced) return { message: 'Thinking may not be enabled when tool_choice forces tool use.' };
  if (wanted['type'] === 'enabled') {
    if (generation?.noBudget === true) return { message: '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.' };
    const budget = asNumber(wanted['budget_tokens']) ?? 0;
    if (budget < 1024) return { message: 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024' };
    if (budget >= (asNumber(body['max_tokens']) ?? 0)) return { message: '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size' };
  }
  if (wanted['type'] !== undefined && generation?.thinking === 'none') return { message: 'thinking: Extra inputs are not permitted' };
  if (wanted['type'] === 'adaptive' && generation?.thinking === 'budget') return { message: 'adaptive thinking is not supported on this model' };
  if (wanted['type'] === 'disabled' && generation?.noDisabling === true) return { message: '"thinking.type.disabled" is not supported for this model.' };
  return isSet(objectOf(body['output_config'])['effort']) && generation?.effort === false ? { message: 'This model does not support the effort parameter.' } : undefined;
};

/** Structured outputs: objects are closed, and bounds are not known. */
const answers: StrictCheck = ({ body, model }) => {
  const format = objectOf(objectOf(body['output_config'])['format'] ?? body['output_format']);
  if (format['type'] !== 'json_schema') return undefined;
  if (claudeGeneration(model)?.answerSchema === false) return { message: 'output_config.format: This model does not support output format.' };
  return isObject(format['schema']) ? badStrictSchema(format['schema'], 'output_config.format.schema') : { message: 'output_config.format.schema: Field required' };
};

function badStrictSchema(schema: JsonObject, path: string, depth = 0): StrictRefusal | undefined {
  if (depth > 32) return undefined;
  const type = asString(Array.isArray(schema['type']) ? schema['type'][0] : schema['type']);
  if (type === 'object' && schema['additionalProperties'] !== false) return { message: `${path}: For 'object' type, 'additionalProperties' must be explicitly set to false` };
  const bounds = { integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'], number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'], string: ['minLength', 'maxLength'], array: ['maxItems', 'uniqueItems'] }[type ?? ''] ?? [];
  const bound = bounds.find((name) => schema[name] !== undefined);
  if (bound !== undefined) return { message: `${path}: For '${type ?? ''}' type, property '${bound}' is not supported` };
  if (type === 'array' && (asNumber(schema['minItems']) ?? 0) > 1) return { message: `${path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported` };
  const children = [...Object.values(objectOf(schema['properties'])), ...Object.values(objectOf(schema['$defs'])), schema['items'], ...(Array.isArray(schema['anyOf']) ? schema['anyOf'] : [])];
  return among(children.filter((child) => isObject(child)), (child) => badStrictSchema(child, path, depth + 1));
}

const others: StrictCheck = ({ body, model, headers }) => {
  const unknown = Object.keys(body).find((name) => !fields.has(name));
  if (unknown !== undefined) return { message: `${unknown}: Extra inputs are not permitted` };
  const limit = asNumber(body['max_tokens']);
  if (limit !== undefined && limit < 1) return { message: 'max_tokens: Input should be greater than or equal to 1' };
  const most = (asString(headers['anthropic-beta']) ?? '').includes('output-128k') ? 128_000 : claudeGeneration(model)?.largestOutput ?? Infinity;
  if (limit !== undefined && limit > most) return { message: `max_tokens: ${limit} > ${most}, which is the maximum allowed number of output tokens for ${asString(body['model']) ?? model}` };
  const stops = Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : [];
  if (stops.some((stop) => typeof stop === 'string' && stop.trim() === '')) return { message: 'stop_sequences: each stop sequence must contain non-whitespace' };
  const user = asString(objectOf(body['metadata'])['user_id']) ?? '';
  if (user.length > 256) return { message: 'metadata.user_id: String should have at most 256 characters' };
  if (/^[^\s@]+@[^\s@]+\.[a-z]{2,}$/i.test(user)) return { message: 'metadata.user_id: user_id appears to contain an email address' };
  if (/^\+?[\d\s().-]{9,20}$/.test(user)) return { message: 'metadata.user_id: user_id appears to contain a phone number' };
  const marks = JSON.stringify(body).split('"cache_control":{').length - 1;
  return marks > 4 ? { message: `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.` } : undefined;
};

/** Betas are named by their date. Which ones exist is not known here. */
const betas: StrictCheck = ({ headers }) => {
  const strange = (asString(headers['anthropic-beta']) ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '' && !/^[a-z0-9-]+-\d{4}-?\d{2}-?\d{2}$/.test(name));
  return strange.length === 0 ? undefined : { message: `Unexpected value(s) ${strange.map((name) => `\`${name}\``).join(', ')} for the \`anthropic-beta\` header. Please consult our documentation at docs.anthropic.com or try again without the header.` };
};

export const anthropicChecks: readonly StrictCheck[] = [betas, others, system, messages, results, lastTurn, tools, sampling, thinking, answers];
