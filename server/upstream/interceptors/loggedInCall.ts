import type { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { AnswerSource, CallPlace, Dispatch, ResponseListener, UpstreamCall, UpstreamRequest } from '../call.ts';

/** How one call gets its credential. */
export interface CallLogin {
  /** The request with its credential, and where it goes. What it throws is the failure of the call. */
  prove(): Promise<{ place: CallPlace; request: UpstreamRequest }>;
  /** A refusal came: whether the request may be accepted with another credential. It is asked until it says yes once. */
  mayGoBetter(status: number, headers: ResponseHeaders): boolean;
  failureOf(error: unknown): WaybillError;
}

/**
 * A call that needs a credential before it can be sent. Where one is refused that should be good, the call is sent once more with
 * a new one; the listener learns of the second only.
 */
export class LoggedInCall implements ResponseListener, UpstreamCall {
  readonly #login: CallLogin;
  readonly #next: Dispatch;
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  /** The call went out a second time, with a new credential. */
  #renewed = false;
  #paused = false;

  constructor(login: CallLogin, next: Dispatch, listener: ResponseListener) {
    this.#login = login;
    this.#next = next;
    this.#listener = listener;
    void this.#start();
  }

  /** Before the call is sent, and where the login fails, the failure is that of the provider's own login. */
  get source(): AnswerSource {
    return this.#call?.source ?? 'provider';
  }

  get resent(): boolean {
    return this.#call?.resent === true;
  }

  abort(silent?: boolean): void {
    this.#listener = undefined;
    this.#call?.abort(silent);
  }

  pause(): void {
    this.#paused = true;
    this.#call?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#call?.resume();
  }

  onConnected(connectMs: number): void {
    this.#listener?.onConnected?.(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    if (status >= 400 && !this.#renewed && this.#login.mayGoBetter(status, headers)) {
      this.#renewed = true;
      this.#call?.abort();
      void this.#start();
      return;
    }
    this.#listener?.onHeaders(status, headers);
  }

  onData(chunk: Buffer): void {
    this.#listener?.onData(chunk);
  }

  onEnd(): void {
    this.#listener?.onEnd();
  }

  onError(error: WaybillError): void {
    this.#listener?.onError(error);
  }

  async #start(): Promise<void> {
    try {
      const { place, request } = await this.#login.prove();
      // The call may have been aborted meanwhile.
      if (this.#listener === undefined) return;
      this.#call = this.#next(place, request, this);
      if (this.#paused) this.#call.pause();
    } catch (error) {
      this.#listener?.onError(this.#login.failureOf(error));
    }
  }
}
