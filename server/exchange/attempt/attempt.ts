import type { ConversationEvent, StopReason } from '../../api/conversation.ts';
import { WaybillError } from '../../base/failure.ts';
import { headerValue } from '../../base/names.ts';
import type { EndpointConfig, Timeouts } from '../../config/config.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { isPageType, pageFailure } from '../../upstream/failures/notTheApi.ts';
import { providerFailure, type FailureSource } from '../../upstream/failures/responseFailure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { Dispatcher, ResponseListener, UpstreamCall } from '../../upstream/call.ts';
import { cutFailure, emptyFailure, notJsonFailure, refusedFailure } from '../answer/answerFailures.ts';
import { AnswerBody, startsLikeJson } from '../answer/answerBody.ts';
import { AnswerBounds } from '../answer/answerBounds.ts';
import { headerText, passedHeaders } from '../answer/answerHeaders.ts';
import { UsageMeter, charsPerToken, type AttemptFigures } from '../answer/usageMeter.ts';
import { AttemptTimers } from './timers.ts';
import { CommitBuffer } from '../answer/commitBuffer.ts';
import type { RawError } from '../request.ts';
import type { Outgoing } from './outgoing.ts';
import { inspectPlain } from '../answer/bufferedAnswer.ts';
import { EventStreamSplitter, type SplitterOutput } from '../answer/eventStreamSplitter.ts';

/** What an attempt tells the exchange while it runs. */
export interface AttemptListener {
  /** The provider answers, well or not. */
  onAnswering(headers: ResponseHeaders): void;
  /** The first text, reasoning or tool byte is here, though perhaps none that the caller can see yet. */
  onArrive(): void;
  /** Something the caller can see is here: from now on a failure is visible. */
  onCommit(): void;
  /** The first bytes or events are about to be passed on. @param headers those of the provider that a caller of its protocol may use */
  onBegin(headers: Readonly<Record<string, string>>): void;
  /** @returns false when the caller is slower than the provider */
  onBytes(chunk: Buffer): boolean;
  onEvents(events: readonly ConversationEvent[]): boolean;
  onPlain(body: Buffer): void;
  onDone(end: AttemptEnd): void;
}

export type AttemptEnd =
  | { kind: 'ok'; reason: StopReason | undefined }
  /** `begun`: something of it was already passed on. */
  | { kind: 'failed'; error: WaybillError; begun: boolean; raw?: RawError | undefined };

const maxErrorBodyBytes = 64 * 1024;
/** A body that is passed on is scanned only: a request for many embeddings is answered with this much. */
const maxPlainBodyBytes = 128 * 1024 * 1024;
/** A body that is read as a whole, images in it included. */
const maxReadBodyBytes = 32 * 1024 * 1024;
/** After the terminal event the provider may keep the connection open; the caller need not wait for it. */
const lingerMs = 1500;
/** Less says nothing about how fast text comes. */
const measurableMs = 1000;

/**
 * One upstream call from its first byte out to its last byte in: timers, the commit point, the judgement whether
 * what came back is an answer.
 */
export class UpstreamAttempt implements ResponseListener {
  readonly figures: AttemptFigures;
  readonly #meter: UsageMeter;
  readonly #waiting = new CommitBuffer();
  #listener: AttemptListener;
  #outgoing: Outgoing;
  #codec: ProtocolCodec;
  #source: FailureSource;
  #endpoint: EndpointConfig;
  #timeouts: Timeouts;
  #stream: boolean;
  #timers: AttemptTimers;
  #call: UpstreamCall | undefined;
  #startedAt = performance.now();
  #headers: ResponseHeaders = {};
  #mode: 'waiting' | 'stream' | 'plain' | 'error' | 'done' = 'waiting';
  #gate: EventStreamSplitter | undefined;
  readonly #bounds: AnswerBounds;
  #body = new AnswerBody();
  #held: boolean;
  #refusalFails: boolean;
  #finishSuffices: boolean;
  /** Content has come, though perhaps none that the caller can see yet. */
  #arrived = false;
  #begun = false;
  #committed = false;
  #now: () => number;

