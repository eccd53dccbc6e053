import { asString, isObject, parseJson } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import { promptTokens, servedModel, templateFault } from './servedModels.ts';
import { among, dataUrlOf, isSet, mediaTypeOfBytes, objectOf, objectsOf } from './strictCheck.ts';
import type { StrictCheck, StrictRefusal } from './strictCheck.ts';
import type { StrictProvider } from './strictProvider.ts';

/*
 * Servers built on llama.cpp. Sources: `tools/server/server-common.cpp` of ggml-org/llama.cpp@006639c; `openai/openai.go` and
 * `anthropic/anthropic.go` of ollama/ollama@017eb8a; and for error texts cline/cline#8977 (WebP), ggml-org/llama.cpp#19851 (roles) and #15780 (context),
 * pydantic/pydantic-ai#703 (models without tools), lmstudio-ai/lmstudio-bug-tracker#670, #307, #546 and #1576. Read in November 2026.
 */

function callsOf(message: JsonObject): JsonObject[] {
  return objectsOf(message['tool_calls']);
}

function imageUrl(part: JsonObject): string {
  return asString(objectOf(part['image_url'])['url']) ?? asString(part['image_url']) ?? '';
}

/** What the bytes of a `data:` URL are, else what its label says. */
function imageType(url: string): string {
  const inline = dataUrlOf(url);
  return inline === undefined ? '' : mediaTypeOfBytes(inline.data) ?? inline.type;
}

