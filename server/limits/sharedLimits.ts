import { atOnceLookMs, enter, firstMisfit, inBounds, misfit, shareOf, type ClaimRefusal, type LimitClaim } from './limitClaims.ts';
import type { LimitOutcome, LimitStore, LimitTransaction } from '../ledger/limitStore.ts';
import { OwnUse } from './ownUse.ts';
import { rateWindowSeconds, type Refusal } from './rateWindow.ts';
import { heldRefusal, remembered } from './rememberedRefusal.ts';

/** What a request took, and by how much that was too little. */
export interface ReleasedClaims {
  /** The endpoint. */
  readonly scope: string;
  /** Requests of this process that still run there. */
  readonly running: number;
  readonly claims: readonly LimitClaim[];
  /** When the claims were taken, in milliseconds since the epoch. */
  readonly at: number;
  /** Requests to add to what was counted: 0, or -1 for one that was not sent. */
  readonly requests: number;
  /** Tokens to add to what was counted; negative where too many were. */
  readonly tokens: number;
}

/** A member whose last heartbeat is older does not admit from memory, because peers may have taken it for dead. */
export const trustedMs = 3_000;
/** How long a member has to be the only one before it counts in memory only. */
export const settleMs = 3_000;
/** A store that was busy for so long, and in so many transactions in a row, counts as unusable. */
const busyAtMostMs = 1_000;
const busyAttemptsAtMost = 5;
/** How soon another look at a busy store is worth while. */
const busyLookMs = 25;
/** After a store works again, every server has stored within so long what it did in the meantime. */
const reunitedMs = 2_000;

/**
 * Counts the user's limits over all servers of a data folder, exactly: one transaction with a common store both checks
 * that a request fits and enters it, before it is sent.
 *
 * A server that has been the only member for `settleMs` counts in memory and stores a heartbeat and what it used once a
 * second. A newcomer waits for that server's next heartbeat, for `trustedMs` at most, before its first request.
 * A store that cannot be used leaves each server its equal share of each limit, and at least one request.
 */
export class SharedLimits {
  readonly #store: LimitStore;
  readonly #own = new Map<string, OwnUse>();
  /** Scopes whose usage the store does not know in full. */
  readonly #unstored = new Set<OwnUse>();
  readonly #limited = new Set<string>();
  #joined = false;
  #alone = false;
  #generation: string;
  #beatAt = -Infinity;
  #companyAt = -Infinity;
  /** Since when the store has listed this member without interruption. */
  #knownSince = -Infinity;
  /** Members at the last heartbeat, this one included. */
  #members = 1;
  #failingSince: number | undefined;
  #failures = 0;
  /** The store could not be used at the last heartbeat, or since. The next heartbeat tries it again; requests do not. */
  #isStoreDown = false;
  #sharesUntil = -Infinity;

  constructor(store: LimitStore) {
    this.#store = store;
    this.#generation = store.generation;
  }

  /** @param hasLimits some endpoint, or some of what else is limited, has a limit; without one the store is never touched @param of what is limited */
  configure(hasLimits: boolean, of: 'endpoints' | 'tokens' = 'endpoints'): void {
    if (hasLimits) this.#limited.add(of);
    else this.#limited.delete(of);
  }

