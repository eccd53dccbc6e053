import type { Allowance, AllowanceLeft } from '../../routing/caps/allowance.ts';
import type { LimitClaim } from '../limitClaims.ts';
import type { Refusal } from '../rateWindow.ts';
import type { CountHold } from './countCalls.ts';

/** What an attempt needs, beside what this server alone decides. */
export interface TakeOrder {
  readonly claims: readonly LimitClaim[];
  /** The limits of a token, which the first attempt of an exchange takes. */
  readonly ofToken: readonly LimitClaim[];
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

/** A hold as this server knows it. */
export interface Hold extends CountHold {
  /** The store knows of it. */
  isHeld: boolean;
  /** The store was told of it behind its begin, and may know of it. */
  wasTold: boolean;
  isOver: boolean;
}

export type TakeAnswer =
  | { readonly taken: true; readonly hold: CountHold; /** What was taken for the token. */ readonly token: CountHold | undefined }
  /** `claim` is undefined where the reason lies in none of them. */
  | { readonly taken: false; readonly kind: 'limit'; readonly claim: LimitClaim | undefined; readonly refusal: Refusal }
  | { readonly taken: false; readonly kind: 'allowance'; readonly misfit: AllowanceLeft }
  /** The share of this server is used up while the store is away; what is left of all of it is known when the store is back. */
  | { readonly taken: false; readonly kind: 'share'; readonly misfit: AllowanceLeft; readonly retryAfterMs: number }
  /** Nothing is admitted while the store is away. */
  | { readonly taken: false; readonly kind: 'away'; readonly reason: string; readonly retryAfterMs: number };

/** How a hold ended. */
export interface HoldEnd {
  readonly isSent: boolean;
  /** Undefined: as was taken. */
  readonly tokens: number | undefined;
  /** What is known of what it cost; undefined: nothing. */
  readonly microUsd: number | undefined;
  /** That is all. */
  readonly isAll: boolean;
}
