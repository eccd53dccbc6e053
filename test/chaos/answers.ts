import { isObject, parseJson, type JsonObject, type JsonValue } from '../../server/base/json.ts';
import type { SandboxProtocol } from '../../server/sandbox/wires/sandboxWire.ts';

/*
 * Reads answers as clients of the four protocols do. It is written for the chaos run alone and does not use the server's
 * codecs, so that it does not repeat their mistakes.
 */

/** What a client takes from an answer. */
export interface ReadAnswer {
  text: string;
  /** Calls a client would run: those the protocol says are complete. */
  calls: { name: string; arguments: JsonValue | undefined }[];
  /** Some part of a call was seen. */
  callBegan: boolean;
  /** The protocol's own end was seen: a client takes the answer for whole. */
  finished: boolean;
  error: ReadError | undefined;
  /** What breaks the protocol's rules, in words. */
  troubles: string[];
}

export interface ReadError { type: string | undefined; code: string | undefined; message: string }

function nothingRead(): ReadAnswer {
  return { text: '', calls: [], callBegan: false, finished: false, error: undefined, troubles: [] };
}

/** Reads a whole body. @param status HTTP status, which Google's errors repeat */
export function readPlain(protocol: SandboxProtocol, text: string, status: number): ReadAnswer {
  const read = nothingRead();
  const body = parseJson(text);
  if (!isObject(body)) {
    read.troubles.push(`a body that is no JSON object: ${excerpt(text)}`);
    return read;
  }
  if (status >= 400 || isObject(body.error)) {
    readErrorBody(protocol, body, status, read);
    return read;
  }
  switch (protocol) {
    case 'openai-chat': readChatBody(body, read); break;
    case 'openai-responses': readResponse(body, read); break;
    case 'anthropic-messages': readMessage(body, read); break;
    case 'gemini': readCandidates(body, read); break;
  }
  return read;
}

/** Reads a stream of server-sent events. */
export function readStream(protocol: SandboxProtocol, text: string): ReadAnswer {
  const reader = new StreamReader(protocol);
  // What follows the last blank line is no event: the stream broke inside it.
  for (const event of text.replaceAll('\r\n', '\n').split('\n\n').slice(0, -1)) reader.push(event);
  return reader.end();
}

class StreamReader {
  readonly #read = nothingRead();
  readonly #protocol: SandboxProtocol;
  readonly #ids = new Set<string>();
  readonly #calls = new Map<number, { name: string; arguments: string }>();
  #openings = 0;
  #reason: string | undefined;
  #lastSequence = -1;

  constructor(protocol: SandboxProtocol) {
    this.#protocol = protocol;
  }

