import { WaybillError } from '../../base/failure.ts';
import type { FailureCode } from '../../base/failureCodes.ts';
import type { Timeouts } from '../../config/config.ts';
import { charsPerToken } from '../answer/usageMeter.ts';

/** Throughput is judged over stretches no longer than this. */
const longestStretchMs = 10_000;
/** A single event proves nothing about pace. */
const eventsOfAStretch = 2;
/** The explanation of a refusal is a line of text. */
const longestExplanationMs = 5000;

/**
 * The timers of one attempt, of which one at a time runs beside the total: headers, then first token, then idle. The
 * least throughput is judged as the answer comes; silence is the idle timer's. The connect timer belongs to the
 * connection (upstream/transport.ts).
 */
export class AttemptTimers {
  #timeouts: Timeouts;
  #stream: boolean;
  #expire: (error: WaybillError) => void;
  #endpoint: string;
  #phase: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  #idling = false;
  #lingering = false;
  /** Since when the caller is slow; undefined while it is not. */
  #pausedAt: number | undefined;
  #firstContentAt = 0;
  #lastContentAt = 0;
  #longestGapMs = 0;
  /** Grows with everything that is heard, so that a timer which fired can tell whether something came meanwhile. */
  #heardCount = 0;
  #stretchAt = 0;
  #stretchChars = 0;
  #stretchEvents = 0;

  constructor(timeouts: Timeouts, stream: boolean, expire: (error: WaybillError) => void, endpoint: string) {
    this.#timeouts = timeouts;
    this.#stream = stream;
    this.#expire = expire;
    this.#endpoint = endpoint;
  }

  /** The longest silence between two pieces of content so far, in milliseconds; undefined before the second piece. */
  get longestGapMs(): number | undefined {
    return this.#lastContentAt > this.#firstContentAt ? this.#longestGapMs : undefined;
  }

  /** From the first piece of content to the last, in milliseconds. */
  get contentMs(): number {
    return this.#lastContentAt - this.#firstContentAt;
  }

