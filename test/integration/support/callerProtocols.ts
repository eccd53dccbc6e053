import { isObject, parseJson, type JsonObject, type JsonValue } from '../../../server/base/json.ts';
import { createSseReader } from '../../../server/protocols/sseReader.ts';

export const callerProtocols = ['openai-chat', 'anthropic-messages'] as const;
export type CallerProtocol = (typeof callerProtocols)[number];

export const callerPath: Readonly<Record<CallerProtocol, string>> = { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' };

/** A tool every test conversation may offer. */
const lookUp = { type: 'object', properties: { place: { type: 'string' }, day: { type: 'integer' } }, required: ['place'] };

/** A small request in a caller's protocol. */
export function requestBody(protocol: CallerProtocol, options: { model: string; prompt: string; stream: boolean; tools?: boolean; messages?: JsonObject[] }): JsonObject {
  const { model, prompt, stream, tools } = options;
  const common = { model, messages: options.messages ?? [{ role: 'user', content: prompt }], ...(stream ? { stream: true } : {}) };
  if (protocol === 'openai-chat') {
    return {
      ...common, ...(stream ? { stream_options: { include_usage: true } } : {}),
      ...(tools === true ? { tools: [{ type: 'function', function: { name: 'look_up', description: 'Looks up the weather.', parameters: lookUp } }] } : {}),
    };
  }
  return { ...common, max_tokens: 1000, ...(tools === true ? { tools: [{ name: 'look_up', description: 'Looks up the weather.', input_schema: lookUp }] } : {}) };
}

/** Headers a caller of this protocol sends. */
export function callerHeaders(protocol: CallerProtocol, token: string): Record<string, string> {
  return protocol === 'openai-chat' ? { authorization: `Bearer ${token}` } : { 'x-api-key': token, 'anthropic-version': '2023-06-01' };
}

/** What a person or a tool would take from an answer. */
export interface SeenAnswer {
  text: string;
  /** Calls the protocol says are complete, so that a tool would run them. */
  toolCalls: { name: string; arguments: string }[];
  /** Calls that began and never were said to be complete. */
  halfCalls: number;
  /** The protocol's own end was sent: a client takes the answer for whole. */
  finished: boolean;
  stopReason: string | undefined;
  error: { type: string | undefined; code: string | undefined; message: string } | undefined;
  usage: JsonObject | undefined;
}

/** Reads an answer, streamed or plain, as a client of the protocol would. */
export function readAnswer(protocol: CallerProtocol, text: string, stream: boolean): SeenAnswer {
  const seen: SeenAnswer = { text: '', toolCalls: [], halfCalls: 0, finished: false, stopReason: undefined, error: undefined, usage: undefined };
  if (!stream) {
    readPlain(protocol, parseJson(text), seen);
    return seen;
  }
  if (!/^(?:event|data|:|id|retry)/m.test(text)) {
    readPlain(protocol, parseJson(text), seen);
    return seen;
  }
  const calls = new Map<number, { name: string; arguments: string; complete: boolean }>();
  const reader = createSseReader({ maxEventBytes: 64 << 20 }, (_event, data) => {
    if (data === '[DONE]') seen.finished = true;
    const event = parseJson(data);
    if (!isObject(event)) return;
    if (protocol === 'openai-chat') readChunk(event, seen, calls);
    else readMessageEvent(event, seen, calls);
  });
  reader.push(Buffer.from(text));
  reader.end();
  for (const call of calls.values()) {
    // Chat has no end of a call: calls count once the stream says that it ended with them.
    const complete = protocol === 'openai-chat' ? seen.finished && seen.stopReason === 'tool_calls' : call.complete;
    if (complete) seen.toolCalls.push({ name: call.name, arguments: call.arguments });
    else seen.halfCalls += 1;
  }
  return seen;
}

type Calls = Map<number, { name: string; arguments: string; complete: boolean }>;

function readChunk(chunk: JsonObject, seen: SeenAnswer, calls: Calls): void {
  if (isObject(chunk.error)) seen.error = readError(chunk.error);
  if (isObject(chunk.usage)) seen.usage = chunk.usage;
  const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  if (!isObject(choice)) return;
  if (typeof choice.finish_reason === 'string') seen.stopReason = choice.finish_reason;
  const delta = isObject(choice.delta) ? choice.delta : {};
  if (typeof delta.content === 'string') seen.text += delta.content;
  for (const call of Array.isArray(delta.tool_calls) ? delta.tool_calls : []) {
    if (!isObject(call) || typeof call.index !== 'number') continue;
    const named = isObject(call.function) ? call.function : {};
    const known = calls.get(call.index) ?? { name: '', arguments: '', complete: false };
    if (typeof named.name === 'string') known.name += named.name;
    if (typeof named.arguments === 'string') known.arguments += named.arguments;
    calls.set(call.index, known);
  }
}

function readMessageEvent(event: JsonObject, seen: SeenAnswer, calls: Calls): void {
  const index = typeof event.index === 'number' ? event.index : 0;
  switch (event.type) {
    case 'message_start':
      if (isObject(event.message) && isObject(event.message.usage)) seen.usage = event.message.usage;
      return;
    case 'content_block_start':
      if (isObject(event.content_block) && event.content_block.type === 'tool_use') calls.set(index, { name: String(event.content_block.name), arguments: '', complete: false });
      return;
    case 'content_block_delta': {
      const delta = isObject(event.delta) ? event.delta : {};
      if (typeof delta.text === 'string') seen.text += delta.text;
      const call = calls.get(index);
      if (typeof delta.partial_json === 'string' && call !== undefined) call.arguments += delta.partial_json;
      return;
    }
    case 'content_block_stop': {
      const call = calls.get(index);
      if (call !== undefined) call.complete = true;
      return;
    }
    case 'message_delta':
      if (isObject(event.delta) && typeof event.delta.stop_reason === 'string') seen.stopReason = event.delta.stop_reason;
      if (isObject(event.usage)) seen.usage = { ...seen.usage, ...event.usage };
      return;
    case 'message_stop':
      seen.finished = true;
      return;
    case 'error':
      if (isObject(event.error)) seen.error = readError(event.error);
      return;
    default:
  }
}

function readPlain(protocol: CallerProtocol, body: JsonValue | undefined, seen: SeenAnswer): void {
  if (!isObject(body)) return;
  if (isObject(body.error)) {
    seen.error = readError(body.error);
    return;
  }
  if (isObject(body.usage)) seen.usage = body.usage;
  if (protocol === 'openai-chat') {
    const choice = Array.isArray(body.choices) ? body.choices[0] : undefined;
    const message = isObject(choice) && isObject(choice.message) ? choice.message : undefined;
    if (!isObject(choice) || message === undefined) return;
    seen.finished = true;
    if (typeof choice.finish_reason === 'string') seen.stopReason = choice.finish_reason;
    seen.text = typeof message.content === 'string' ? message.content : typeof message.refusal === 'string' ? message.refusal : '';
    for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
      if (isObject(call) && isObject(call.function)) seen.toolCalls.push({ name: String(call.function.name), arguments: String(call.function.arguments) });
    }
    return;
  }
  if (!Array.isArray(body.content)) return;
  seen.finished = true;
  if (typeof body.stop_reason === 'string') seen.stopReason = body.stop_reason;
  for (const block of body.content) {
    if (!isObject(block)) continue;
    if (block.type === 'text') seen.text += String(block.text);
    if (block.type === 'tool_use') seen.toolCalls.push({ name: String(block.name), arguments: JSON.stringify(block.input) });
  }
}

function readError(error: JsonObject): NonNullable<SeenAnswer['error']> {
  const details = isObject(error.details) ? error.details : {};
  return {
    type: typeof error.type === 'string' ? error.type : undefined,
    code: typeof error.code === 'string' ? error.code : typeof details.error_code === 'string' ? details.error_code : undefined,
    message: typeof error.message === 'string' ? error.message : '',
  };
}
