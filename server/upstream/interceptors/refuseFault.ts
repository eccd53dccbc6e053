import type { WaybillError } from '../../base/failure.ts';
import type { RefusalAnswer } from './faultInjector.ts';
import type { ResponseListener, UpstreamCall } from '../transport.ts';

/** A call that a drill answers: nothing leaves this process. What it says comes after the call was handed out, as from a network. */
export class RefuseFault implements UpstreamCall {
  readonly drilled = true;
  readonly unsent = true;
  #listener: ResponseListener | undefined;
  #answer: RefusalAnswer | WaybillError;
  #turn: NodeJS.Immediate;

  constructor(listener: ResponseListener, answer: RefusalAnswer | WaybillError) {
    this.#listener = listener;
    this.#answer = answer;
    this.#turn = setImmediate(() => this.#speak());
  }

  abort(): void {
    this.#listener = undefined;
    clearImmediate(this.#turn);
  }

  /** The answer is a line of text: there is nothing to hold back. */
  pause(): void { /* as above */ }
  resume(): void { /* as above */ }

  /** Each word may make the listener hang up. */
  #speak(): void {
    const answer = this.#answer;
    if ('body' in answer) {
      this.#listener?.onHeaders(answer.status, answer.headers);
      this.#listener?.onData(answer.body);
    }
    const listener = this.#listener;
    this.#listener = undefined;
    if ('body' in answer) listener?.onEnd();
    else listener?.onError(answer);
  }
}
