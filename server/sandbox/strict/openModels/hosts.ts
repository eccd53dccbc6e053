import { asNumber, asString } from '../../../base/json.ts';
import type { JsonObject } from '../../../base/json.ts';
import { choiceOf, orphanOf, range, strangeRole } from '../chatChecks.ts';
import { among, isSet, objectOf, objectsOf, sourced, wordsOf } from '../strictCheck.ts';
import type { StrictRefusal, StrictRequest } from '../strictCheck.ts';
import type { StrictProvider } from '../strictProvider.ts';
import { responsesFault } from './responsesDoor.ts';

/* Hosts of open models that are told apart by their schemas: Together, NVIDIA, Hugging Face, DeepInfra. */

/** What all of them refuse alike, whose words are known of none. */
function common({ body }: StrictRequest, roles: readonly string[], words: (path: string, what: string) => StrictRefusal): StrictRefusal | undefined {
  const strange = strangeRole(body, roles);
  if (strange !== undefined) return words(`messages.${strange.index}.role`, `Input should be ${roles.map((role) => `'${role}'`).join(', ')}`);
  const orphan = orphanOf(body);
  if (orphan !== undefined) return words(`messages.${orphan.index}`, "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'");
  return among(objectsOf(body['tools']), (tool, index) => (
    isSet(objectOf(tool['function'])['parameters']) && objectOf(objectOf(tool['function'])['parameters'])['type'] !== 'object' ? words(`tools.${index}.function.parameters`, "schema must have type 'object'") : undefined
  ));
}

function bounds(body: JsonObject, limits: readonly (readonly [field: string, least: number, most: number])[], words: (path: string, what: string) => StrictRefusal): StrictRefusal | undefined {
  for (const [field, least, most] of limits) {
    const found = range(body, field, least, most, (value) => `Input should be between ${least} and ${most}, got ${value}`);
    if (found !== undefined) return words(field, found.message);
  }
  return undefined;
}

/* Together. The schema is https://github.com/togethercomputer/openapi. */
const togetherDocs = 'https://docs.together.ai/reference/chat-completions-1';
const inputError = (path: string, what: string): StrictRefusal => ({ message: `Input validation error: ${path}: ${what}`, param: path });
const togetherChat = sourced('reported', 'https://github.com/mozilla-ai/any-llm/issues/714', (request) => common(request, ['system', 'user', 'assistant', 'tool', 'function'], inputError)
  ?? bounds(request.body, [['temperature', 0, 2], ['top_p', 0, 1], ['frequency_penalty', -2, 2], ['presence_penalty', -2, 2], ['n', 1, 128], ['top_logprobs', 0, 20]], inputError));
const togetherEffort = sourced('assumed', togetherDocs, ({ body }) => (
  isSet(body['reasoning_effort']) && !['low', 'medium', 'high'].includes(String(body['reasoning_effort'])) ? inputError('reasoning_effort', "Input should be 'low', 'medium' or 'high'") : undefined
));
const togetherResponses = sourced('assumed', 'https://docs.together.ai/docs/inference/responses-api', ({ body }) => {
  const fault = responsesFault(body);
  return fault === undefined ? bounds(body, [['temperature', 0, 2], ['top_p', 0, 1]], inputError) : inputError(fault.path, `${fault.value} is not valid`);
});
const togetherBody = ({ message, param, code }: StrictRefusal, requestId: string): JsonObject => ({ id: requestId, error: { message, type: 'invalid_request_error', param: param ?? null, code: code ?? null } });
export const together = { checks: { 'openai-chat': [togetherChat, togetherEffort], 'openai-responses': [togetherResponses] }, write: togetherBody } as const satisfies StrictProvider;

/* NVIDIA. Each model's schema is closed; which of OpenAI's newer fields a model has differs, and none has these. */
const nvidiaUnknown = ['prompt_cache_key', 'prompt_cache_retention', 'store', 'metadata', 'service_tier', 'verbosity', 'safety_identifier', 'modalities', 'audio', 'web_search_options', 'moderation'];
const extraForbidden = (path: string, what: string): StrictRefusal => ({ message: `[{'type': 'value_error', 'loc': ('body', '${path}'), 'msg': '${what.replaceAll("'", '')}'}]` });
const nvidiaFields = sourced('reported', 'https://github.com/sipeed/picoclaw/issues/1019', ({ body }) => {
  const unknown = nvidiaUnknown.find((field) => body[field] !== undefined);
  return unknown === undefined ? undefined : { message: `[{'type': 'extra_forbidden', 'loc': ('body', '${unknown}'), 'msg': 'Extra inputs are not permitted', 'input': ${JSON.stringify(body[unknown])}}]` };
});
/** Older models have no penalties either. */
const nvidiaPenalties = sourced('reported', 'https://github.com/Kilo-Org/kilocode/issues/9652', ({ body, model }) => {
  const refused = ['presence_penalty', 'frequency_penalty'].filter((field) => body[field] !== undefined);
  return refused.length > 0 && /^(?:gemma-2-|nemotron-4-)/.test(model) ? { status: 422, message: refused.map((field) => `body -> ${field}\n  Extra inputs are not permitted (type=extra_forbidden)`).join('\n') } : undefined;
});
const nvidiaRest = sourced('assumed', 'https://docs.nvidia.com/nim/large-language-models/latest/api-reference.html', (request) => common(request, ['system', 'user', 'assistant', 'tool'], extraForbidden)
  ?? (isSet(request.body['max_tokens']) && isSet(request.body['max_completion_tokens']) ? extraForbidden('max_tokens', 'max_tokens and max_completion_tokens cannot both be set') : undefined)
  ?? bounds(request.body, [['temperature', 0, 2], ['top_p', 0, 1], ['frequency_penalty', -2, 2], ['presence_penalty', -2, 2], ['top_logprobs', 0, 20], ['max_tokens', 1, Infinity]], extraForbidden));
