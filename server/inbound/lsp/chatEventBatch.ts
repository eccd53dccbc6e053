import type { ChatEvent } from '../../api/messages.ts';

type TextPiece = Extract<ChatEvent, { type: 'text' | 'thinking' | 'refusal' }>;

/** Events that wait to be sent. Neighbouring pieces of one text become one event: the reader gets the same text with fewer objects. */
export class ChatEventBatch {
  #events: ChatEvent[] = [];
  /** The last event, where it is a copy that grows here: the events that are handed in stay as they are. */
  #growing: TextPiece | undefined;
  #showsSomething = false;

  /** Whether there is an event that a reader can notice. A `start` waits for the first of them. */
  get showsSomething(): boolean { return this.#showsSomething; }

  add(events: readonly ChatEvent[]): void {
    for (const event of events) this.#push(event);
  }

  /** Hands over what has gathered; empty when there is nothing. */
  take(): ChatEvent[] {
    const events = this.#events;
    if (events.length === 0) return events;
    this.#events = [];
    this.#growing = undefined;
    this.#showsSomething = false;
    return events;
  }

  #push(event: ChatEvent): void {
    if (event.type !== 'start') this.#showsSomething = true;
    const last = this.#growing ?? this.#events.at(-1);
    if (last !== undefined && isPiece(last) && isPiece(event) && continues(last, event)) {
      if (this.#growing === undefined) this.#events[this.#events.length - 1] = this.#growing = { ...last };
      this.#growing.text += event.text;
      return;
    }
    this.#growing = undefined;
    this.#events.push(event);
  }
}

function isPiece(event: ChatEvent): event is TextPiece {
  return event.type === 'text' || event.type === 'thinking' || event.type === 'refusal';
}

/** Whether a piece goes on with the text of the one before. A text with probabilities of its tokens stays by itself. */
function continues(last: TextPiece, next: TextPiece): boolean {
  if (last.type !== 'text' || next.type !== 'text') return last.type === next.type;
  return last.phase === next.phase && last.logprobs === undefined && next.logprobs === undefined;
}