  /**
   * Takes what all claims need, or nothing.
   * @returns undefined when it was taken; `release` has to be called for it once
   */
  take(claims: readonly LimitClaim[], now: number): ClaimRefusal | undefined {
    const second = Math.floor(now / 1000);
    if (this.#alone && this.#isTrusted(now)) {
      this.#count(claims, second, false);
      return undefined;
    }
    const beyond = this.#keepsToShare(now) ? this.#beyondShare(claims, now) : undefined;
    if (beyond !== undefined) return this.#remember(claims, beyond, now);
    const outcome: LimitOutcome<ClaimRefusal | undefined> = this.#isStoreDown ? { done: false, busy: false } : this.#transact(now, transaction => {
      if (!this.#isTrusted(now)) this.#beatIn(transaction, now);
      const misfit = this.#isNew(now) && transaction.anotherIsAlone(now) ? notCountedYet(now) : firstMisfit(transaction, claims, now);
      if (misfit === undefined) for (const claim of claims) enter(transaction, claim, second);
      return misfit;
    });
    const refused = outcome.done ? outcome.value : this.#withoutStore(claims, outcome.busy, now);
    if (refused !== undefined) return this.#remember(claims, refused, now);
    this.#count(claims, second, outcome.done);
    return undefined;
  }

  /** The last refusal in a scope, while it still holds. Changes nothing and does not ask the store. */
  look(scope: string, promptTokens: number, now: number): Refusal | undefined {
    return heldRefusal(this.#own.get(scope)?.refused, promptTokens, now);
  }

  /** Ends what `take` took, and corrects it by what was used. */
  release({ scope, running, claims, at, requests, tokens }: ReleasedClaims): void {
    if (this.#own.size === 0) return;
    const second = Math.floor(at / 1000);
    const endpoint = this.#own.get(scope);
    if (endpoint !== undefined) {
      endpoint.running = running;
      endpoint.refused = undefined;
      this.#unstored.add(endpoint);
    }
    for (const claim of claims) {
      const own = this.#own.get(claim.scope);
      if (own === undefined || (requests === 0 && tokens === 0)) continue;
      own.correct(second, requests, inBounds(tokens));
      this.#unstored.add(own);
    }
    if (this.#unstored.size > 0 && this.#joined && !this.#alone && !this.#isStoreDown) this.#transact(undefined, () => undefined);
  }

  /** The heartbeat, once a second: removes dead members and stores what is unstored. */
  beat(now: number): void {
    if (this.#limited.size === 0) {
      if (this.#joined) this.close();
      return;
    }
    this.#store.check();
    const second = Math.floor(now / 1000);
    for (const [scope, own] of this.#own) {
      own.forget(second);
      if (!own.idle(now)) continue;
      this.#own.delete(scope);
      this.#unstored.delete(own);
    }
    this.#transact(now, transaction => this.#beatIn(transaction, now));
  }

  /** Takes this server out of the store; what it used stays there. */
  close(): void {
    if (this.#joined) this.#transact(undefined, transaction => transaction.remove());
    this.#joined = false;
    this.#alone = false;
    this.#beatAt = -Infinity;
    this.#store.close();
  }

  #isTrusted(now: number): boolean {
    return now >= this.#beatAt && now - this.#beatAt <= trustedMs;
  }

  /** A peer may still admit from memory because it has not seen this member; after `trustedMs` it cannot. */
  #isNew(now: number): boolean {
    return Math.abs(now - this.#knownSince) <= trustedMs;
  }

  /** A transaction that first stores what is unstored. */
  #transact<Value>(now: number | undefined, work: (transaction: LimitTransaction) => Value): LimitOutcome<Value> {
    const outcome = this.#store.transact(transaction => {
      this.#noticeGeneration();
      for (const own of this.#unstored) own.store(transaction);
      return work(transaction);
    });
    if (!outcome.done) {
      // The store rolled back what the transaction set, so this object must not believe it either.
      this.#beatAt = -Infinity;
      this.#alone = false;
      this.#failingSince ??= now;
      this.#failures += 1;
      this.#isStoreDown ||= !outcome.busy || this.#isBusyTooLong(now ?? this.#failingSince);
      return outcome;
    }
    if (this.#isStoreDown && now !== undefined) {
      this.#isStoreDown = false;
      this.#sharesUntil = now + reunitedMs;
    }
    for (const own of this.#unstored) own.stored();
    this.#unstored.clear();
    this.#failingSince = undefined;
    this.#failures = 0;
    return outcome;
  }

  #noticeGeneration(): void {
    if (this.#generation === this.#store.generation) return;
    this.#generation = this.#store.generation;
    for (const own of this.#own.values()) {
      own.unknown();
      this.#unstored.add(own);
    }
  }

  #beatIn(transaction: LimitTransaction, now: number): void {
    // After the machine slept, or its clock leapt, the heartbeats of all members are late.
    const stoodStill = this.#joined && !this.#isTrusted(now);
    let living = 0;
    for (const { id, alive } of transaction.others(now)) {
      if (alive || stoodStill) living += 1;
      else transaction.remove(id);
    }
    if (living > 0 || !this.#joined) this.#companyAt = now;
    const alone = living === 0 && now - this.#companyAt >= settleMs;
    if (!transaction.beat(now, alone)) {
      this.#knownSince = now;
      for (const { scope, running } of this.#own.values()) if (running > 0) transaction.setRunning(scope, running);
    }
    const second = Math.floor(now / 1000);
    transaction.forget(second - rateWindowSeconds, second + 1);
    this.#members = living + 1;
    this.#joined = true;
    this.#alone = alone;
    this.#beatAt = now;
  }

  /** What follows a failed transaction: a short wait for a busy store; without a store each limit is divided equally. */
  #withoutStore(claims: readonly LimitClaim[], busy: boolean, now: number): ClaimRefusal | undefined {
    if (!busy || this.#isStoreDown) return this.#beyondShare(claims, now);
    return { claim: undefined, refusal: { admitted: false, retryAt: now + busyLookMs, reason: 'the count of all windows and servers is locked at this moment' } };
  }

  #isBusyTooLong(now = 0): boolean {
    const forMs = now - (this.#failingSince ?? now);
    return this.#failures >= busyAttemptsAtMost && (forMs < 0 || forMs >= busyAtMostMs);
  }

  #keepsToShare(now: number): boolean {
    return this.#isStoreDown || (now < this.#sharesUntil && this.#sharesUntil - now <= reunitedMs);
  }

  #beyondShare(claims: readonly LimitClaim[], now: number): ClaimRefusal | undefined {
    // Peers may run that could not be counted.
    const members = Math.max(2, this.#members);
    for (const claim of claims) {
      const refusal = misfit({ ...claim, limits: shareOf(claim.limits, members), whose: 'this window\'s share' }, claim.running ?? 0, this.#own.get(claim.scope)?.seconds ?? [], now);
      if (refusal !== undefined) return { claim, refusal };
    }
    return undefined;
  }

  #count(claims: readonly LimitClaim[], second: number, stored: boolean): void {
    for (const claim of claims) {
      const own = this.#ownOf(claim.scope);
      own.add(second, inBounds(claim.tokens), claim.running === undefined ? undefined : claim.running + 1, stored);
      own.refused = undefined;
      if (!stored) this.#unstored.add(own);
    }
  }

  #remember(claims: readonly LimitClaim[], refused: ClaimRefusal, now: number): ClaimRefusal {
    const { claim = claims[0], refusal } = refused;
    if (claim === undefined) return refused;
    this.#ownOf(claim.scope).refused = remembered(claim, refusal, now);
    return refused;
  }

  #ownOf(scope: string): OwnUse {
    let own = this.#own.get(scope);
    if (own === undefined) this.#own.set(scope, own = new OwnUse(scope));
    return own;
  }
}

function notCountedYet(now: number): ClaimRefusal {
  return { claim: undefined, refusal: { admitted: false, retryAt: now + atOnceLookMs, reason: 'another Waybill on this data folder has not reported yet what it used of the limits' } };
}
