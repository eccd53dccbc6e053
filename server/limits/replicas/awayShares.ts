import type { Allowance, AllowanceLeft } from '../../routing/caps/allowance.ts';
import type { UsedSecond } from '../../ledger/limitStore.ts';
import type { StateStore } from '../../state/stateStore.ts';
import { atOnceLookMs, inBounds, misfit, shareOf, type LimitClaim } from '../limitClaims.ts';
import type { Refusal } from '../rateWindow.ts';
import { isBudget } from './countCalls.ts';
import type { TakeAnswer, TakeOrder } from './countOrders.ts';
import { OwnSeconds } from './ownSeconds.ts';
import type { ReplicaAllowances } from './replicaAllowances.ts';

/** A refusal because the store is away is worth another try so soon. */
export const awayRetryMs = 1_000;
/** Allowances whose spend is kept while the store is away. */
export const mostSpent = 20_000;

/** The answer where the configuration wants nothing sent while the store is away. */
export function awayAnswer(kind: 'limits' | 'budgets'): TakeAnswer {
  return { taken: false, kind: 'away', reason: `the count of ${kind} that servers share is away, and nothing that ${kind} hold for is sent until it is back`, retryAfterMs: awayRetryMs };
}

/** Takes the oldest of what is not asked for any more, as turns and the like are; budgets stay. */
export function forgetOldestTurn(byKey: Map<string, unknown>): void {
  for (const key of byKey.keys()) {
    if (isBudget(key) === 1) continue;
    byKey.delete(key);
    return;
  }
}

/** What this server used by itself, and what its share of limits and of money is while the store is away. */
export class AwayShares {
  readonly #state: Pick<StateStore, 'replicas'>;
  readonly #own = new Map<string, OwnSeconds>();
  readonly #running = new Map<string, number>();
  /** What requests ask the store for now, by limit. */
  readonly #asking = new Map<string, { requests: number; tokens: number }>();
  /** What requests took of each allowance that the store does not know of, in micro-dollars. */
  readonly #spent = new Map<string, number>();

  /** A store that is back counts those that it heard of since. */
  #serversAtLoss = 1;

  constructor(state: Pick<StateStore, 'replicas'>) {
    this.#state = state;
  }

  /** What this server used of a limit. */
  of(scope: string): OwnSeconds {
    let own = this.#own.get(scope);
    if (own === undefined) this.#own.set(scope, own = new OwnSeconds());
    return own;
  }

  enter(scope: string): void {
    this.#running.set(scope, (this.#running.get(scope) ?? 0) + 1);
  }

