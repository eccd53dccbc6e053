import type { LimitLeft } from '../api/status.ts';
import { grouped } from '../base/grouped.ts';
import { countedKinds, type CountedKind, type ReportedFigure, type ReportedLimits } from '../base/headers/rateHeaders.ts';
import { waitWords } from '../health/wording.ts';

/** How a provider counts, as far as it is published; see `Provider.rateLimits`. */
export interface CountingRules {
  /** A limit fills up bit by bit until its reset, instead of all at once at the reset. */
  refills?: boolean | undefined;
  /** Prompt tokens that come from a cache do not count, so that an estimate of the prompt says nothing. */
  cachedFree?: boolean | undefined;
}

/** Why a provider is bound to refuse a request, and until when. */
export interface Shortage {
  reason: string;
  /** The reason without how long it holds. */
  limit: string;
  retryAt: number;
}

interface Known {
  limit: number | undefined;
  remaining: number;
  resetAt: number | undefined;
  seenAt: number;
  /** Until when these figures kept a request back; absent: they kept none back. */
  keptBackUntil?: number;
  /** How often in a row these figures kept a request back and the next good answer still reported no more. */
  stuck: number;
}

/** Figures are not believed for longer; the next request then finds out. A refusal has its own, longer, cooldown. */
const longestTrustMs = 5 * 60_000;
/** Where no reset is named: the span that nearly all limits are counted over, and a wait where not even the limit is known. */
const usualSpanMs = 60_000;
const blindWaitMs = 1000;
/** Resets given in whole seconds differ by as much between two answers of one rate window. */
const sameRateWindowMs = 1500;
/** How often in a row figures may keep requests back without being confirmed. */
const stuckAtMost = 3;
/** Below this share, or this number of requests, little is left. */
const littleShare = 0.1;
const littleRequests = 5;

/**
 * What a provider reported as left of its limits for one key (or account) and model, less what was sent since.
 *
 * Only a request that is bound to be refused is kept back. Doubt favours the request: requests that were under way when an
 * answer came are assumed to be in its figures, a limit that is known to refill gradually is assumed to have done so, and
 * a request larger than the whole limit is admitted when nothing else was used. Figures are forgotten at their reset,
 * believed for five minutes at most, and not at all once good answers have contradicted them three times in a row.
 */
export class ProviderLimits {
  readonly #rules: CountingRules;
  readonly #known = new Map<CountedKind, Known>();
  #sentRequests = 0;
  #sentTokens = 0;
  #version = 0;

  constructor(rules: CountingRules) {
    this.#rules = rules;
  }

  /** Grows with each answer that reported limits. */
  get version(): number {
    return this.#version;
  }

  /**
   * Takes over the limits that an answer reported.
   * @param refused the answer was the refusal of a rate limit, which proves that figures of nothing left are true
   * @returns the kinds of which little is left
   */
  observe(limits: ReportedLimits, now: number, refused: boolean): readonly CountedKind[] {
    let little: CountedKind[] | undefined;
    let older = false;
    for (const kind of countedKinds) {
      const reported = limits[kind];
      if (reported?.remaining === undefined) continue;
      const before = this.#known.get(kind);
      if (before !== undefined && this.#isOlder(before, reported, now)) {
        older = true;
        continue;
      }
      const { limit, remaining, resetAt } = reported;
      const known: Known = { limit, remaining, resetAt, seenAt: now, stuck: stuckAfter(before, remaining, refused, now) };
      this.#known.set(kind, known);
      if (isLittle(kind, known, now)) (little ??= []).push(kind);
    }
    // An older answer's figures do not include what was sent since.
    if (!older) {
      this.#sentRequests = 0;
      this.#sentTokens = 0;
      this.#version += 1;
    }
    return little ?? [];
  }

