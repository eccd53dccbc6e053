import { asNumber, asString, isObject } from '../../base/json.ts';
import { callsOf, namesMatch, orphanResult, range } from './chatChecks.ts';
import { functionSchemaFault } from './openaiSchemas.ts';
import { among, dataUrlOf, isSet, mediaTypeOfBytes, objectOf, objectsOf, wordsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';

/* Providers that speak OpenAI's Chat in a way of their own. Error texts are from the named public reports, read in November 2026. */

/** Parts of messages that the provider's types do not have. */
function unknownPart(known: readonly string[], words: (type: string, index: number, position: number) => StrictRefusal): StrictCheck {
  return ({ body }) => among(objectsOf(body['messages']), (message, index) => among(objectsOf(message['content']), (part, position) => (known.includes(asString(part['type']) ?? '') ? undefined : words(asString(part['type']) ?? '', index, position))));
}

/*
 * DeepSeek. Sources: https://api-docs.deepseek.com (create-chat-completion, thinking_mode, json_mode); diegosouzapw/OmniRoute#2281 and
 * theopenco/llmgateway#3462 (roles), llm-exe/llm-exe#662 (formats), nickscamara/open-deep-research#19 (least and largest output).
 */
const deepseekMessages: StrictCheck = ({ body }) => among(objectsOf(body['messages']), (message, index) => {
  const role = asString(message['role']) ?? '';
  if (!['system', 'user', 'assistant', 'tool', 'latest_reminder'].includes(role)) return { status: 422, message: `Failed to deserialize the JSON body into the target type: messages[${index}].role: unknown variant \`${role}\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\`, \`latest_reminder\` at line 1 column 30` };
  const thinks = objectOf(body['thinking'])['type'] !== 'disabled';
  if (thinks && callsOf(message).length > 0 && typeof message['reasoning_content'] !== 'string') return { message: 'The `reasoning_content` in the thinking mode must be passed back to the API.' };
  return undefined;
});
const deepseekRest: StrictCheck = ({ body }) => {
  const format = objectOf(body['response_format']);
  if (isSet(format['type']) && format['type'] !== 'text' && format['type'] !== 'json_object') return { message: 'This response_format type is unavailable now' };
  if (format['type'] === 'json_object' && !/json/i.test(wordsOf(body['messages']))) return { message: "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'." };
  return range(body, 'max_tokens', 1, 393_216, () => 'Invalid max_tokens value, the valid range of max_tokens is [1, 393216]')
    ?? range(body, 'temperature', 0, 2, () => 'Invalid temperature value, the valid range of temperature is [0, 2]')
    ?? range(body, 'top_p', 0, 1, () => 'Invalid top_p value, the valid range of top_p is (0, 1.0]')
    ?? range(body, 'presence_penalty', -2, 2, () => 'Invalid presence_penalty value, the valid range of presence_penalty is [-2, 2]')
    ?? range(body, 'frequency_penalty', -2, 2, () => 'Invalid frequency_penalty value, the valid range of frequency_penalty is [-2, 2]')
    ?? range(body, 'top_logprobs', 0, 20, () => 'Invalid top_logprobs value, the valid range of top_logprobs is [0, 20]')
    ?? namesMatch(body, /^[a-zA-Z0-9_-]{1,64}$/, (path) => `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`)
    ?? among(objectsOf(body['tools']), (tool) => {
      const definition = objectOf(tool['function']);
      return isObject(definition['parameters']) && definition['parameters']['type'] !== 'object' ? { message: `Invalid schema for function '${asString(definition['name']) ?? ''}': schema must be a JSON Schema of 'type: "object"', got 'type: "${asString(definition['parameters']['type']) ?? 'null'}"'.` } : undefined;
    })
    ?? (Array.isArray(body['stop']) && body['stop'].length > 16 ? { message: 'Invalid stop value, the maximum number of stop sequences is 16' } : undefined);
};
const deepseekParts = unknownPart(['text', 'image_url'], (type, index) => ({ message: `Failed to deserialize the JSON body into the target type: messages[${index}]: unknown variant \`${type}\`, expected \`text\` or \`image_url\` at line 1 column 30` }));
export const deepseekChecks: readonly StrictCheck[] = [deepseekMessages, deepseekParts, orphanResult, deepseekRest];

/*
 * Mistral. Sources: https://docs.mistral.ai/api and the types of `@mistralai/mistralai` 2.7.0 for fields; BerriAI/litellm#17761 and
 * onyx-dot-app/onyx#6458 (order of roles), charmbracelet/crush#1590 and BerriAI/litellm#30835 (fields of messages), editor-code-assistant/eca#231
 * (max_completion_tokens), OpenHands/OpenHands-CLI#83 (metadata). The rule for call ids is from memory.
 */
const mistralFields: ReadonlySet<string> = new Set([
  'model', 'messages', 'temperature', 'top_p', 'max_tokens', 'stream', 'stop', 'random_seed', 'response_format', 'tools', 'tool_choice', 'presence_penalty', 'frequency_penalty', 'n', 'prediction', 'parallel_tool_calls',
  'prompt_mode', 'reasoning_effort', 'safe_prompt', 'guardrails', 'prompt_cache_key', 'service_tier',
]);
const mistralMessageFields: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'], user: ['role', 'content'], assistant: ['role', 'content', 'tool_calls', 'prefix'], tool: ['role', 'content', 'tool_call_id', 'name'],
};

