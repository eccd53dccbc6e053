import type { ConversationEvent, StopReason, TokenUsage } from '../api/conversation.ts';
import { SwitchyardError } from '../base/failure.ts';
import type { EndpointConfig, Timeouts } from '../config/config.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import { isContentEvent, mergeUsage } from '../protocols/events.ts';
import { providerFailure, responseFailure, type FailureSource } from '../upstream/responseFailure.ts';
import type { ResponseHeaders, ResponseListener, Transport, UpstreamCall } from '../upstream/transport.ts';
import { AttemptTimers } from './attemptTimers.ts';
import type { RawError } from './input.ts';
import type { Outgoing } from './outgoing.ts';
import { inspectPlain } from './plainAnswer.ts';
import { StreamGate, type GateOutput } from './streamGate.ts';

/** What an attempt tells the exchange while it runs. */
export interface AttemptListener {
  /** The first text, reasoning or tool byte is here: from now on a failure is visible. Called before any forwarding. */
  onCommit(headers: Readonly<Record<string, string>>): void;
  /** @returns false when the caller is slower than the provider */
  onBytes(chunk: Buffer): boolean;
  onEvents(events: readonly ConversationEvent[]): boolean;
  onPlain(body: Buffer): void;
  onDone(end: AttemptEnd): void;
}

export type AttemptEnd =
  | { kind: 'ok'; reason: StopReason | undefined }
  | { kind: 'failed'; error: SwitchyardError; committed: boolean; raw?: RawError | undefined };

/** What an attempt has measured so far; for receipts. */
export interface AttemptFigures {
  status?: number | undefined;
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  usage: TokenUsage;
  /** The provider's figures contradict each other. */
  contradictory: boolean;
  /** UTF-16 units of text, reasoning and arguments that were generated. */
  generatedChars: number;
}

const maxErrorBodyBytes = 64 * 1024;
/** Lifecycle events before the first content. */
const maxPreludeBytes = 1024 * 1024;
const maxPlainBodyBytes = 128 * 1024 * 1024;
/** After the terminal event the provider may keep the connection open; the caller need not wait for it. */
const lingerMs = 1500;

/** Response headers of a provider that a caller of the same protocol may use. */
const passedHeader = /^(?:x-request-id|request-id|retry-after(?:-ms)?|x-should-retry|openai-[a-z-]+|anthropic-[a-z-]+|x-ratelimit-[a-z-]+)$/;

/**
 * One upstream call from its first byte out to its last byte in: timers, the commit point, the judgement whether
 * what came back is an answer.
 */
export class AttemptRun implements ResponseListener {
  readonly figures: AttemptFigures = { usage: {}, contradictory: false, generatedChars: 0 };
  #listener: AttemptListener;
  #outgoing: Outgoing;
  #codec: ProtocolCodec;
  #source: FailureSource;
  #endpoint: EndpointConfig;
  #stream: boolean;
  #timers: AttemptTimers;
  #call: UpstreamCall | undefined;
  #startedAt = performance.now();
  #headers: ResponseHeaders = {};
  #mode: 'waiting' | 'stream' | 'plain' | 'error' | 'done' = 'waiting';
  #gate: StreamGate | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #committed = false;
  #reason: StopReason | undefined;
  #now: () => number;

  constructor(options: {
    listener: AttemptListener; outgoing: Outgoing; source: FailureSource; endpoint: EndpointConfig;
    timeouts: Timeouts; stream: boolean; now: () => number;
  }) {
    this.#listener = options.listener;
    this.#outgoing = options.outgoing;
    this.#codec = options.outgoing.codec;
    this.#source = options.source;
    this.#endpoint = options.endpoint;
    this.#stream = options.stream;
    this.#now = options.now;
    this.#timers = new AttemptTimers(options.timeouts, options.stream, error => this.#fail(error), options.endpoint.name);
  }

