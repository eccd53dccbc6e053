import type { ConversationEvent } from '../../api/conversation.ts';
import { ByteQueue } from '../../base/byteQueue.ts';
import type { SplitterOutput } from './eventStreamSplitter.ts';

/** Bounds of the lifecycle events before the first content. */
const maxPreludeBytes = 1024 * 1024;
const maxPreludeEvents = 2000;
/** Bounds of content that the caller cannot see yet: a tool call that is not whole. */
const maxUnseenChars = 64 * 1024 * 1024;
const maxUnseenEvents = 500_000;

/** Where an answer goes. Both give back false when the caller is slower than the provider. */
export interface AnswerSink {
  onBytes(chunk: Buffer): boolean;
  onEvents(events: readonly ConversationEvent[]): boolean;
  /** What bytes mean that are passed on, where that is written down. */
  onRecord?(events: readonly ConversationEvent[]): void;
}

/** Holds an answer back until its commit point, and passes it on: bytes to a caller of the same protocol, else events. */
export class CommitBuffer {
  readonly #raw: boolean;
  readonly #records: boolean;
  /** Made when something is held back. */
  #bytes: ByteQueue | undefined;
  #events: ConversationEvent[] | undefined;

  /** @param raw the caller speaks the provider's protocol and gets its bytes @param records their events are written down beside them */
  constructor(raw: boolean, records = false) {
    this.#raw = raw;
    this.#records = raw && records;
  }

  /** Whether a chunk brought anything for the caller. */
  isForCaller({ events, bytes }: SplitterOutput): boolean {
    return this.#raw ? bytes.length > 0 : events.length > 0;
  }

  hold({ events, bytes }: SplitterOutput): void {
    if (this.#raw) this.addBytes(bytes);
    if (!this.#raw || this.#records) this.addEvents(events);
  }

  addBytes(bytes: readonly Buffer[]): void {
    for (const piece of bytes) (this.#bytes ??= new ByteQueue()).add(piece);
  }

  addEvents(events: readonly ConversationEvent[]): void {
    const held = (this.#events ??= []);
    for (const event of events) held.push(event);
  }

  /**
   * Whether more is held back than an answer can need.
   * @param arrived content is here, though none that the caller can see
   * @param eventCount SSE events of the whole answer so far
   * @param contentChars UTF-16 units of content so far
   */
  isTooMuch(arrived: boolean, eventCount: number, contentChars: number): boolean {
    const heldBytes = this.#bytes?.length ?? 0;
    if (!arrived) return heldBytes > maxPreludeBytes || eventCount > maxPreludeEvents;
    return heldBytes > maxUnseenChars || contentChars > maxUnseenChars || (this.#events?.length ?? 0) > maxUnseenEvents;
  }

  /** Passes on what was held back, and then what a chunk brought. @returns false when the caller is slower than the provider */
  passOn({ events, bytes }: SplitterOutput, sink: AnswerSink): boolean {
    if (this.#records) this.#record(events, sink);
    return this.#raw ? this.#passBytesOn(bytes, sink) : this.#passEventsOn(events, sink);
  }

  clear(): void {
    this.#bytes = undefined;
    this.#events = undefined;
  }

  #record(events: readonly ConversationEvent[], sink: AnswerSink): void {
    const held = this.#events;
    this.#events = undefined;
    if (held !== undefined) sink.onRecord?.(held);
    if (events.length > 0) sink.onRecord?.(events);
  }

  #passBytesOn(bytes: readonly Buffer[], sink: AnswerSink): boolean {
    const held = this.#bytes;
    this.#bytes = undefined;
    let ready = held === undefined || sink.onBytes(held.whole());
    for (const piece of bytes) ready = sink.onBytes(piece);
    return ready;
  }

  #passEventsOn(events: readonly ConversationEvent[], sink: AnswerSink): boolean {
    const held = this.#events;
    this.#events = undefined;
    if (held === undefined) return events.length === 0 || sink.onEvents(events);
    for (const event of events) held.push(event);
    return held.length === 0 || sink.onEvents(held);
  }
}