function extra(at: readonly (string | number)[]): StrictRefusal {
  return { status: 422, message: 'Extra inputs are not permitted', type: 'extra_forbidden', at: ['body', ...at] };
}

const mistralShape: StrictCheck = ({ body }) => {
  const unknown = Object.keys(body).find((name) => !mistralFields.has(name));
  if (unknown !== undefined) return extra([unknown]);
  if (asNumber(body['temperature']) !== undefined && (asNumber(body['temperature']) ?? 0) > 1.5) return { status: 422, message: 'Input should be less than or equal to 1.5', type: 'less_than_equal', at: ['body', 'temperature'] };
  return among(objectsOf(body['messages']), (message, index) => {
    const role = asString(message['role']) ?? '';
    const known = mistralMessageFields[role];
    if (known === undefined) return { status: 422, message: `Input tag '${role}' found using 'role' does not match any of the expected tags: 'system', 'user', 'assistant', 'tool'`, type: 'union_tag_invalid', at: ['body', 'messages', index] };
    const field = Object.keys(message).find((name) => !known.includes(name));
    return field === undefined ? undefined : extra(['messages', index, role, field]);
  });
};
const mistralOrder: StrictCheck = ({ body }) => {
  const list = objectsOf(body['messages']);
  const order = (message: string): StrictRefusal => ({ message, type: 'invalid_request_message_order', code: '3230' });
  const last = list.at(-1);
  if (last?.['role'] === 'assistant' && last['prefix'] !== true) return order('Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant');
  if (last?.['role'] === 'system') return order('Expected last role User or Tool (or Assistant with prefix True) for serving but got system');
  return among(list, (message, index) => {
    const before = asString(list[index - 1]?.['role']);
    if (message['role'] === 'user' && before === 'tool') return order("Unexpected role 'user' after role 'tool'");
    if (message['role'] === 'system' && before === 'tool') return order("Unexpected role 'system' after role 'tool'");
    if (message['role'] === 'tool' && before !== 'assistant' && before !== 'tool') return order(`Unexpected role 'tool' after role '${before ?? ''}'`);
    if (message['role'] === 'assistant' && callsOf(message).length === 0 && (message['content'] === '' || !isSet(message['content']))) return { message: 'Assistant message must have either content or tool_calls, but not none.', type: 'invalid_request_assistant_message', code: '3240' };
    const id = [message['tool_call_id'], ...callsOf(message).map((call) => call['id'])].find((one) => typeof one === 'string' && !/^[a-zA-Z0-9]{9}$/.test(one));
    return id === undefined ? undefined : { message: `Tool call id was ${String(id)} but must be a-z, A-Z, 0-9, with a length of 9.`, type: 'invalid_function_call', code: '3280' };
  });
};
const mistralNames: StrictCheck = ({ body }) => {
  const refusal = namesMatch(body, /^[a-zA-Z0-9_-]{1,64}$/, (path) => path);
  return refusal === undefined ? undefined : { message: `Function name was ${refusal.message} but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64.`, type: 'invalid_function_definition', code: '3000' };
};
export const mistralChecks: readonly StrictCheck[] = [mistralShape, unknownPart(['text', 'image_url', 'document_url', 'reference', 'input_audio', 'thinking'], (type, index, position) => ({ status: 422, message: `Input tag '${type}' found using 'type' does not match any of the expected tags`, type: 'union_tag_invalid', at: ['body', 'messages', index, 'user', 'content', position] })), mistralOrder, orphanResult, mistralNames];

