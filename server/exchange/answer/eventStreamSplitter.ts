import type { ConversationEvent, ProviderErrorBody } from '../../api/conversation.ts';
import { ByteQueue } from '../../base/byteQueue.ts';
import { WaybillError } from '../../base/failure.ts';
import type { StreamDecoder } from '../../protocols/codec.ts';
import { createSseReader, type SseReader } from '../../protocols/sseReader.ts';

/** What one chunk of a stream holds. */
export interface SplitterOutput {
  readonly events: readonly ConversationEvent[];
  /** Whole events as bytes for a caller of the same protocol; empty when translating. */
  readonly bytes: readonly Buffer[];
  /** An error event. Whatever comes after it is not read, and its own bytes are not among `bytes`. */
  readonly error: ProviderErrorBody | undefined;
}

export interface SplitterOptions {
  /** The caller speaks the provider's protocol and gets its bytes. */
  raw: boolean;
  /** Keep chunks from the caller that hold nothing but usage. */
  hideUsage: boolean;
}

const maxEventBytes = 16 * 1024 * 1024;
/** What an event may have in bytes, with its field names and with comments; the reader bounds these. */
const maxTailBytes = 4 * maxEventBytes;
/** A provider that sends several events in a chunk sends about so many. Records of more of them are dropped with their chunk. */
const keptRecords = 4;
const newline = 0x0a;
const carriageReturn = 0x0d;
/** A blank line is recognised by its last byte and up to three bytes before it. */
const borderLength = 3;
const noBuffer = Buffer.alloc(0);
const blankLine = Buffer.from('\n\n');
const noEvents: readonly ConversationEvent[] = [];
const noBytes: readonly Buffer[] = [];

/**
 * Lets a provider's stream through event by event: reads what every event means, and gives back the very bytes of
 * those that are fit to be passed on. What is unreadable is left out, so one bad line does not end a good stream.
 *
 * A chunk that holds whole events costs no object here: the chunk itself and the decoder's own array are given back,
 * in an output that is used again for the next chunk.
 */
export class EventStreamSplitter {
  readonly #decoder: StreamDecoder;
  readonly #options: SplitterOptions;
  readonly #reader: SseReader;
  readonly #output: { events: readonly ConversationEvent[]; bytes: readonly Buffer[]; error: ProviderErrorBody | undefined } = { events: noEvents, bytes: noBytes, error: undefined };
  /** The list of bytes of every output that has any. */
  readonly #oneBuffer: Buffer[] = [];
  /** The events of this chunk, gathered where more than one SSE event brought some. */
  #gathered: ConversationEvent[] | undefined;
  /** Names and data of events that may be passed on; the first `#passableCount` belong to this chunk. */
  readonly #passableNames: (string | undefined)[] = [];
  readonly #passableData: string[] = [];
  #passableCount = 0;
  /** An event of this chunk is not to be passed on: the others are written out from what was read of them. */
  #mustReframe = false;
  /** Bytes of an event that is not complete yet, as they came: joining them with each chunk would cost the square of a large event. */
  readonly #tail = new ByteQueue();
  /** The last bytes of the tail, in which a blank line may have begun. */
  #borderBytes: Buffer = noBuffer;
  /** The last event was passed on up to a carriage return, to which a line feed may belong. */
  #endsWithReturn = false;
  /** This chunk begins with that line feed. */
  #beginsWithFeed = false;
  /** SSE events so far, of any kind. */
  eventCount = 0;

  constructor(decoder: StreamDecoder, options: SplitterOptions) {
    this.#decoder = decoder;
    this.#options = options;
    this.#reader = createSseReader({ maxEventBytes }, (event, data) => this.#read(event, data));
  }

  /** The answer is whole. */
  get terminated(): boolean {
    return this.#decoder.terminated;
  }

  /** Nothing more is awaited but the end of the connection. */
  get ended(): boolean {
    return this.#decoder.ended;
  }

  /** How many events could not be read. */
  get unreadable(): number {
    return this.#decoder.unreadable;
  }