  constructor(options: {
    listener: AttemptListener; outgoing: Outgoing; source: FailureSource; endpoint: EndpointConfig;
    timeouts: Timeouts; stream: boolean; now: () => number;
    /** What comes before the first content waits for it, so that a failure until then stays unseen. */
    held: boolean;
    /** The answer is written anew, so that it is whole once its stop reason has come. */
    finishSuffices: boolean;
    /** The caller sees a tool call only when it is whole, so that a half one has not been seen. */
    wholeCalls: boolean;
    /** A refusal without a word of text counts as a failure: somebody is to be asked what follows. */
    refusalFails: boolean;
  }) {
    this.#finishSuffices = options.finishSuffices;
    this.#meter = new UsageMeter(options.wholeCalls);
    this.figures = this.#meter.figures;
    this.#refusalFails = options.refusalFails;
    this.#held = options.held;
    this.#timeouts = options.timeouts;
    this.#listener = options.listener;
    this.#outgoing = options.outgoing;
    this.#codec = options.outgoing.codec;
    this.#source = options.source;
    this.#endpoint = options.endpoint;
    this.#stream = options.stream;
    this.#now = options.now;
    this.#bounds = new AnswerBounds(options.endpoint.name);
    this.#timers = new AttemptTimers(options.timeouts, options.stream, error => this.#expired(error), options.endpoint.name);
  }

