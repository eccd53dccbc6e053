import type { LimitClaim } from './limitClaims.ts';
import type { Refusal } from './rateWindow.ts';

/** A refusal for looks that take nothing. `promptTokens`: the smallest prompt that it holds for. */
export interface RememberedRefusal { readonly refusal: Refusal; readonly until: number; readonly promptTokens: number }

/** A refusal is remembered for so long at most. */
const rateLookMs = 1_000;

/** A refusal of a claim, to be remembered from `now` on. */
export function remembered({ promptTokens }: LimitClaim, refusal: Refusal, now: number): RememberedRefusal {
  return { refusal, until: Math.min(refusal.retryAt, now + rateLookMs), promptTokens: refusal.tokensOnly === true ? promptTokens : 0 };
}

/** The refusal, while it holds for a prompt of so many tokens. */
export function heldRefusal(one: RememberedRefusal | undefined, promptTokens: number, now: number): Refusal | undefined {
  return one !== undefined && now < one.until && promptTokens >= one.promptTokens ? one.refusal : undefined;
}
