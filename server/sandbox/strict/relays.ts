import { asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import type { SandboxProtocol } from '../wires/sandboxWire.ts';
import { anthropicChecks } from './anthropic.ts';
import { deepseekChecks, mistralChecks } from './chatProviders.ts';
import { openAiChatChecks } from './openaiChat.ts';
import { openAiGeneration } from './openaiModels.ts';
import { claudeGeneration } from './anthropicModels.ts';
import { among, dataUrlOf, firstRefusal, isSet, mediaTypeOfBytes, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal, StrictRequest } from './strictCheck.ts';
import type { StrictProvider } from './strictProvider.ts';

/*
 * Relays, which refuse what the vendor behind them refuses of what they make of a request. Sources: for OpenRouter its documentation of parameters,
 * routing and PDFs (https://openrouter.ai/docs), which says that parameters a model lacks are ignored, and the error texts in
 * reVrost/go-openrouter#21 (what a vendor refuses), pydantic/pydantic-ai#2896 (tools), openclaw/openclaw#99079 (images); for LiteLLM
 * mcdonc/klangk#2067 and BerriAI/litellm#33738 (parameters), opencode-ai's and Claude Code's reports of "Received Model Group"; for Waybill its own code.
 * HolySheep documents no error: OpenAI's shape stands in for its own. Read in November 2026.
 */

/** A Claude model behind OpenAI's Chat: what of a translated request reaches it as the caller wrote it. */
const claudeBehindChat: StrictCheck = ({ body, model }) => {
  const list = objectsOf(body['messages']);
  const idFault = among(list, (message, index) => {
    const ids = [message['tool_call_id'], ...objectsOf(message['tool_calls']).map((call) => call['id'])].filter((id) => typeof id === 'string');
    return ids.every((id) => /^[a-zA-Z0-9_-]+$/.test(id)) ? undefined : { message: `messages.${index}.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'` };
  });
  if (idFault !== undefined) return idFault;
  if (list.at(-1)?.['role'] === 'assistant' && objectsOf(list.at(-1)?.['tool_calls']).length === 0 && claudeGeneration(model)?.prefill === false) return { message: 'This model does not support assistant message prefill. The conversation must end with a user message.' };
  return images(list, ['image/jpeg', 'image/png', 'image/gif', 'image/webp'], (label) => `messages: media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp', not '${label}'`)
    ?? among(objectsOf(body['tools']), (tool, index) => (/^[a-zA-Z0-9_-]{1,128}$/.test(asString(objectOf(tool['function'])['name']) ?? '') ? undefined : { message: `tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'` }));
};

function images(list: readonly JsonObject[], types: readonly string[], words: (label: string) => string): StrictRefusal | undefined {
  return among(list.flatMap((message) => objectsOf(message['content'])), (part) => {
    const inline = part['type'] === 'image_url' ? dataUrlOf(asString(objectOf(part['image_url'])['url']) ?? '') : undefined;
    return inline === undefined || (types.includes(inline.type) && types.includes(mediaTypeOfBytes(inline.data) ?? inline.type)) ? undefined : { message: words(inline.type) };
  });
}

/** A Gemini behind OpenAI's Chat. */
const geminiBehindChat: StrictCheck = ({ body }) => images(objectsOf(body['messages']), ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'], (label) => `Unsupported MIME type: ${label}`)
  ?? among(objectsOf(body['tools']), (tool, index) => (/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/.test(asString(objectOf(tool['function'])['name']) ?? '') ? undefined : { message: `* GenerateContentRequest.tools[0].function_declarations[${index}].name: Invalid function name. Must start with a letter or an underscore.` }));

/** What a relay makes of a request for a model of OpenAI's that reasons: the name of the limit, and parameters that such models lack. */
function forOpenAi(body: JsonObject, model: string): JsonObject {
  const { max_tokens: limit, max_completion_tokens: newer, ...rest } = body;
  const fit: JsonObject = { ...rest, ...(isSet(newer ?? limit) ? { max_completion_tokens: newer ?? limit } : {}) };
  for (const name of ['reasoning', 'provider', 'plugins', 'models', 'transforms', 'usage', 'top_k', 'min_p', 'repetition_penalty']) delete fit[name];
  if (openAiGeneration(model)?.reasons === true) for (const name of ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'stop', 'logprobs', 'top_logprobs', 'logit_bias']) delete fit[name];
  if (openAiGeneration(model)?.reasons === false) delete fit['reasoning_effort'];
  if (openAiGeneration(model)?.oneCallOnly === true) delete fit['parallel_tool_calls'];
  if (openAiGeneration(model)?.toolsWithoutReasoningOnly === true) fit['reasoning_effort'] = 'none';
  return fit;
}

interface Behind { readonly name: string; refusal(request: StrictRequest): StrictRefusal | undefined }

/** The vendor that a model's name belongs to. */
function behind(model: string): Behind | undefined {
  if (openAiGeneration(model) !== undefined) return { name: 'OpenAI', refusal: (request) => firstRefusal(openAiChatChecks, { ...request, body: forOpenAi(request.body, model) }) };
  if (model.startsWith('claude')) return { name: 'Anthropic', refusal: claudeBehindChat };
  if (model.startsWith('gemini')) return { name: 'Google', refusal: geminiBehindChat };
  if (model.startsWith('deepseek')) return { name: 'DeepSeek', refusal: (request) => firstRefusal(deepseekChecks, { ...request, body: { thinking: { type: 'disabled' }, ...request.body } }) };
  if (model.startsWith('mistral') || model.startsWith('devstral')) return { name: 'Mistral', refusal: (request) => firstRefusal(mistralChecks, request) };
  return undefined;
}

const textOnly = /^(?:deepseek-v3|qwen3-coder|kimi-k2$)/;
const withoutTools = /^(?:gemma-2|gpt-5-chat)/;

/** What OpenRouter itself refuses. */
const openRouterOwn: StrictCheck = ({ body, model }) => {
  const name = asString(body['model']) ?? '';
  if (!name.includes('/')) return { message: `${name} is not a valid model ID` };
  if (objectsOf(body['tools']).length > 0 && withoutTools.test(model)) return { status: 404, message: 'No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/guides/routing/provider-selection' };
  const parts = objectsOf(body['messages']).flatMap((message) => objectsOf(message['content']));
  return parts.some((part) => part['type'] === 'image_url' || part['type'] === 'image') && textOnly.test(model) ? { status: 404, message: 'No endpoints found that support image input' } : undefined;
};

/** OpenAI's own checks hold for its models; what OpenRouter does not pass to a vendor is not judged. */
const openRouterBehind: StrictCheck = (request) => {
  const vendor = behind(request.model);
  if (vendor === undefined || vendor.name === 'DeepSeek' || vendor.name === 'Mistral') return undefined;
  const refusal = vendor.refusal(request);
  return refusal === undefined ? undefined : { message: 'Provider returned error', code: vendor.name, param: refusal.message };
};

const openRouterMessages: StrictCheck = (request) => {
  if (!request.model.startsWith('claude')) return undefined;
  const refusal = firstRefusal(anthropicChecks, request);
  return refusal === undefined ? undefined : { message: refusal.message };
};

function openRouterBody({ message, code, param, status }: StrictRefusal, requestId: string, protocol: SandboxProtocol): JsonObject {
  if (protocol === 'anthropic-messages') return { type: 'error', error: { type: status === 404 ? 'not_found_error' : 'invalid_request_error', message }, request_id: requestId };
  const metadata = code === undefined ? {} : { metadata: { raw: JSON.stringify({ error: { message: param ?? '', type: 'invalid_request_error' } }), provider_name: code } };
  return { error: { message, code: status ?? 400, ...metadata }, user_id: 'user_sandbox' };
}

export const openrouter = {
  checks: { 'openai-chat': [openRouterOwn, openRouterBehind], 'anthropic-messages': [openRouterOwn, openRouterMessages] },
  write: openRouterBody,
} as const satisfies StrictProvider;

const holysheepChat: StrictCheck = (request) => behind(request.model)?.refusal(request);

export const holysheep = {
  checks: { 'openai-chat': [holysheepChat], 'anthropic-messages': anthropicChecks },
  write: ({ message, code, type }, requestId, protocol) => (protocol === 'anthropic-messages' ? { type: 'error', error: { type: type ?? 'invalid_request_error', message }, request_id: requestId }
    : { error: { message, type: type ?? 'invalid_request_error', param: null, code: code ?? null } }),
} as const satisfies StrictProvider;

/** The parameters of OpenAI's that LiteLLM has a translation for, by the vendor behind it. */
const litellmKnows: readonly (readonly [models: RegExp, vendor: string, lacks: readonly string[]])[] = [
  [/^claude/, 'anthropic', ['n', 'seed', 'logprobs', 'top_logprobs', 'logit_bias', 'frequency_penalty', 'presence_penalty', 'verbosity', 'store', 'prediction']],
  [/^(?:o\d|gpt-5(?!.*chat))/, 'openai', ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'stop', 'logprobs', 'top_logprobs', 'logit_bias']],
];

