import type { LimitSettings } from '../api/settings.ts';
import type { LimitTransaction, UsedSecond } from '../ledger/limitStore.ts';
import { atOnceRefusal, RateWindow, rateWindowSeconds, type Refusal } from './rateWindow.ts';

/** What a request needs in one scope. */
export interface LimitClaim {
  /** An endpoint, or one key of an endpoint. */
  readonly scope: string;
  readonly limits: Pick<LimitSettings, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>;
  /** Whose limits they are, as the subject of a reason. */
  readonly whose: string;
  /** Tokens to reserve. */
  readonly tokens: number;
  /** Tokens of the prompt alone, which looks use. */
  readonly promptTokens: number;
  /** Requests of this process that run in the scope already; undefined where the scope does not count requests at once. */
  readonly running: number | undefined;
}

/** `claim`: the one that does not fit; undefined where the reason lies in none of them. */
export interface ClaimRefusal { readonly claim: LimitClaim | undefined; readonly refusal: Refusal }

/** How soon a limit of requests at once is worth another look. */
export const atOnceLookMs = 50;
/** More than any limit that can be set; keeps sums far from the bounds of integers. */
const mostTokens = 1e12;

/** The first claim that does not fit beside what all members used. */
export function firstMisfit(transaction: LimitTransaction, claims: readonly LimitClaim[], now: number): ClaimRefusal | undefined {
  for (const claim of claims) {
    const { limits: { concurrency, requestsPerMinute = Infinity, tokensPerMinute = Infinity }, scope } = claim;
    const since = Math.floor(now / 1000) - rateWindowSeconds;
    const running = concurrency === undefined ? 0 : (claim.running ?? 0) + transaction.runningElsewhere(scope);
    const used = transaction.used(scope, since);
    if ((concurrency === undefined || running < concurrency) && used.requests < requestsPerMinute && used.tokens + claim.tokens <= tokensPerMinute) continue;
    const refusal = misfit(claim, running, transaction.seconds(scope, since), now);
    if (refusal !== undefined) return { claim, refusal };
  }
  return undefined;
}

/** Why a claim does not fit beside the requests under way and what was used; undefined where it fits. @param running requests of all members @param seconds usage of all members, oldest first */
export function misfit({ limits, whose, tokens }: LimitClaim, running: number, seconds: readonly UsedSecond[], now: number): Refusal | undefined {
  const rateWindow = new RateWindow(limits, whose);
  rateWindow.load(seconds);
  const rate = rateWindow.look(tokens, now);
  const { concurrency } = limits;
  return rate ?? (concurrency === undefined || running < concurrency ? undefined : atOnceRefusal(whose, concurrency, now + atOnceLookMs));
}

/** Writes what a claim takes into the store. */
export function enter(transaction: LimitTransaction, { scope, tokens, running }: LimitClaim, second: number): void {
  transaction.add(scope, second, 1, inBounds(tokens));
  if (running !== undefined) transaction.setRunning(scope, running + 1);
}

/** The equal share of one of `members` members, and at least 1 of each limit. */
export function shareOf(limits: LimitClaim['limits'], members: number): LimitClaim['limits'] {
  const share = (limit: number | undefined): number | undefined => limit === undefined ? undefined : Math.max(1, Math.floor(limit / members));
  return { requestsPerMinute: share(limits.requestsPerMinute), tokensPerMinute: share(limits.tokensPerMinute), concurrency: share(limits.concurrency) };
}

/** A number of tokens as it can be counted: whole and finite. */
export function inBounds(tokens: number): number {
  return Number.isFinite(tokens) ? Math.round(Math.max(-mostTokens, Math.min(mostTokens, tokens))) : 0;
}
