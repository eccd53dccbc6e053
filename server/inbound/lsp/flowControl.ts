import type { ChatEvent } from '../../api/messages.ts';

/** The most that may be on the way to a reader, in characters (see eventSize). A usual answer stays below it; a longer one waits for its reader. */
export const maxUnacknowledged = 256 * 1024;
/** An acknowledgement is asked for once for so much, so that an ordinary answer needs one or two. In characters. */
export const acknowledgeEvery = 64 * 1024;
/** A sender that waits goes on when no more than this is on the way. */
const resumeAt = maxUnacknowledged / 2;

/** What an event takes beside its text, in characters: the names and braces of its JSON. */
const eventOverhead = 48;

/**
 * Limits how much of one chat is on its way to the editor: counts what is sent, asks for acknowledgements, and says when to
 * wait. Knows no connection and no time.
 *
 * Less than `acknowledgeEvery` is ever sent without a request for an acknowledgement, so a sender that waits
 * always has one outstanding that lets it go on.
 */
export class FlowControl {
  #sent = 0;
  #requested = 0;
  #acknowledged = 0;
  #waits = false;

  /** Counts events that are about to be sent. @returns false when the sender has to wait */
  add(events: readonly ChatEvent[]): boolean {
    for (const event of events) this.#sent += eventSize(event);
    if (this.#sent - this.#acknowledged >= maxUnacknowledged) this.#waits = true;
    return !this.#waits;
  }

  /** The number to be acknowledged with what is sent now; undefined while none is due. */
  due(): number | undefined {
    if (this.#sent - this.#requested < acknowledgeEvery) return undefined;
    this.#requested = this.#sent;
    return this.#requested;
  }

  /** The reader has handled everything up to a number. @returns true when a sender that waited can go on */
  acknowledge(upTo: number): boolean {
    // The number comes from another process, so it can be of another type.
    if (typeof upTo !== 'number' || !(upTo > this.#acknowledged && upTo <= this.#requested)) return false;
    this.#acknowledged = upTo;
    if (!this.#waits || this.#sent - upTo > resumeAt) return false;
    this.#waits = false;
    return true;
  }

  /** How much is on its way, in characters. */
  get unacknowledged(): number {
    return this.#sent - this.#acknowledged;
  }
}

/** What an event takes on the connection, in characters, roughly. */
export function eventSize(event: ChatEvent): number {
  switch (event.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
    case 'tool-call-arguments': return eventOverhead + event.text.length;
    case 'thinking-end': return eventOverhead + lengthOf(event.signature) + lengthOf(event.redacted) + lengthOf(event.encrypted);
    case 'tool-call-start': return eventOverhead + event.name.length + lengthOf(event.signature);
    case 'restart': return eventOverhead + event.message.length;
    case 'error': return eventOverhead + event.error.message.length;
    case 'start':
    case 'tool-call-end':
    case 'usage':
    case 'finish': return eventOverhead;
  }
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : text.length;
}
