import type { ConversationEvent } from '../api/conversation.ts';
import type { StreamDecoder } from './codec.ts';

/** A decoder whose events are changed on their way. */
export class MappedDecoder implements StreamDecoder {
  readonly #decoder: StreamDecoder;
  readonly #change: (events: ConversationEvent[]) => ConversationEvent[];
  readonly #isStopped: () => boolean;

  /** @param isStopped whether the change ended the answer */
  constructor(decoder: StreamDecoder, change: (events: ConversationEvent[]) => ConversationEvent[], isStopped: () => boolean = () => false) {
    this.#decoder = decoder;
    this.#change = change;
    this.#isStopped = isStopped;
  }

  get terminated(): boolean {
    return this.#isStopped() || this.#decoder.terminated;
  }

  get ended(): boolean {
    return this.#decoder.ended;
  }

  get missingEnd(): string {
    return this.#decoder.missingEnd;
  }

  get unreadable(): number {
    return this.#decoder.unreadable;
  }

  decode(event: string | undefined, data: string): ConversationEvent[] {
    return this.#change(this.#decoder.decode(event, data));
  }

  close(): ConversationEvent[] {
    return this.#change(this.#decoder.close?.() ?? []);
  }
}
