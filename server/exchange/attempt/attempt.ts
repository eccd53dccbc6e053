import type { Clock } from '../../base/clock.ts';
import { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { Dispatcher, ResponseListener, UpstreamCall, UpstreamRequest } from '../../upstream/call.ts';
import { providerFailure } from '../../upstream/failures/responseFailure.ts';
import { AnswerBody } from '../answer/answerBody.ts';
import { preludeFailure, tooLargeFailure, unreadableFailure } from '../answer/answerFailures.ts';
import { passedHeaders } from '../answer/answerHeaders.ts';
import { CommitBuffer } from '../answer/commitBuffer.ts';
import { EventStreamReader } from '../answer/eventStreamReader.ts';
import type { SplitterOutput } from '../answer/eventStreamSplitter.ts';
import { UsageMeter, type AttemptFigures } from '../answer/usageMeter.ts';
import type { OwnerOf } from './attemptOwner.ts';
import * as machine from './machine.ts';
import type { AttemptOrigin } from './origin.ts';
import type { Outgoing } from './outgoing.ts';
import { AttemptTimers, roundMs, type TimerListener } from './timers.ts';
import { readWholeAnswer } from './wholeAnswer.ts';

/** What an attempt reports to: its exchange. */
export type AttemptOwner = OwnerOf<UpstreamAttempt>;

export interface AttemptOptions extends machine.AttemptTerms {
  readonly owner: AttemptOwner;
  readonly origin: AttemptOrigin;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
  /** The caller sees a tool call only when it is whole, so half a call is still invisible. */
  readonly wholeCalls: boolean;
  /** What the caller gets is written down; absent: it is not. */
  readonly records?: boolean | undefined;
}

/** After its last event the provider may keep the connection open; the caller does not wait for it longer than this. */
const lingerMs = 1500;
const noBytes = Buffer.alloc(0);
const noOutput: SplitterOutput = { events: [], bytes: [], error: undefined };

/**
 * One upstream call from its first byte out to its last byte in. The machine (machine.ts) decides; this class owns what the
 * decisions are about: the call, the timers, the readers of the answer and the buffers.
 */
export class UpstreamAttempt implements ResponseListener, TimerListener {
  readonly origin: AttemptOrigin;
  readonly figures: AttemptFigures;
  readonly #options: AttemptOptions;
  readonly #startedAt = performance.now();
  readonly #meter: UsageMeter;
  readonly #buffer: CommitBuffer;
  readonly #timers: AttemptTimers;
  #state: machine.AttemptState = machine.waiting;
  #call: UpstreamCall | undefined;
  /** Made where the answer is an event stream. */
  #reader: EventStreamReader | undefined;
  /** Made where the answer comes as one body, or a refusal with an explanation. */
  #body: AnswerBody | undefined;

  constructor(options: AttemptOptions) {
    const { origin, source, stream, wholeCalls, outgoing, records } = options;
    this.#options = options;
    this.origin = origin;
    this.#meter = new UsageMeter(wholeCalls);
    this.figures = this.#meter.figures;
    this.#buffer = new CommitBuffer(outgoing.passThrough, records);
    this.#timers = new AttemptTimers(this, origin.timeouts, stream, source.endpoint);
  }

  start(upstream: Dispatcher): void {
    const { endpoint, timeouts } = this.origin;
    this.#timers.start();
    this.#call = upstream.dispatch({ name: endpoint.name, timeouts, protocol: endpoint.protocol, provider: endpoint.provider, proxy: endpoint.proxy }, this.#options.outgoing.request, this);
    // The call may fail before it is handed over.
    if (this.#isEnded()) this.#call.abort();
  }

  /** The request as it is sent. */
  get request(): UpstreamRequest { return this.#options.outgoing.request; }

  /** Since the attempt began, in milliseconds. */
  elapsedMs(): number {
    return roundMs(performance.now() - this.#startedAt);
  }

  /** The longest silence in the middle of the answer, in milliseconds; undefined where there was none to measure. */
  get longestGapMs(): number | undefined { return this.#timers.longestGapMs; }

  /** How fast text came, in tokens a second; undefined where too little of it came to measure. */
  get tokensPerSecond(): number | undefined { return this.#timers.tokensPerSecond(this.figures.generatedChars); }

  /** The call, once it was made; see callFacts.ts. */
  get call(): UpstreamCall | undefined { return this.#call; }

  /** How many events of the stream could not be read and were left out. */
  get unreadable(): number { return this.#reader?.unreadable ?? 0; }

  /** Ends the attempt without a call to its owner; does nothing when it has ended. */
  abandon(): void {
    this.#end(machine.abandon());
  }

  /** The caller can take more. */
  resume(): void {
    this.#timers.resume();
    this.#call?.resume();
  }

  onConnected(connectMs: number): void {
    this.figures.connectMs = roundMs(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (this.#state.state !== 'waiting') return;
    this.figures.status = status;
    this.figures.headersMs = this.elapsedMs();
    this.#options.owner.onAnswering(this, headers);
    if (this.#isEnded()) return;
    const next = machine.receiveHead(this.#options, { status, headers });
    if (next.state === 'ended') {
      this.#end(next);
      return;
    }
    this.#state = next;
    if (next.state === 'error-body') this.#timers.awaitExplanation();
    else this.#timers.awaitContent();
    if (next.state === 'streaming') this.#reader = new EventStreamReader(this.#options.outgoing, this.origin.endpoint, this.#meter);
  }

  onData(chunk: Buffer): void {
    const state = this.#state;
    switch (state.state) {
      case 'streaming': {
        const reader = this.#reader;
        if (reader === undefined) return;
        if (machine.isWholeAnswer(state, reader, chunk)) {
          const buffered = machine.toBuffered(state);
          this.#state = buffered;
          this.#collect(buffered, chunk);
          return;
        }
        this.#read(state, reader, chunk);
        if (reader.terminated && !this.#isEnded()) this.#awaitEnd(reader);
        return;
      }
      case 'buffered':
      case 'error-body':
        this.#collect(state, chunk);
        return;
      case 'waiting':
      case 'ended':
    }
  }

  onEnd(): void {
    const state = this.#state;
    switch (state.state) {
      case 'streaming':
        if (this.#reader !== undefined) this.#read(state, this.#reader, undefined);
        this.#completeStream(false);
        return;
      case 'buffered':
        this.#completeBuffered(state);
        return;
      case 'error-body':
        this.#refuse(state);
        return;
      case 'waiting':
      case 'ended':
    }
  }

  onError(error: WaybillError): void {
    // The answer was complete; how the connection ended does not matter.
    if (this.#isWhole()) this.#completeStream(false);
    else this.onExpired(error);
  }

  onExpired(error: WaybillError): void {
    // The answer was complete; only its end or its usage did not come.
    if (this.#isWhole() && error.failureClass !== 'cancelled') {
      this.#completeStream(true);
      return;
    }
    // A status that came says more than that its explanation did not.
    if (this.#state.state === 'error-body') this.#refuse(this.#state);
    else this.#fail(error);
  }

  onLingered(): void {
    this.#completeStream(true);
  }

  /** All of the answer was read and the caller sees it; at most its usage and the protocol's last event are still to come. */
  get isWhole(): boolean {
    return this.#isWhole() && this.#state.state === 'streaming' && this.#state.phase === 'committed';
  }

  /** Ends an attempt whose answer is whole, with the usage that is known. */
  settle(): void {
    this.#completeStream(true);
  }

  #isWhole(): boolean {
    return this.#state.state === 'streaming' && this.#reader?.terminated === true;
  }

  /**
   * The answer is whole. Usage that may still come is waited for until the provider is silent for the idle timeout. Nothing
   * is waited for where nothing more can come, nor where there is nothing to read, so that another target takes over soon.
   */
  #awaitEnd(reader: EventStreamReader): void {
    const state = this.#state;
    if (state.state !== 'streaming') return;
    if (reader.ended || machine.streamFlaw(state, this.#options, this.#meter, reader) !== undefined) this.#timers.linger(lingerMs);
  }

  /** Reads a chunk of the stream, and holds back or passes on what it brings. @param chunk undefined: the stream has ended */
  #read(state: machine.StreamingState, reader: EventStreamReader, chunk: Buffer | undefined): void {
    let output: SplitterOutput;
    try {
      output = reader.read(chunk);
    } catch (error) {
      if (error instanceof WaybillError) this.#fail(error);
      else this.#break(error);
      return;
    }
    try {
      this.#deliver(state, reader, output);
    } catch (cause) {
      this.#break(cause);
    }
  }

  #deliver(before: machine.StreamingState, reader: EventStreamReader, output: SplitterOutput): void {
    let state = before;
    for (let next = machine.readChunk(state, this.#meter, reader); next !== state; next = machine.readChunk(state, this.#meter, reader)) {
      this.#enter(next);
      if (this.#isEnded()) return;
      state = next;
    }
    if (machine.holdsBack(state)) this.#holdBack(state, reader, output);
    else if (state.phase === 'committed' || this.#buffer.isForCaller(output)) this.#passOn(state, reader.hasContent, output);
    if (output.error !== undefined) this.#fail(providerFailure(output.error, state.head.status, this.#options.source, this.#options.clock.now()));
  }

  /** Before the commit point: lifecycle, role and ping events wait here, and vanish with a failed attempt. */
  #holdBack(state: machine.StreamingState, { eventCount, hasContent }: EventStreamReader, output: SplitterOutput): void {
    const { generatedChars } = this.figures;
    this.#buffer.hold(output);
    if (this.#buffer.isTooMuch(state.phase === 'arrived', eventCount, generatedChars)) this.#fail(preludeFailure(this.#options.source.endpoint));
    else this.#timers.observe(hasContent, generatedChars);
  }

  #passOn(state: machine.StreamingState, hasContent: boolean, output: SplitterOutput): void {
    if (!state.begun) this.#begin(state);
    this.#timers.observe(hasContent, this.figures.generatedChars);
    // The owner or the timers may have ended it.
    if (this.#isEnded() || this.#buffer.passOn(output, this.#options.owner)) return;
    this.#timers.pause();
    this.#call?.pause();
  }

  /** Takes a step and reports it. The report may make the owner end the attempt. */
  #enter(state: machine.StreamingState | machine.BufferedState): void {
    this.#state = state;
    switch (state.phase) {
      case 'arrived':
        this.figures.firstTokenMs = this.elapsedMs();
        this.#timers.contentArrived();
        this.#options.owner.onArrive(this);
        return;
      case 'committed':
        this.#options.owner.onCommit(this);
        return;
      case 'open':
      case 'held':
      case 'collecting':
    }
  }

  #begin(state: machine.StreamingState | machine.BufferedState): void {
    this.#state = machine.begin(state);
    const { owner, outgoing } = this.#options;
    owner.onBegin(this, outgoing.passThrough ? passedHeaders(state.head.headers) : {});
  }

  /** @returns false when the owner ended the attempt meanwhile */
  #commit(before: machine.StreamingState | machine.BufferedState): boolean {
    let state = before;
    while (state.phase !== 'committed') {
      state = machine.advance(state);
      this.#enter(state);
      if (this.#isEnded()) return false;
    }
    if (!state.begun) this.#begin(state);
    return !this.#isEnded();
  }

  /** The stream came to its end, or the answer is whole and the connection stays open. @param aborts it does */
  #completeStream(aborts: boolean): void {
    const reader = this.#reader;
    if (this.#state.state === 'streaming' && reader?.terminated === true) this.#close(this.#state, reader);
    const state = this.#state;
    if (state.state !== 'streaming' || reader === undefined) return;
    const flaw = machine.streamFlaw(state, this.#options, this.#meter, reader);
    if (flaw !== undefined) {
      this.#fail(flaw);
      return;
    }
    try {
      if (this.#commit(state)) this.#buffer.passOn(noOutput, this.#options.owner);
      this.#end(machine.succeed(this.#meter.stopReason, aborts));
    } catch (cause) {
      this.#break(cause);
    }
  }

  /** Passes on what the provider left out of the end of a whole answer. */
  #close(state: machine.StreamingState, reader: EventStreamReader): void {
    try {
      const rest = reader.close();
      if (rest !== undefined) this.#deliver(state, reader, rest);
    } catch (cause) {
      this.#break(cause);
    }
  }

  #collect(state: machine.BufferedState | machine.ErrorBodyState, chunk: Buffer): void {
    const body = (this.#body ??= new AnswerBody());
    const room = machine.maxBodyBytes(state, this.#options) - body.length;
    if (state.state === 'error-body') {
      body.add(chunk.length > room ? chunk.subarray(0, room) : chunk);
      if (chunk.length > room) this.#refuse(state);
      return;
    }
    if (chunk.length > room) {
      this.#fail(tooLargeFailure(this.#options.source.endpoint));
      return;
    }
    const beganBefore = body.began;
    body.add(chunk);
    if (beganBefore) this.#timers.observe(true, body.length);
    else if (body.began) this.#timers.contentArrived();
    // Once: blank lines alone must not keep it waiting for ever.
    else if (body.length === chunk.length) this.#timers.awaitWhole();
  }

  #completeBuffered(state: machine.BufferedState): void {
    const { owner, outgoing, clock } = this.#options;
    const body = this.#body?.whole() ?? noBytes;
    const events = readWholeAnswer(state, this.#options, body, outgoing.codec, this.#meter, clock.now());
    if ('state' in events) {
      this.#end(events);
      return;
    }
    try {
      if (this.#commit(state)) {
        if (machine.passesBodyOn(this.#options)) owner.onBuffered(body, events);
        else owner.onEvents(events);
      }
      this.#end(machine.succeed(this.#meter.stopReason, false));
    } catch (cause) {
      this.#break(cause);
    }
  }

  #refuse(state: machine.ErrorBodyState): void {
    this.#end(machine.refuse(state, this.#options, this.#body?.whole() ?? noBytes, this.#options.clock.now()));
  }

  #fail(error: WaybillError): void {
    this.#end(machine.fail(this.#state, this.#options, error, this.#meter.stopReason));
  }

  /**
   * The owner threw while the answer was passed on, so a part of it may be lost: it is no complete answer any more,
   * whatever the stream says.
   */
  #break(cause: unknown): void {
    if (this.#isEnded()) throw cause;
    this.#end(machine.fail(this.#state, this.#options, unreadableFailure(this.#options.source.endpoint, cause)));
  }

  #isEnded(): boolean {
    return this.#state.state === 'ended';
  }

  #end(ended: machine.EndedState): void {
    if (this.#isEnded()) return;
    this.#state = ended;
    this.#timers.stop();
    this.#body = undefined;
    this.#buffer.clear();
    const { end, aborts } = ended;
    // A timer that ran out says that the connection may be dead.
    if (aborts) this.#call?.abort(end?.kind === 'failed' && end.error.failureClass === 'timeout');
    if (end !== undefined) this.#options.owner.onDone(this, end);
  }
}