const nvidiaBody = ({ message }: StrictRefusal): JsonObject => ({ error: message });
export const nvidia = { checks: { 'openai-chat': [nvidiaFields, nvidiaPenalties, nvidiaRest] }, write: nvidiaBody } as const satisfies StrictProvider;

/* Hugging Face. The provider that it routes to refuses; the bounds are those of its own reference. */
const huggingFaceDocs = 'https://huggingface.co/docs/inference-providers/tasks/chat-completion';
const huggingFaceChat = sourced('assumed', huggingFaceDocs, (request) => common(request, ['system', 'user', 'assistant', 'tool'], inputError)
  ?? (Array.isArray(request.body['stop']) && request.body['stop'].length > 4 ? inputError('stop', 'up to 4 sequences') : undefined)
  ?? bounds(request.body, [['temperature', 0, 2], ['top_p', 0, 1], ['frequency_penalty', -2, 2], ['presence_penalty', -2, 2], ['top_logprobs', 0, 5]], inputError)
  ?? (objectOf(request.body['response_format'])['type'] === 'json_object' && !/json/i.test(wordsOf(request.body['messages'])) ? inputError('response_format', "the word 'json' must be in the messages") : undefined));
const huggingFaceResponses = sourced('assumed', 'https://huggingface.co/docs/inference-providers/guides/responses-api', ({ body }) => {
  const fault = responsesFault(body, ['system', 'user', 'assistant', 'developer']);
  return fault === undefined ? bounds(body, [['temperature', 0, 2], ['top_p', 0, 1]], inputError) : inputError(fault.path, `${fault.value} is not valid`);
});
const huggingFaceBody = ({ message, param }: StrictRefusal): JsonObject => ({ error: { message, type: 'invalid_request_error', param: param ?? null, code: null } });
export const huggingface = { checks: { 'openai-chat': [huggingFaceChat], 'openai-responses': [huggingFaceResponses] }, write: huggingFaceBody } as const satisfies StrictProvider;

/* DeepInfra. The schema stands on the page of each model; a refusal is FastAPI's list. */
const deepinfraDocs = 'https://deepinfra.com/google/gemini-2.0-flash-001/api?example=openai-python';
const detail = (path: string, what: string): StrictRefusal => ({ status: 422, message: what, at: ['body', ...path.split('.')], type: 'value_error' });
const deepinfraChat = sourced('documented', deepinfraDocs, (request) => common(request, ['system', 'user', 'assistant', 'tool'], detail)
  ?? bounds(request.body, [['temperature', 0, 2], ['frequency_penalty', -2, 2], ['presence_penalty', -2, 2], ['max_tokens', 0, 1_000_000], ['n', 1, 4]], detail)
  ?? ((asNumber(request.body['top_p']) ?? 1) > 0 && (asNumber(request.body['top_p']) ?? 1) <= 1 ? undefined : detail('top_p', 'ensure this value is greater than 0'))
  ?? (Array.isArray(request.body['stop']) && request.body['stop'].length > 16 ? detail('stop', 'up to 16 sequences') : undefined));
const deepinfraContent = sourced('documented', deepinfraDocs, ({ body }) => among(objectsOf(body['messages']), (message, index) => (
  message['role'] !== 'user' && Array.isArray(message['content']) ? detail(`messages.${index}.content`, 'str type expected') : undefined
)));
const deepinfraChoice = sourced('documented', deepinfraDocs, ({ body }) => (
  ['none given', 'auto', 'none'].includes(choiceOf(body)) ? undefined : detail('tool_choice', 'str type expected: auto or none')
));
const deepinfraBody = ({ message, type, at }: StrictRefusal): JsonObject => ({ detail: [{ loc: [...at ?? ['body']], msg: message, type: asString(type) ?? 'value_error' }] });
export const deepinfra = { checks: { 'openai-chat': [deepinfraChat, deepinfraContent, deepinfraChoice] }, write: deepinfraBody } as const satisfies StrictProvider;