/*
 * Moonshot. Sources: https://platform.kimi.ai/docs (errors, thinking models); MoonshotAI/kimi-cli#1773 (names), mastra-ai/mastra#12592
 * (reasoning), can1357/oh-my-pi#1077 and theopenco/llmgateway#2090 (forced choice). The rule on empty messages is from memory.
 */
const moonshotAll: StrictCheck = ({ body, model }) => {
  const fixed: Readonly<Record<string, readonly number[]>> = { temperature: [1, 0.6], top_p: [0.95], n: [1], presence_penalty: [0], frequency_penalty: [0] };
  for (const [field, allowed] of Object.entries(fixed)) {
    const value = body[field];
    if (/^kimi-/.test(model) && isSet(value) && !allowed.includes(Number(value))) return { message: `invalid ${field}: only ${allowed[0] ?? ''} is allowed for this model` };
  }
  const thinks = objectOf(body['thinking'])['type'] !== 'disabled' && /^kimi-k(?:2\.[5-9]|[3-9])/.test(model);
  const choice = body['tool_choice'];
  if (thinks && choice === 'required') return { message: "tool_choice 'required' is incompatible with thinking enabled" };
  if (thinks && isObject(choice)) return { message: "tool_choice 'specified' is incompatible with thinking enabled" };
  return namesMatch(body, /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, () => 'function name is invalid, must start with a letter and can contain letters, numbers, underscores, and dashes')
    ?? among(objectsOf(body['messages']), (message, index) => {
      if (thinks && callsOf(message).length > 0 && typeof message['reasoning_content'] !== 'string') return { message: `thinking is enabled but reasoning_content is missing in assistant tool call message at index ${index}` };
      const empty = (message['content'] === '' || !isSet(message['content'])) && callsOf(message).length === 0;
      return empty && message['role'] !== 'tool' ? { message: `Invalid request: the message at position ${index} with role '${asString(message['role']) ?? ''}' must not be empty` } : undefined;
    });
};
export const moonshotChecks: readonly StrictCheck[] = [moonshotAll, unknownPart(['text', 'image_url', 'video_url'], (type) => ({ message: `Invalid request: unsupported content part type: ${type}` })), orphanResult];

/*
 * Groq. Sources: https://console.groq.com/docs/openai (fields that give 400: logprobs, logit_bias, top_logprobs, messages[].name, n above 1);
 * tashfeenahmed/freellmapi#1070 and janhq/jan#8136 (fields of messages), vercel/ai#8057 (reasoning).
 */