  start(transport: Transport): void {
    this.#timers.start();
    this.#call = transport.send(this.#endpoint, this.#outgoing.request, this);
    // The call may have failed before it was handed over.
    if (this.#mode === 'done') this.#call.abort();
  }

  /** Since the attempt began, in milliseconds. */
  elapsedMs(): number {
    return roundMs(performance.now() - this.#startedAt);
  }

  get committed(): boolean {
    return this.#committed;
  }

  /** The answer began: the provider will bill for it. */
  get answered(): boolean {
    return this.figures.status !== undefined && this.figures.status < 300;
  }

  /** Ends the attempt without a word to the listener: the caller went away. */
  abandon(): void {
    if (this.#mode === 'done') return;
    this.#close();
    this.#call?.abort();
  }

  resume(): void {
    this.#timers.resume();
    this.#call?.resume();
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (this.#mode !== 'waiting') return;
    this.figures.status = status;
    this.figures.headersMs = this.elapsedMs();
    this.#headers = headers;
    if (status >= 300) {
      this.#mode = 'error';
      this.#timers.answering();
      return;
    }
    const contentType = headerText(headers['content-type']).toLowerCase();
    if (isPage(contentType)) {
      this.#fail(new SwitchyardError('not-an-api', 'server',
        `${this.#endpoint.name} answered with a web page instead of an answer; check the base URL, or a login page in between.`));
      return;
    }
    this.#timers.answering();
    this.#isEventStream = contentType.includes('event-stream');
    if (this.#stream && !contentType.includes('json')) {
      this.#mode = 'stream';
      this.#gate = new StreamGate(this.#codec.createStreamDecoder(this.#endpoint.provider.dialect), {
        raw: this.#outgoing.passThrough, hideUsage: this.#outgoing.hideUsage,
      });
    } else {
      this.#mode = 'plain';
    }
  }

  onData(chunk: Buffer): void {
    switch (this.#mode) {
      case 'stream':
        if (this.#gate?.eventCount === 0 && !this.#isEventStream && startsLikeJson(chunk)) {
          // A whole answer where a stream was asked for, and no header to say so.
          this.#mode = 'plain';
          this.#keep(chunk);
          return;
        }
        this.#streamed(this.#read(gate => gate.push(chunk)));
        return;
      case 'plain':
      case 'error':
        this.#keep(chunk);
        return;
      default:
    }
  }

  onEnd(): void {
    switch (this.#mode) {
      case 'stream':
        this.#streamed(this.#read(gate => gate.finish()));
        // Reading the last event may have ended the attempt.
        if (this.#isDone()) return;
        this.#streamEnded();
        return;
      case 'plain':
        this.#plainEnded();
        return;
      case 'error':
        this.#refused();
        return;
      default:
    }
  }

  onError(error: SwitchyardError): void {
    if (this.#mode === 'stream' && this.#gate?.terminated === true) {
      // The answer was complete; how the connection ended does not matter.
      this.#streamEnded();
      return;
    }
    if (this.#mode === 'error') {
      this.#refused();
      return;
    }
    this.#fail(error);
  }

  #read(read: (gate: StreamGate) => GateOutput): GateOutput | SwitchyardError {
    const gate = this.#gate;
    if (gate === undefined) return { events: [], bytes: [], error: undefined };
    try {
      return read(gate);
    } catch (error) {
      if (error instanceof SwitchyardError) return error;
      throw error;
    }
  }

