import type { ConversationEvent } from '../../api/conversation.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { AnswerSink } from '../answer/commitBuffer.ts';
import type { AttemptEnd } from './machine.ts';

/** What an attempt reports to while it runs: its exchange, which may have two attempts under way. */
export interface OwnerOf<Attempt> extends AnswerSink {
  /** The provider answers, well or not. */
  onAnswering(attempt: Attempt, headers: ResponseHeaders): void;
  /** The first text, reasoning or tool byte is here, though perhaps none that the caller can see yet. */
  onArrive(attempt: Attempt): void;
  /** Something the caller can see is here: from now on a failure is visible. */
  onCommit(attempt: Attempt): void;
  /** The first bytes or events are about to be passed on. @param headers those of the provider that a caller of its protocol may use */
  onBegin(attempt: Attempt, headers: Readonly<Record<string, string>>): void;
  /** A whole answer in the caller's own protocol. @param events what it means */
  onBuffered(body: Buffer, events: readonly ConversationEvent[]): void;
  /** Comes last and once; not after `abandon`. */
  onDone(attempt: Attempt, end: AttemptEnd): void;
}