const litellmParameters: StrictCheck = ({ body, model }) => {
  const entry = litellmKnows.find(([models]) => models.test(model));
  const unknown = entry?.[1] === 'openai' && body['reasoning_effort'] === 'none' ? [] : entry?.[2].filter((name) => isSet(body[name]) && !(name === 'temperature' && body[name] === 1)) ?? [];
  return unknown.length === 0 ? undefined : { message: `litellm.UnsupportedParamsError: ${entry?.[1] ?? ''} does not support parameters: ${JSON.stringify(unknown)}, for model=${model}. To use these, either set \`litellm.drop_params=True\` or for proxy:\n\n\`litellm_settings:\n drop_params: true\`. Received Model Group=${model}\nAvailable Model Group Fallbacks=None` };
};

const litellmModel: StrictCheck = ({ body, model }) => (behind(model) === undefined ? { message: `/chat/completions: Invalid model name passed in model=${asString(body['model']) ?? ''}. Call \`/v1/models\` to view available models for your key.` } : undefined);

const litellmBehind: StrictCheck = (request) => {
  const vendor = behind(request.model);
  const refusal = vendor?.refusal(request);
  return refusal === undefined ? undefined : { message: `litellm.BadRequestError: ${vendor?.name ?? ''}Exception - ${refusal.message}. Received Model Group=${request.model}\nAvailable Model Group Fallbacks=None` };
};

