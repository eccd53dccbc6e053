import type { ConversationEvent, ProviderErrorBody } from '../../api/conversation.ts';
import { ByteQueue } from '../../base/byteQueue.ts';
import { WaybillError } from '../../base/failure.ts';
import type { StreamDecoder } from '../../protocols/codec.ts';
import { createSseReader } from '../../protocols/sseReader.ts';

/** What one chunk of a stream turned out to hold. */
export interface SplitterOutput {
  events: readonly ConversationEvent[];
  /** Whole events as bytes for a caller of the same protocol; empty when translating. */
  bytes: readonly Buffer[];
  /** An error event; nothing after it counts, and its own bytes are not among `bytes`. */
  error: ProviderErrorBody | undefined;
}

export interface SplitterOptions {
  /** Bytes are wanted: the caller speaks the provider's protocol. */
  raw: boolean;
  /** Keep chunks from the caller that hold nothing but usage. */
  hideUsage: boolean;
}

const maxEventBytes = 16 * 1024 * 1024;
/** What an event may have in bytes, with its field names and with comments; the reader bounds these. */
const maxTailBytes = 4 * maxEventBytes;
const newline = 0x0a;
const carriageReturn = 0x0d;
/** A blank line is seen with the three bytes before its last one. */
const borderBytesOf = 3;
const nothing = Buffer.alloc(0);

/**
 * Lets a provider's stream through event by event: reads what every event means, and gives back the very bytes of
 * those that are fit to be passed on. What is unreadable is left out, so one bad line does not end a good stream.
 */
export class EventStreamSplitter {
  #decoder: StreamDecoder;
  #options: SplitterOptions;
  #reader: ReturnType<typeof createSseReader>;
  #events: ConversationEvent[] = [];
  #fit: { event: string | undefined; data: string }[] = [];
  #dirty = false;
  #error: ProviderErrorBody | undefined;
  /** Bytes of an event that is not complete yet, as they came: joining them with each chunk would cost the square of a large event. */
  readonly #tail = new ByteQueue();
  /** The last bytes of the tail, where a blank line may have begun. */
  #seam: Buffer = nothing;
  /** SSE events seen, of any kind. */
  eventCount = 0;

  constructor(decoder: StreamDecoder, options: SplitterOptions) {
    this.#decoder = decoder;
    this.#options = options;
    this.#reader = createSseReader({ maxEventBytes }, (event, data) => this.#read(event, data));
  }

  get terminated(): boolean {
    return this.#decoder.terminated;
  }

  get unreadable(): number {
    return this.#decoder.unreadable;
  }

  /** @throws WaybillError `event-too-large`, `stream-noise` */
  push(chunk: Buffer): SplitterOutput {
    this.#begin();
    this.#reader.push(chunk);
    return this.#output(this.#options.raw ? this.#wholeEvents(chunk) : undefined);
  }

  /** The stream has ended: a last event may lack its blank line. @throws WaybillError */
  finish(): SplitterOutput {
    this.#begin();
    this.#reader.end();
    const rest = this.#tail.length === 0 ? undefined : this.#tail.take();
    this.#seam = nothing;
    return this.#output(this.#options.raw && this.#fit.length > 0 ? rest : undefined);
  }

  #begin(): void {
    this.#events = [];
    this.#fit.length = 0;
    this.#dirty = false;
    this.#error = undefined;
  }

  #read(event: string | undefined, data: string): void {
    if (this.#error !== undefined) return;
    this.eventCount++;
    const unreadableBefore = this.#decoder.unreadable;
    const events = this.#decoder.decode(event, data);
    let usageOnly = events.length > 0;
    for (const one of events) {
      if (one.type === 'error') {
        this.#error = one.error;
        this.#dirty = true;
        return;
      }
      if (one.type !== 'usage') usageOnly = false;
      this.#events.push(one);
    }
    if (this.#decoder.unreadable > unreadableBefore || (usageOnly && this.#options.hideUsage)) this.#dirty = true;
    else if (this.#options.raw) this.#fit.push({ event, data });
  }

  #output(whole: Buffer | undefined): SplitterOutput {
    const { raw } = this.#options;
    if (!raw) return { events: this.#events, bytes: [], error: this.#error };
    if (this.#dirty) {
      let text = '';
      for (const { event, data } of this.#fit) text += frame(event, data);
      return { events: this.#events, bytes: text === '' ? [] : [Buffer.from(text)], error: this.#error };
    }
    return { events: this.#events, bytes: whole === undefined || whole.length === 0 ? [] : [whole], error: undefined };
  }

  /** The bytes up to the end of the last whole event; the rest waits for the next chunk. */
  #wholeEvents(chunk: Buffer): Buffer | undefined {
    const borderBytes = this.#seam;
    const end = (borderBytes.length === 0 ? lastEventEnd(chunk) : lastEventEnd(Buffer.concat([borderBytes, chunk]))) - borderBytes.length;
    if (end <= 0) {
      this.#tail.add(chunk);
      if (this.#tail.length > maxTailBytes) throw new WaybillError('event-too-large', 'server', 'The provider sent an event that is larger than allowed.');
      this.#seam = chunk.length >= borderBytesOf ? chunk.subarray(-borderBytesOf) : Buffer.concat([borderBytes, chunk]).subarray(-borderBytesOf);
      return undefined;
    }
    const last = chunk.subarray(0, end);
    let whole = last;
    if (this.#tail.length > 0) {
      this.#tail.add(last);
      whole = this.#tail.take();
    }
    const rest = chunk.subarray(end);
    if (rest.length > 0) this.#tail.add(rest);
    this.#seam = rest.subarray(-borderBytesOf);
    return whole;
  }
}

function frame(event: string | undefined, data: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
}

/** The index after the last blank line (LF, CRLF or CR), or 0. */
function lastEventEnd(bytes: Buffer): number {
  for (let at = bytes.length - 1; at > 0; at--) {
    const byte = bytes[at];
    if (byte !== newline && byte !== carriageReturn) continue;
    const before = bytes[at - 1];
    if (byte === newline && before === newline) return at + 1;
    if (byte === carriageReturn && before === carriageReturn) return at + 1;
    // Before a line feed, or perhaps before one, a carriage return is half of a line end.
    if (byte === carriageReturn && before === newline && at + 1 < bytes.length && bytes[at + 1] !== newline) return at + 1;
    if (byte === newline && before === carriageReturn && (bytes[at - 2] === newline || bytes[at - 2] === carriageReturn)) return at + 1;
  }
  return 0;
}
