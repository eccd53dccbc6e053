import type { IncomingHttpHeaders } from 'node:http';
import { asNumber, asString, isObject } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { SandboxErrorKind } from './sandboxBehaviour.ts';
import { retryAfterDetails, retryAfterHeaders } from './sandboxWire.ts';
import type { FailureRequest, Frame, SandboxAnswer, SandboxCall, SandboxPrompt, SandboxReply, SandboxUsage, SandboxWire, WireFailure } from './sandboxWire.ts';
import { countTokens, tokensPerImage, tokensPerMessage } from './tokens.ts';

/** OpenAI Chat Completions, with `reasoning_content` as the OpenAI-compatible reasoning providers send it. */
export const openaiChatWire: SandboxWire = {
  protocol: 'openai-chat',
  basePath: '/v1',
  keepAlive: ': keep-alive\n\n',
  call,
  credential: (headers) => /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? asString(headers['api-key']),
  readPrompt,
  hasForeignThinking: () => false,
  frames,
  oversizeFrame: (reply, bytes) => chunk(reply, [{ index: 0, delta: { content: 'x'.repeat(bytes) }, logprobs: null, finish_reason: null }]),
  body,
  failure,
  errorEvent: (errorBody) => `data: ${JSON.stringify(errorBody)}\n\n`,
  headers: (requestId) => ({ 'x-request-id': requestId }),
  modelList: (models, createdAt) => ({ object: 'list', data: models.map((id) => modelCard(id, createdAt)) }),
  model: modelCard,
};

function call(method: string, path: string): SandboxCall | undefined {
  if (method === 'POST' && /^(\/v1)*\/chat\/completions$/.test(path)) return { kind: 'generate' };
  const models = method === 'GET' ? /^(?:\/v1)*\/models(?:\/(.+))?$/.exec(path) : null;
  if (models === null) return undefined;
  return models[1] === undefined ? { kind: 'models' } : { kind: 'model', id: decodeURIComponent(models[1]) };
}

function modelCard(id: string, createdAt: number): JsonObject {
  return { id, object: 'model', created: createdAt, owned_by: 'switchyard-sandbox' };
}