const llamaMessages: StrictCheck = ({ body, model }) => {
  const served = servedModel(model);
  const messages = objectsOf(body['messages']);
  const fault = among(messages, (message) => {
    if (message['role'] !== 'assistant' && message['content'] === undefined) return { message: "All non-assistant messages must contain 'content'" };
    if (message['role'] === 'assistant' && message['content'] === undefined && message['tool_calls'] === undefined) return { message: "Assistant message must contain either 'content' or 'tool_calls'!" };
    return among(objectsOf(message['content']), (part) => {
      if (part['type'] === 'image_url') {
        if (served?.images === false) return { status: 500, type: 'server_error', message: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj' };
        return ['image/jpeg', 'image/png', 'image/gif', 'image/bmp'].includes(imageType(imageUrl(part))) || !imageUrl(part).startsWith('data:') ? undefined : { message: 'Failed to load image or audio file' };
      }
      return part['type'] === 'text' || part['type'] === 'input_audio' ? undefined : { message: 'unsupported content[].type' };
    });
  });
  if (fault !== undefined) return fault;
  if (messages.at(-1)?.['role'] === 'assistant') {
    if (messages.at(-2)?.['role'] === 'assistant') return { message: 'Cannot have 2 or more assistant messages at the end of the list.' };
    if (served?.thinks === true && objectOf(body['chat_template_kwargs'])['enable_thinking'] !== false) return { message: 'Assistant response prefill is incompatible with enable_thinking.' };
  }
  const words = served === undefined ? undefined : templateFault(body, served);
  return words === undefined ? undefined : { status: 500, type: 'server_error', message: `\n------------\nWhile executing CallExpression at line 47, column 32 in source:\n...\nError: Jinja Exception: ${words}` };
};

const llamaRest: StrictCheck = ({ body, model }) => {
  const hasTools = objectsOf(body['tools']).length > 0;
  if (body['logprobs'] === true && hasTools && body['stream'] === true) return { message: 'logprobs is not supported with tools + stream' };
  if (isSet(body['top_logprobs']) && body['logprobs'] !== true) return { message: 'top_logprobs requires logprobs to be set to true' };
  const prompt = promptTokens(body);
  const { window } = servedModel(model) ?? { window: Infinity };
  return prompt >= window ? { message: `request (${prompt} tokens) exceeds the available context size (${window} tokens), try increasing it`, type: 'exceed_context_size_error' } : undefined;
};

export const llamaCpp = {
  checks: { 'openai-chat': [llamaMessages, llamaRest] },
  write: ({ message, type, status }) => ({ error: { code: status ?? 400, message, type: type ?? 'invalid_request_error' } }),
} as const satisfies StrictProvider;

const ollamaModel: StrictCheck = ({ body, model }) => {
  const served = servedModel(model);
  const name = asString(body['model']) ?? '';
  if (served === undefined) return { status: 404, message: `model '${name}' not found`, type: 'not_found_error' };
  return objectsOf(body['tools']).length > 0 && !served.tools ? { message: `registry.ollama.ai/library/${name} does not support tools`, type: 'api_error' } : undefined;
};

const ollamaChat: StrictCheck = ({ body }) => {
  const effort = asString(body['reasoning_effort']);
  if (effort !== undefined && !['high', 'medium', 'low', 'none'].includes(effort)) return { message: `invalid reasoning value: '${effort}' (must be "high", "medium", "low", or "none")` };
  return among(objectsOf(body['messages']), (message) => {
    const { content } = message;
    if (typeof content !== 'string' && !Array.isArray(content) && !isSet(message['tool_calls'])) return { message: 'invalid message content type: <nil>' };
    if (callsOf(message).some((call) => !isObject(parseJson(asString(objectOf(call['function'])['arguments']) ?? '')))) return { message: 'invalid tool call arguments' };
    return among(objectsOf(content), (part) => {
      if (part['type'] === 'text') return typeof part['text'] === 'string' ? undefined : { message: 'invalid message format' };
      if (part['type'] !== 'image_url') return { message: 'invalid message format' };
      return /^data:(?:image\/(?:jpeg|jpg|png|webp))?;base64,/.test(imageUrl(part)) ? undefined : { message: 'invalid image input' };
    });
  });
};

const ollamaMessages: StrictCheck = ({ body }) => among(objectsOf(body['messages']), (message) => among(objectsOf(message['content']).flatMap((block) => [block, ...objectsOf(block['content'])]), (block) => {
  if (block['type'] === 'tool_use' && !isSet(block['id'])) return { message: "tool_use block missing required 'id' field" };
  const source = objectOf(block['source']);
  return block['type'] === 'image' && source['type'] !== 'base64' ? { message: `invalid image source type: ${asString(source['type']) ?? ''}. Only base64 images are supported.` } : undefined;
}));

export const ollama = {
  checks: { 'openai-chat': [ollamaModel, ollamaChat], 'anthropic-messages': [ollamaModel, ollamaMessages] },
  write: ({ message, type }, requestId, protocol) => (protocol === 'anthropic-messages' ? { type: 'error', error: { type: type ?? 'invalid_request_error', message }, request_id: requestId }
    : { error: { message, type: type ?? 'invalid_request_error', param: null, code: null } }),
} as const satisfies StrictProvider;

const lmStudioChat: StrictCheck = ({ body, model }) => {
  const choice = body['tool_choice'];
  if (isObject(choice)) return { message: "Invalid tool_choice type: 'object'. Supported string values: none, auto, required" };
  if (typeof choice === 'string' && !['none', 'auto', 'required'].includes(choice)) return { message: `Invalid tool_choice value: '${choice}'. Supported string values: none, auto, required` };
  const format = objectOf(body['response_format'])['type'];
  if (isSet(format) && format !== 'json_schema' && format !== 'text') return { message: "'response_format.type' must be 'json_schema' or 'text'" };
  const parts = among(objectsOf(body['messages']), (message) => among(objectsOf(message['content']), (part): StrictRefusal | undefined => {
    if (part['type'] !== 'text' && part['type'] !== 'image_url') return { message: "Invalid 'content': 'content' objects must have a 'type' field that is either 'text' or 'image_url'." };
    if (part['type'] === 'text') return undefined;
    return ['image/jpeg', 'image/png'].includes(imageType(imageUrl(part))) ? undefined : { message: "Invalid 'content': 'url' field must be a base64 encoded image." };
  }));
  if (parts !== undefined) return parts;
  const served = servedModel(model);
  const prompt = promptTokens(body);
  if (served !== undefined && prompt >= served.window) return { message: `Trying to keep the first ${prompt} tokens when context the overflows. However, the model is loaded with context length of only ${served.window} tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input` };
  const fault = served === undefined ? undefined : templateFault(body, served);
  return fault === undefined ? undefined : { message: `Error rendering prompt with jinja template: "${fault}".` };
};

/** An object of `text` without a format is refused. */
const lmStudioResponses: StrictCheck = ({ body }) => (isObject(body['text']) && !isSet(body['text']['format']) ? { message: 'Required', param: 'text.format', code: 'missing_required_parameter' } : undefined);

export const lmStudio = {
  checks: { 'openai-chat': [lmStudioChat], 'openai-responses': [lmStudioResponses] },
  write: ({ message, param, code }, _requestId, protocol) => (protocol === 'openai-responses' ? { error: { message, type: 'invalid_request_error', param: param ?? null, code: code ?? null } } : { error: message }),
} as const satisfies StrictProvider;

