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

/** Text outside of events is looked at up to this length: an error is no longer. */
const maxBareTextLength = 65_536;

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
  let bareText = '';

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
      else if (error.type === 'unknown-field') readBareLine(error.line ?? '');
    },
  });

  // Google breaks a stream off with a JSON error, on one line or several, that is no event at all.
  const readBareLine = (line: string): void => {
    if (overflow !== undefined) return;
    const text = line.trim();
    if (bareText === '' && !text.startsWith('{') && !text.startsWith('[')) return;
    bareText += text;
    if (bareText.length > maxBareTextLength) bareText = '';
    else if (/[}\]]$/.test(text) && parseJson(bareText) !== undefined) {
      const whole = bareText;
      bareText = '';
      onEvent(undefined, whole);
    }
  };

  const feed = (text: string): void => {
    if (overflow !== undefined) throw overflow;
    parser.feed(text);
    if (overflow !== undefined) throw overflow;
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
