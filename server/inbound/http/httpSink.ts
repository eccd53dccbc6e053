import type { ServerResponse } from 'node:http';
import type { ConversationEvent, ToolDefinition } from '../../api/conversation.ts';
import { asString, isObject, parseJson } from '../../base/json.ts';
import { headerValue } from '../../base/names.ts';
import { ignoredHeader } from '../../exchange/purpose/ignoredHeaders.ts';
import type { AnswerHead, ByteSink, DrainListener, ExchangeFailure } from '../../exchange/request.ts';
import type { ResponseItemStore } from './request/responseItemStore.ts';
import { StreamedBody } from './streamedBody.ts';
import { errorHeaders } from '../../protocols/callerErrors.ts';
import type { CallerError, ProtocolCodec, ResponseMeta, StreamEncoder } from '../../protocols/codec.ts';

/** How an answer is to be written for an HTTP caller. */
export interface HttpAnswer {
  codec: ProtocolCodec;
  stream: boolean;
  includeUsage: boolean;
  estimatedInputTokens: number;
  exchangeId: string;
  /** openai-responses: where items of translated answers are kept for callers who refer to them. */
  items?: ResponseItemStore | undefined;
  /** gemini: the stream is one JSON array. */
  jsonArray?: boolean | undefined;
  /** The request's tools, under the names the caller knows; called only when an answer is translated. */
  tools(): readonly ToolDefinition[];
  /** The requested name: translated answers show it as their model. */
  requestedModel: string;
  /** Headers of the request that mean nothing, each with what is accepted; absent: none. */
  ignored?: readonly string[] | undefined;
}

/** The HTTP end of an exchange: writes the answer in the caller's protocol. */
export class HttpSink implements ByteSink {
  readonly kind = 'bytes';
  drainListener: DrainListener | undefined;
  #response: ServerResponse;
  #answer: HttpAnswer;
  #head: AnswerHead | undefined;
  /** Made when a stream is opened. */
  #body: StreamedBody | undefined;
  #encoder: StreamEncoder | undefined;
  #events: ConversationEvent[] = [];
  #bufferedSent = false;
  /** openai-responses: the id of an answer whose bytes go through; undefined before its first bytes, '' where they have none. */
  #passedId: string | undefined;

  constructor(response: ServerResponse, answer: HttpAnswer) {
    this.#response = response;
    this.#answer = answer;
    response.on('drain', () => this.drainListener?.onDrain());
  }

