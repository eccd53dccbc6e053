import { rateWindowSeconds } from './rateWindow.ts';
import type { LimitTransaction, UsedSecond } from '../ledger/limitStore.ts';
import type { RememberedRefusal } from './rememberedRefusal.ts';

interface OwnSecond extends UsedSecond {
  /** The part of it that the store knows. */
  storedRequests: number;
  storedTokens: number;
}

/** What this process used in one scope in the last minute, and how much of it the store knows. */
export class OwnUse {
  readonly scope: string;
  /** Requests under way now. */
  running = 0;
  #storedRunning = 0;
  /** The last refusal. */
  refused: RememberedRefusal | undefined;
  #seconds: OwnSecond[] = [];

  constructor(scope: string) {
    this.scope = scope;
  }

  get seconds(): readonly UsedSecond[] {
    return this.#seconds;
  }

  /** Nothing of the last minute is left, no request runs, and the store knows both. */
  idle(now: number): boolean {
    return this.#seconds.length === 0 && this.running === 0 && this.#storedRunning === 0 && (this.refused === undefined || now >= this.refused.until);
  }

  /** Counts a request that is sent now. @param running requests under way, this one included; undefined: not counted here @param stored the store knows it already */
  add(second: number, tokens: number, running: number | undefined, stored: boolean): void {
    this.running = running ?? 0;
    if (stored) this.#storedRunning = this.running;
    let last = this.#seconds.at(-1);
    if (last?.second !== second) {
      this.forget(second);
      last = { second, requests: 0, tokens: 0, storedRequests: 0, storedTokens: 0 };
      this.#seconds.push(last);
    }
    last.requests += 1;
    last.tokens += tokens;
    if (!stored) return;
    last.storedRequests += 1;
    last.storedTokens += tokens;
  }

  /** Corrects what was counted in a second. A second that is forgotten stays so. */
  correct(second: number, requests: number, tokens: number): void {
    const found = this.#seconds.find(one => one.second === second);
    if (found === undefined) return;
    found.requests = Math.max(0, found.requests + requests);
    found.tokens = Math.max(0, found.tokens + tokens);
  }

  /** Drops seconds that are a minute old, and those in the future, which remain after the clock was set back. */
  forget(currentSecond: number): void {
    this.#seconds = this.#seconds.filter(({ second }) => second >= currentSecond - rateWindowSeconds && second <= currentSecond);
  }

  /** Writes what the store does not know yet. `stored` confirms it once the transaction is committed. */
  store(transaction: LimitTransaction): void {
    if (this.running !== this.#storedRunning) transaction.setRunning(this.scope, this.running);
    for (const one of this.#seconds) {
      const requests = one.requests - one.storedRequests;
      const tokens = one.tokens - one.storedTokens;
      if (requests !== 0 || tokens !== 0) transaction.add(this.scope, one.second, requests, tokens);
    }
  }

  /** What `store` wrote is committed. */
  stored(): void {
    this.#storedRunning = this.running;
    for (const one of this.#seconds) {
      one.storedRequests = one.requests;
      one.storedTokens = one.tokens;
    }
  }

  /** The store was replaced and knows nothing of this scope. */
  unknown(): void {
    this.#storedRunning = 0;
    for (const one of this.#seconds) one.storedRequests = one.storedTokens = 0;
  }
}