const litellmMessages: StrictCheck = (request) => {
  const refusal = request.model.startsWith('claude') ? firstRefusal(anthropicChecks, request) : undefined;
  return refusal === undefined ? undefined : { message: `litellm.BadRequestError: AnthropicException - ${refusal.message}` };
};

export const litellm = {
  checks: { 'openai-chat': [litellmModel, litellmParameters, litellmBehind], 'anthropic-messages': [litellmMessages] },
  write: ({ message }, _requestId, protocol) => (protocol === 'anthropic-messages' ? { type: 'error', error: { type: 'invalid_request_error', message } } : { error: { message, type: 'invalid_request_error', param: null, code: '400' } }),
} as const satisfies StrictProvider;

/** Another Waybill takes what it can read, and knows its own routes only. */
const waybillRoutes = ['chat', 'fast', 'claude'];
const waybillModel: StrictCheck = ({ body, model }) => (waybillRoutes.includes(model) ? undefined : { status: 404, type: 'model_not_found', code: 'model_not_found', message: `Nothing is named "${asString(body['model']) ?? model}". Use one of: ${waybillRoutes.join(', ')}.` });
const waybillChat: StrictCheck = ({ body }) => among(objectsOf(body['messages']), (message, index) => {
  const role = asString(message['role']) ?? '';
  if (!['system', 'developer', 'user', 'assistant', 'tool', 'function'].includes(role)) return { message: `messages[${index}].role: must be system, developer, user, assistant or tool, not "${role}"` };
  return role === 'tool' && typeof message['tool_call_id'] !== 'string' ? { message: `messages[${index}].tool_call_id: must be a text` } : undefined;
});
const waybillMessages: StrictCheck = ({ body }) => (isObject(body['thread']) ? { message: 'Message threads are not supported here; send the whole conversation.' } : undefined);
/** The model stands in the path, which is not judged here. */
const waybillGemini: StrictCheck = ({ body }) => (Array.isArray(body['contents']) ? undefined : { message: 'contents: must be a list' });
const waybillResponses: StrictCheck = ({ body }) => (isSet(body['previous_response_id']) ? { message: 'previous_response_id: nothing of that name is kept here' } : undefined);

export const waybill = {
  checks: { 'openai-chat': [waybillModel, waybillChat], 'openai-responses': [waybillModel, waybillResponses], 'anthropic-messages': [waybillModel, waybillMessages], 'gemini': [waybillGemini] },
  write: ({ message, type, code, status }, _requestId, protocol) => {
    if (protocol === 'anthropic-messages') return { type: 'error', error: { type: status === 404 ? 'not_found_error' : 'invalid_request_error', message } };
    if (protocol === 'gemini') return { error: { code: status ?? 400, message, status: status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT' } };
    return { error: { message, type: type ?? 'invalid_request_error', param: null, code: code ?? null } };
  },
} as const satisfies StrictProvider;
