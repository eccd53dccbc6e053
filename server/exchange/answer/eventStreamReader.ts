import type { EndpointConfig } from '../../config/config.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { AnswerBounds } from './answerBounds.ts';
import { EventStreamSplitter, type SplitterOutput } from './eventStreamSplitter.ts';
import type { UsageMeter } from './usageMeter.ts';

/** How a stream is read: by which codec, and what of it the caller gets. */
export interface ReadAs {
  readonly codec: ProtocolCodec;
  /** The caller speaks the provider's protocol and gets its bytes. */
  readonly passThrough: boolean;
  /** Keep chunks from the caller that hold nothing but usage. */
  readonly hideUsage: boolean;
}

/** Reads an answer that is an event stream: splits it into events, counts what they say, and bounds it. */
export class EventStreamReader {
  readonly #splitter: EventStreamSplitter;
  readonly #meter: UsageMeter;
  readonly #bounds: AnswerBounds;
  /** The latest chunk brought content. */
  hasContent = false;

  /** @param meter takes what the events say */
  constructor({ codec, passThrough, hideUsage }: ReadAs, endpoint: Pick<EndpointConfig, 'name' | 'provider'>, meter: UsageMeter) {
    this.#splitter = new EventStreamSplitter(codec.createStreamDecoder(endpoint.provider.dialect), { raw: passThrough, hideUsage });
    this.#meter = meter;
    this.#bounds = new AnswerBounds(endpoint.name);
  }

  /** SSE events so far, of any kind. */
  get eventCount(): number {
    return this.#splitter.eventCount;
  }

  /** The answer is whole: its finish reason or the protocol's terminal event was read. */
  get terminated(): boolean {
    return this.#splitter.terminated;
  }

  /** Nothing more is awaited but the end of the connection. */
  get ended(): boolean {
    return this.#splitter.ended;
  }

  /** How many events could not be read and were left out. */
  get unreadable(): number {
    return this.#splitter.unreadable;
  }

  /** The answer is whole and nothing more of it is read. @returns what its end lacked; undefined where nothing is missing */
  close(): SplitterOutput | undefined {
    const output = this.#splitter.close();
    this.hasContent = false;
    if (output !== undefined) this.#meter.count(output.events);
    return output;
  }

  /**
   * @param chunk undefined: the stream has ended
   * @returns what it holds; valid until the next call
   * @throws WaybillError `event-too-large`, `stream-noise`, `answer-too-large`
   */
  read(chunk: Buffer | undefined): SplitterOutput {
    const splitter = this.#splitter;
    const meter = this.#meter;
    const output = chunk === undefined ? splitter.finish() : splitter.push(chunk);
    this.hasContent = meter.count(output.events);
    const excess = this.#bounds.exceeded(chunk?.length ?? 0, this.hasContent, splitter.eventCount, splitter.unreadable, meter.figures.generatedChars, meter.toolCalls);
    if (excess !== undefined) throw excess;
    return output;
  }
}