  leave(scope: string): void {
    const running = (this.#running.get(scope) ?? 0) - 1;
    if (running > 0) this.#running.set(scope, running);
    else this.#running.delete(scope);
  }

  /** A request asks the store; until it has its answer, it counts for the share of this server as if it had what it asks for. */
  asks({ claims, ofToken }: Pick<TakeOrder, 'claims' | 'ofToken'>): void {
    for (const claim of claims) this.#ask(claim, 1);
    for (const claim of ofToken) this.#ask(claim, 1);
  }

  /** It has its answer. */
  answered({ claims, ofToken }: Pick<TakeOrder, 'claims' | 'ofToken'>): void {
    for (const claim of claims) this.#ask(claim, -1);
    for (const claim of ofToken) this.#ask(claim, -1);
  }

  /** The store is away from here on. */
  lost(): void {
    this.#serversAtLoss = this.#state.replicas;
  }

  /** Requests of this server took money that the store does not know of; negative: they cost less than was expected. */
  spend(key: string, microUsd: number): void {
    this.#spent.set(key, (this.#spent.get(key) ?? 0) + microUsd);
    if (this.#spent.size > mostSpent) forgetOldestTurn(this.#spent);
  }

  /** The store knows of everything that was spent here. */
  allTold(): void {
    this.#spent.clear();
  }

  /** Every server has told the store what it did meanwhile. */
  reunited(): void {
    this.#serversAtLoss = 1;
  }

  /** The first claim that is beyond the share of this server. */
  beyond(claims: readonly LimitClaim[], now: number): { readonly claim: LimitClaim; readonly refusal: Refusal } | undefined {
    for (const claim of claims) {
      const share = { ...claim, limits: shareOf(claim.limits, this.#servers), whose: `this server's share of ${claim.whose}` };
      const running = this.#running.get(claim.scope) ?? 0;
      const seconds = this.#own.get(claim.scope)?.seconds ?? [];
      const refusal = misfit(share, running, seconds, now) ?? this.#beyondWithAsking(share, running, seconds, now);
      if (refusal !== undefined) return { claim, refusal };
    }
    return undefined;
  }

  /** The first allowance of whose rest this server would use more than its share. What other requests here have reserved and nobody decided about counts for nothing: it may all be refused. */
  beyondMoney(allowances: readonly Allowance[], known: Pick<ReplicaAllowances, 'taken' | 'told'>, microUsd: number): AllowanceLeft | undefined {
    for (const one of allowances) {
      const told = known.told(one.key, one.budget?.startMicroUsd ?? 0);
      const { extra } = known.taken(one.key);
      // What a person allows here meanwhile is allowed here.
      const share = Math.floor((one.limitMicroUsd + told.extra - told.used) / this.#servers) + (extra - told.extra);
      const left = share - (this.#spent.get(one.key) ?? 0);
      if (microUsd > left) return { ...one, leftMicroUsd: Math.max(0, left), ...(extra === 0 ? {} : { allowedMicroUsd: extra }) };
    }
    return undefined;
  }

  /** A claim and the limits that are left for it beside what the store does not count yet. @param unheld requests of this server that run and that the store does not hold */
  beside(claim: LimitClaim, unheld: number): LimitClaim {
    const { requestsPerMinute, tokensPerMinute, concurrency } = claim.limits;
    const { requests, tokens } = this.#own.get(claim.scope)?.uncounted ?? { requests: 0, tokens: 0 };
    const left = (limit: number | undefined, used: number): number | undefined => limit === undefined ? undefined : Math.max(0, limit - Math.max(0, used));
    return { ...claim, limits: { requestsPerMinute: left(requestsPerMinute, requests), tokensPerMinute: left(tokensPerMinute, tokens), concurrency: left(concurrency, unheld) } };
  }

  /** What requests took of an allowance that the store does not know of. */
  spent(key: string): number {
    return Math.max(0, this.#spent.get(key) ?? 0);
  }

  /** The store counts everything that was used here. */
  get isCounted(): boolean {
    for (const own of this.#own.values()) {
      const { requests, tokens } = own.uncounted;
      if (requests !== 0 || tokens !== 0) return false;
    }
    return true;
  }

  /** The store confirmed what it was told. */
  told(): void {
    for (const own of this.#own.values()) own.told();
  }

  forget(currentSecond: number): void {
    for (const [scope, own] of this.#own) {
      own.forget(currentSecond);
      if (own.seconds.length === 0) this.#own.delete(scope);
    }
  }

  allUntold(): void {
    for (const own of this.#own.values()) own.allUntold();
  }

  /** @param most about so many seconds */
  takeUntold(most: number): { scope: string; second: number; requests: number; tokens: number }[] {
    const untold: { scope: string; second: number; requests: number; tokens: number }[] = [];
    for (const [scope, own] of this.#own) {
      if (untold.length >= most) break;
      for (const one of own.takeUntold()) untold.push({ scope, ...one });
    }
    return untold;
  }

  /** Whether the share would be passed if all who ask now were admitted. They know that soon. */
  #beyondWithAsking(share: LimitClaim, running: number, seconds: readonly UsedSecond[], now: number): Refusal | undefined {
    const asking = this.#asking.get(share.scope);
    if (asking === undefined || misfit(share, running + asking.requests, [...seconds, { second: Math.floor(now / 1000), ...asking }], now) === undefined) return undefined;
    return { admitted: false, cause: 'busy', retryAt: now + atOnceLookMs, reason: `${share.whose} is taken by requests that ask the shared store now` };
  }

  #ask({ scope, tokens }: LimitClaim, requests: 1 | -1): void {
    let asking = this.#asking.get(scope);
    if (asking === undefined) this.#asking.set(scope, asking = { requests: 0, tokens: 0 });
    asking.requests += requests;
    asking.tokens += requests * inBounds(tokens);
    if (asking.requests === 0) this.#asking.delete(scope);
  }

  /** Servers may run that could not be counted. */
  get #servers(): number {
    return Math.max(2, this.#state.replicas, this.#serversAtLoss);
  }
}
