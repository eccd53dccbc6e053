import type { LimitSettings } from '../api/settings.ts';
import type { LimitTransaction, UsedSecond } from '../ledger/limitStore.ts';
import { atOnceRefusal, RateWindow, windowSeconds, type Refusal } from './rateWindow.ts';

/** What a request wants to take in one scope. */
export interface LimitClaim {
  /** An endpoint, or one key of an endpoint. */
  readonly scope: string;
  readonly limits: Pick<LimitSettings, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>;
  /** Whose limits they are, for the sentence. */
  readonly whose: string;
  /** Tokens to reserve. */
  readonly tokens: number;
  /** Tokens of the prompt alone, which looks that take nothing go by. */
  readonly promptTokens: number;
  /** Requests of this process that run in the scope already; undefined where requests at once are not counted. */
  readonly running: number | undefined;
}

/** `claim`: which one does not fit; undefined where the reason has nothing to do with any of them. */
export interface ClaimRefusal { readonly claim: LimitClaim | undefined; readonly refusal: Refusal }

/** When requests at once are worth another look. */
export const atOnceLookMs = 50;
/** More than any limit that can be set; keeps sums far from the bounds of integers. */
const mostTokens = 1e12;

/** The first claim that does not fit beside what all members did. */
export function firstMisfit(transaction: LimitTransaction, claims: readonly LimitClaim[], now: number): ClaimRefusal | undefined {
  for (const claim of claims) {
    const { limits: { concurrency, requestsPerMinute = Infinity, tokensPerMinute = Infinity }, scope } = claim;
    const since = Math.floor(now / 1000) - windowSeconds;
    const running = concurrency === undefined ? 0 : (claim.running ?? 0) + transaction.runningElsewhere(scope);
    const used = transaction.used(scope, since);
    if ((concurrency === undefined || running < concurrency) && used.requests < requestsPerMinute && used.tokens + claim.tokens <= tokensPerMinute) continue;
    const refusal = misfit(claim, running, transaction.seconds(scope, since), now);
    if (refusal !== undefined) return { claim, refusal };
  }
  return undefined;
}

/** What stands in the way of a claim where so many requests run and so much was used. */
export function misfit({ limits, whose, tokens }: LimitClaim, running: number, seconds: readonly UsedSecond[], now: number): Refusal | undefined {
  const window = new RateWindow(limits, whose);
  window.load(seconds);
  const rate = window.look(tokens, now);
  const { concurrency } = limits;
  return rate ?? (concurrency === undefined || running < concurrency ? undefined : atOnceRefusal(whose, concurrency, now + atOnceLookMs));
}

/** Enters what a claim takes. */
export function enter(transaction: LimitTransaction, { scope, tokens, running }: LimitClaim, second: number): void {
  transaction.add(scope, second, 1, inBounds(tokens));
  if (running !== undefined) transaction.setRunning(scope, running + 1);
}

/** The equal share of one of so many members, at least one of each. */
export function shareOf(limits: LimitClaim['limits'], members: number): LimitClaim['limits'] {
  const share = (limit: number | undefined): number | undefined => limit === undefined ? undefined : Math.max(1, Math.floor(limit / members));
  return { requestsPerMinute: share(limits.requestsPerMinute), tokensPerMinute: share(limits.tokensPerMinute), concurrency: share(limits.concurrency) };
}

/** A number of tokens as it can be counted: whole and finite. */
export function inBounds(tokens: number): number {
  return Number.isFinite(tokens) ? Math.round(Math.max(-mostTokens, Math.min(mostTokens, tokens))) : 0;
}
