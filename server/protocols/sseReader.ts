import { createParser, type EventSourceParser } from 'eventsource-parser';
import { WaybillError } from '../base/failure.ts';
import { parseJson } from '../base/json.ts';

export interface SseReaderOptions {
  /**
   * The largest event that is accepted. Measured in UTF-16 units of its data, which is never more than its
   * bytes, so memory stays within twice this bound.
   */
  maxEventBytes: number;
}

/** Turns the bytes of one server-sent event stream into events. */
export interface SseReader {
  /**
   * Feeds the next bytes; events that became whole are delivered before it returns.
   * @throws WaybillError `event-too-large` once an event exceeds the bound, `stream-noise` once more than 2 MB came that
   * belong to no event's data; and again on every later call.
   */
  push(chunk: Uint8Array): void;
  /** What was read so far ends with a blank line, and the next chunk begins an event or another line. */
  readonly isBetweenEvents: boolean;
  /** A whole event that came between two others was read elsewhere. */
  skipEvent(): void;
  /**
   * The stream has ended: an event that lacks only its closing blank line is still delivered.
   * @throws WaybillError `event-too-large`, `stream-noise`
   */
  end(): void;
}

/**
 * Google breaks a stream off with a JSON error, on one line or several, that is no event at all: a line that
 * begins like JSON is delivered as if it had been one. Errors are no longer than this.
 */
const maxBareLength = 16_384;
/** A stream has one error. Further text that begins like JSON is ignored. */
const maxBareTries = 1_000;
/** A field name at the start of a line: events go on. */
const nextEvent = /[\r\n](?=(?:data|event|id|retry)?:)/;
const bareEnd = /[}\]][^\S\r\n]*[\r\n]\s*$/;

/**
 * Comments, unknown fields, field names and line ends between two events, in UTF-16 units. Up to so many characters
 * without an event nothing is counted; after that, so many of them may be no data.
 */
const maxNoise = 1024 * 1024;

/** The most chunks in which one event may come: a network cuts large events into pieces of a kilobyte and more. */
const maxPieces = 100_000;

/** What a line may carry besides the data that is counted: a field name, a colon, a space, a line break. */
const lineOverhead = 8;

/**
 * Reads LF, CR and CRLF streams, with or without a byte order mark, comments and leading blank lines, however
 * the bytes are cut into chunks.
 * @param onEvent gets the event's name, when it has one, and its data lines joined with a line feed
 */