  #streamed(output: GateOutput | SwitchyardError): void {
    if (output instanceof SwitchyardError) {
      this.#fail(output);
      return;
    }
    const hasContent = this.#account(output.events);
    if (hasContent && !this.#committed) this.#commit();
    if (!this.#committed) {
      this.#holdBack(output.bytes);
    } else {
      this.#timers.heard(hasContent);
      const ready = this.#outgoing.passThrough ? this.#forwardBytes(output.bytes) : this.#forwardEvents();
      if (!ready) {
        this.#timers.pause();
        this.#call?.pause();
      }
    }
    if (output.error !== undefined && !this.#isDone()) this.#fail(providerFailure(output.error, this.figures.status ?? 200, this.#source));
    else if (this.#gate?.terminated === true && !this.#isDone()) this.#timers.linger(lingerMs, () => this.#lingered());
  }

  #isEventStream = false;
  #bodyBegan = false;
  #heldEvents: ConversationEvent[] = [];
  #heldBytes: Buffer[] = [];
  #heldLength = 0;

  /** Takes usage, text length and the stop reason out of events. @returns whether there is content among them */
  #account(events: readonly ConversationEvent[]): boolean {
    let hasContent = false;
    for (const event of events) {
      if (isContentEvent(event)) hasContent = true;
      switch (event.type) {
        case 'text':
        case 'thinking':
        case 'refusal':
        case 'tool-call-arguments':
          this.figures.generatedChars += event.text.length;
          break;
        case 'usage':
          this.figures.usage = mergeUsage(this.figures.usage, event.usage);
          if (event.contradictory === true) this.figures.contradictory = true;
          break;
        case 'finish':
          this.#reason = event.reason;
          break;
        default:
      }
      if (!this.#outgoing.passThrough && event.type !== 'error') this.#heldEvents.push(event);
    }
    return hasContent;
  }

  /** Before the commit point: lifecycle, role and ping events wait here, and vanish with a failed attempt. */
  #holdBack(bytes: readonly Buffer[]): void {
    for (const chunk of bytes) {
      this.#heldLength += chunk.length;
      this.#heldBytes.push(chunk);
    }
    if (this.#heldLength > maxPreludeBytes) {
      this.#fail(new SwitchyardError('prelude-too-large', 'server', `${this.#endpoint.name} sent much and said nothing.`));
    }
  }

  #commit(): void {
    this.#committed = true;
    this.figures.firstTokenMs = this.elapsedMs();
    this.#timers.committed();
    this.#listener.onCommit(this.#passedHeaders());
  }

