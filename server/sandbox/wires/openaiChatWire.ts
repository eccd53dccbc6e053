import type { IncomingHttpHeaders } from 'node:http';
import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { openaiFailure } from './openaiFailures.ts';
import { freeText, sandboxLogprob } from './sandboxWire.ts';
import type { Frame, SandboxAnswer, SandboxCall, SandboxPrompt, SandboxReply, SandboxUsage, SandboxWire } from './sandboxWire.ts';
import { countTokens, splitIntoTokens, tokensPerImage, tokensPerMessage } from '../tokens.ts';

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
  failure: openaiFailure,
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
  return { id, object: 'model', created: createdAt, owned_by: 'waybill-sandbox' };
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
    logprobs: body['logprobs'] === true,
    includeUsage: options['include_usage'] === true,
  };
}

function readTool(tool: JsonObject): SandboxPrompt['tools'][number] {
  const definition = isObject(tool['function']) ? tool['function'] : tool;
  if (isObject(tool['custom'])) return { name: asString(tool['custom']['name']) ?? '', parameters: undefined, custom: true };
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
  const calls = toolCallsOf(turn).map((item) => (isObject(item['custom']) ? `${asString(item['custom']['name']) ?? ''} ${asString(item['custom']['input']) ?? ''}` : isObject(item['function']) ? `${asString(item['function']['name']) ?? ''} ${asString(item['function']['arguments']) ?? ''}` : ''));
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
    const push = (kind: Frame['kind'], delta: JsonObject, reason: string | null = null, logprobs: JsonObject | null = null): void => {
      result.push({ kind, text: chunk(reply, [{ index, delta, logprobs, finish_reason: reason }]) });
    };
    push('prelude', { role: 'assistant', content: '', refusal: null });
    for (const text of answer.thinking) push('content', { reasoning_content: text });
    for (const text of answer.text) push('content', { content: text }, null, logprobsOf(reply, [text]));
    if (answer.refusal !== undefined) push('content', { refusal: answer.refusal });
    answer.toolCalls.forEach((item, position) => {
      if (reply.customTools.has(item.name)) {
        push('content', { tool_calls: [{ index: position, id: item.id, type: 'custom', custom: { name: item.name, input: '' } }] });
        for (const text of splitIntoTokens(freeText(item.pieces.join('')))) push('tool-arguments', { tool_calls: [{ index: position, custom: { input: text } }] });
        return;
      }
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
    choices: reply.answers.map((answer, index) => ({ index, message: message(answer, reply.customTools), logprobs: logprobsOf(reply, answer.text), finish_reason: finishReason(answer) })),
    ...(reply.usage === undefined ? {} : { usage: usageBody(reply.usage, reply.inconsistentUsage) }),
  };
}

function logprobsOf(reply: SandboxReply, tokens: readonly string[]): JsonObject | null {
  if (!reply.logprobs) return null;
  return { content: tokens.map((token) => ({ token, logprob: sandboxLogprob, bytes: [...Buffer.from(token)], top_logprobs: [] })), refusal: null };
}

function message(answer: SandboxAnswer, customTools: ReadonlySet<string>): JsonObject {
  const calls = answer.toolCalls.map((item): JsonObject => (customTools.has(item.name)
    ? { id: item.id, type: 'custom', custom: { name: item.name, input: freeText(item.pieces.join('')) } }
    : { id: item.id, type: 'function', function: { name: item.name, arguments: item.pieces.join('') } }));
  return {
    role: 'assistant',
    content: answer.text.length === 0 && (calls.length > 0 || answer.refusal !== undefined) ? null : answer.text.join(''),
    refusal: answer.refusal ?? null,
    ...(answer.thinking.length === 0 ? {} : { reasoning_content: answer.thinking.join('') }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}