export function createSseReader(
  options: SseReaderOptions,
  onEvent: (event: string | undefined, data: string) => void,
): SseReader {
  const { maxEventBytes } = options;
  /** A chunk of no more than this holds no event that is too large. */
  const mostWholeBytes = Math.min(longestWholeChunk, maxEventBytes);
  /** Made with the first chunk that is not whole events; most streams have none. */
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let parser: EventSourceParser | undefined;
  /** An event was read without the parser. */
  let hasBegun = false;
  let overflow: WaybillError | undefined;
  /** Characters since the last event. */
  let sinceEvent = 0;
  let eventEnded = false;
  let pieces = 0;
  /** How the line begins that has not ended yet. */
  let lineHead = '';
  let noise: NoiseMeter | undefined;
  /** Text outside of events, from the line on which it began. */
  let bare: string | undefined;
  let atLineStart = true;
  /** What was read so far ends with a blank line: nothing waits in the decoder or in the parser. */
  let betweenEvents = true;
  let bareTries = 0;

  const fail = (): void => {
    overflow = new WaybillError('event-too-large', 'server', 'The provider sent an event that is larger than allowed.', {
      detail: `limit ${maxEventBytes} bytes`,
    });
  };

  const makeParser = (): EventSourceParser => {
    const made = createParser({
      maxBufferSize: maxEventBytes + lineOverhead,
      onEvent(message) {
        eventEnded = true;
        if (overflow !== undefined) return;
        // An event that arrives whole never sits in the parser's buffer, so its size is looked at here:
        // whether an event is too large must not depend on how the network cut it.
        if (message.data.length > maxEventBytes || (message.event?.length ?? 0) > maxEventBytes) fail();
        else onEvent(message.event, message.data);
      },
      // Without onError: it would be given an error, with its stack, for each line that is no field.
    });
    // A byte order mark is one at the beginning of the stream alone.
    if (hasBegun) made.feed('\n');
    return made;
  };

  /** An overflown parser throws at the next chunk, even an empty one. It is asked only after enough bytes for an overflow. */
  const checkOverflow = (text: string): void => {
    if (sinceEvent + text.length <= maxEventBytes) return;
    try {
      parser?.feed('');
    } catch {
      fail();
    }
  };

  /** Looks at text that has been read. A chunk in which an event ended is not counted. */
  const measureNoise = (text: string): void => {
    if (eventEnded) {
      eventEnded = false;
      sinceEvent = 0;
      pieces = 0;
      noise = undefined;
    } else {
      sinceEvent += text.length;
      pieces += 1;
      // The parser keeps each piece of an unfinished line as it came.
      if (pieces > maxPieces) fail();
      if (sinceEvent > maxNoise) {
        noise ??= new NoiseMeter(lineHead);
        noise.add(text);
        if (noise.count > maxNoise) overflow ??= new WaybillError('stream-noise', 'server', 'The provider sent much that belongs to no event, so its stream was given up.', { detail: `limit ${maxNoise} characters` });
      }
    }
    lineHead = headOfLastLine(lineHead, text);
  };

  const feed = (text: string): void => {
    let rest = text;
    while (rest !== '') {
      if (overflow !== undefined) throw overflow;
      if (bare !== undefined) {
        rest = readBare(rest);
        continue;
      }
      const start = bareTries > maxBareTries ? -1 : bareStart(rest, atLineStart);
      const events = start === -1 ? rest : rest.slice(0, start);
      if (events !== '') {
        atLineStart = events.endsWith('\n') || events.endsWith('\r');
        (parser ??= makeParser()).feed(events);
        checkOverflow(events);
      }
      if (start !== -1) bare = '';
      rest = start === -1 ? '' : rest.slice(start);
    }
    measureNoise(text);
    if (overflow !== undefined) throw overflow;
    betweenEvents = bare === undefined && text.endsWith('\n\n');
  };

  /** An event of the usual form has ended, and with it its last line. */
  const noteEvent = (): void => {
    hasBegun = true;
    sinceEvent = 0;
    pieces = 0;
    noise = undefined;
    lineHead = '';
  };

  /** Reads a chunk that holds whole events of the usual form and nothing else; of any other, what comes after those. @returns what is left to read */
  const readWhole = (text: string): string => {
    let at = 0;
    while (at < text.length) {
      const end = usualEventEnd(text, at);
      if (end < 0) break;
      const named = text.startsWith(eventField, at);
      const dataFrom = named ? text.indexOf('\n', at) + 1 : at;
      const name = named ? text.slice(at + eventField.length, dataFrom - 1) : undefined;
      noteEvent();
      onEvent(name, text.slice(dataFrom + dataField.length + 1, end - 2));
      at = end;
    }
    return at === 0 ? text : text.slice(at);
  };

  /** Bare text ends with the line on which it is whole, or where events go on. @returns what comes after it */
  const readBare = (text: string): string => {
    const before = bare ?? '';
    const whole = before === '' ? text : before + text;
    const searchFrom = Math.max(0, before.length - lineOverhead);
    const found = whole.slice(searchFrom).search(nextEvent);
    const next = found === -1 ? whole.length : searchFrom + found;
    const candidate = found === -1 ? whole : whole.slice(0, next + 1);
    const mayBeWhole = candidate.length <= maxBareLength && bareEnd.test(candidate.slice(-lineOverhead));
    if (mayBeWhole) bareTries += 1;
    const isJson = mayBeWhole && parseJson(candidate) !== undefined;
    if (isJson) onEvent(undefined, candidate.trim());
    if (!isJson && found === -1) {
      bare = whole.length <= maxBareLength ? whole : whole.slice(-lineOverhead);
      return '';
    }
    bare = undefined;
    atLineStart = true;
    return whole.slice(next + 1);
  };

  return {
    get isBetweenEvents() {
      return betweenEvents && overflow === undefined;
    },
    skipEvent: noteEvent,
    push(chunk) {
      // Nearly every chunk is one or more whole events. In these nothing has to be looked for that the parser looks for.
      if (betweenEvents && overflow === undefined && chunk.length <= mostWholeBytes && endsWithBlankLine(chunk)) {
        const text = wholeDecoder.decode(chunk);
        const rest = text.includes('\r') ? text : readWhole(text);
        if (rest !== '') feed(rest);
        return;
      }
      betweenEvents = false;
      // The parser handles the byte order mark, so the decoder leaves it in.
      decoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
      feed(decoder.decode(chunk, { stream: true }));
      // Otherwise a part of a character waits in the decoder.
      betweenEvents &&= chunk.at(-1) === newline;
    },
    end() {
      if (betweenEvents && overflow === undefined) return;
      // The rest of a half character, then the blank line that some servers leave out.
      feed(`${decoder?.decode() ?? ''}\n\n`);
    },
  };
}