  #forwardBytes(bytes: readonly Buffer[]): boolean {
    let ready = true;
    const held = this.#heldBytes;
    if (held.length > 0) {
      this.#heldBytes = [];
      ready = this.#listener.onBytes(held.length === 1 ? held[0] ?? Buffer.alloc(0) : Buffer.concat(held));
    }
    for (const chunk of bytes) ready = this.#listener.onBytes(chunk);
    return ready;
  }

  #forwardEvents(): boolean {
    if (this.#heldEvents.length === 0) return true;
    const events = this.#heldEvents;
    this.#heldEvents = [];
    return this.#listener.onEvents(events);
  }

  #streamEnded(): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    if (!gate.terminated) {
      const never = !this.#committed && gate.eventCount === 0;
      this.#fail(never
        ? new SwitchyardError('empty-answer', 'server', `${this.#endpoint.name} answered with nothing.`)
        : new SwitchyardError('stream-cut', 'server', `${this.#endpoint.name} broke off in mid-answer.`));
      return;
    }
    if (!this.#committed) {
      const empty = this.#emptyFailure();
      if (empty !== undefined) {
        this.#fail(empty);
        return;
      }
      // Nothing to say, and that is the answer (an output limit of 1, a refusal without words).
      this.#commit();
      if (this.#outgoing.passThrough) this.#forwardBytes([]);
      else this.#forwardEvents();
    }
    this.#succeed();
  }

  /** Why an answer without content is no answer; undefined when the stop reason explains it. */
  #emptyFailure(): SwitchyardError | undefined {
    switch (this.#reason) {
      case 'length':
      case 'context-full':
      case 'pause':
      case 'refusal':
        return undefined;
      default:
        return new SwitchyardError('empty-answer', 'server', `${this.#endpoint.name} answered without any text or tool call.`);
    }
  }

  #lingered(): void {
    if (this.#mode !== 'stream') return;
    this.#streamEnded();
    this.#call?.abort();
  }

  #keep(chunk: Buffer): void {
    const limit = this.#mode === 'error' ? maxErrorBodyBytes : maxPlainBodyBytes;
    if (this.#bodyBytes + chunk.length > limit) {
      if (this.#mode === 'error') {
        this.#body.push(chunk.subarray(0, limit - this.#bodyBytes));
        this.#refused();
        this.#call?.abort();
        return;
      }
      this.#fail(new SwitchyardError('answer-too-large', 'server', `${this.#endpoint.name} sent an answer larger than is accepted.`));
      return;
    }
    this.#bodyBytes += chunk.length;
    this.#body.push(chunk);
    if (this.#mode !== 'plain') return;
    if (this.#bodyBegan) this.#timers.heard(true);
    else if (isBlank(chunk)) {
      // Once: blank lines alone must not keep it waiting for ever.
      if (this.#bodyBytes === chunk.length) this.#timers.waitingForWhole();
    } else {
      this.#bodyBegan = true;
      this.#timers.committed();
    }
  }

  #plainEnded(): void {
    const body = this.#body.length === 1 ? this.#body[0] ?? Buffer.alloc(0) : Buffer.concat(this.#body);
    const events = inspectPlain(body, this.#codec, this.#endpoint.provider.dialect, this.#outgoing.passThrough && !this.#stream);
    if (events === undefined) {
      this.#fail(new SwitchyardError('not-json', 'server',
        `${this.#endpoint.name} answered with something that is not JSON; check the base URL.`, { detail: body.toString('utf8', 0, 300) }));
      return;
    }
    const failed = events.find(event => event.type === 'error');
    if (failed !== undefined) {
      // Without a status in the body there is none to pass on: a 200 is no error to the caller.
      const { status } = failed.error;
      this.#fail(providerFailure(failed.error, this.figures.status ?? 200, this.#source), status === undefined || status < 400 ? undefined : this.#rawError(status, body));
      return;
    }
    const hasContent = this.#account(events);
    if (!hasContent) {
      const empty = this.#emptyFailure();
      if (empty !== undefined) {
        this.#fail(empty);
        return;
      }
    }
    this.#commit();
    if (this.#outgoing.passThrough && !this.#stream) this.#listener.onPlain(body);
    else this.#listener.onEvents(events);
    this.#succeed();
  }

  /** The provider answered with an error status. */
  #refused(): void {
    const body = Buffer.concat(this.#body);
    const status = this.figures.status ?? 502;
    if (status < 400) {
      this.#fail(new SwitchyardError('redirect', 'server',
        `${this.#endpoint.name} redirected to another address (${status}), which is not followed; check the base URL.`, { status }));
      return;
    }
    if (isPage(headerText(this.#headers['content-type'])) && status !== 401 && status !== 429 && status < 500) {
      // A portal or a guard in between, and no word of the provider's about key, model or request.
      this.#fail(new SwitchyardError('not-an-api', 'server',
        `${this.#endpoint.name} answered with a web page (${status}) instead of an answer; check the base URL, or a login page in between.`, { status }));
      return;
    }
    this.#fail(responseFailure(status, this.#headers, body.toString('utf8'), this.#source, this.#now()), this.#rawError(status, body));
  }

  #rawError(status: number, body: Buffer): RawError | undefined {
    if (!this.#outgoing.passThrough) return undefined;
    return { status, body, contentType: headerText(this.#headers['content-type']) || 'application/json', headers: this.#passedHeaders() };
  }

  #passedHeaders(): Record<string, string> {
    if (!this.#outgoing.passThrough) return {};
    const passed: Record<string, string> = {};
    for (const name in this.#headers) if (passedHeader.test(name)) passed[name] = headerText(this.#headers[name]);
    return passed;
  }

  #succeed(): void {
    this.#close();
    this.#listener.onDone({ kind: 'ok', reason: this.#reason });
  }

  #fail(error: SwitchyardError, raw?: RawError): void {
    if (this.#mode === 'done') return;
    this.#close();
    this.#call?.abort();
    this.#listener.onDone({ kind: 'failed', error, committed: this.#committed, raw });
  }

  #isDone(): boolean {
    return this.#mode === 'done';
  }

  #close(): void {
    this.#mode = 'done';
    this.#timers.stop();
    this.#body = [];
    this.#heldBytes = [];
    this.#heldEvents = [];
  }
}

function isPage(contentType: string): boolean {
  return contentType.toLowerCase().includes('text/html');
}

function isBlank(chunk: Buffer): boolean {
  return chunk.every(byte => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function startsLikeJson(chunk: Buffer): boolean {
  const first = chunk.find(byte => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  return first === 0x7b || first === 0x5b;
}

/** Milliseconds with one decimal place. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : value ?? '';
}
