import type { Attempt, Plan, PlannedTarget, Receipt } from '../api/receipt.ts';
import type { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { PriceRequest } from '../pricing/pricing.ts';
import type { TimerPhase } from '../timeouts/adaptiveTimeouts.ts';
import type { ResponseHeaders } from '../upstream/transport.ts';
import type { TickedRun } from './services.ts';

/** An exchange began. Its receipt has no plan yet. */
export interface ExchangeStarted { readonly exchange: TickedRun }

/** A plan was made for an exchange, at its start and each time the exchange looks again. */
export interface ExchangePlanned { readonly exchange: TickedRun; readonly plan: Plan; /** The route that was asked for; absent for models and pinned targets. */ readonly route: string | undefined }

/** One attempt, as far as it is known when it is sent. */
export interface AttemptStarted {
  readonly exchangeId: string;
  readonly target: PlannedTarget;
  readonly endpoint: EndpointConfig;
  /** Id of the key; undefined where the endpoint needs none. */
  readonly keyId: string | undefined;
  /** Counts from 1. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The headers of a provider's answer are here, good or bad. Never sent for an answer that fault injection altered. */
export interface AttemptAnswering { readonly attempt: AttemptStarted; readonly status: number | undefined; readonly headers: ResponseHeaders }

/** The first content that the caller can see is here: from now on a failure is visible. */
export interface AttemptCommitted { readonly attempt: AttemptStarted }

/** An attempt ended. The cost of its record is unknown still. */
export interface AttemptEnded {
  readonly attempt: AttemptStarted;
  readonly record: Attempt;
  /** `abandoned`: the caller went away; `beaten`: another target began to answer first. Neither says anything about the provider. */
  readonly verdict: 'ok' | 'failed' | 'abandoned' | 'beaten';
  readonly error: WaybillError | undefined;
  /** The timer that ended it. */
  readonly timedOut: TimerPhase | undefined;
  /** Tokens a second, where they were measured. */
  readonly tokensPerSecond: number | undefined;
  /** The attempt was the one that a half-open breaker let through. */
  readonly trial: boolean;
  /** The caller asked for a stream. */
  readonly stream: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** An attempt and what its price is found by. */
export interface UnpricedAttempt { readonly record: Attempt; readonly price: PriceRequest }

/** An exchange ended; its caller has been answered. The attempts have no cost yet. */
export interface ExchangeEnded { readonly exchange: TickedRun; readonly receipt: Receipt; readonly attempts: readonly UnpricedAttempt[] }

/** Every attempt of an exchange that ended has its price, or is known to have none. */
export interface ExchangePriced { readonly receipt: Receipt; /** The route that was asked for. */ readonly route: string | undefined }

/**
 * What listens to exchanges. Each event is one plain value that a listener only reads. Listeners are called in the order in
 * which they subscribed, synchronously, and what one of them throws reaches neither the exchange nor the other listeners.
 */
export interface ExchangeObserver {
  /** Names the listener in the log when it throws. */
  readonly name: string;
  onStarted?(event: ExchangeStarted): void;
  onPlanned?(event: ExchangePlanned): void;
  onAttemptStarted?(event: AttemptStarted): void;
  onAnswering?(event: AttemptAnswering): void;
  onCommitted?(event: AttemptCommitted): void;
  onAttemptEnded?(event: AttemptEnded): void;
  onEnded?(event: ExchangeEnded): void;
  onPriced?(event: ExchangePriced): void;
}
