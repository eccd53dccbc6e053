import type { WaybillError } from '../../base/failure.ts';
import type { RefusalAnswer } from './faultInjector.ts';
import type { ResponseListener, UpstreamCall } from '../call.ts';

/** A call that fault injection answers: nothing leaves this process. The answer comes after the call was returned, as from a network. */
export class RefuseFault implements UpstreamCall {
  readonly source = 'injected';
  #listener: ResponseListener | undefined;
  #answer: RefusalAnswer | WaybillError;
  #scheduled: NodeJS.Immediate;

  constructor(listener: ResponseListener, answer: RefusalAnswer | WaybillError) {
    this.#listener = listener;
    this.#answer = answer;
    this.#scheduled = setImmediate(() => this.#answerListener());
  }

  abort(): void {
    this.#listener = undefined;
    clearImmediate(this.#scheduled);
  }

  /** The answer is a line of text: there is nothing to hold back. */
  pause(): void { /* as above */ }
  resume(): void { /* as above */ }

  /** Each event may make the listener abort. */
  #answerListener(): void {
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