/** Counts what carries no data in lines of a stream: all of other lines, and of data lines the name and the line end. */
class NoiseMeter {
  count = 0;
  #head: string;

  /** @param head how the line begins that is being read */
  constructor(head: string) {
    this.#head = head;
  }

  add(text: string): void {
    let newline = text.indexOf('\n');
    let carriage = text.indexOf('\r');
    for (let at = 0; at < text.length;) {
      // Each is looked for once a line of its kind, and not again where there is none.
      if (newline !== -1 && newline < at) newline = text.indexOf('\n', at);
      if (carriage !== -1 && carriage < at) carriage = text.indexOf('\r', at);
      const lineEnd = Math.min(newline === -1 ? text.length : newline, carriage === -1 ? text.length : carriage);
      this.#addLine(text.slice(at, Math.min(lineEnd, at + dataField.length)), lineEnd - at);
      at = lineEnd;
      if (at < text.length) {
        this.count += 1;
        this.#head = '';
        at += 1;
      }
    }
  }

  #addLine(start: string, length: number): void {
    const missing = Math.max(0, dataField.length - this.#head.length);
    const named = Math.min(missing, length);
    this.#head += start.slice(0, named);
    this.count += this.#head === dataField ? named : length;
  }
}

const dataField = 'data:';
const eventField = 'event: ';
/** Larger chunks are read in the same way as those that hold parts of events; it bounds the events in them. */
const longestWholeChunk = 256 * 1024;
const newline = 0x0a;
/** For chunks that begin and end between events. It keeps no state between them. */
const wholeDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

function endsWithBlankLine(chunk: Uint8Array): boolean {
  const { length } = chunk;
  return length > 2 && chunk[length - 1] === newline && chunk[length - 2] === newline;
}

/**
 * The end of an event of the usual form: a line of data after one space, with or without a line of its name before it, and a
 * blank line. @returns the index after the blank line; -1 where the text at `from` has another form
 */
function usualEventEnd(text: string, from: number): number {
  let at = from;
  if (text.startsWith(eventField, at)) {
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd <= at + eventField.length) return -1;
    at = lineEnd + 1;
  }
  // "data: " and at least one character.
  if (!text.startsWith(dataField, at) || text.charCodeAt(at + dataField.length) !== space) return -1;
  const lineEnd = text.indexOf('\n', at);
  return lineEnd > at + dataField.length + 1 && text.charCodeAt(lineEnd + 1) === newline ? lineEnd + 2 : -1;
}

const space = 0x20;

/** How the line begins that is unfinished after this text. @param before how it began before the text */
function headOfLastLine(before: string, text: string): string {
  if (text.endsWith('\n') || text.endsWith('\r')) return '';
  const start = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
  return start > 0 ? text.slice(start, start + dataField.length) : `${before}${text.slice(0, dataField.length)}`.slice(0, dataField.length);
}

/** Where text that looks like JSON begins a line; -1 where none does, as in any well-formed stream. */
function bareStart(text: string, atLineStart: boolean): number {
  if (atLineStart && (text.startsWith('{') || text.startsWith('['))) return 0;
  const before = text.search(/[\r\n][{[]/);
  return before === -1 ? -1 : before + 1;
}