const groqMessageFields: Readonly<Record<string, readonly string[]>> = {
  system: ['role', 'content'], developer: ['role', 'content'], user: ['role', 'content'], assistant: ['role', 'content', 'tool_calls', 'function_call', 'reasoning'], tool: ['role', 'content', 'tool_call_id'], function: ['role', 'content', 'name'],
};
const groqAll: StrictCheck = ({ body, model }) => {
  const refused = ['logprobs', 'top_logprobs', 'logit_bias'].find((name) => isSet(body[name]) && body[name] !== false);
  if (refused !== undefined) return { message: `property '${refused}' is unsupported` };
  if ((asNumber(body['n']) ?? 1) !== 1) return { message: "'n' : number must be at most 1", param: 'n' };
  if (isSet(body['reasoning_effort']) && /llama|^moonshotai|kimi-k2-instruct/.test(model)) return { message: '`reasoning_effort` is not supported with this model', param: 'reasoning_effort' };
  return range(body, 'temperature', 0, 2, () => "'temperature' : number must be at most 2") ?? among(objectsOf(body['messages']), (message, index) => {
    const role = asString(message['role']) ?? '';
    const known = groqMessageFields[role];
    if (known === undefined) return { message: `'messages.${index}' : discriminator property 'role' has invalid value` };
    const field = Object.keys(message).find((name) => !known.includes(name));
    if (field !== undefined) return { message: `'messages.${index}' : for 'role:${role}' the following must be satisfied[('messages.${index}' : property '${field}' is unsupported)]` };
    return isSet(message['reasoning']) && /llama|kimi-k2-instruct/.test(model) ? { message: `messages[${index}].reasoning: reasoning is not supported with this model` } : undefined;
  });
};
export const groqChecks: readonly StrictCheck[] = [groqAll, unknownPart(['text', 'image_url'], (_type, index, position) => ({ message: `'messages.${index}' : for 'role:user' the following must be satisfied[('messages.${index}.content.${position}.type' : value is not one of the allowed values ['text','image_url'])]` })), orphanResult];

/*
 * xAI's Chat and Responses. Sources: https://docs.x.ai/docs (reasoning: penalties and stop give an error; image understanding: JPEG and
 * PNG); miaoxworld/NativeTavern#83 and open-webui/open-webui#21266 (penalties), langchain-ai/langchain#38335 (stop).
 */
const xaiReasons = /^grok-(?:3-mini|4|code)(?!.*non-reasoning)/;
const xaiAll: StrictCheck = ({ body, model }) => {
  const parameters: Readonly<Record<string, string>> = { presence_penalty: 'presencePenalty', frequency_penalty: 'frequencyPenalty', stop: 'stop' };
  for (const [field, name] of Object.entries(parameters)) {
    if (xaiReasons.test(model) && isSet(body[field])) return { message: `Model ${model} does not support parameter ${name}.` };
  }
  const effort = body['reasoning_effort'] ?? objectOf(body['reasoning'])['effort'];
  if (isSet(effort) && /^grok-4(?:\.20|-0709|-fast|-1|$)/.test(model)) return { message: `Model ${model} does not support parameter reasoningEffort.` };
  if (isSet(effort) && !['none', 'low', 'medium', 'high'].includes(String(effort))) return { status: 422, message: `Failed to deserialize the JSON body into the target type: reasoning_effort: unknown variant \`${String(effort)}\`, expected one of \`none\`, \`low\`, \`medium\`, \`high\`` };
  const images = [...objectsOf(body['messages']), ...objectsOf(body['input'])].flatMap((message) => [...objectsOf(message['content']), ...objectsOf(message['output'])]);
  return among(images, (part) => {
    const url = asString(objectOf(part['image_url'])['url']) ?? asString(part['image_url']);
    const inline = url === undefined ? undefined : dataUrlOf(url);
    const type = inline === undefined ? undefined : mediaTypeOfBytes(inline.data) ?? inline.type;
    return type === undefined || type === 'image/jpeg' || type === 'image/png' ? undefined : { message: `Unsupported content-type encountered when downloading image: ${type}` };
  }) ?? among(objectsOf(body['tools']), (tool) => {
    const definition = isObject(tool['function']) ? tool['function'] : tool;
    const fault = tool['type'] === 'function' && isObject(definition['parameters']) && definition['parameters']['type'] !== 'object' ? functionSchemaFault(definition['parameters'], false) : undefined;
    return fault === undefined ? undefined : { message: `Invalid function schema: ${fault}` };
  });
};
export const xaiChecks: readonly StrictCheck[] = [xaiAll];
