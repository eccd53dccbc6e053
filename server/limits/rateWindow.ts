import { grouped } from '../base/grouped.ts';
import type { LimitSettings } from '../api/settings.ts';
import type { Admission } from '../health/healthReader.ts';
import type { UsedSecond } from '../ledger/limitStore.ts';
import { waitWords } from '../health/wording.ts';

/** Why limits keep a request back, and until when. */
export type Refusal = Extract<Admission, { admitted: false }> & { /** A request with fewer tokens may fit. */ tokensOnly?: true };

/** The length of a rate window. Usage is forgotten when the whole second it was counted in is so old. */
export const rateWindowSeconds = 60;

type Second = UsedSecond;

/**
 * Requests and tokens of any sixty seconds, against limits the user set. Usage is counted by the second and forgotten only
 * when the whole second is a minute old, so that no sixty seconds ever hold more than the limit. A request whose tokens
 * alone exceed the token limit is admitted when nothing else was used, because otherwise it never could be.
 */
export class RateWindow {
  limits: Pick<LimitSettings, 'requestsPerMinute' | 'tokensPerMinute'>;
  /** Whose limits they are, as the subject of a reason: `its own limit`. */
  readonly #whose: string;
  #seconds: Second[] = [];

  constructor(limits: Pick<LimitSettings, 'requestsPerMinute' | 'tokensPerMinute'>, whose: string) {
    this.limits = limits;
    this.#whose = whose;
  }

  /** Whether there is a limit at all. */
  get limited(): boolean {
    return this.limits.requestsPerMinute !== undefined || this.limits.tokensPerMinute !== undefined;
  }

  /** The limit that keeps a request back longest; undefined where the request fits. */
  look(tokens: number, now: number): Refusal | undefined {
    const { requestsPerMinute, tokensPerMinute } = this.limits;
    this.#forget(now);
    let longest: Refusal | undefined;
    if (requestsPerMinute !== undefined) {
      const freeAt = this.#whenFits(requestsPerMinute, 1, second => second.requests);
      if (freeAt !== undefined) longest = this.#refusal(`${grouped(requestsPerMinute)} requests a minute`, freeAt, now);
    }
    if (tokensPerMinute !== undefined) {
      const freeAt = this.#whenFits(tokensPerMinute, tokens, second => second.tokens);
      if (freeAt !== undefined && (longest === undefined || freeAt > longest.retryAt)) {
        const tokensOnly: Pick<Refusal, 'tokensOnly'> = longest === undefined ? { tokensOnly: true } : {};
        longest = { ...this.#refusal(`${grouped(tokensPerMinute)} tokens a minute`, freeAt, now), ...tokensOnly };
      }
    }
    return longest;
  }

  /** Replaces what was counted. @param seconds oldest first */
  load(seconds: readonly UsedSecond[]): void {
    this.#seconds = seconds.map(second => ({ ...second }));
  }

  /** Counts a request that goes out now. */
  add(tokens: number, now: number): void {
    if (!this.limited) return;
    this.#forget(now);
    const second = Math.floor(now / 1000);
    const last = this.#seconds.at(-1);
    // After the clock was set back, usage counts into the last second: it is forgotten too late rather than too early.
    if (last !== undefined && last.second >= second) count(last, tokens);
    else this.#seconds.push({ second, requests: 1, tokens });
  }

  /** Counts a request that a peer sent at `at`, which may be a while ago. */
  applyRemote(tokens: number, at: number): void {
    if (!this.limited) return;
    const second = Math.floor(at / 1000);
    const index = this.#seconds.findIndex(candidate => candidate.second >= second);
    const found = index < 0 ? undefined : this.#seconds[index];
    if (found?.second === second) count(found, tokens);
    else this.#seconds.splice(index < 0 ? this.#seconds.length : index, 0, { second, requests: 1, tokens });
    if (this.#seconds.length > 2 * rateWindowSeconds) this.#seconds.shift();
  }

  /** Corrects what was counted at `at`: a request took more or fewer tokens than estimated. */
  correct(at: number, byTokens: number): void {
    const second = this.#seconds.find(candidate => candidate.second === Math.floor(at / 1000));
    if (second !== undefined) second.tokens = Math.max(0, second.tokens + byTokens);
  }

  /** Takes back what was counted at `at`: the request was not sent. */
  refund(at: number, tokens: number): void {
    const second = this.#seconds.find(candidate => candidate.second === Math.floor(at / 1000));
    if (second === undefined) return;
    second.requests = Math.max(0, second.requests - 1);
    second.tokens = Math.max(0, second.tokens - tokens);
  }

  #forget(now: number): void {
    const current = Math.floor(now / 1000);
    // After the clock was set back, recent usage counts as used now, so that it is forgotten a minute from now.
    if ((this.#seconds.at(-1)?.second ?? -Infinity) > current + 1) {
      const ahead = this.#seconds.filter(({ second }) => second >= current);
      this.#seconds = this.#seconds.filter(({ second }) => second < current);
      this.#seconds.push(ahead.reduce((sum, one) => ({ second: current, requests: sum.requests + one.requests, tokens: sum.tokens + one.tokens })));
    }
    while ((this.#seconds[0]?.second ?? Infinity) < current - rateWindowSeconds) this.#seconds.shift();
  }

  /** When `needed` more fits under the limit; undefined: now. */
  #whenFits(limit: number, needed: number, amount: (second: Second) => number): number | undefined {
    let used = 0;
    for (const second of this.#seconds) used += amount(second);
    for (const second of this.#seconds) {
      if (used === 0 || used + needed <= limit) break;
      used -= amount(second);
      if (used === 0 || used + needed <= limit) return (second.second + rateWindowSeconds + 1) * 1000;
    }
    return undefined;
  }

  #refusal(limit: string, retryAt: number, now: number): Refusal {
    const usedUp = `${this.#whose} of ${limit} is used up`;
    return { admitted: false, cause: 'rate-limit', retryAt, limit: usedUp, reason: `${usedUp} for another ${waitWords(retryAt - now)}` };
  }
}

/** The refusal of a limit of requests at once. @param retryAt when another look is worth while; when a place becomes free cannot be foreseen */
export function atOnceRefusal(whose: string, concurrency: number, retryAt: number): Refusal {
  return { admitted: false, cause: 'busy', retryAt, reason: `${whose} of ${concurrency} ${concurrency === 1 ? 'request' : 'requests'} at once is reached` };
}

function count(second: Second, tokens: number): void {
  second.requests += 1;
  second.tokens += tokens;
}