  /**
   * Reads the next chunk.
   * @returns what it holds; valid until the next call. The event list and the bytes themselves may be kept.
   * @throws WaybillError `event-too-large`, `stream-noise`
   */
  push(chunk: Buffer): SplitterOutput {
    this.#begin();
    if (this.#readAtOnce(chunk)) return this.#finished(chunk);
    this.#reader.push(chunk);
    return this.#finished(this.#options.raw ? this.#wholeEvents(chunk) : undefined);
  }

  /** The stream has ended: a last event may lack its blank line. @returns as `push` does @throws WaybillError */
  finish(): SplitterOutput {
    this.#begin();
    this.#reader.end();
    const last = this.#tail.length === 0 ? undefined : this.#tail.take();
    this.#borderBytes = noBuffer;
    if (!this.#options.raw || this.#passableCount === 0) return this.#finished(undefined);
    return this.#finished(last === undefined || this.#decoder.missingEnd === '' ? last : Buffer.concat([last, blankLine]));
  }

  /**
   * The answer is whole and nothing more of it is read: what the provider left out of its end.
   * @returns as `push` does; undefined where nothing is missing
   */
  close(): SplitterOutput | undefined {
    const missing = this.#decoder.missingEnd;
    if (missing === '') return undefined;
    this.#begin();
    this.#output.events = this.#decoder.close?.() ?? noEvents;
    return this.#finished(Buffer.from(missing));
  }

  /** Reads a chunk that is one event of a form that the decoder knows. @returns false where it is anything else */
  #readAtOnce(chunk: Buffer): boolean {
    const events = this.#reader.isBetweenEvents && this.#tail.length === 0 ? this.#decoder.decodeChunk?.(chunk) : undefined;
    if (events === undefined) return false;
    this.#reader.skipEvent();
    this.eventCount += 1;
    this.#output.events = events;
    return true;
  }

  #begin(): void {
    this.#output.events = noEvents;
    this.#output.bytes = noBytes;
    this.#output.error = undefined;
    this.#gathered = undefined;
    this.#passableCount = 0;
    if (this.#passableData.length > keptRecords) this.#passableNames.length = this.#passableData.length = keptRecords;
    this.#mustReframe = false;
    this.#beginsWithFeed = false;
  }

  #read(event: string | undefined, data: string): void {
    const output = this.#output;
    if (output.error !== undefined) return;
    this.eventCount += 1;
    const unreadableBefore = this.#decoder.unreadable;
    const events = this.#decoder.decode(event, data);
    let usageOnly = events.length > 0;
    for (const one of events) {
      if (one.type === 'error') {
        output.error = one.error;
        this.#mustReframe = true;
        // The events before it still count.
        for (let at = 0; events[at] !== one; at += 1) this.#gather(events[at]);
        return;
      }
      if (one.type !== 'usage') usageOnly = false;
    }
    if (output.events.length === 0) output.events = events;
    else for (const one of events) this.#gather(one);
    if (this.#decoder.unreadable > unreadableBefore || (usageOnly && this.#options.hideUsage)) this.#mustReframe = true;
    else if (this.#options.raw) this.#notePassable(event, data);
  }

  /** A second event of this chunk: from here on the list is our own. */
  #gather(event: ConversationEvent | undefined): void {
    if (event === undefined) return;
    if (this.#gathered === undefined) {
      this.#gathered = [...this.#output.events];
      this.#output.events = this.#gathered;
    }
    this.#gathered.push(event);
  }

  #notePassable(event: string | undefined, data: string): void {
    this.#passableNames[this.#passableCount] = event;
    this.#passableData[this.#passableCount] = data;
    this.#passableCount += 1;
  }

  #finished(whole: Buffer | undefined): SplitterOutput {
    if (!this.#options.raw) return this.#output;
    const bytes = this.#mustReframe ? this.#reframed() : whole;
    if (bytes !== undefined && bytes.length > 0) {
      this.#oneBuffer[0] = bytes;
      this.#output.bytes = this.#oneBuffer;
    }
    return this.#output;
  }

  /** The passable events of this chunk, written out. */
  #reframed(): Buffer {
    let text = this.#beginsWithFeed ? '\n' : '';
    for (let at = 0; at < this.#passableCount; at += 1) {
      text += frame(this.#passableNames[at], this.#passableData[at] ?? '');
    }
    return Buffer.from(text);
  }

  /** The bytes up to the end of the last whole event; those after it wait for the next chunk. */
  #wholeEvents(chunk: Buffer): Buffer | undefined {
    const found = lastEventEnd(this.#borderBytes, chunk);
    this.#beginsWithFeed = this.#endsWithReturn && chunk[0] === newline;
    const end = found <= 0 && this.#beginsWithFeed ? 1 : found;
    this.#endsWithReturn = false;
    if (end <= 0) {
      this.#tail.add(chunk);
      if (this.#tail.length > maxTailBytes) throw new WaybillError('event-too-large', 'server', 'The provider sent an event that is larger than allowed.');
      this.#borderBytes = chunk.length >= borderLength ? chunk.subarray(-borderLength) : Buffer.concat([this.#borderBytes, chunk]).subarray(-borderLength);
      return undefined;
    }
    const isBorder = end === chunk.length;
    let whole = isBorder ? chunk : chunk.subarray(0, end);
    if (this.#tail.length > 0) {
      this.#tail.add(whole);
      whole = this.#tail.take();
    }
    if (isBorder) {
      this.#borderBytes = noBuffer;
      this.#endsWithReturn = !this.#mustReframe && chunk[end - 1] === carriageReturn;
      return whole;
    }
    const begun = chunk.subarray(end);
    this.#tail.add(begun);
    this.#borderBytes = begun.length > borderLength ? begun.subarray(-borderLength) : begun;
    return whole;
  }
}

function frame(event: string | undefined, data: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
}

/**
 * The index in a chunk after the last blank line (LF, CRLF or CR); 0 or less where none ends in it.
 * @param before the last bytes before the chunk, where a blank line may have begun; at most `borderLength`
 */
function lastEventEnd(before: Buffer, chunk: Buffer): number {
  const end = lastBlankLineEnd(chunk);
  if (end > 0 || before.length === 0) return end;
  // What is left is a blank line that began before the chunk: it ends with one of the first bytes.
  return lastBlankLineEnd(Buffer.concat([before, chunk.subarray(0, borderLength)])) - before.length;
}

/** The index after the last blank line, or 0. */
function lastBlankLineEnd(bytes: Buffer): number {
  for (let at = bytes.length - 1; at > 0; at -= 1) {
    const byte = bytes[at];
    if (byte !== newline && byte !== carriageReturn) continue;
    const before = bytes[at - 1];
    if (byte === newline && before === newline) return at + 1;
    if (byte === carriageReturn && before === carriageReturn) return at + 1;
    // Before a line feed a carriage return is half of a line end. As the last byte it ends the event for the reader, whatever follows.
    if (byte === carriageReturn && before === newline && bytes[at + 1] !== newline) return at + 1;
    if (byte === newline && before === carriageReturn && (bytes[at - 2] === newline || bytes[at - 2] === carriageReturn)) return at + 1;
  }
  return 0;
}