  start(upstream: Dispatcher): void {
    this.#timers.start();
    this.#call = upstream.dispatch({ name: this.#endpoint.name, timeouts: this.#timeouts, protocol: this.#endpoint.protocol, provider: this.#endpoint.provider }, this.#outgoing.request, this);
    // The call may have failed before it was handed over.
    if (this.#mode === 'done') this.#call.abort();
  }

  /** Since the attempt began, in milliseconds. */
  elapsedMs(): number {
    return roundMs(performance.now() - this.#startedAt);
  }

  /** The longest silence in the middle of the answer, in milliseconds; undefined where there was none to measure. */
  get longestGapMs(): number | undefined {
    const gapMs = this.#timers.longestGapMs;
    return gapMs === undefined ? undefined : roundMs(gapMs);
  }

  /** How fast text came, in tokens a second; undefined where there was too little of it to tell. */
  get tokensPerSecond(): number | undefined {
    const { contentMs } = this.#timers;
    return contentMs < measurableMs ? undefined : this.figures.generatedChars / charsPerToken / (contentMs / 1000);
  }

  /** Nothing was sent: the call was never made, failed while it was being made, or was answered here. */
  get unsent(): boolean {
    if (this.#call === undefined) return true;
    const { source } = this.#call;
    return source === 'injected' || source === 'cache';
  }

  /** The request met a dead connection, and went out again on a fresh one. */
  get resent(): boolean {
    return this.#call?.resent === true;
  }

  /** Fault injection made or altered the answer: it says nothing of the provider. */
  get drilled(): boolean {
    const source = this.#call?.source;
    return source === 'injected' || source === 'altered';
  }

  /** Events of the stream that could not be read and were left out. */
  get unreadable(): number {
    return this.#gate?.unreadable ?? 0;
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

  onConnected(connectMs: number): void {
    this.figures.connectMs = roundMs(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (this.#mode !== 'waiting') return;
    this.figures.status = status;
    this.figures.headersMs = this.elapsedMs();
    this.#headers = headers;
    this.#listener.onAnswering(headers);
    if (status >= 300) {
      this.#mode = 'error';
      this.#timers.refusing();
      return;
    }
    const contentType = headerText(headers['content-type']).toLowerCase();
    if (isPageType(contentType)) {
      this.#fail(pageFailure(this.#endpoint.name));
      return;
    }
    this.#timers.answering();
    this.#isEventStream = contentType.includes('event-stream');
    if (this.#stream && !contentType.includes('json')) {
      this.#mode = 'stream';
      this.#gate = new EventStreamSplitter(this.#codec.createStreamDecoder(this.#endpoint.provider.dialect), {
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
        this.#streamed(this.#read(gate => gate.push(chunk)), chunk.length);
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

  onError(error: WaybillError): void {
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

  #read(read: (gate: EventStreamSplitter) => SplitterOutput): SplitterOutput | WaybillError {
    const gate = this.#gate;
    if (gate === undefined) return { events: [], bytes: [], error: undefined };
    try {
      return read(gate);
    } catch (error) {
      if (error instanceof WaybillError) return error;
      throw error;
    }
  }

  #streamed(output: SplitterOutput | WaybillError, chunkBytes = 0): void {
    if (output instanceof WaybillError) {
      this.#fail(output);
      return;
    }
    const hasContent = this.#account(output.events);
    const excess = this.#bounds.exceeded(chunkBytes, hasContent, this.#gate?.eventCount ?? 0, this.unreadable, this.figures.generatedChars, this.#meter.toolCalls);
    if (excess !== undefined) {
      this.#fail(excess);
      return;
    }
    if (hasContent && !this.#arrived) this.#arrive();
    if (this.#meter.visible && !this.#committed) this.#commit();
    // An ending goes out only after something to read: without that it may be no answer.
    if (!this.#committed && (this.#arrived || this.#meter.reason !== undefined || this.#gate?.terminated === true)) this.#held = true;
    if (!this.#committed && this.#held) {
      this.#holdBack(output.bytes);
      this.#timers.observe(hasContent, this.figures.generatedChars);
    } else if (output.bytes.length > 0 || this.#waiting.hasEvents || this.#committed) {
      if (!this.#begun) this.#begin();
      this.#timers.observe(hasContent, this.figures.generatedChars);
      // The timers may have ended it.
      if (this.#isDone()) return;
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
  /** Takes the figures out of events, which then wait to be passed on. @returns whether there is content among them */
  #account(events: readonly ConversationEvent[]): boolean {
    if (!this.#outgoing.passThrough) this.#waiting.addEvents(events);
    return this.#meter.count(events);
  }

  /** Before the commit point: lifecycle, role and ping events wait here, and vanish with a failed attempt. */
  #holdBack(bytes: readonly Buffer[]): void {
    this.#waiting.addBytes(bytes);
    if (this.#waiting.isTooMuch(this.#arrived, this.#gate?.eventCount ?? 0, this.figures.generatedChars)) {
      this.#fail(new WaybillError('prelude-too-large', 'server', `${this.#endpoint.name} sent much and said nothing.`));
    }
  }

  #arrive(): void {
    this.#arrived = true;
    this.figures.firstTokenMs = this.elapsedMs();
    this.#timers.committed();
    this.#listener.onArrive();
  }

  #commit(): void {
    if (!this.#arrived) this.#arrive();
    this.#committed = true;
    this.#listener.onCommit();
    if (!this.#begun) this.#begin();
  }

  #begin(): void {
    this.#begun = true;
    this.#listener.onBegin(this.#outgoing.passThrough ? passedHeaders(this.#headers) : {});
  }

  #forwardBytes(bytes: readonly Buffer[]): boolean {
    const held = this.#waiting.takeBytes();
    let ready = held === undefined || this.#listener.onBytes(held);
    for (const chunk of bytes) ready = this.#listener.onBytes(chunk);
    return ready;
  }

  #forwardEvents(): boolean {
    return !this.#waiting.hasEvents || this.#listener.onEvents(this.#waiting.takeEvents());
  }

  #streamEnded(): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    if (!gate.terminated) {
      this.#fail(cutFailure(this.#endpoint.name, !this.#arrived && gate.eventCount === 0));
      return;
    }
    if (!this.#committed) {
      const empty = emptyFailure(this.#endpoint.name, this.#meter.reason, this.#refusalFails);
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

  #lingered(): void {
    if (this.#mode !== 'stream') return;
    this.#streamEnded();
    this.#call?.abort();
  }

  #keep(chunk: Buffer): void {
    const body = this.#body;
    const limit = this.#mode === 'error' ? maxErrorBodyBytes : this.#isPassedOn() ? maxPlainBodyBytes : maxReadBodyBytes;
    if (body.length + chunk.length > limit) {
      if (this.#mode === 'error') {
        body.add(chunk.subarray(0, limit - body.length));
        this.#refused();
        this.#call?.abort();
        return;
      }
      this.#fail(new WaybillError('answer-too-large', 'server', `${this.#endpoint.name} sent an answer larger than is accepted.`));
      return;
    }
    const beganBefore = body.began;
    body.add(chunk);
    if (this.#mode !== 'plain') return;
    if (beganBefore) this.#timers.observe(true, body.length);
    else if (body.began) this.#timers.committed();
    // Once: blank lines alone must not keep it waiting for ever.
    else if (body.length === chunk.length) this.#timers.waitingForWhole();
  }

  #plainEnded(): void {
    const body = this.#body.whole();
    const events = inspectPlain(body, this.#codec, this.#endpoint.provider.dialect, this.#isPassedOn());
    if (events === undefined) {
      this.#fail(notJsonFailure(this.#endpoint.name, body));
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
    const excess = this.#bounds.exceeded(0, hasContent, events.length, 0, this.figures.generatedChars, this.#meter.toolCalls);
    if (excess !== undefined) {
      this.#fail(excess);
      return;
    }
    if (!hasContent) {
      const empty = emptyFailure(this.#endpoint.name, this.#meter.reason, this.#refusalFails);
      if (empty !== undefined) {
        this.#fail(empty);
        return;
      }
    }
    this.#commit();
    if (this.#isPassedOn()) this.#listener.onPlain(body);
    else this.#listener.onEvents(events);
    this.#succeed();
  }

  /** A plain answer goes to the caller in the provider's own bytes. */
  #isPassedOn(): boolean {
    return this.#outgoing.passThrough && !this.#stream;
  }

  /** A timer ran out. A status that was sent says more than that its explanation did not come. */
  #expired(error: WaybillError): void {
    if (this.#mode === 'error') this.#refused();
    else this.#fail(error);
  }

  /** The provider answered with an error status. */
  #refused(): void {
    const body = this.#body.whole();
    const status = this.figures.status ?? 502;
    this.#fail(refusedFailure(status, this.#headers, body, this.#source, this.#now()), status < 400 ? undefined : this.#rawError(status, body));
  }

  #rawError(status: number, body: Buffer): RawError | undefined {
    // What is so long was cut, or would take long to look through; the caller gets the error in its own protocol.
    if (!this.#outgoing.passThrough || body.length >= maxErrorBodyBytes) return undefined;
    return { status, body, contentType: headerValue(headerText(this.#headers['content-type'])) || 'application/json', headers: passedHeaders(this.#headers) };
  }

  #succeed(): void {
    this.#close();
    this.#listener.onDone({ kind: 'ok', reason: this.#meter.reason });
  }

  #fail(error: WaybillError, raw?: RawError): void {
    if (this.#mode === 'done') return;
    if (this.#finishSuffices && this.#committed && this.#meter.reason !== undefined && error.failureClass !== 'cancelled') {
      // Nothing was missing but the protocol's last word, which our own encoder writes.
      this.#succeed();
      this.#call?.abort();
      return;
    }
    this.#close();
    this.#call?.abort(error.failureClass === 'timeout');
    this.#listener.onDone({ kind: 'failed', error, begun: this.#begun, raw });
  }

  #isDone(): boolean {
    return this.#mode === 'done';
  }

  #close(): void {
    this.#mode = 'done';
    this.#timers.stop();
    this.#body.clear();
    this.#waiting.clear();
  }
}

/** Milliseconds with one decimal place. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
