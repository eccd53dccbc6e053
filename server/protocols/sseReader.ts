import { createParser } from 'eventsource-parser';
import { SwitchyardError } from '../base/failure.ts';
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
   * @throws SwitchyardError `event-too-large` once an event exceeds the bound, and again on every later call.
   */
  push(chunk: Uint8Array): void;
  /**
   * The stream has ended: an event that lacks only its closing blank line is still delivered.
   * @throws SwitchyardError `event-too-large`
   */
  end(): void;
}

/**
 * Google breaks a stream off with a JSON error, on one line or several, that is no event at all: a line that
 * begins like JSON is delivered as if it had been one. Errors are no longer than this.
 */
const maxBareLength = 16_384;
/** A field name at the start of a line: events go on. */
const nextEvent = /[\r\n](?=(?:data|event|id|retry)?:)/;
const bareEnd = /[}\]]\s*[\r\n]\s*$/;

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
  // The byte order mark is the parser's business: one place decides about it.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let overflow: SwitchyardError | undefined;
  /** Text outside of events, from the line on which it began. */
  let bare: string | undefined;
  let atLineStart = true;

  const fail = (): void => {
    overflow = new SwitchyardError('event-too-large', 'server', 'The provider sent an event that is larger than allowed.', {
      detail: `limit ${maxEventBytes} bytes`,
    });
  };

  const parser = createParser({
    maxBufferSize: maxEventBytes + lineOverhead,
    onEvent(message) {
      if (overflow !== undefined) return;
      // An event that arrives whole never sits in the parser's buffer, so its size is looked at here:
      // whether an event is too large must not depend on how the network cut it.
      if (message.data.length > maxEventBytes || (message.event?.length ?? 0) > maxEventBytes) fail();
      else onEvent(message.event, message.data);
    },
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') fail();
    },
  });

  const feed = (text: string): void => {
    let rest = text;
    while (rest !== '') {
      if (overflow !== undefined) throw overflow;
      if (bare !== undefined) {
        rest = readBare(rest);
        continue;
      }
      const start = bareStart(rest, atLineStart);
      const events = start === -1 ? rest : rest.slice(0, start);
      if (events !== '') {
        atLineStart = events.endsWith('\n') || events.endsWith('\r');
        parser.feed(events);
      }
      if (start !== -1) bare = '';
      rest = start === -1 ? '' : rest.slice(start);
    }
    if (overflow !== undefined) throw overflow;
  };

  /** Bare text ends with the line on which it is whole, or where events go on. @returns what comes after it */
  const readBare = (text: string): string => {
    const before = bare ?? '';
    const whole = before === '' ? text : before + text;
    const searchFrom = Math.max(0, before.length - lineOverhead);
    const found = whole.slice(searchFrom).search(nextEvent);
    const next = found === -1 ? whole.length : searchFrom + found;
    const candidate = found === -1 ? whole : whole.slice(0, next + 1);
    const isJson = candidate.length <= maxBareLength && bareEnd.test(candidate.slice(-lineOverhead)) && parseJson(candidate) !== undefined;
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
    push(chunk) {
      feed(decoder.decode(chunk, { stream: true }));
    },
    end() {
      // What a half character leaves behind, then the blank line that a careless server leaves out.
      feed(`${decoder.decode()}\n\n`);
    },
  };
}

/** Where text that looks like JSON begins a line; -1 where none does, as in any well-formed stream. */
function bareStart(text: string, atLineStart: boolean): number {
  if (atLineStart && (text.startsWith('{') || text.startsWith('['))) return 0;
  const before = text.search(/[\r\n][{[]/);
  return before === -1 ? -1 : before + 1;
}