  push(event: string): void {
    const data = event.split('\n').filter(line => line.startsWith('data:')).map(line => line.slice(5).trimStart()).join('\n');
    if (data === '') return;
    if (this.#read.finished) this.#read.troubles.push('an event after the end');
    if (data === '[DONE]') {
      if (this.#protocol !== 'openai-chat') this.#read.troubles.push('[DONE] in a protocol that has none');
      if (this.#reason === undefined) this.#read.troubles.push('an end without a finish reason');
      this.#read.finished = true;
      return;
    }
    const value = parseJson(data);
    if (!isObject(value)) {
      this.#read.troubles.push(`an event no client can read: ${excerpt(data)}`);
      return;
    }
    switch (this.#protocol) {
      case 'openai-chat': this.#chat(value); break;
      case 'openai-responses': this.#response(value); break;
      case 'anthropic-messages': this.#message(value); break;
      case 'gemini': this.#gemini(value); break;
    }
  }

  end(): ReadAnswer {
    const read = this.#read;
    if (this.#ids.size > 1) read.troubles.push(`one answer with the ids ${[...this.#ids].join(', ')}`);
    if (this.#openings > 1) read.troubles.push(`one answer with ${this.#openings} beginnings`);
    if (this.#protocol === 'gemini' && this.#reason !== undefined && read.error === undefined) read.finished = true;
    if (this.#protocol === 'openai-chat' && read.finished && this.#reason === 'tool_calls') {
      for (const call of this.#calls.values()) read.calls.push({ name: call.name, arguments: parseJson(call.arguments) });
    }
    if (read.finished && read.error !== undefined) read.troubles.push('an error and an end');
    return read;
  }

  #chat(chunk: JsonObject): void {
    if (isObject(chunk.error)) return readErrorBody('openai-chat', chunk, undefined, this.#read);
    if (typeof chunk.id === 'string') this.#ids.add(chunk.id);
    const choice = objects(chunk.choices)[0];
    if (choice === undefined) return;
    if (typeof choice.finish_reason === 'string') this.#reason = choice.finish_reason;
    const delta = isObject(choice.delta) ? choice.delta : {};
    if (typeof delta.content === 'string') this.#read.text += delta.content;
    for (const call of objects(delta.tool_calls)) {
      const named = isObject(call.function) ? call.function : {};
      const known = this.#calls.get(Number(call.index)) ?? { name: '', arguments: '' };
      known.name += typeof named.name === 'string' ? named.name : '';
      known.arguments += typeof named.arguments === 'string' ? named.arguments : '';
      this.#calls.set(Number(call.index), known);
      this.#read.callBegan = true;
    }
  }

  #response(event: JsonObject): void {
    if (typeof event.sequence_number === 'number') {
      if (event.sequence_number <= this.#lastSequence) this.#read.troubles.push('sequence numbers that do not grow');
      this.#lastSequence = event.sequence_number;
    }
    const response = isObject(event.response) ? event.response : undefined;
    if (typeof response?.id === 'string') this.#ids.add(response.id);
    switch (event.type) {
      case 'response.created': this.#openings += 1; return;
      case 'response.output_text.delta': this.#read.text += String(event.delta); return;
      case 'response.output_item.added': if (isObject(event.item) && event.item.type === 'function_call') this.#read.callBegan = true; return;
      case 'response.output_item.done': if (isObject(event.item) && event.item.type === 'function_call') this.#read.calls.push({ name: String(event.item.name), arguments: parseJson(String(event.item.arguments)) }); return;
      case 'response.completed': {
        this.#read.finished = true;
        const whole = nothingRead();
        readResponse(response ?? {}, whole);
        if (whole.text !== this.#read.text) this.#read.troubles.push('a completed response that says something else than its stream');
        return;
      }
      case 'response.incomplete': this.#read.troubles.push('an incomplete response'); return;
      case 'response.failed': readErrorBody('openai-responses', response ?? {}, undefined, this.#read); return;
      case 'error': readErrorBody('openai-responses', { error: event }, undefined, this.#read); return;
      default:
    }
  }

  #message(event: JsonObject): void {
    const index = Number(event.index);
    switch (event.type) {
      case 'message_start': this.#openings += 1; return;
      case 'content_block_start':
        if (isObject(event.content_block) && event.content_block.type === 'tool_use') {
          this.#calls.set(index, { name: String(event.content_block.name), arguments: '' });
          this.#read.callBegan = true;
        }
        return;
      case 'content_block_delta': {
        const delta = isObject(event.delta) ? event.delta : {};
        if (typeof delta.text === 'string') this.#read.text += delta.text;
        const call = this.#calls.get(index);
        if (call !== undefined && typeof delta.partial_json === 'string') call.arguments += delta.partial_json;
        return;
      }
      case 'content_block_stop': {
        const call = this.#calls.get(index);
        if (call !== undefined) this.#read.calls.push({ name: call.name, arguments: parseJson(call.arguments) });
        return;
      }
      case 'message_delta': if (isObject(event.delta) && typeof event.delta.stop_reason === 'string') this.#reason = event.delta.stop_reason; return;
      case 'message_stop':
        if (this.#reason === undefined) this.#read.troubles.push('an end without a stop reason');
        this.#read.finished = true;
        return;
      case 'error': readErrorBody('anthropic-messages', event, undefined, this.#read); return;
      default:
    }
  }

  #gemini(chunk: JsonObject): void {
    if (isObject(chunk.error)) return readErrorBody('gemini', chunk, undefined, this.#read);
    if (typeof chunk.responseId === 'string') this.#ids.add(chunk.responseId);
    const reason = readCandidates(chunk, this.#read);
    this.#read.finished = false;
    if (reason !== undefined) this.#reason = reason;
  }
}

function readChatBody(body: JsonObject, read: ReadAnswer): void {
  const choice = objects(body.choices)[0];
  const message = isObject(choice?.message) ? choice.message : undefined;
  if (message === undefined || typeof choice?.finish_reason !== 'string') {
    read.troubles.push('a completion without message or finish reason');
    return;
  }
  read.finished = true;
  if (typeof message.content === 'string') read.text = message.content;
  for (const call of objects(message.tool_calls)) {
    if (isObject(call.function)) addCall(read, call.function.name, parseJson(String(call.function.arguments)));
  }
}

function readResponse(body: JsonObject, read: ReadAnswer): void {
  if (body.status !== 'completed') read.troubles.push(`a response with the status ${String(body.status)}`);
  read.finished = true;
  for (const item of objects(body.output)) {
    if (item.type === 'message') for (const part of objects(item.content)) if (part.type === 'output_text') read.text += String(part.text);
    if (item.type === 'function_call') addCall(read, item.name, parseJson(String(item.arguments)));
  }
}

function readMessage(body: JsonObject, read: ReadAnswer): void {
  if (body.type !== 'message' || typeof body.stop_reason !== 'string') {
    read.troubles.push('a message without type or stop reason');
    return;
  }
  read.finished = true;
  for (const block of objects(body.content)) {
    if (block.type === 'text') read.text += String(block.text);
    if (block.type === 'tool_use') addCall(read, block.name, block.input);
  }
}

/** @returns the finish reason */
function readCandidates(body: JsonObject, read: ReadAnswer): string | undefined {
  const candidate = objects(body.candidates)[0];
  if (candidate === undefined) return undefined;
  for (const part of isObject(candidate.content) ? objects(candidate.content.parts) : []) {
    if (typeof part.text === 'string') read.text += part.text;
    if (isObject(part.functionCall)) addCall(read, part.functionCall.name, part.functionCall.args);
  }
  if (typeof candidate.finishReason !== 'string') return undefined;
  read.finished = true;
  return candidate.finishReason;
}

function addCall(read: ReadAnswer, name: JsonValue | undefined, argumentsValue: JsonValue | undefined): void {
  read.callBegan = true;
  read.calls.push({ name: String(name), arguments: argumentsValue });
}

const googleStatuses = new Set(['FAILED_PRECONDITION', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INVALID_ARGUMENT', 'NOT_FOUND', 'CANCELLED', 'INTERNAL']);
const messagesTypes = new Set(['api_error', 'billing_error', 'rate_limit_error', 'overloaded_error', 'timeout_error', 'invalid_request_error', 'not_found_error']);

/** An error in the protocol's own shape; what is missing of the shape becomes a trouble. */
function readErrorBody(protocol: SandboxProtocol, body: JsonObject, status: number | undefined, read: ReadAnswer): void {
  if (read.error !== undefined) read.troubles.push('two errors in one answer');
  const error = isObject(body.error) ? body.error : {};
  const word = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const wants = (holds: boolean, what: string): void => void (holds || read.troubles.push(`an error without ${what}: ${excerpt(JSON.stringify(body))}`));
  const message = word(error.message);
  wants(message !== undefined, 'a message');
  switch (protocol) {
    case 'openai-chat':
      wants(word(error.type) !== undefined, 'a type');
      break;
    case 'openai-responses':
      // Before the stream it is OpenAI's common error; inside it only a code and a message.
      wants(word(error.code) !== undefined || (status !== undefined && word(error.type) !== undefined), 'a code');
      break;
    case 'anthropic-messages':
      wants(body.type === 'error' && messagesTypes.has(word(error.type) ?? ''), 'one of the known types');
      break;
    case 'gemini':
      wants(googleStatuses.has(word(error.status) ?? '') && typeof error.code === 'number', 'status and code');
      break;
  }
  read.error = { type: word(error.type) ?? word(error.status), code: word(error.code), message: message ?? '' };
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function excerpt(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
