import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { outputLimit, promptTokens, servedModel, templateFault } from './servedModels.ts';
import { among, isSet, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';
import type { StrictProvider } from './strictProvider.ts';

/*
 * vLLM and SGLang. Sources: `vllm/entrypoints/openai/chat_completion/protocol.py` of vllm-project/vllm@002032e,
 * `python/sglang/srt/entrypoints/anthropic/protocol.py` of sgl-project/sglang@032977b, and for error texts vllm-project/vllm#9986 (no parser of
 * tool calls), #33418 and gpustack/gpustack#929 (context), QwenLM/Qwen3#1321 (SGLang's context and shape); read in November 2026. The texts for parts
 * of messages and of SGLang's Pydantic types are from memory.
 */

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

const vllmModel: StrictCheck = ({ model, body }) => (servedModel(model) === undefined ? { status: 404, message: `The model \`${asString(body['model']) ?? ''}\` does not exist.`, type: 'NotFoundError', code: '404' } : undefined);

const vllmFields: StrictCheck = ({ body }) => {
  const tools = body['tools'];
  const choice = body['tool_choice'];
  const refuse = (message: string, param?: string): StrictRefusal => ({ message, param });
  if (Array.isArray(tools) && tools.length === 0) return refuse('`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.', 'tools');
  if (isSet(choice) && choice !== 'none') {
    if (!isSet(tools)) return refuse('When using `tool_choice`, `tools` must be set.', 'tool_choice');
    if (typeof choice === 'string' && choice !== 'auto' && choice !== 'required') return refuse(`Invalid value for \`tool_choice\`: ${choice}! Only named tools, "none", "auto" or "required" are supported.`, 'tool_choice');
    if (isObject(choice) && !objectsOf(tools).some((tool) => objectOf(tool['function'])['name'] === objectOf(choice['function'])['name'])) return refuse('The tool specified in `tool_choice` does not match any of the specified `tools`', 'tool_choice');
  }
  if (isSet(body['stream_options']) && body['stream'] !== true) return refuse('Stream options can only be defined when `stream=True`.', 'stream_options');
  if ((asNumber(body['top_logprobs']) ?? 0) > 0 && body['logprobs'] !== true) return refuse('when using `top_logprobs`, `logprobs` must be set to true.', 'top_logprobs');
  const effort = body['reasoning_effort'];
  if (isSet(effort) && !efforts.includes(asString(effort) ?? '')) return refuse("1 validation error:\n  {'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'\"}");
  return range(body, 'temperature', 0, Infinity, (value) => `temperature must be non-negative, got ${value}.`) ?? range(body, 'top_p', Number.MIN_VALUE, 1, (value) => `top_p must be in (0, 1], got ${value}.`)
    ?? range(body, 'presence_penalty', -2, 2, (value) => `presence_penalty must be in [-2, 2], got ${value}.`) ?? range(body, 'frequency_penalty', -2, 2, (value) => `frequency_penalty must be in [-2, 2], got ${value}.`)
    ?? range(body, 'max_tokens', 1, Infinity, (value) => `max_tokens must be at least 1, got ${value}.`);
};

function range(body: JsonObject, field: string, least: number, most: number, words: (value: number) => string): StrictRefusal | undefined {
  const value = asNumber(body[field]);
  return value === undefined || (value >= least && value <= most) ? undefined : { message: words(value), param: field };
}

const vllmParts: StrictCheck = ({ body, model }) => {
  const served = servedModel(model);
  if (served === undefined) return undefined;
  if (isSet(body['tools']) && !served.tools && (!isSet(body['tool_choice']) || body['tool_choice'] === 'auto')) return { message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set' };
  const fault = templateFault(body, served);
  if (fault !== undefined) return { message: fault };
  return among(objectsOf(body['messages']), (message) => among(objectsOf(message['content']), (part) => {
    const type = asString(part['type']) ?? '';
    if (!['text', 'image_url', 'input_audio', 'audio_url', 'video_url', 'refusal', 'thinking'].includes(type)) return { message: `Unknown part type: ${type}` };
    return type === 'image_url' && !served.images ? { message: 'At most 0 image(s) may be provided in one prompt.' } : undefined;
  }));
};

const vllmWindow: StrictCheck = ({ body, model }) => {
  const { window } = servedModel(model) ?? { window: Infinity };
  const prompt = promptTokens(body);
  const limit = outputLimit(body) ?? 0;
  if (prompt >= window) return { message: `This model's maximum context length is ${window} tokens. However, your request has ${prompt} input tokens. Please reduce the length of the input messages.` };
  return prompt + limit > window ? { message: `'max_tokens' or 'max_completion_tokens' is too large: ${limit}. This model's maximum context length is ${window} tokens and your request has ${prompt} input tokens (${limit} > ${window} - ${prompt}).` } : undefined;
};

export const vllm = {
  checks: { 'openai-chat': [vllmModel, vllmFields, vllmParts, vllmWindow] },
  write: ({ message, type, param, status }) => ({ error: { message, type: type ?? 'BadRequestError', param: param ?? null, code: status ?? 400 } }),
} as const satisfies StrictProvider;

const sglangChat: StrictCheck = ({ body, model }) => {
  const served = servedModel(model);
  const tools = objectsOf(body['tools']);
  const choice = body['tool_choice'];
  if (choice === 'required' && tools.length === 0) return { message: 'Tools cannot be empty if tool choice is set to required.' };
  if (isObject(choice)) {
    if (tools.length === 0) return { message: 'Tools cannot be empty if tool choice is set to a specific tool.' };
    const name = asString(objectOf(choice['function'])['name']) ?? '';
    if (!tools.some((tool) => objectOf(tool['function'])['name'] === name)) return { message: `Tool '${name}' not found in tools list.` };
  } else if (typeof choice === 'string' && !['auto', 'none', 'required'].includes(choice)) return { message: "1 validation error for ChatCompletionRequest\ntool_choice\n  Input should be 'auto', 'required' or 'none'" };
  const limit = outputLimit(body) ?? 0;
  const { window } = served ?? { window: Infinity };
  if (limit > window) return { message: `max_completion_tokens is too large: ${limit}.This model supports at most ${window} completion tokens.` };
  const prompt = promptTokens(body);
  if (prompt >= window) return { message: `The input (${prompt} tokens) is longer than the model's context length (${window} tokens).` };
  if (prompt + limit > window) return { message: `Requested token count exceeds the model's maximum context length of ${window} tokens. You requested a total of ${prompt + limit} tokens: ${prompt} tokens from the input messages and ${limit} tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.` };
  const fault = served === undefined ? undefined : templateFault(body, served);
  if (fault !== undefined) return { message: fault };
  return among(objectsOf(body['messages']), (message, index) => {
    const role = asString(message['role']) ?? '';
    if (!['system', 'developer', 'user', 'assistant', 'tool', 'function'].includes(role)) return { message: `1 validation error for ChatCompletionRequest\nmessages.${index}.role\n  Value error, 'role' must be one of 'system', 'developer', 'assistant', 'tool', or 'function' (case-insensitive).` };
    return among(objectsOf(message['content']), (part, position) => (['text', 'image_url', 'video_url', 'audio_url'].includes(asString(part['type']) ?? '') ? undefined
      : { message: `1 validation error for ChatCompletionRequest\nmessages.${index}.content.${position}.type\n  Input should be 'text', 'image_url', 'video_url' or 'audio_url'` }));
  });
};

const sglangMessages: StrictCheck = ({ body, model }) => {
  const blocks = ['text', 'image', 'tool_use', 'tool_result', 'thinking', 'redacted_thinking'];
  const invalid = (at: string, message: string): StrictRefusal => ({ message: `1 validation error for AnthropicMessagesRequest\n${at}\n  ${message}` });
  if ((asNumber(body['max_tokens']) ?? 0) <= 0) return invalid('max_tokens', 'Value error, max_tokens must be positive');
  if (isSet(body['thinking']) && !['enabled', 'disabled'].includes(asString(objectOf(body['thinking'])['type']) ?? '')) return invalid('thinking.type', "Input should be 'enabled' or 'disabled'");
  const prompt = promptTokens(body);
  const { window } = servedModel(model) ?? { window: Infinity };
  const total = prompt + (asNumber(body['max_tokens']) ?? 0);
  if (total > window) return { message: `Requested token count exceeds the model's maximum context length of ${window} tokens. You requested a total of ${total} tokens.` };
  return among(objectsOf(body['tools']), (tool, index) => (isObject(tool['input_schema']) ? undefined : invalid(`tools.${index}.input_schema`, 'Field required')))
    ?? among(objectsOf(body['messages']), (message, index) => {
      if (message['role'] !== 'user' && message['role'] !== 'assistant') return invalid(`messages.${index}.role`, "Input should be 'user' or 'assistant'");
      return among(objectsOf(message['content']), (block, position) => (blocks.includes(asString(block['type']) ?? '') ? undefined
        : invalid(`messages.${index}.content.${position}.type`, "Input should be 'text', 'image', 'tool_use', 'tool_result', 'thinking' or 'redacted_thinking'")));
    });
};

export const sglang = {
  checks: { 'openai-chat': [sglangChat], 'anthropic-messages': [sglangMessages] },
  write: ({ message }, _requestId, protocol) => (protocol === 'anthropic-messages' ? { type: 'error', error: { type: 'invalid_request_error', message } } : { object: 'error', message, type: 'BadRequestError', param: null, code: 400 }),
} as const satisfies StrictProvider;
