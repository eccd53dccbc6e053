import type { ResponseSink } from '../request.ts';
import type { AnswerFollower, AnswerOrigin, AnswerState, SharedAnswer } from './sharedAnswer.ts';

/** The exchange that a reader works for. */
export interface ReaderOwner {
  /** The caller's end, at this moment. */
  readonly sink: ResponseSink;
  /** The caller gets the answer in one piece, so nothing is handed out of one that may still break. */
  readonly wantsWhole: boolean;
  /** The first part is about to be handed out. */
  onFirst(origin: AnswerOrigin): void;
  /** All of it is handed out, or no more will come. @param handedOut the caller has a part of it */
  onOver(state: Exclude<AnswerState, { kind: 'running' }>, handedOut: boolean): void;
  onBroken(cause: unknown): void;
}

/** So many events are handed out before the caller is asked whether it can take more. */
const portion = 64;

/** Hands a shared answer to one caller, from its beginning and at the caller's pace. */
export class AnswerReader implements AnswerFollower {
  readonly #answer: SharedAnswer;
  readonly #owner: ReaderOwner;
  #at = 0;
  #begun = false;
  #pumping = false;
  #isFull = false;
  #stopped = false;

  constructor(answer: SharedAnswer, owner: ReaderOwner) {
    this.#answer = answer;
    this.#owner = owner;
  }

  start(): void {
    this.#answer.join(this);
    this.onMore();
  }

  stop(): void {
    this.#stopped = true;
    this.#answer.leave(this);
  }

  /** The caller can take more. */
  drained(): void {
    this.#isFull = false;
    this.onMore();
  }

  onMore(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#pump();
    } catch (cause) {
      // What fails for one caller is no matter of the others.
      this.stop();
      this.#owner.onBroken(cause);
    } finally {
      this.#pumping = false;
    }
  }

  #pump(): void {
    const answer = this.#answer;
    if (answer.state.kind !== 'whole' && this.#owner.wantsWhole) {
      if (answer.state.kind === 'broken') this.#over(answer.state);
      return;
    }
    while (!this.#stopped && !this.#isFull && answer.origin !== undefined && this.#at < answer.events.length) {
      this.#begin(answer.origin);
      const next = answer.events.slice(this.#at, this.#at + portion);
      this.#at += next.length;
      this.#isFull = !this.#owner.sink.events(next);
    }
    if (this.#stopped || this.#isFull || answer.state.kind === 'running' || (answer.origin !== undefined && this.#at < answer.events.length)) return;
    const { sink } = this.#owner;
    if (answer.state.kind === 'whole' && answer.body !== undefined && answer.origin !== undefined && sink.kind === 'bytes') {
      this.#begin(answer.origin);
      sink.buffered(answer.body);
    }
    this.#over(answer.state);
  }

  #over(state: Exclude<AnswerState, { kind: 'running' }>): void {
    this.stop();
    this.#owner.onOver(state, this.#begun);
  }

  #begin(origin: AnswerOrigin): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#owner.onFirst(origin);
  }
}
