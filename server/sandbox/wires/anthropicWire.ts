import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { asNumber, asString, isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { SandboxErrorKind } from '../sandboxBehaviour.ts';
import { retryAfterDetails, retryAfterHeaders } from './sandboxWire.ts';
import type { FailureRequest, Frame, SandboxAnswer, SandboxCall, SandboxPrompt, SandboxReply, SandboxUsage, SandboxWire, WireFailure } from './sandboxWire.ts';
import { countTokens, tokensPerImage, tokensPerMessage } from '../tokens.ts';

/** Anthropic Messages. Signatures name the sandbox provider that made them, so that foreign ones can be refused. */
export const anthropicWire: SandboxWire = {
  protocol: 'anthropic-messages',
  basePath: '',
  keepAlive: event('ping', {}),
  call,
  credential: (headers) => asString(headers['x-api-key']) ?? /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1],
  readPrompt,
  hasForeignThinking,
  frames,
  oversizeFrame: (_reply, bytes) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'x'.repeat(bytes) } }),
  body: (reply) => messageBody(reply, contentBlocks(reply)),
  failure,
  errorEvent: (errorBody) => `event: error\ndata: ${JSON.stringify(errorBody)}\n\n`,
  headers: (requestId) => ({ 'request-id': requestId }),
  modelList: (models, createdAt) => ({
    data: models.map((id) => modelCard(id, createdAt)), has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null,
  }),
  model: modelCard,
  tokenCount: (inputTokens) => ({ input_tokens: inputTokens }),
};

function call(method: string, path: string): SandboxCall | undefined {
  if (method === 'POST' && /^(\/v1)*\/messages$/.test(path)) return { kind: 'generate' };
  if (method === 'POST' && /^(\/v1)*\/messages\/count_tokens$/.test(path)) return { kind: 'count-tokens' };
  const models = method === 'GET' ? /^(?:\/v1)*\/models(?:\/(.+))?$/.exec(path) : null;
  if (models === null) return undefined;
  return models[1] === undefined ? { kind: 'models' } : { kind: 'model', id: decodeURIComponent(models[1]) };
}

function modelCard(id: string, createdAt: number): JsonObject {
  return { type: 'model', id, display_name: id, created_at: new Date(createdAt * 1000).toISOString(), max_input_tokens: 200_000, max_tokens: 32_000 };
}

function readPrompt(body: JsonObject, headers: IncomingHttpHeaders, wanted: SandboxCall): SandboxPrompt | string {
  const { model, messages } = body;
  if (headers['anthropic-version'] === undefined) return 'anthropic-version: header is required';
  if (typeof model !== 'string' || model === '') return 'model: Field required';
  const limit = asNumber(body['max_tokens']);
  if (limit === undefined && wanted.kind === 'generate') return 'max_tokens: Field required';
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one message is required';
  const turns = messages.filter(isObject);
  const strange = turns.findIndex((turn) => turn['role'] !== 'user' && turn['role'] !== 'assistant' && turn['role'] !== 'system');
  if (strange !== -1 || turns.length !== messages.length) return `messages.${Math.max(strange, 0)}.role: Input should be 'user' or 'assistant'`;
  const orphan = firstUnansweredCall(turns);
  if (orphan !== undefined) return `messages.${orphan.turn}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${orphan.id}.`;
  const tools = (Array.isArray(body['tools']) ? body['tools'] : []).filter(isObject);
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : {};
  const thinking = isObject(body['thinking']) ? body['thinking'] : {};
  return {
    model,
    stream: body['stream'] === true,
    inputTokens: blocksTokens(body['system']) + turns.reduce((total, turn) => total + tokensPerMessage + blocksTokens(turn['content']), 0)
      + (tools.length === 0 ? 0 : countTokens(JSON.stringify(tools))),
    ...newestTurn(turns),
    tools: tools.map((tool) => ({ name: asString(tool['name']) ?? '', parameters: isObject(tool['input_schema']) ? tool['input_schema'] : undefined })),
    toolChoice: readToolChoice(choice),
    parallelToolCalls: choice['disable_parallel_tool_use'] !== true,
    maxOutputTokens: limit,
    stop: (Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : []).filter((stop) => typeof stop === 'string'),
    choices: 1,
    thinking: thinking['type'] === undefined || thinking['type'] === 'disabled' ? 'off' : thinking['display'] === 'omitted' ? 'hidden' : 'visible',
    format: readFormat(body['output_config']),
    includeUsage: true,
  };
}

function readToolChoice(choice: JsonObject): SandboxPrompt['toolChoice'] {
  const name = asString(choice['name']);
  if (choice['type'] === 'tool' && name !== undefined) return { name };
  if (choice['type'] === 'any') return 'required';
  return choice['type'] === 'none' ? 'none' : 'auto';
}

function readFormat(config: JsonValue | undefined): SandboxPrompt['format'] {
  const format = isObject(config) && isObject(config['format']) ? config['format'] : {};
  return isObject(format['schema']) ? { schema: format['schema'] } : 'text';
}

