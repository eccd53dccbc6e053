import type { WaybillError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import type { HandedKey } from '../keys/keyHandles.ts';
import type { Cost } from '../api/receipt.ts';
import type { Allowance } from '../routing/caps/allowance.ts';

/** One attempt that asks for leave to be made. */
export interface AdmissionRequest {
  readonly endpoint: EndpointConfig;
  /** Canonical name of the model. */
  readonly model: string;
  /** A cautious estimate of the prompt, in tokens. */
  readonly estimatedInputTokens: number;
  /** Tokens that the answer may have at most; undefined where the request names no bound. */
  readonly maxOutputTokens: number | undefined;
  /** Handles of keys that are not to be used. */
  readonly excludedKeys: ReadonlySet<string>;
  /**
   * Nothing else is left to ask: neither breakers nor what the provider said (waits, limits, refused keys) keep the attempt
   * away, only limits that the user set, and another such attempt that is under way where the provider said something.
   */
  readonly lastResort: boolean;
  /** The conversation that the request belongs to; absent where no key of the endpoint is chosen by it. */
  readonly conversation?: string | undefined;
  /** The exchange whose attempt it is; absent: no token's limits hold for it. */
  readonly exchange?: string | undefined;
  /** What it is expected to cost, and what of; absent: no allowance holds for it. */
  readonly spend?: { readonly allowances: readonly Allowance[]; readonly microUsd: number } | undefined;
}

/** What the choice of a key depends on. */
export interface KeyRequest extends AdmissionRequest {
  /** The handle of a key: only keys that are known to be of another account. */
  readonly apartFrom?: string | undefined;
}

/**
 * What an attempt used, in tokens of prompt and answer together. `unknown`: the estimate stays counted. `unsent`: no byte
 * of the request left this machine, so everything that was counted is taken back.
 */
export type UsedTokens = number | 'unknown' | 'unsent';

/**
 * Leave to make one attempt: the breaker's, that of every limit, and a key, taken together. Exactly one of `refund`,
 * `settle` and `release` gives it back; later calls do nothing.
 */
export interface Permit {
  readonly admitted: true;
  /** The key to send; undefined where the endpoint needs none. */
  readonly key: HandedKey | undefined;
  /** The breaker is half open and waits for what this attempt proves. */
  readonly trial: boolean;
  /** Money is reserved for the attempt, so that its end has to say what it cost. */
  readonly reserves: boolean;
  /** Nothing was sent: whatever was counted is taken back, and the breaker learns nothing. The same as `release('unsent')`. */
  refund(): void;
  /**
   * The attempt ended and proves something about its provider. The health registry frees the attempt's place when it
   * records the outcome, together with `trial`; the permit leaves that place alone.
   * @param cost of an attempt that reserves; absent or unknown: what was reserved counts
   */
  settle(used: UsedTokens, cost?: Cost): void;
  /** The attempt was given up and proves nothing: its place at the breaker is free again. */
  release(used: UsedTokens, cost?: Cost): void;
}

/** No leave, and one clause that says why: `its own limit of 10 requests a minute is used up for another 12 s`. */
export interface Refusal {
  readonly admitted: false;
  readonly reason: string;
  /** What the caller is told of it where no target can serve, with the time to try again. */
  readonly failure?: WaybillError | undefined;
  /** The request may be sent nowhere. */
  readonly fatal?: { readonly error: WaybillError; readonly status: number } | undefined;
}

export type Admitted = Permit | Refusal;

/** Takes everything an attempt needs, or nothing. */
export interface AdmissionControl {
  /** @returns a promise where something outside of this process has to be asked */
  acquire(request: AdmissionRequest): Admitted | Promise<Admitted>;
  /** Whether a key could be used now; takes nothing. */
  hasUsableKey(request: KeyRequest): boolean;
}

/** Admission that asks nothing outside of this process, so that its answers need no promise. */
export interface ImmediateAdmissionControl extends AdmissionControl {
  acquire(request: AdmissionRequest): Admitted;
}
