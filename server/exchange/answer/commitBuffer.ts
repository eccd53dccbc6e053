import type { ConversationEvent } from '../../api/conversation.ts';
import { ByteQueue } from '../../base/byteQueue.ts';

/** Lifecycle events before the first content. */
const maxPreludeBytes = 1024 * 1024;
const maxPreludeEvents = 2000;
/** Content that the caller cannot see yet: a tool call that is not whole. */
const maxUnseenChars = 64 * 1024 * 1024;
const maxUnseenEvents = 500_000;

/** What of an answer waits to be passed on: bytes for a caller of the same protocol, else events. */
export class CommitBuffer {
  readonly #bytes = new ByteQueue();
  #events: ConversationEvent[] = [];

  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  addBytes(bytes: readonly Buffer[]): void {
    for (const chunk of bytes) this.#bytes.add(chunk);
  }

  /** Errors are told by those who pass the rest on. */
  addEvents(events: readonly ConversationEvent[]): void {
    for (const event of events) if (event.type !== 'error') this.#events.push(event);
  }

  /**
   * Whether it is more than an answer can have waiting.
   * @param arrived content has come, though none that the caller can see
   */
  isTooMuch(arrived: boolean, eventCount: number, contentChars: number): boolean {
    if (!arrived) return this.#bytes.length > maxPreludeBytes || eventCount > maxPreludeEvents;
    return this.#bytes.length > maxUnseenChars || contentChars > maxUnseenChars || this.#events.length > maxUnseenEvents;
  }

  /** All bytes that wait, in one piece; undefined when there are none. They wait no longer. */
  takeBytes(): Buffer | undefined {
    return this.#bytes.length === 0 ? undefined : this.#bytes.take();
  }

  takeEvents(): ConversationEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  clear(): void {
    this.#bytes.clear();
    this.#events = [];
  }
}
