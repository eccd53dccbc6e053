import type { ConversationEvent } from '../../api/conversation.ts';
import type { KeyMaterial } from '../../api/messages.ts';
import type { PlannedTarget } from '../../api/receipt.ts';
import type { EndpointConfig, Timeouts } from '../../config/config.ts';
import type { ResponseHeaders } from '../../base/headers/responseHeaders.ts';
import type { Permit } from '../admission.ts';
import type { AttemptEnd, AttemptListener, UpstreamAttempt } from './attempt.ts';
import type { AttemptStarted } from '../events.ts';
import type { StartedAttempt } from './record.ts';

/** What hears of an attempt while it runs: its exchange, which may have two of them under way. */
export interface AttemptOwner {
  onAnswering(attempt: RunningAttempt, headers: ResponseHeaders): void;
  onArrive(attempt: RunningAttempt): void;
  onCommit(attempt: RunningAttempt): void;
  onBegin(attempt: RunningAttempt, headers: Readonly<Record<string, string>>): void;
  /** @returns false when the caller is slower than the provider */
  onBytes(chunk: Buffer): boolean;
  onEvents(events: readonly ConversationEvent[]): boolean;
  onPlain(body: Buffer): void;
  onDone(attempt: RunningAttempt, end: AttemptEnd): void;
}

/** How an attempt came about; see launch.ts. */
export interface AttemptOrigin {
  target: PlannedTarget;
  endpoint: EndpointConfig;
  key: KeyMaterial | undefined;
  /** What the attempt took; given back once, at its end. */
  permit: Permit;
  started: StartedAttempt;
  /** The attempt as observers see it. */
  announced: AttemptStarted;
  timeouts: Timeouts;
  /** The timers it would have with nobody to take over. */
  fullTimeouts(): Timeouts;
}

/** One attempt under way, and what has to be given back when it ends. */
export class RunningAttempt implements AttemptListener {
  readonly origin: AttemptOrigin;
  readonly #owner: AttemptOwner;
  #run: UpstreamAttempt | undefined;

  constructor(owner: AttemptOwner, origin: AttemptOrigin) {
    this.#owner = owner;
    this.origin = origin;
  }

  /** The call itself; it is attached before it starts. */
  get run(): UpstreamAttempt {
    if (this.#run === undefined) throw new Error('the attempt has no call yet');
    return this.#run;
  }

  attach(run: UpstreamAttempt): void {
    this.#run = run;
  }

  onAnswering(headers: ResponseHeaders): void {
    this.#owner.onAnswering(this, headers);
  }

  onArrive(): void {
    this.#owner.onArrive(this);
  }

  onCommit(): void {
    this.#owner.onCommit(this);
  }

  onBegin(headers: Readonly<Record<string, string>>): void {
    this.#owner.onBegin(this, headers);
  }

  onBytes(chunk: Buffer): boolean {
    return this.#owner.onBytes(chunk);
  }

  onEvents(events: readonly ConversationEvent[]): boolean {
    return this.#owner.onEvents(events);
  }

  onPlain(body: Buffer): void {
    this.#owner.onPlain(body);
  }

  onDone(end: AttemptEnd): void {
    this.#owner.onDone(this, end);
  }
}
