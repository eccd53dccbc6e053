import type { ConversationEvent } from '../api/conversation.ts';
import type { ProtocolCodec, StreamDecoder } from './codec.ts';

/**
 * Stop strings for targets whose protocol has none: the answer is read as if the provider had stopped at the first of
 * them. What follows is not passed on; the stream counts as complete there, so that the call is ended soon after.
 * @param stops what the caller gave; empty strings mean nothing
 */
export function withStopStrings(codec: ProtocolCodec, stops: readonly string[] | undefined): ProtocolCodec {
  const wanted = (stops ?? []).filter((stop) => stop !== '');
  if (wanted.length === 0) return codec;
  return {
    ...codec,
    createStreamDecoder: (dialect) => new StoppingDecoder(codec.createStreamDecoder(dialect), new StopFilter(wanted)),
    decodeResponse: (body, dialect) => new StopFilter(wanted).read(codec.decodeResponse(body, dialect)),
  };
}

class StoppingDecoder implements StreamDecoder {
  readonly #decoder: StreamDecoder;
  readonly #filter: StopFilter;

  constructor(decoder: StreamDecoder, filter: StopFilter) {
    this.#decoder = decoder;
    this.#filter = filter;
  }

  get terminated(): boolean {
    return this.#filter.stopped || this.#decoder.terminated;
  }

  get unreadable(): number {
    return this.#decoder.unreadable;
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    return this.#filter.read(this.#decoder.decode(event, data));
  }
}

/** Holds back no more text than could be the beginning of a stop string. */
class StopFilter {
  stopped = false;
  readonly #stops: readonly string[];
  #held = '';
  /** The text event the held text belongs to: its phase goes with it. */
  #phase: string | undefined;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  read(events: readonly ConversationEvent[]): ConversationEvent[] {
    const passed: ConversationEvent[] = [];
    for (const event of events) {
      // What it cost is told even after the end.
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

function firstStop(text: string, stops: readonly string[]): { at: number; text: string } | undefined {
  let first: { at: number; text: string } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && (first === undefined || at < first.at)) first = { at, text: stop };
  }
  return first;
}

/** How many characters at the end of a text could be the beginning of a stop string. */
function openingLength(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
