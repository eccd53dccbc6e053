import type { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { ResponseListener, UpstreamCall } from '../call.ts';
import { unreadableAnswer } from '../failures/unreadableAnswer.ts';

/** Of an answer that is held back, no more than this is kept in memory; then the provider is paused. */
const maxHeldBytes = 1024 * 1024;

/** One event of the answer, to be passed on later. */
type HeldEvent = (listener: ResponseListener) => void;

/**
 * A call whose answer fault injection delays: its first byte is passed on `slowMs` after it came, and then all of it as it
 * comes. The request itself is sent as it is.
 */
export class DelayFault implements UpstreamCall, ResponseListener {
  readonly source = 'altered';
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #slowMs: number;
  #endpoint: string;
  #forgetRelease: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What came and has not been passed on; undefined once nothing is held back any more. */
  #held: HeldEvent[] | undefined = [];
  #heldBytes = 0;
  #released = false;
  /** The listener has paused the call. */
  #paused = false;
  /** This class has paused the call, because it holds too much. */
  #full = false;

  /**
   * @param send sends the request with the given listener
   * @param hold has the answer released when the drill ends; returns a function that takes this back
   */
  constructor(options: {
    listener: ResponseListener; endpoint: string; slowMs: number;
    hold(release: () => void): () => void; send(listener: ResponseListener): UpstreamCall;
  }) {
    this.#listener = options.listener;
    this.#endpoint = options.endpoint;
    this.#slowMs = options.slowMs;
    this.#forgetRelease = options.hold(() => this.#release());
    this.#call = options.send(this);
  }

  abort(silent?: boolean): void {
    this.#finish();
    this.#call?.abort(silent);
  }

  pause(): void {
    this.#paused = true;
    if (this.#held === undefined) this.#call?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#released) this.#flush();
  }

  onConnected(connectMs: number): void {
    this.#listener?.onConnected?.(connectMs);
  }

  onHeaders(status: number, headers: ResponseHeaders): void {
    this.#pass(listener => listener.onHeaders(status, headers), 0);
  }

  onData(chunk: Buffer): void {
    this.#pass(listener => listener.onData(chunk), chunk.length);
  }

  onEnd(): void {
    this.#pass(listener => {
      this.#finish();
      listener.onEnd();
    }, 0);
  }

  onError(error: WaybillError): void {
    const end: HeldEvent = listener => {
      this.#finish();
      listener.onError(error);
    };
    // Where no answer began, there is nothing to delay.
    if (this.#held?.length === 0) this.#held = undefined;
    this.#pass(end, 0);
  }

  #pass(event: HeldEvent, bytes: number): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    if (this.#held === undefined) {
      event(listener);
      return;
    }
    this.#held.push(event);
    this.#heldBytes += bytes;
    if (!this.#released && this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#release(), this.#slowMs);
      this.#timer.unref();
    }
    if (this.#heldBytes > maxHeldBytes && !this.#full) {
      this.#full = true;
      this.#call?.pause();
    }
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#released = true;
    this.#flush();
  }

  #flush(): void {
    try {
      while (this.#held !== undefined && !this.#paused) {
        const event = this.#held.shift();
        if (event === undefined) {
          this.#held = undefined;
          this.#heldBytes = 0;
          // Neither this class nor the listener pauses the call any more.
          this.#full = false;
          this.#call?.resume();
          return;
        }
        if (this.#listener === undefined) return;
        event(this.#listener);
      }
      if (this.#listener !== undefined && this.#held === undefined && !this.#paused) this.#call?.resume();
    } catch (cause) {
      // This runs in a timer, where an exception of a listener would end the process.
      const listener = this.#listener;
      this.abort();
      listener?.onError(unreadableAnswer(this.#endpoint, cause));
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#forgetRelease();
    this.#listener = undefined;
    this.#held = undefined;
  }
}