  begin(head: AnswerHead): void {
    this.#head = head;
    if (this.#answer.stream && !this.#response.headersSent) this.#openStream();
  }

  bytes(chunk: Buffer): boolean {
    if (this.#answer.items !== undefined) this.#passedId ??= responseIdIn(chunk);
    return this.#write(chunk);
  }

  events(events: readonly ConversationEvent[]): boolean {
    if (!this.#answer.stream) {
      this.#events.push(...events);
      return true;
    }
    const encoder = this.#streamEncoder();
    let text = '';
    for (const event of events) text += encoder.encode(event);
    this.#answer.items?.rememberStreamed(text);
    return text === '' ? true : this.#write(text);
  }

  buffered(body: Buffer): void {
    this.#bufferedSent = true;
    this.#sendJson(200, body, this.#head?.headers);
  }

  end(): void {
    if (this.#bufferedSent) return;
    if (this.#answer.stream) {
      const last = this.#encoder?.end();
      if (last !== undefined) this.#answer.items?.rememberStreamed(last);
      if (last !== undefined && last !== '') this.#write(last);
      if (this.#body === undefined) this.#response.end();
      else this.#body.end();
      return;
    }
    const body = this.#answer.codec.encodeResponse(this.#events, this.#meta());
    this.#answer.items?.rememberPlain(body);
    this.#sendJson(200, Buffer.from(JSON.stringify(body)), this.#head?.headers);
  }

  fail(failure: ExchangeFailure): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (response.headersSent) {
      // The stream has begun: the protocol's own error event, and then no clean end that would look like a whole answer.
      // The event that ends an answer carries the answer's own id.
      const passedId = this.#passedId ?? '';
      const errorBody = { ...callerError(failure), ...(passedId === '' ? {} : { exchangeId: passedId }) };
      this.#write(this.#encoder?.fail?.(errorBody) ?? this.#answer.codec.encodeStreamError(errorBody), () => response.destroy());
      return;
    }
    const headers: Record<string, string> = { 'x-waybill-attempts': String(failure.attempts) };
    if (failure.target !== undefined) headers['x-waybill-target'] = headerValue(failure.target);
    Object.assign(headers, errorHeaders(callerError(failure)));
    const { failureClass } = failure.error;
    if (failure.raw !== undefined && failureClass !== 'auth' && failureClass !== 'quota') {
      this.#send(failure.raw.status, failure.raw.contentType, failure.raw.body, { ...failure.raw.headers, ...headers });
      return;
    }
    const { status, body } = this.#answer.codec.encodeError(callerError(failure));
    this.#sendJson(failure.status ?? status, Buffer.from(JSON.stringify(body)), headers);
  }

  keepAlive(): void {
    if (!this.#response.headersSent) this.#openStream();
    const filler = this.#answer.jsonArray === true ? this.#streamEncoder().keepAlive : this.#answer.codec.keepAlive;
    if (filler !== undefined && filler !== '') this.#write(filler);
  }

  #openStream(): void {
    this.#response.writeHead(200, {
      ...this.#head?.headers,
      'content-type': this.#answer.jsonArray === true ? 'application/json' : 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      ...this.#ownHeaders(),
    });
    this.#body = new StreamedBody(this.#response);
  }

  #write(piece: Buffer | string, written?: () => void): boolean {
    return this.#body === undefined ? this.#response.write(piece, written) : this.#body.write(piece, written);
  }

  #sendJson(status: number, body: Buffer, headers: Readonly<Record<string, string>> | undefined): void {
    this.#send(status, 'application/json', body, headers);
  }

  #send(status: number, contentType: string, body: Buffer, headers: Readonly<Record<string, string>> | undefined): void {
    this.#response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': body.length, ...this.#ownHeaders() });
    this.#response.end(body);
  }

  #ownHeaders(): Record<string, string> {
    const headers = this.#headHeaders();
    const { ignored } = this.#answer;
    if (ignored !== undefined) headers[ignoredHeader] = headerValue(ignored.join('. '));
    return headers;
  }

  #headHeaders(): Record<string, string> {
    const head = this.#head;
    if (head === undefined) return { 'x-waybill-exchange': this.#answer.exchangeId };
    return {
      'x-waybill-exchange': head.exchangeId,
      'x-waybill-target': headerValue(head.target),
      'x-waybill-attempts': String(head.attempts),
    };
  }

  #streamEncoder(): StreamEncoder {
    this.#encoder ??= this.#answer.codec.createStreamEncoder(this.#meta());
    return this.#encoder;
  }

  #meta(): ResponseMeta {
    const { exchangeId, requestedModel, includeUsage, estimatedInputTokens, jsonArray } = this.#answer;
    const createdAt = Math.floor(Date.now() / 1000);
    return { id: this.#head?.answerId ?? exchangeId, model: this.#head?.model ?? requestedModel, createdAt, includeUsage, estimatedInputTokens, jsonArray, tools: this.#answer.tools() };
  }
}

function callerError({ error, exchangeId }: ExchangeFailure): CallerError {
  return {
    failureClass: error.failureClass, message: error.message, status: error.status, code: error.providerCode ?? error.code,
    retryAfterMs: error.retryAfterMs, namesKeyOwner: error.namesKeyOwner, exchangeId,
  };
}

/** The id of a Responses answer in its first event; '' where it has none. */
function responseIdIn(bytes: Buffer): string {
  const data = /^data:(.*)$/m.exec(bytes.toString('utf8'))?.[1];
  const event = data === undefined ? undefined : parseJson(data);
  return isObject(event) && isObject(event.response) ? asString(event.response.id) ?? '' : '';
}
