import { WaybillError } from '../../base/failure.ts';
import type { ResponseHeaders, ResponseListener, UpstreamCall } from '../transport.ts';

/** Of an answer that waits, no more than this is kept in memory; then the provider is made to wait. */
const maxHeldBytes = 1024 * 1024;

type Word = (listener: ResponseListener) => void;

/**
 * A call whose answer a drill holds back: its first byte is passed on a while after it came, and then all of it as it
 * comes. The request itself goes out as always.
 */
export class DelayFault implements UpstreamCall, ResponseListener {
  readonly drilled = true;
  #listener: ResponseListener | undefined;
  #call: UpstreamCall | undefined;
  #slowMs: number;
  #endpoint: string;
  #letGo: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What came and has not been passed on; undefined when nothing is held back any more. */
  #held: Word[] | undefined = [];
  #heldBytes = 0;
  #released = false;
  /** The listener wants no more for the moment. */
  #paused = false;
  /** We want no more for the moment. */
  #full = false;

  /**
   * @param send sends the request; what comes back is told to what it is given
   * @param hold has the answer released when the drill ends, and gives back how to forget that
   */
  constructor(options: {
    listener: ResponseListener; endpoint: string; slowMs: number;
    hold(release: () => void): () => void; send(listener: ResponseListener): UpstreamCall;
  }) {
    this.#listener = options.listener;
    this.#endpoint = options.endpoint;
    this.#slowMs = options.slowMs;
    this.#letGo = options.hold(() => this.#release());
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
    this.#say(listener => listener.onHeaders(status, headers), 0);
  }

  onData(chunk: Buffer): void {
    this.#say(listener => listener.onData(chunk), chunk.length);
  }

  onEnd(): void {
    this.#say(listener => {
      this.#finish();
      listener.onEnd();
    }, 0);
  }

  onError(error: WaybillError): void {
    const end: Word = listener => {
      this.#finish();
      listener.onError(error);
    };
    // Where no answer began, there is none to hold back.
    if (this.#held?.length === 0) this.#held = undefined;
    this.#say(end, 0);
  }

  #say(word: Word, bytes: number): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    if (this.#held === undefined) {
      word(listener);
      return;
    }
    this.#held.push(word);
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
        const word = this.#held.shift();
        if (word === undefined) {
          this.#held = undefined;
          this.#heldBytes = 0;
          // Whatever the provider was made to wait for is over, ours or the listener's.
          this.#full = false;
          this.#call?.resume();
          return;
        }
        if (this.#listener === undefined) return;
        word(this.#listener);
      }
      if (this.#listener !== undefined && this.#held === undefined && !this.#paused) this.#call?.resume();
    } catch (cause) {
      // This runs in a timer, where what a listener throws would end the process.
      const listener = this.#listener;
      this.abort();
      listener?.onError(cause instanceof WaybillError ? cause
        : new WaybillError('unreadable-answer', 'server', `${this.#endpoint} sent an answer that could not be read.`, { cause, detail: String(cause) }));
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#letGo();
    this.#listener = undefined;
    this.#held = undefined;
  }
}