function blocksOf(content: JsonValue | undefined): JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (Array.isArray(content) ? content : []).filter(isObject);
}

function blocksTokens(content: JsonValue | undefined): number {
  return blocksOf(content).reduce((total, block) => total + blockTokens(block), 0);
}

function blockTokens(block: JsonObject): number {
  switch (block['type']) {
    case 'image': case 'document': return tokensPerImage;
    case 'tool_use': return countTokens(`${asString(block['name']) ?? ''} ${JSON.stringify(block['input'] ?? {})}`);
    case 'tool_result': return blocksTokens(block['content']);
    case 'thinking': return countTokens(asString(block['thinking']) ?? '');
    default: return countTokens(asString(block['text']) ?? '');
  }
}

function blocksText(content: JsonValue | undefined): string {
  return blocksOf(content).map((block) => asString(block['text']) ?? '').filter((text) => text !== '').join('\n');
}

function firstUnansweredCall(turns: readonly JsonObject[]): { turn: number; id: string } | undefined {
  for (const [index, turn] of turns.entries()) {
    const wanted = turn['role'] === 'assistant' ? blocksOf(turn['content']).filter((block) => block['type'] === 'tool_use').map((block) => asString(block['id']) ?? '') : [];
    const given = new Set(blocksOf(turns[index + 1]?.['content']).map((block) => asString(block['tool_use_id'])));
    const missing = wanted.find((id) => !given.has(id));
    if (missing !== undefined) return { turn: index, id: missing };
  }
  return undefined;
}

/** The newest user text, and the tool results in the last user message, unless that message asks for something new. */
function newestTurn(turns: readonly JsonObject[]): Pick<SandboxPrompt, 'userText' | 'toolResults' | 'images'> {
  const users = turns.filter((turn) => turn['role'] === 'user').map((turn) => blocksOf(turn['content']));
  const last = users.at(-1) ?? [];
  const results = last.filter((block) => block['type'] === 'tool_result').map((block) => blocksText(block['content']));
  const newest = users.findLast((blocks) => blocksText(blocks) !== '') ?? [];
  const asksAgain = results.length > 0 && newest === last && blocksText(last).includes('call tool ');
  return { userText: blocksText(newest), toolResults: asksAgain ? [] : results, images: last.filter((block) => block['type'] === 'image').length };
}

function signature(provider: string, thinking: string): string {
  const digest = createHash('sha256').update(`${provider}\n${thinking}`).digest('base64');
  return Buffer.from(`sandbox:${provider}:${digest}`).toString('base64');
}

function hasForeignThinking(body: JsonObject, provider: string): boolean {
  const turns = Array.isArray(body['messages']) ? body['messages'].filter(isObject) : [];
  return turns.flatMap((turn) => blocksOf(turn['content'])).some((block) => {
    if (block['type'] === 'redacted_thinking') return true;
    if (block['type'] !== 'thinking') return false;
    return !Buffer.from(asString(block['signature']) ?? '', 'base64').toString('utf8').startsWith(`sandbox:${provider}:`);
  });
}

function event(name: string, fields: JsonObject): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

interface Block { start: JsonObject; deltas: { kind: 'content' | 'tool-arguments'; delta: JsonObject }[]; whole: JsonObject; startsWithContent: boolean }

function blocks(reply: SandboxReply, answer: SandboxAnswer): Block[] {
  const result: Block[] = [];
  if (answer.thinking.length > 0) {
    const thinking = answer.thinking.join('');
    const signed = signature(reply.provider, thinking);
    const shown = reply.thinkingHidden ? [] : answer.thinking;
    result.push({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [
        ...shown.map((text) => ({ kind: 'content' as const, delta: { type: 'thinking_delta', thinking: text } })),
        { kind: 'content', delta: { type: 'signature_delta', signature: signed } },
      ],
      whole: { type: 'thinking', thinking: shown.join(''), signature: signed },
      startsWithContent: false,
    });
  }
  const text = answer.refusal === undefined ? answer.text : [answer.refusal];
  if (text.length > 0) {
    result.push({
      start: { type: 'text', text: '', citations: null },
      deltas: text.map((piece) => ({ kind: 'content', delta: { type: 'text_delta', text: piece } })),
      whole: { type: 'text', text: text.join(''), citations: null },
      startsWithContent: false,
    });
  }
  for (const item of answer.toolCalls) {
    const base = { type: 'tool_use', id: item.id, name: item.name };
    result.push({
      start: { ...base, input: {} },
      deltas: item.pieces.map((piece) => ({ kind: 'tool-arguments', delta: { type: 'input_json_delta', partial_json: piece } })),
      whole: { ...base, input: parsedInput(item.pieces.join('')) },
      startsWithContent: true,
    });
  }
  return result;
}

/** Arguments that were cut by the token limit are not JSON; a plain answer then carries an empty input. */
function parsedInput(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return {};
  }
}

