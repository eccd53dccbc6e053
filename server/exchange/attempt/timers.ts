import { WaybillError } from '../../base/failure.ts';
import type { Timeouts } from '../../config/config.ts';
import { charsPerToken } from '../answer/usageMeter.ts';

/** Throughput is judged over stretches no longer than this. */
const longestStretchMs = 10_000;
/** A single event proves nothing about pace. */
const eventsOfAStretch = 2;
/** A shorter stretch of content says nothing about how fast text comes. */
const measurableMs = 1000;
/** The explanation of a refusal is a line of text. */
const longestExplanationMs = 5000;

/** What timers report to. */
export interface TimerListener {
  /** A timer ran out, or the answer comes too slowly: the attempt is to end. */
  onExpired(error: WaybillError): void;
  /** The time in which a complete answer's connection might have ended is over. */
  onLingered(): void;
}

/** What the timer beside the total waits for. */
type Awaited = 'headers' | 'content' | 'explanation' | 'whole' | 'next-content';

/**
 * The timers of one attempt, of which one at a time runs beside the total: headers, then first token, then idle. The
 * least throughput is judged as the answer comes; the idle timer judges silence. The connect timer belongs to the
 * connection (upstream/sentCall.ts).
 */
export class AttemptTimers {
  readonly #listener: TimerListener;
  readonly #timeouts: Timeouts;
  readonly #stream: boolean;
  readonly #endpoint: string;
  #phase: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;
  #idling = false;
  #lingering = false;
  /** Since when the caller is slow; undefined while it is not. */
  #pausedAt: number | undefined;
  #firstContentAt = 0;
  #lastContentAt = 0;
  #longestGapMs = 0;
  /** Grows with everything that comes, so that a timer which fired can see whether something came meanwhile. */
  #received = 0;
  #stretchAt = 0;
  #stretchChars = 0;
  #stretchEvents = 0;

  /** @param stream the caller asked for a stream @param endpoint its name, for messages */
  constructor(listener: TimerListener, timeouts: Timeouts, stream: boolean, endpoint: string) {
    this.#listener = listener;
    this.#timeouts = timeouts;
    this.#stream = stream;
    this.#endpoint = endpoint;
  }

  /** The longest silence between two pieces of content so far, in milliseconds; undefined before the second piece. */
  get longestGapMs(): number | undefined {
    return this.#lastContentAt > this.#firstContentAt ? roundMs(this.#longestGapMs) : undefined;
  }

  /** From the first piece of content to the last, in milliseconds. */
  get contentMs(): number {
    return this.#lastContentAt - this.#firstContentAt;
  }

  /** How fast text came, in tokens a second; undefined where too little of it came to measure. @param chars characters of content, over the whole answer */
  tokensPerSecond(chars: number): number | undefined {
    const { contentMs } = this;
    return contentMs < measurableMs ? undefined : chars / charsPerToken / (contentMs / 1000);
  }

  /** The request is on its way. */
  start(): void {
    const { totalMs, headersMs, bufferedHeadersMs } = this.#timeouts;
    this.#total = setTimeout(() => this.#listener.onExpired(this.#totalFailure()), totalMs);
    // A buffered answer sends its headers when it is complete, so the time to the headers is the time to the whole of it.
    this.#arm('headers', this.#stream ? headersMs : bufferedHeadersMs);
  }

  /** Headers are here; content is not. */
  awaitContent(): void {
    this.#arm('content', this.#timeouts.firstTokenMs);
  }

  /** A refusal's headers are here; its explanation is not. */
  awaitExplanation(): void {
    this.#arm('explanation', Math.min(this.#timeouts.firstTokenMs, longestExplanationMs));
  }

  /** A buffered answer has begun, so far with nothing but blank lines: the provider is at work, and the answer comes whole. */
  awaitWhole(): void {
    this.#arm('whole', this.#timeouts.bufferedHeadersMs);
  }

  /** The first content is here. */
  contentArrived(): void {
    const now = performance.now();
    this.#idling = true;
    this.#firstContentAt = now;
    this.#lastContentAt = now;
    this.#stretchAt = now;
    this.#arm('next-content', this.#timeouts.idleMs);
  }

  /**
   * Something came. Pings keep a silent answer alive only for a few idle periods, so that a provider which pings
   * for ever is noticed, while one that thinks between two blocks is not.
   * @param content it was content
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
    this.#received += 1;
    this.#phase?.refresh();
  }

  /** The caller is slow: its slowness is not the provider's. */
  pause(): void {
    this.#pausedAt ??= performance.now();
  }

  /** The caller can take more. */
  resume(): void {
    if (this.#pausedAt !== undefined && this.#idling) {
      const now = performance.now();
      this.#firstContentAt += now - this.#pausedAt;
      // Of what was on its way some came in the meantime.
      this.#lastContentAt = Math.min(now, this.#lastContentAt + now - this.#pausedAt);
    }
    this.#pausedAt = undefined;
    this.#received += 1;
    this.#stretchAt = 0;
    this.#phase?.refresh();
  }

  /** The answer is complete; waits a moment for the connection to end, and no longer whatever comes meanwhile. Has an effect once. */
  linger(ms: number): void {
    if (this.#lingering) return;
    this.#lingering = true;
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#idling = false;
    this.#phase = setTimeout(() => this.#listener.onLingered(), ms);
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
    this.#listener.onExpired(new WaybillError('too-slow', 'timeout', `${this.#endpoint} brought ${tokensPerSecond.toFixed(1)} tokens a second, and at least ${this.#timeouts.minTokensPerSecond} are wanted.`));
    return true;
  }

  #beginStretch(now: number, chars: number): void {
    this.#stretchAt = now;
    this.#stretchChars = chars;
    this.#stretchEvents = 0;
  }

  #arm(awaited: Awaited, ms: number): void {
    clearTimeout(this.#phase);
    const timer: NodeJS.Timeout = setTimeout(() => {
      if (this.#pausedAt !== undefined) {
        timer.refresh();
        return;
      }
      // A process that was busy for long finds its timers due before it reads what has come meanwhile.
      const received = this.#received;
      setImmediate(() => {
        if (this.#phase === timer && this.#received === received && this.#pausedAt === undefined) this.#listener.onExpired(this.#failure(awaited, ms));
      });
    }, ms);
    this.#phase = timer;
  }

  /** Made when a timer fires, because nearly none does. */
  #failure(awaited: Awaited, ms: number): WaybillError {
    const after = durationText(ms);
    switch (awaited) {
      case 'headers': return new WaybillError('headers-timeout', 'timeout', `${this.#endpoint} took the request and sent nothing back within ${after}.`);
      case 'content':
      case 'whole': return new WaybillError('first-token-timeout', 'timeout', `${this.#endpoint} sent nothing to read within ${after}.`);
      case 'explanation': return new WaybillError('first-token-timeout', 'timeout', `${this.#endpoint} did not explain its refusal within ${after}.`);
      case 'next-content': return new WaybillError('idle-timeout', 'timeout', `${this.#endpoint} stalled in mid-answer for ${after}.`);
    }
  }

  #totalFailure(): WaybillError {
    const after = durationText(this.#timeouts.totalMs);
    return this.#pausedAt === undefined
      ? new WaybillError('total-timeout', 'timeout', `${this.#endpoint} did not finish its answer within ${after}.`)
      : new WaybillError('caller-too-slow', 'cancelled', `The caller did not read the answer of ${this.#endpoint} within ${after}.`);
  }
}

/** Milliseconds with one decimal place. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function durationText(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