function readPrompt(body: JsonObject, _headers: IncomingHttpHeaders): SandboxPrompt | string {
  const { model, messages } = body;
  if (typeof model !== 'string' || model === '') return 'you must provide a model parameter';
  if (!Array.isArray(messages) || messages.length === 0) return "Invalid 'messages': expected an array with at least one message.";
  const turns = messages.filter(isObject);
  if (turns.length !== messages.length || turns.some((turn) => typeof turn['role'] !== 'string')) return "Missing required parameter: 'messages[].role'.";
  const orphan = firstUnansweredCall(turns);
  if (orphan !== undefined) return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${orphan}`;
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []).filter(isObject).map(readTool);
  const options = isObject(body['stream_options']) ? body['stream_options'] : {};
  return {
    model,
    stream: body['stream'] === true,
    inputTokens: turns.reduce((total, turn) => total + turnTokens(turn), 0) + (tools.length === 0 ? 0 : countTokens(JSON.stringify(body['tools']))),
    ...newestTurn(turns),
    tools,
    toolChoice: readToolChoice(body['tool_choice']),
    parallelToolCalls: body['parallel_tool_calls'] !== false,
    maxOutputTokens: asNumber(body['max_completion_tokens']) ?? asNumber(body['max_tokens']),
    stop: (Array.isArray(body['stop']) ? body['stop'] : [body['stop']]).filter((stop) => typeof stop === 'string'),
    choices: Math.max(1, Math.min(8, asNumber(body['n']) ?? 1)),
    thinking: wantsThinking(body) ? 'visible' : 'off',
    format: readFormat(body['response_format']),
    includeUsage: options['include_usage'] === true,
  };
}

function readTool(tool: JsonObject): SandboxPrompt['tools'][number] {
  const definition = isObject(tool['function']) ? tool['function'] : tool;
  return { name: asString(definition['name']) ?? '', parameters: isObject(definition['parameters']) ? definition['parameters'] : undefined };
}

function readToolChoice(choice: JsonValue | undefined): SandboxPrompt['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice;
  const named = isObject(choice) && isObject(choice['function']) ? asString(choice['function']['name']) : undefined;
  return named === undefined ? 'auto' : { name: named };
}

function readFormat(format: JsonValue | undefined): SandboxPrompt['format'] {
  if (!isObject(format)) return 'text';
  if (format['type'] === 'json_object') return 'json';
  const schema = isObject(format['json_schema']) ? format['json_schema']['schema'] : undefined;
  return isObject(schema) ? { schema } : 'text';
}

function wantsThinking(body: JsonObject): boolean {
  const effort = asString(body['reasoning_effort']);
  if (effort !== undefined) return effort !== 'none';
  const thinking = isObject(body['thinking']) ? body['thinking'] : undefined;
  return (thinking !== undefined && thinking['type'] !== 'disabled') || isObject(body['reasoning']);
}

function firstUnansweredCall(turns: readonly JsonObject[]): string | undefined {
  const answered = new Set(turns.map((turn) => asString(turn['tool_call_id'])));
  return turns.flatMap((turn) => toolCallsOf(turn).map((item) => asString(item['id']))).find((id) => id !== undefined && !answered.has(id));
}

function toolCallsOf(turn: JsonObject): JsonObject[] {
  return (Array.isArray(turn['tool_calls']) ? turn['tool_calls'] : []).filter(isObject);
}

function contentText(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  return (Array.isArray(content) ? content : []).filter(isObject).map((part) => asString(part['text']) ?? '').filter((text) => text !== '').join('\n');
}

function imageCount(content: JsonValue | undefined): number {
  return Array.isArray(content) ? content.filter((part) => isObject(part) && part['type'] === 'image_url').length : 0;
}

function turnTokens(turn: JsonObject): number {
  const calls = toolCallsOf(turn).map((item) => (isObject(item['function']) ? `${asString(item['function']['name']) ?? ''} ${asString(item['function']['arguments']) ?? ''}` : ''));
  return tokensPerMessage + countTokens(contentText(turn['content'])) + imageCount(turn['content']) * tokensPerImage
    + countTokens(asString(turn['reasoning_content']) ?? '') + calls.reduce((total, text) => total + countTokens(text), 0);
}

/** The newest user text, and the tool results behind it when the conversation ends with them. */
function newestTurn(turns: readonly JsonObject[]): Pick<SandboxPrompt, 'userText' | 'toolResults' | 'images'> {
  const lastUser = turns.findLastIndex((turn) => turn['role'] === 'user');
  const userTurn = turns[lastUser];
  const userText = contentText(userTurn?.['content']);
  // Pictures of a tool result travel in a user message of their own behind it: look past a user turn without text.
  const end = lastUser === turns.length - 1 && userText === '' ? lastUser : turns.length;
  const lastOther = turns.slice(0, end).findLastIndex((turn) => turn['role'] !== 'tool');
  return {
    userText,
    toolResults: turns.slice(lastOther + 1, end).map((turn) => contentText(turn['content'])),
    images: imageCount(userTurn?.['content']),
  };
}

function finishReason(answer: SandboxAnswer): string {
  switch (answer.stop) {
    case 'length': return 'length';
    case 'tool-calls': return 'tool_calls';
    case 'end': case 'stop-sequence': case 'refusal': return 'stop';
  }
}

function chunk(reply: SandboxReply, choices: JsonValue[], usage?: JsonObject): string {
  const usageField = reply.includeUsage && reply.usage !== undefined ? { usage: usage ?? null } : {};
  return `data: ${JSON.stringify({
    id: reply.id, object: 'chat.completion.chunk', created: reply.createdAt, model: reply.model, service_tier: 'default',
    system_fingerprint: 'fp_sandbox', choices, ...usageField,
  })}\n\n`;
}

function frames(reply: SandboxReply): Frame[] {
  const result: Frame[] = [];
  reply.answers.forEach((answer, index) => {
    const push = (kind: Frame['kind'], delta: JsonObject, reason: string | null = null): void => {
      result.push({ kind, text: chunk(reply, [{ index, delta, logprobs: null, finish_reason: reason }]) });
    };
    push('prelude', { role: 'assistant', content: '', refusal: null });
    for (const text of answer.thinking) push('content', { reasoning_content: text });
    for (const text of answer.text) push('content', { content: text });
    if (answer.refusal !== undefined) push('content', { refusal: answer.refusal });
    answer.toolCalls.forEach((item, position) => {
      push('content', { tool_calls: [{ index: position, id: item.id, type: 'function', function: { name: item.name, arguments: '' } }] });
      for (const text of item.pieces) push('tool-arguments', { tool_calls: [{ index: position, function: { arguments: text } }] });
    });
    push('finish', {}, finishReason(answer));
  });
  if (reply.includeUsage && reply.usage !== undefined) result.push({ kind: 'finish', text: chunk(reply, [], usageBody(reply.usage, reply.inconsistentUsage)) });
  result.push({ kind: 'terminal', text: 'data: [DONE]\n\n' });
  return result;
}

function usageBody(usage: SandboxUsage, inconsistent: boolean): JsonObject {
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite + usage.cacheWrite1h;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: inconsistent ? 1 : prompt + usage.output,
    prompt_tokens_details: { cached_tokens: inconsistent ? prompt + 7 : usage.cacheRead, cache_write_tokens: usage.cacheWrite + usage.cacheWrite1h, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: inconsistent ? usage.output + 5 : usage.reasoning, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
}

function body(reply: SandboxReply): JsonObject {
  return {
    id: reply.id,
    object: 'chat.completion',
    created: reply.createdAt,
    model: reply.model,
    service_tier: 'default',
    system_fingerprint: 'fp_sandbox',
    choices: reply.answers.map((answer, index) => ({ index, message: message(answer), logprobs: null, finish_reason: finishReason(answer) })),
    ...(reply.usage === undefined ? {} : { usage: usageBody(reply.usage, reply.inconsistentUsage) }),
  };
}

function message(answer: SandboxAnswer): JsonObject {
  const calls = answer.toolCalls.map((item) => ({ id: item.id, type: 'function', function: { name: item.name, arguments: item.pieces.join('') } }));
  return {
    role: 'assistant',
    content: answer.text.length === 0 && (calls.length > 0 || answer.refusal !== undefined) ? null : answer.text.join(''),
    refusal: answer.refusal ?? null,
    ...(answer.thinking.length === 0 ? {} : { reasoning_content: answer.thinking.join('') }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

interface ErrorRow { status: number; type: string; code: string | null; message: string; param?: string }

function errorRow(kind: SandboxErrorKind, request: FailureRequest): ErrorRow {
  switch (kind) {
    case 'auth': return { status: 401, type: 'invalid_request_error', code: 'invalid_api_key', message: `Incorrect API key provided: ${request.maskedKey ?? '(none)'}.` };
    case 'permission': return { status: 403, type: 'invalid_request_error', code: 'unsupported_country_region_territory', message: 'Country, region, or territory not supported' };
    case 'quota': return { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded your current quota, please check your plan and billing details.' };
    case 'rate-limit': return { status: 429, type: 'requests', code: 'rate_limit_exceeded', message: `Rate limit reached for ${request.model} on requests per min (RPM).` };
    case 'overloaded': return { status: 503, type: 'server_error', code: 'server_is_overloaded', message: 'The engine is currently overloaded, please try again later.' };
    case 'server': return { status: 500, type: 'server_error', code: null, message: 'The server had an error while processing your request.' };
    case 'bad-gateway': return { status: 502, type: 'server_error', code: null, message: 'Bad gateway.' };
    case 'timeout': return { status: 504, type: 'server_error', code: null, message: 'The upstream request timed out.' };
    case 'bad-request': return { status: 400, type: 'invalid_request_error', code: 'invalid_value', message: 'Invalid value in the request.', param: 'messages' };
    case 'context-overflow': return { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded', message: "This model's maximum context length is 4096 tokens. Please reduce the length of the messages.", param: 'messages' };
    case 'content-policy': return { status: 400, type: 'invalid_request_error', code: 'content_policy_violation', message: 'Your request was rejected by our safety system.' };
    case 'model-not-found': return { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: `The model '${request.model}' does not exist or you do not have access to it.` };
    case 'foreign-thinking': return { status: 400, type: 'invalid_request_error', code: 'invalid_encrypted_content', message: 'The encrypted reasoning content could not be verified.' };
  }
}

function failure(request: FailureRequest): WireFailure {
  const row = errorRow(request.kind, request);
  return {
    status: row.status,
    headers: retryAfterHeaders(request.retryAfter, Date.now()),
    body: { error: { message: request.message ?? row.message, type: row.type, param: row.param ?? null, code: row.code, ...retryAfterDetails(request.retryAfter) } },
  };
}