  /** The provider asked for a wait until then: figures are forgotten at that moment, whatever resets they name. */
  believedUntil(at: number): void {
    for (const [kind, known] of this.#known) if (known.resetAt === undefined || known.resetAt > at) this.#known.set(kind, { ...known, resetAt: at });
  }

  /** Figures that came up to a moment are not believed any more. */
  forget(at: number): void {
    for (const [kind, { seenAt }] of this.#known) if (seenAt <= at) this.#known.delete(kind);
  }

  /** Applies what a provider reported to a peer at `at`. */
  applyRemote(kind: CountedKind, reported: ReportedFigure, at: number): void {
    const before = this.#known.get(kind);
    if (reported.remaining === undefined || (before !== undefined && before.seenAt >= at)) return;
    this.observe({ [kind]: reported }, at, false);
  }

  /** Counts a request that is sent at `at`, with at least so many tokens. */
  sent(tokens: number, at: number): void {
    if (this.#known.size === 0) return;
    // The last answer's figures include what peers sent before it.
    for (const { seenAt } of this.#known.values()) if (at < seenAt) return;
    this.#sentRequests += 1;
    this.#sentTokens += tokens;
  }

  /** Corrects what was counted since the last figures: a request took more or fewer tokens than estimated. */
  corrected(byTokens: number): void {
    this.#sentTokens = Math.max(0, this.#sentTokens + byTokens);
  }

  /** Why a request with at least so many tokens would be refused, of several reasons the longest lasting; undefined: none is known. */
  shortage(tokens: number, now: number): Shortage | undefined {
    let longest: Shortage | undefined;
    for (const [kind, known] of this.#known) {
      if (known.stuck >= stuckAtMost) continue;
      const retryAt = this.#freeAt(kind, known, tokens, now);
      if (retryAt === undefined || retryAt <= now) continue;
      if (longest === undefined || retryAt > longest.retryAt) {
        longest = { retryAt, ...shortageWords(kind, known.remaining, tokens, retryAt - now) };
      }
      known.keptBackUntil = retryAt;
    }
    return longest;
  }

  /** What is left now of each kind that was reported lately and has not been reset since. */
  left(now: number): LimitLeft[] {
    const found: LimitLeft[] = [];
    for (const [kind, { limit, remaining, resetAt, seenAt }] of this.#known) {
      if ((resetAt !== undefined && resetAt <= now) || now - seenAt >= longestTrustMs) continue;
      const sent = kind === 'requests' ? this.#sentRequests : kind === 'outputTokens' || this.#rules.cachedFree === true ? 0 : this.#sentTokens;
      found.push({ kind, remaining: Math.max(0, remaining - sent), ...(limit === undefined ? {} : { limit }), ...(resetAt === undefined ? {} : { resetAt }) });
    }
    return found;
  }

  /** When `left` changes by time alone; Infinity: never. */
  changesAt(now: number): number {
    let first = Infinity;
    for (const { resetAt, seenAt } of this.#known.values()) for (const at of [resetAt ?? Infinity, seenAt + longestTrustMs]) if (at > now) first = Math.min(first, at);
    return first;
  }

  /** The figures of a kind, for peers. */
  reportedOf(kind: CountedKind): ReportedFigure | undefined {
    const known = this.#known.get(kind);
    return known === undefined ? undefined : { limit: known.limit, remaining: known.remaining, resetAt: known.resetAt };
  }

  /** Answers overtake each other: within one rate window, figures with more left than was known are older. */
  #isOlder(before: Known, reported: ReportedFigure, now: number): boolean {
    if (this.#rules.refills === true || before.resetAt === undefined || reported.resetAt === undefined || before.resetAt <= now) return false;
    return (reported.remaining ?? 0) > before.remaining && Math.abs(reported.resetAt - before.resetAt) <= sameRateWindowMs && reported.limit === before.limit;
  }

  /** When a request fits; undefined: now. */
  #freeAt(kind: CountedKind, known: Known, tokens: number, now: number): number | undefined {
    const { limit, remaining, resetAt, seenAt } = known;
    // After the clock was set back, figures are from the future.
    if (seenAt > now + sameRateWindowMs || (resetAt !== undefined && resetAt <= now)) return undefined;
    const [needed, sent] = this.#costOf(kind, tokens);
    // More than the whole limit never fits. Once nothing else is used, the request has to find out what the provider does.
    const short = Math.min(needed, limit ?? needed) + sent - remaining;
    if (short <= 0) return undefined;
    const trustedUntil = seenAt + longestTrustMs;
    if (resetAt === undefined) {
      return Math.min(trustedUntil, seenAt + (limit === undefined ? blindWaitMs : Math.min(usualSpanMs, Math.ceil(usualSpanMs * short / limit))));
    }
    if (this.#rules.refills !== true || limit === undefined || limit <= remaining) return Math.min(trustedUntil, resetAt);
    return Math.min(trustedUntil, resetAt, seenAt + Math.ceil((resetAt - seenAt) * short / (limit - remaining)));
  }

  /** What a request uses of a kind, and what was used since the figures came. */
  #costOf(kind: CountedKind, tokens: number): readonly [needed: number, sent: number] {
    switch (kind) {
      case 'requests': return [1, this.#sentRequests];
      case 'tokens':
      case 'inputTokens': return this.#rules.cachedFree === true ? [1, 0] : [Math.max(1, tokens), this.#sentTokens];
      // The length of an answer is unknown beforehand, so only a limit with nothing left refuses it.
      case 'outputTokens': return [1, 0];
    }
  }
}

function stuckAfter(before: Known | undefined, remaining: number, refused: boolean, now: number): number {
  if (before === undefined || refused || remaining > before.remaining) return 0;
  // Answers that arrive while requests are kept back were asked for earlier.
  const waited = before.keptBackUntil !== undefined && now >= before.keptBackUntil;
  return waited && before.limit !== 1 ? before.stuck + 1 : before.stuck;
}

function isLittle(kind: CountedKind, { limit, remaining, resetAt }: Known, now: number): boolean {
  if (resetAt !== undefined && resetAt <= now) return false;
  if (limit === undefined) return kind === 'requests' ? remaining <= littleRequests : resetAt !== undefined;
  return remaining <= limit * littleShare || (kind === 'requests' && remaining <= littleRequests);
}

const kindWords: Readonly<Record<CountedKind, string>> = {
  requests: 'requests', tokens: 'tokens', inputTokens: 'input tokens', outputTokens: 'output tokens',
};

function shortageWords(kind: CountedKind, remaining: number, tokens: number, waitMs: number): Pick<Shortage, 'reason' | 'limit'> {
  const none = kind === 'requests' || remaining < 1;
  const limit = `the provider has ${none ? 'no' : grouped(remaining)} ${kindWords[kind]} left for it`;
  return { limit, reason: `${limit}${none ? '' : `, too few for about ${grouped(tokens)},`} for another ${waitWords(waitMs)}` };
}