function contentBlocks(reply: SandboxReply): JsonObject[] {
  return reply.answers.slice(0, 1).flatMap((answer) => blocks(reply, answer)).map((block) => block.whole);
}

function frames(reply: SandboxReply): Frame[] {
  const answer = reply.answers[0];
  if (answer === undefined) return [];
  const opening = { ...messageBody(reply, []), stop_reason: null, stop_sequence: null, stop_details: null, ...(reply.usage === undefined ? {} : { usage: usageBody({ ...reply.usage, output: 1, reasoning: 0 }, false) }) };
  const result: Frame[] = [{ kind: 'prelude', text: event('message_start', { message: opening }) }];
  blocks(reply, answer).forEach((block, index) => {
    result.push({ kind: block.startsWithContent ? 'content' : index === 0 ? 'prelude' : 'structure', text: event('content_block_start', { index, content_block: block.start }) });
    if (index === 0) result.push({ kind: block.startsWithContent ? 'structure' : 'prelude', text: event('ping', {}) });
    for (const { kind, delta } of block.deltas) result.push({ kind, text: event('content_block_delta', { index, delta }) });
    result.push({ kind: 'structure', text: event('content_block_stop', { index }) });
  });
  const usage = reply.usage === undefined ? {} : { usage: deltaUsage(reply.usage, reply.inconsistentUsage) };
  result.push(
    { kind: 'finish', text: event('message_delta', { delta: { ...stopFields(answer), container: null }, ...usage }) },
    { kind: 'terminal', text: event('message_stop', {}) },
  );
  return result;
}

function stopFields(answer: SandboxAnswer): JsonObject {
  const refused = answer.stop === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null;
  return { stop_reason: stopReason(answer), stop_sequence: answer.stopSequence ?? null, stop_details: refused };
}

function stopReason(answer: SandboxAnswer): string {
  switch (answer.stop) {
    case 'end': return 'end_turn';
    case 'length': return 'max_tokens';
    case 'stop-sequence': return 'stop_sequence';
    case 'tool-calls': return 'tool_use';
    case 'refusal': return 'refusal';
  }
}

function messageBody(reply: SandboxReply, content: JsonObject[]): JsonObject {
  const answer = reply.answers[0];
  return {
    id: reply.id,
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content,
    ...(answer === undefined ? {} : stopFields(answer)),
    container: null,
    ...(reply.usage === undefined ? {} : { usage: usageBody(reply.usage, reply.inconsistentUsage) }),
  };
}

function usageBody(usage: SandboxUsage, inconsistent: boolean): JsonObject {
  return {
    ...deltaUsage(usage, inconsistent),
    cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite, ephemeral_1h_input_tokens: usage.cacheWrite1h },
    service_tier: 'standard',
    inference_geo: null,
    speed: 'standard',
  };
}

function deltaUsage(usage: SandboxUsage, inconsistent: boolean): JsonObject {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: inconsistent ? usage.input + 11 : usage.cacheWrite + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: inconsistent ? usage.output + 5 : usage.reasoning },
    server_tool_use: null,
  };
}

interface ErrorRow { status: number; type: string; message: string }

function errorRow(kind: SandboxErrorKind, request: FailureRequest): ErrorRow {
  switch (kind) {
    case 'auth': return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' };
    case 'permission': return { status: 403, type: 'permission_error', message: 'Your API key does not have permission to use the specified resource.' };
    case 'quota': return { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.' };
    case 'rate-limit': return { status: 429, type: 'rate_limit_error', message: 'This request would exceed your rate limit of requests per minute.' };
    case 'overloaded': return { status: 529, type: 'overloaded_error', message: 'Overloaded' };
    case 'server': return { status: 500, type: 'api_error', message: 'Internal server error' };
    case 'bad-gateway': return { status: 502, type: 'api_error', message: 'Bad gateway' };
    case 'timeout': return { status: 504, type: 'timeout_error', message: 'The request timed out while processing.' };
    case 'bad-request': return { status: 400, type: 'invalid_request_error', message: 'messages: Input should be a valid list' };
    case 'context-overflow': return { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 250000 tokens > 200000 maximum' };
    case 'content-policy': return { status: 400, type: 'invalid_request_error', message: 'Output blocked by content filtering policy' };
    case 'model-not-found': return { status: 404, type: 'not_found_error', message: `model: ${request.model}` };
    case 'foreign-thinking': return { status: 400, type: 'invalid_request_error', message: 'messages.1.content.0: Invalid `signature` in `thinking` block' };
  }
}

function failure(request: FailureRequest): WireFailure {
  const row = errorRow(request.kind, request);
  return {
    status: row.status,
    headers: retryAfterHeaders(request.retryAfter, Date.now()),
    body: { type: 'error', error: { type: row.type, message: request.message ?? row.message, ...retryAfterDetails(request.retryAfter) }, request_id: request.requestId },
  };
}
