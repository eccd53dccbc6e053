import { SwitchyardError } from '../base/failure.ts';
import type { Timeouts } from '../config/config.ts';

/**
 * The timers of one attempt, of which one at a time runs beside the total: headers, then first token, then idle.
 * The connect timer belongs to the connection (upstream/transport.ts).
 */
export class AttemptTimers {
  #timeouts: Timeouts;
  #stream: boolean;
  #expire: (error: SwitchyardError) => void;
  #endpoint: string;
  #phase: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  #idling = false;
  #paused = false;
  #lastContentAt = 0;

  constructor(timeouts: Timeouts, stream: boolean, expire: (error: SwitchyardError) => void, endpoint: string) {
    this.#timeouts = timeouts;
    this.#stream = stream;
    this.#expire = expire;
    this.#endpoint = endpoint;
  }

  /** The request is on its way. */
  start(): void {
    const { totalMs } = this.#timeouts;
    this.#total = setTimeout(() => {
      if (this.#paused) this.#expire(new SwitchyardError('caller-too-slow', 'cancelled', `The caller did not read the answer of ${this.#endpoint} within ${seconds(totalMs)}.`));
      else this.#expired('total-timeout', `${this.#endpoint} did not finish its answer within ${seconds(totalMs)}.`);
    }, totalMs);
    // A plain answer sends its headers when it is complete, so the time to the headers is the time to the whole of it.
    const headersMs = this.#stream ? this.#timeouts.headersMs : this.#timeouts.plainHeadersMs;
    this.#arm(headersMs, 'headers-timeout', `${this.#endpoint} took the request and sent nothing back within ${seconds(headersMs)}.`);
  }

  /** Headers are here; content is not. */
  answering(): void {
    const { firstTokenMs } = this.#timeouts;
    this.#arm(firstTokenMs, 'first-token-timeout', `${this.#endpoint} sent nothing to read within ${seconds(firstTokenMs)}.`);
  }

  /** A plain answer has begun, so far with nothing but blank lines: somebody is at work, and the answer comes whole. */
  waitingForWhole(): void {
    const { plainHeadersMs } = this.#timeouts;
    this.#arm(plainHeadersMs, 'first-token-timeout', `${this.#endpoint} sent nothing to read within ${seconds(plainHeadersMs)}.`);
  }

  /** The first content is here. */
  committed(): void {
    const { idleMs } = this.#timeouts;
    this.#idling = true;
    this.#lastContentAt = performance.now();
    this.#arm(idleMs, 'idle-timeout', `${this.#endpoint} stalled in mid-answer for ${seconds(idleMs)}.`);
  }

  /**
   * Something came. Pings keep a silent answer alive only for a few idle periods, so that a provider which pings
   * for ever is noticed, while one that thinks between two blocks is not.
   */
  heard(content: boolean): void {
    if (!this.#idling) return;
    const now = performance.now();
    if (content) this.#lastContentAt = now;
    else if (now - this.#lastContentAt > 4 * this.#timeouts.idleMs) return;
    this.#phase?.refresh();
  }

  /** The caller is slow: its slowness is not the provider's. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#phase?.refresh();
  }

  /** The answer is complete; waits a moment for the connection to end. */
  linger(ms: number, done: () => void): void {
    clearTimeout(this.#phase);
    this.#idling = false;
    this.#phase = setTimeout(done, ms);
  }

  stop(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#phase = undefined;
    this.#total = undefined;
  }

  #arm(ms: number, code: string, message: string): void {
    clearTimeout(this.#phase);
    const timer: NodeJS.Timeout = setTimeout(() => {
      if (this.#paused) timer.refresh();
      else this.#expired(code, message);
    }, ms);
    this.#phase = timer;
  }

  #expired(code: string, message: string): void {
    this.#expire(new SwitchyardError(code, 'timeout', message));
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
