import { requestDeadlines, toleranceMs, type Deadline } from '../../base/collections/deadlines.ts';
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

/** What an attempt waits for beside its end. */
type Awaited = 'headers' | 'content' | 'explanation' | 'whole' | 'next-content' | 'nothing';

/**
 * The timers of one attempt, of which one at a time counts beside the total: headers, then first token, then idle. The
 * least throughput is judged as the answer comes; the idle timer judges silence. The connect timer belongs to the
 * connection (upstream/sentCall.ts).
 *
 * All of them are one deadline of `Deadlines`, which is set again only where it becomes earlier: what is awaited moves with
 * every chunk. Where it is due before that, it is set for what is left.
 */
export class AttemptTimers implements Deadline {
  dueAt = Infinity;
  before: Deadline | undefined;
  behind: Deadline | undefined;
  readonly #listener: TimerListener;
  readonly #timeouts: Timeouts;
  readonly #stream: boolean;
  readonly #endpoint: string;
  /** The time in which the connection of a complete answer may end. */
  #lingerTimer: NodeJS.Timeout | undefined;
  /** It stands among the deadlines. */
  #isSet = false;
  #awaited: Awaited = 'nothing';
  #awaitedMs = 0;
  #awaitedAt = Infinity;
  #totalAt = Infinity;
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
    const now = performance.now();
    this.#totalAt = now + totalMs;
    // A buffered answer sends its headers when it is complete, so the time to the headers is the time to the whole of it.
    this.#await('headers', this.#stream ? headersMs : bufferedHeadersMs, now);
  }

  /** Headers are here; content is not. */
  awaitContent(): void {
    this.#await('content', this.#timeouts.firstTokenMs);
  }

  /** A refusal's headers are here; its explanation is not. */
  awaitExplanation(): void {
    this.#await('explanation', Math.min(this.#timeouts.firstTokenMs, longestExplanationMs));
  }

  /** A buffered answer has begun, so far with nothing but blank lines: the provider is at work, and the answer comes whole. */
  awaitWhole(): void {
    this.#await('whole', this.#timeouts.bufferedHeadersMs);
  }

  /** The first content is here. */
  contentArrived(): void {
    const now = performance.now();
    this.#idling = true;
    this.#firstContentAt = now;
    this.#lastContentAt = now;
    this.#stretchAt = now;
    this.#await('next-content', this.#timeouts.idleMs, now);
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
    this.#awaitedAt = now + this.#awaitedMs;
  }

  /** The caller is slow: its slowness is not the provider's. */
  pause(): void {
    this.#pausedAt ??= performance.now();
  }

  /** The caller can take more. */
  resume(): void {
    const now = performance.now();
    if (this.#pausedAt !== undefined && this.#idling) {
      this.#firstContentAt += now - this.#pausedAt;
      // Of what was on its way some came in the meantime.
      this.#lastContentAt = Math.min(now, this.#lastContentAt + now - this.#pausedAt);
    }
    this.#pausedAt = undefined;
    this.#received += 1;
    this.#stretchAt = 0;
    this.#awaitedAt = now + this.#awaitedMs;
  }

  /** The answer is complete; waits a moment for the connection to end, and no longer whatever comes meanwhile. Has an effect once. */
  linger(ms: number): void {
    if (this.#lingering) return;
    this.#lingering = true;
    this.stop();
    this.#idling = false;
    this.#lingerTimer = setTimeout(() => this.#listener.onLingered(), ms);
  }

  stop(): void {
    if (this.#isSet) this.#unset();
    if (this.#lingerTimer !== undefined) clearTimeout(this.#lingerTimer);
    this.#awaited = 'nothing';
    this.#awaitedAt = Infinity;
    this.#totalAt = Infinity;
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

  #await(awaited: Awaited, ms: number, now = performance.now()): void {
    this.#awaited = awaited;
    this.#awaitedMs = ms;
    this.#awaitedAt = now + ms;
    this.#received += 1;
    this.#schedule(now);
  }

  /** Sets the deadline, unless it is soon enough. */
  #schedule(now: number): void {
    const due = Math.min(this.#awaitedAt, this.#totalAt);
    if (this.#isSet) {
      if (this.dueAt <= due) return;
      this.#unset();
    }
    this.#isSet = true;
    requestDeadlines.add(this, due, now);
  }

  #unset(): void {
    this.#isSet = false;
    requestDeadlines.remove(this);
  }

  onDue(): void {
    this.#isSet = false;
    const now = performance.now();
    if (now >= this.#totalAt - toleranceMs) {
      this.#listener.onExpired(this.#totalFailure());
      return;
    }
    if (this.#pausedAt !== undefined) this.#awaitedAt = now + this.#awaitedMs;
    // A process that was busy for long finds its deadlines due before it reads what has come meanwhile.
    if (now >= this.#awaitedAt - toleranceMs) setImmediate(confirm, this, this.#received);
    else this.#schedule(now);
  }

  /** What is awaited is overdue, unless it came in the same turn of the loop. @param received as it was when the timer fired */
  overdue(received: number): void {
    if (this.#awaited === 'nothing' || this.#lingering) return;
    if (this.#received === received && this.#pausedAt === undefined) this.#listener.onExpired(this.#failure(this.#awaited, this.#awaitedMs));
    else this.#schedule(performance.now());
  }

  /** Made when a timer fires, because nearly none does. */
  #failure(awaited: Exclude<Awaited, 'nothing'>, ms: number): WaybillError {
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

function confirm(timers: AttemptTimers, received: number): void {
  timers.overdue(received);
}

/** Milliseconds with one decimal place. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function durationText(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