  /** The request is on its way. */
  start(): void {
    const { totalMs } = this.#timeouts;
    this.#total = setTimeout(() => {
      if (this.#pausedAt !== undefined) this.#expire(new WaybillError('caller-too-slow', 'cancelled', `The caller did not read the answer of ${this.#endpoint} within ${seconds(totalMs)}.`));
      else this.#expired('total-timeout', `${this.#endpoint} did not finish its answer within ${seconds(totalMs)}.`);
    }, totalMs);
    // A plain answer sends its headers when it is complete, so the time to the headers is the time to the whole of it.
    const headersMs = this.#stream ? this.#timeouts.headersMs : this.#timeouts.bufferedHeadersMs;
    this.#arm(headersMs, 'headers-timeout', `${this.#endpoint} took the request and sent nothing back within ${seconds(headersMs)}.`);
  }

  /** Headers are here; content is not. */
  answering(): void {
    const { firstTokenMs } = this.#timeouts;
    this.#arm(firstTokenMs, 'first-token-timeout', `${this.#endpoint} sent nothing to read within ${seconds(firstTokenMs)}.`);
  }

  /** A refusal's headers are here; its explanation is not. */
  refusing(): void {
    const ms = Math.min(this.#timeouts.firstTokenMs, longestExplanationMs);
    this.#arm(ms, 'first-token-timeout', `${this.#endpoint} did not explain its refusal within ${seconds(ms)}.`);
  }

  /** A plain answer has begun, so far with nothing but blank lines: somebody is at work, and the answer comes whole. */
  waitingForWhole(): void {
    const { bufferedHeadersMs } = this.#timeouts;
    this.#arm(bufferedHeadersMs, 'first-token-timeout', `${this.#endpoint} sent nothing to read within ${seconds(bufferedHeadersMs)}.`);
  }

  /** The first content is here. */
  committed(): void {
    const { idleMs } = this.#timeouts;
    const now = performance.now();
    this.#idling = true;
    this.#firstContentAt = now;
    this.#lastContentAt = now;
    this.#stretchAt = now;
    this.#arm(idleMs, 'idle-timeout', `${this.#endpoint} stalled in mid-answer for ${seconds(idleMs)}.`);
  }

  /**
   * Something came. Pings keep a silent answer alive only for a few idle periods, so that a provider which pings
   * for ever is noticed, while one that thinks between two blocks is not.
   * @param chars characters of content so far, over the whole answer
   */
  observe(content: boolean, chars: number): void {
    if (!this.#idling) return;
    const now = performance.now();
    if (content) {
      const gapMs = now - this.#lastContentAt;
      if (gapMs > this.#longestGapMs) this.#longestGapMs = gapMs;
      this.#lastContentAt = now;
      if (this.#timeouts.minTokensPerSecond > 0 && this.#crawls(now, chars)) return;
    } else if (now - this.#lastContentAt > 4 * this.#timeouts.idleMs) return;
    this.#heardCount += 1;
    this.#phase?.refresh();
  }

  /** The caller is slow: its slowness is not the provider's. */
  pause(): void {
    this.#pausedAt ??= performance.now();
  }

  resume(): void {
    if (this.#pausedAt !== undefined && this.#idling) {
      const now = performance.now();
      this.#firstContentAt += now - this.#pausedAt;
      // Of what was on its way some came in the meantime.
      this.#lastContentAt = Math.min(now, this.#lastContentAt + now - this.#pausedAt);
    }
    this.#pausedAt = undefined;
    this.#heardCount += 1;
    this.#stretchAt = 0;
    this.#phase?.refresh();
  }

  /** The answer is complete; waits a moment for the connection to end, and no longer whatever comes meanwhile. */
  linger(ms: number, done: () => void): void {
    if (this.#lingering) return;
    this.#lingering = true;
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#idling = false;
    this.#phase = setTimeout(done, ms);
  }

  stop(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#phase = undefined;
    this.#total = undefined;
  }

  /** Ends the attempt when a whole stretch of it brought far too little. */
  #crawls(now: number, chars: number): boolean {
    if (this.#stretchAt === 0) this.#beginStretch(now, chars);
    this.#stretchEvents += 1;
    const stretchMs = Math.min(this.#timeouts.idleMs, longestStretchMs);
    const lastedMs = now - this.#stretchAt;
    if (lastedMs < stretchMs) return false;
    const tokensPerSecond = (chars - this.#stretchChars) / charsPerToken / (lastedMs / 1000);
    const enough = this.#stretchEvents < eventsOfAStretch || tokensPerSecond >= this.#timeouts.minTokensPerSecond;
    this.#beginStretch(now, chars);
    if (enough) return false;
    this.#expired('too-slow', `${this.#endpoint} brought ${tokensPerSecond.toFixed(1)} tokens a second, and at least ${this.#timeouts.minTokensPerSecond} are wanted.`);
    return true;
  }

  #beginStretch(now: number, chars: number): void {
    this.#stretchAt = now;
    this.#stretchChars = chars;
    this.#stretchEvents = 0;
  }

  #arm(ms: number, code: FailureCode, message: string): void {
    clearTimeout(this.#phase);
    const timer: NodeJS.Timeout = setTimeout(() => {
      if (this.#pausedAt !== undefined) {
        timer.refresh();
        return;
      }
      // A process that was busy for long finds its timers due before it reads what has come meanwhile.
      const observe = this.#heardCount;
      setImmediate(() => {
        if (this.#phase === timer && this.#heardCount === observe && this.#pausedAt === undefined) this.#expired(code, message);
      });
    }, ms);
    this.#phase = timer;
  }

  #expired(code: FailureCode, message: string): void {
    this.#expire(new WaybillError(code, 'timeout', message));
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
