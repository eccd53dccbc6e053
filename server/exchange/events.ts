import type { Attempt, AttemptRole, Plan, PlannedTarget, Receipt } from '../api/receipt.ts';
import type { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { PriceRequest } from '../pricing/pricing.ts';
import type { TimerPhase } from '../base/failureCodes.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { RunningExchange } from './runningExchange.ts';

/** An exchange began. Its receipt has no plan yet. */
export interface ExchangeStarted { readonly exchange: RunningExchange }

/** A plan was made for an exchange: at its start, and each time the exchange looks again. */
export interface ExchangePlanned {
  readonly exchange: RunningExchange;
  readonly plan: Plan;
  /** The route that was asked for; undefined for models and pinned targets. */
  readonly route: string | undefined;
}

/** One attempt, as far as it is known when it is sent. It holds no secret. */
export interface AttemptStarted {
  readonly exchangeId: string;
  readonly target: PlannedTarget;
  readonly endpoint: EndpointConfig;
  /** Handle of the key; undefined where the endpoint needs none. */
  readonly keyId: string | undefined;
  /** Counts from 1. */
  readonly number: number;
  /** Why the attempt is made, where it is not simply the next of the plan. */
  readonly role: AttemptRole | undefined;
  /** The caller asked for a stream. */
  readonly stream: boolean;
  /** The attempt is the one that a half-open breaker let through. */
  readonly trial: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The headers of a provider's answer are here, good or bad. Not published for an answer that fault injection altered. */
export interface AttemptAnswering {
  readonly attempt: AttemptStarted;
  readonly status: number | undefined;
  readonly headers: ResponseHeaders;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The first content that the caller can see is here: from now on a failure is visible. */
export interface AttemptCommitted { readonly attempt: AttemptStarted }

/**
 * How an attempt ended. `abandoned`: the caller went away, or the exchange ended otherwise; `beaten`: another target began to
 * answer first. Neither of these two says anything about the provider.
 */
export type AttemptVerdict = 'ok' | 'failed' | 'abandoned' | 'beaten';

/** An attempt ended. The cost of its record is still unknown. */
export interface AttemptEnded {
  readonly attempt: AttemptStarted;
  readonly record: Attempt;
  readonly verdict: AttemptVerdict;
  /** Present exactly where the verdict is `failed`. */
  readonly error: WaybillError | undefined;
  /** The HTTP status that the provider sent; the record also holds one that a failure implies. */
  readonly status: number | undefined;
  /** The timer that ended the attempt. */
  readonly timedOut: TimerPhase | undefined;
  /** Tokens a second, where they were measured. */
  readonly tokensPerSecond: number | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** An attempt and what its price is found by. */
export interface UnpricedAttempt { readonly record: Attempt; readonly price: PriceRequest }

/** An exchange ended, and its caller has been answered. The attempts have no cost yet. */
export interface ExchangeEnded {
  readonly exchange: RunningExchange;
  readonly receipt: Receipt;
  /** The attempts of the receipt, in the same order. */
  readonly attempts: readonly UnpricedAttempt[];
  /** The route that was asked for; undefined for models and pinned targets. */
  readonly route: string | undefined;
}

/** Every attempt of an exchange that ended has its price, or is known to have none, and the ledger has its receipt. */
export interface ExchangePriced { readonly receipt: Receipt; readonly route: string | undefined }

/**
 * What listens to exchanges. Each event is one plain value that a listener only reads. Listeners are called synchronously, in
 * the order in which they subscribed; what one of them throws reaches neither the exchange nor the other listeners.
 */
export interface ExchangeObserver {
  /** The subject of the log's sentence when the observer throws: "The event log". */
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
