import type { ConversationEvent } from '../api/conversation.ts';
import type { ProtocolCodec } from './codec.ts';
import { MappedDecoder } from './mappedDecoder.ts';

const mostStops = 16;
const longestStop = 1000;

/**
 * Stop strings for targets whose protocol has none: the answer is read as if the provider had stopped at the first of
 * them. What follows is not passed on; the stream counts as complete there, so that the call is ended soon after.
 * @param stops what the caller gave; empty strings mean nothing. Providers take five at most, of a few letters: of more
 *   than 16, and of more than a thousand letters, the first decide.
 */
export function withStopStrings(codec: ProtocolCodec, stops: readonly string[] | undefined): ProtocolCodec {
  const wanted = (stops ?? []).filter((stop) => stop !== '').slice(0, mostStops).map((stop) => new StopString(stop.slice(0, longestStop)));
  if (wanted.length === 0) return codec;
  return {
    ...codec,
    createStreamDecoder: (dialect) => {
      const filter = new StopFilter(wanted);
      return new MappedDecoder(codec.createStreamDecoder(dialect), (events) => filter.read(events), () => filter.stopped);
    },
    decodeResponse: (body, dialect) => new StopFilter(wanted).read(codec.decodeResponse(body, dialect)),
  };
}

/** Holds back no more text than could be the beginning of a stop string. */
class StopFilter {
  stopped = false;
  readonly #stops: readonly StopString[];
  #held = '';
  /** The text event the held text belongs to: its phase goes with it. */
  #phase: string | undefined;

  constructor(stops: readonly StopString[]) {
    this.#stops = stops;
  }

  read(events: readonly ConversationEvent[]): ConversationEvent[] {
    const passed: ConversationEvent[] = [];
    for (const event of events) {
      // Usage is reported even after the end.
      if (this.stopped) {
        if (event.type === 'usage') passed.push(event);
      } else if (event.type === 'text') this.#text(event, passed);
      else {
        // Usage says nothing about where text ends; everything else does.
        if (event.type !== 'usage') this.#release(passed);
        passed.push(event);
      }
    }
    return passed;
  }

  #text(event: Extract<ConversationEvent, { type: 'text' }>, passed: ConversationEvent[]): void {
    if (event.phase !== this.#phase) this.#release(passed);
    this.#phase = event.phase;
    const text = this.#held + event.text;
    const stop = firstStop(text, this.#stops);
    if (stop !== undefined) {
      if (stop.at > 0) passed.push(this.#event(text.slice(0, stop.at)));
      passed.push({ type: 'finish', reason: 'stop-sequence', stopSequence: stop.text });
      this.#held = '';
      this.stopped = true;
      return;
    }
    const keep = openingLength(text, this.#stops);
    const ready = text.slice(0, text.length - keep);
    this.#held = text.slice(text.length - keep);
    if (ready === event.text) passed.push(event);
    else if (ready !== '') passed.push(this.#event(ready));
  }

  #release(passed: ConversationEvent[]): void {
    if (this.#held !== '') passed.push(this.#event(this.#held));
    this.#held = '';
  }

  #event(text: string): ConversationEvent {
    return this.#phase === undefined ? { type: 'text', text } : { type: 'text', text, phase: this.#phase };
  }
}

/** A stop string that is found in a stream without going back over what came. */
class StopString {
  readonly text: string;
  /** For each length of its beginning, the next shorter beginning with which that one ends (Knuth, Morris and Pratt). */
  readonly #shorter: Uint16Array;

  constructor(text: string) {
    this.text = text;
    this.#shorter = new Uint16Array(text.length + 1);
    let length = 0;
    for (let at = 1; at < text.length; at += 1) this.#shorter[at + 1] = length = this.#longer(length, text[at]);
  }

  /** How many characters at the end of a text could be its beginning; never the whole of it. */
  openingLength(text: string): number {
    let length = 0;
    for (let at = Math.max(0, text.length - this.text.length + 1); at < text.length; at += 1) length = this.#longer(length, text[at]);
    return length;
  }

  #longer(matched: number, next: string | undefined): number {
    let length = matched;
    while (length > 0 && this.text[length] !== next) length = this.#shorter[length] ?? 0;
    return this.text[length] === next ? length + 1 : length;
  }
}

function firstStop(text: string, stops: readonly StopString[]): { at: number; text: string } | undefined {
  let first: { at: number; text: string } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop.text);
    if (at !== -1 && (first === undefined || at < first.at)) first = { at, text: stop.text };
  }
  return first;
}

/** How many characters at the end of a text could be the beginning of a stop string. */
function openingLength(text: string, stops: readonly StopString[]): number {
  let longest = 0;
  for (const stop of stops) longest = Math.max(longest, stop.openingLength(text));
  return longest;
}
