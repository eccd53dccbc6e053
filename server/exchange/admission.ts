import type { KeyMaterial } from '../api/messages.ts';
import type { EndpointConfig } from '../config/config.ts';

/** One attempt that asks for leave to be made. */
export interface AdmissionRequest {
  readonly endpoint: EndpointConfig;
  /** Canonical name of the model. */
  readonly model: string;
  /** A cautious estimate of the prompt, in tokens. */
  readonly estimatedInputTokens: number;
  /** Tokens that the answer may have at most; undefined where the request names no bound. */
  readonly maxOutputTokens: number | undefined;
  /** Ids of keys that are not to be used. */
  readonly excludedKeys: ReadonlySet<string>;
  /** The breaker and cooldowns are passed over: nothing else is left to ask. */
  readonly lastResort: boolean;
}

/**
 * Leave to make one attempt: the breaker's, that of every limit, and a key, taken together. Exactly one of `refund`,
 * `settle` and `release` gives it back; later calls do nothing.
 */
export interface Permit {
  readonly admitted: true;
  /** The key to send; undefined where the endpoint needs none. */
  readonly key: KeyMaterial | undefined;
  /** The breaker is half open and waits for what this attempt proves. */
  readonly trial: boolean;
  /** Nothing was sent: whatever was counted is taken back, and the breaker learns nothing. */
  refund(): void;
  /**
   * The attempt was made, and proves something about its provider: health is told separately, by the event of its end.
   * @param usedTokens prompt and answer together; undefined where unknown, and then the estimate stays counted
   */
  settle(usedTokens: number | undefined): void;
  /** The attempt was made and given up, so it proves nothing: its place at the breaker is free again. */
  release(usedTokens: number | undefined): void;
}

/** No leave, and one clause that says why: `its limit of 10 requests a minute is reached`. */
export interface Refusal { readonly admitted: false; readonly reason: string }

export type Admitted = Permit | Refusal;

/** Takes everything an attempt needs, or nothing. A promise where something outside of this process is to be asked. */
export interface AdmissionControl {
  acquire(request: AdmissionRequest): Admitted | Promise<Admitted>;
  /** A key that could be used now, without taking it. */
  hasUsableKey(request: Omit<AdmissionRequest, 'lastResort'>): boolean;
}
