import type { ConversationEvent, StopReason } from '../../api/conversation.ts';
import { inspectBuffered } from '../../exchange/answer/bufferedAnswer.ts';
import { EventStreamSplitter } from '../../exchange/answer/eventStreamSplitter.ts';
import type { AnswerHead, ByteSink, DrainListener, ExchangeFailure, ReaderAnswer, ReaderSink, ResponseSink } from '../../exchange/request.ts';
import type { Dialect, ProtocolCodec } from '../../protocols/codec.ts';
import type { SaidAnswer, SaidCall } from '../../shadow/compareAnswers.ts';

/** More of an answer is not kept, and it is not compared. */
const mostBytes = 1024 * 1024;
const mostCharacters = 256 * 1024;

/** How the bytes of an answer are read. */
export interface AnswerReader { readonly codec: ProtocolCodec; readonly dialect: Dialect }

/** One answer as it goes by, kept in memory until it is compared, in bounds. Bytes are read only then. */
export class HeardAnswer {
  #chunks: Buffer[] = [];
  #body: Buffer | undefined;
  #size = 0;
  #text = '';
  #calls = new Map<number, SaidCall>();
  #stop: StopReason | undefined;
  #isTooLong = false;

  bytes(chunk: Buffer): void {
    if (this.#isTooLong) return;
    this.#size += chunk.length;
    if (this.#size > mostBytes) this.forget();
    else this.#chunks.push(chunk);
  }

  buffered(body: Buffer): void {
    if (body.length > mostBytes) this.forget();
    else this.#body = body;
  }

  events(events: readonly ConversationEvent[]): void {
    for (const event of events) this.#event(event);
  }

  /** The answer begins anew. */
  restart(): void {
    this.forget();
    this.#isTooLong = false;
    this.#size = 0;
  }

  /** Nothing is kept any more, nor of what still comes. */
  forget(): void {
    this.#chunks = [];
    this.#body = undefined;
    this.#text = '';
    this.#calls = new Map();
    this.#stop = undefined;
    this.#isTooLong = true;
  }

  /**
   * What was said. To be asked once.
   * @returns undefined where it was too long to be kept, or cannot be read
   */
  said({ codec, dialect }: AnswerReader): SaidAnswer | undefined {
    const [chunks, body] = [this.#chunks, this.#body];
    if (body !== undefined) {
      const events = inspectBuffered(body, codec, dialect, false);
      if (events === undefined) return undefined;
      this.events(events);
    } else if (chunks.length > 0) {
      const splitter = new EventStreamSplitter(codec.createStreamDecoder(dialect), { raw: false, hideUsage: false });
      for (const chunk of chunks) this.events(splitter.push(chunk).events);
      this.events(splitter.finish().events);
    }
    return this.#isTooLong ? undefined : { text: this.#text, calls: [...this.#calls.values()], stop: this.#stop };
  }

  #event(event: ConversationEvent): void {
    if (this.#isTooLong) return;
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.#text += event.text;
        this.#size += event.text.length;
        break;
      case 'tool-call-start':
        this.#calls.set(event.index, { name: event.name, arguments: '' });
        this.#size += event.name.length;
        break;
      case 'tool-call-arguments': {
        const call = this.#calls.get(event.index);
        if (call !== undefined) this.#calls.set(event.index, { name: call.name, arguments: call.arguments + event.text });
        this.#size += event.text.length;
        break;
      }
      case 'finish':
        this.#stop = event.reason;
        break;
      case 'start': case 'thinking': case 'thinking-end': case 'tool-call-end': case 'usage': case 'error':
        break;
    }
    if (this.#size > (this.#chunks.length > 0 ? mostBytes + mostCharacters : mostCharacters)) this.forget();
  }
}

/** The caller's sink, whose answer is heard on its way. Everything reaches the caller first and as it is. */
export function overheard(sink: ResponseSink, heard: HeardAnswer): ResponseSink {
  return sink.kind === 'bytes' ? new OverheardBytes(sink, heard) : new OverheardReader(sink, heard);
}

class OverheardBytes implements ByteSink {
  readonly kind = 'bytes';
  readonly #sink: ByteSink;
  readonly #heard: HeardAnswer;

  constructor(sink: ByteSink, heard: HeardAnswer) {
    this.#sink = sink;
    this.#heard = heard;
  }

  get drainListener(): DrainListener | undefined { return this.#sink.drainListener; }
  set drainListener(listener: DrainListener | undefined) { this.#sink.drainListener = listener; }

  begin(head: AnswerHead): void { this.#sink.begin(head); }
  keepAlive(): void { this.#sink.keepAlive(); }
  end(): void { this.#sink.end(); }
  fail(failure: ExchangeFailure): void { this.#sink.fail(failure); }

  bytes(chunk: Buffer): boolean {
    const takesMore = this.#sink.bytes(chunk);
    this.#heard.bytes(chunk);
    return takesMore;
  }

  buffered(body: Buffer): void {
    this.#sink.buffered(body);
    this.#heard.buffered(body);
  }

  events(events: readonly ConversationEvent[]): boolean {
    const takesMore = this.#sink.events(events);
    this.#heard.events(events);
    return takesMore;
  }
}

class OverheardReader implements ReaderSink {
  readonly kind = 'reader';
  readonly #sink: ReaderSink;
  readonly #heard: HeardAnswer;

  constructor(sink: ReaderSink, heard: HeardAnswer) {
    this.#sink = sink;
    this.#heard = heard;
  }

  get drainListener(): DrainListener | undefined { return this.#sink.drainListener; }
  set drainListener(listener: DrainListener | undefined) { this.#sink.drainListener = listener; }

  end(): void { this.#sink.end(); }
  fail(failure: ExchangeFailure): void { this.#sink.fail(failure); }
  ask(message: string, accept: string, decline: string, instead?: string): Promise<ReaderAnswer> { return this.#sink.ask(message, accept, decline, instead); }

  restart(message: string): void {
    this.#sink.restart(message);
    this.#heard.restart();
  }

  events(events: readonly ConversationEvent[]): boolean {
    const takesMore = this.#sink.events(events);
    this.#heard.events(events);
    return takesMore;
  }
}

/** The end of a mirrored request: its answer is heard and goes nowhere. */
export function soundlessSink(heard: HeardAnswer): ByteSink {
  return {
    kind: 'bytes',
    begin: () => undefined,
    bytes: () => true,
    buffered: () => undefined,
    keepAlive: () => undefined,
    end: () => undefined,
    fail: () => undefined,
    events: events => {
      heard.events(events);
      return true;
    },
  };
}
