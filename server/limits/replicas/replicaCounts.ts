import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { AllowanceStore } from '../../ledger/allowanceStore.ts';
import type { AwayMode } from '../../api/state/stateSettings.ts';
import type { Allowance } from '../../routing/caps/allowance.ts';
import type { StateReply, StateStore } from '../../state/stateStore.ts';
import { atOnceLookMs, inBounds, misfit, type LimitClaim } from '../limitClaims.ts';
import type { Refusal } from '../rateWindow.ts';
import { awayAnswer, awayRetryMs, AwayShares } from './awayShares.ts';
import { allowCall, correctCall, secondsOf, sweepCall, takeCall, usedOf, type Call, type CountHold } from './countCalls.ts';
import { CountEnds, type EndOfHold } from './countEnds.ts';
import type { CountFigures } from './countFigures.ts';
import type { Hold, HoldEnd, TakeAnswer, TakeOrder } from './countOrders.ts';
import { CountStore } from './countStore.ts';
import { LimitLines } from './limitLines.ts';
import { ReplicaAllowances } from './replicaAllowances.ts';
import { UntoldUse } from './untoldUse.ts';

export interface ReplicaCountsOptions {
  state: StateStore;
  /** What holds for limits and for money while the store is away. */
  whenAway(): { readonly limits: AwayMode; readonly budgets: AwayMode };
  /** Names the ledger whose part of an allowance this server counts; the same for all servers on one ledger, also after a restart. */
  ledger: string;
  /** Where turns and sessions are kept. */
  allowances: AllowanceStore;
  figures: CountFigures;
  clock: Clock;
  log: Log;
  /** See CountEndsOptions. */
  mostEnds?: number;
}

/** After the store is back, every server has told it within so long what it did meanwhile: the longest wait between two attempts to connect, and some more. */
const reunitedMs = 6_000;
/** So many requests that run are told at once. */
const runningToldAtOnce = 64;
/** A hold that is so old is no part of a call that is under way, in seconds. */
const settledHoldS = 60;
/** The end of the server waits so long for what the store was not told. */
const endPatienceMs = 3_000;

/**
 * Limits and money counted in a store that servers on several machines share. One script takes all that an attempt needs, or nothing, before it is
 * sent; its end is told behind the request. While the store is away each server decides by the mode of the configuration, counts what it
 * does, and tells the store when it is back.
 */
export class ReplicaCounts {
  readonly allowances: ReplicaAllowances;
  readonly #options: ReplicaCountsOptions;
  readonly #guard: Guard;
  readonly #shares: AwayShares;
  readonly #store: CountStore;
  readonly #running = new Map<string, Hold>();
  /** Ends that the store was not told, or did not confirm. */
  readonly #ends: CountEnds;
  readonly #untold: UntoldUse;
  readonly #lines = new LimitLines();
  readonly #subscription: { dispose(): void };
  #isUsable = false;
  /** This server may have taken something that the store does not count. */
  #isAhead = false;
  #catchingUp: Promise<void> | undefined;
  /** The store decided before, or lost what it held. */
  #isBack = false;
  #sharesUntil = -Infinity;
  #isClosed = false;

  constructor(options: ReplicaCountsOptions) {
    this.#options = options;
    this.#guard = new Guard('The count that servers share', options.log);
    this.allowances = new ReplicaAllowances(options.allowances, {
      allow: (key, microUsd, start) => {
        const id = newId();
        this.#order(id, allowCall(options, id, key, microUsd, start));
      },
      correct: (key, known, since, keepsUnknown) => { this.#correct(key, known, since, keepsUnknown); },
    });
    this.#store = new CountStore(options, this.allowances);
    this.#shares = new AwayShares(options.state);
    this.#ends = new CountEnds({
      state: options.state, ledger: options.ledger, ...(options.mostEnds === undefined ? {} : { most: options.mostEnds }),
      call: call => this.#store.call(call), failed: error => { this.#guard.failed(error); },
      told: (call, [, states, bad]) => {
        this.#store.learn(call.names, states);
        this.#store.report(bad);
      },
    });
    this.#untold = new UntoldUse(options, this.#shares, this.allowances);
    this.#subscription = options.state.changes(change => {
      if (change === 'emptied') this.#lose();
      else if (change === 'down') this.#leave();
      else if (change === 'up') this.#guard.start(() => this.#catchUp());
    });
  }

  /** The store decides; otherwise the modes of the configuration do. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Resolves once the store decides, or cannot be used now. */
  async ready(): Promise<void> {
    if (this.#options.state.isUp) await this.#catchUp();
  }

  /** The last refusal in a scope, while it still holds. */
  look(scope: string, promptTokens: number, now: number): Refusal | undefined {
    return this.#lines.look(scope, promptTokens, now);
  }

  /**
   * Takes what an attempt needs, or nothing. One call of the store, and a second one where this server was held up so long that the first one came too late.
   * At a limit that was reached, one request of this server asks for all of them.
   */
  async take(order: TakeOrder): Promise<TakeAnswer> {
    const place = this.#isUsable ? this.#lines.of(order) : undefined;
    if (place === undefined) return this.#ask(order);
    const { line, claim } = place;
    const refusal = await line.turn(claim);
    if (refusal !== undefined) return { taken: false, kind: 'limit', claim, refusal };
    let answer: TakeAnswer | undefined;
    try {
      return answer = await this.#ask(order);
    } finally {
      line.answered(answer);
    }
  }

  async #ask(order: TakeOrder): Promise<TakeAnswer> {
    return await this.#take(order) ?? await this.#take(order) ?? this.#takeAway(order, this.#options.clock.now());
  }

  /** @returns undefined where the store got the call too late, and did not carry it out */
  async #take(order: TakeOrder): Promise<TakeAnswer | undefined> {
    const now = this.#options.clock.now();
    if (!this.#isUsable) return this.#takeAway(order, now);
    if (now < this.#sharesUntil && this.#options.whenAway().limits === 'share') {
      const beyond = this.#shares.beyond([...order.claims, ...order.ofToken], now);
      if (beyond !== undefined) return this.#remember(beyond.claim, beyond.refusal, now);
    }
    const hold = this.#holdOf(order.claims, order, now);
    const token = order.ofToken.length === 0 ? undefined : this.#holdOf(order.ofToken, undefined, now);
    let reply: readonly StateReply[] | undefined;
    this.#shares.asks(order);
    try {
      reply = await this.#store.call(takeCall(this.#options, this.#besideUncounted(hold), token === undefined ? undefined : this.#besideUncounted(token), undefined, now + this.#store.offsetMs + this.#options.state.timeoutMs));
    } catch (error) {
      // What the store holds is of another kind than it should be: nothing is taken of it, and no request fails for that.
      this.#guard.failed(error);
      this.#shares.answered(order);
      return this.#takeAway(order, now);
    }
    this.#shares.answered(order);
    if (reply === undefined || (Number(reply[0]) === 1 && !this.#isUsable)) {
      // Whether it was taken is not known, or the store is away since, and others were sent by the share of this server: it is as if it had never been.
      for (const one of token === undefined ? [hold] : [hold, token]) this.#ends.add(one.id, { hold: one, requests: 0, settled: 0, unknown: 0, tokens: 0, isUncertain: true });
      return this.#takeAway(order, now);
    }
    const [kind, storeNow] = [Number(reply[0]), Number(reply[1])];
    switch (kind) {
      case 1:
        this.#options.figures.decided('limits', 'store', order.claims.length + order.ofToken.length > 0);
        this.#options.figures.decided('budgets', 'store', order.allowances.length > 0);
        this.#store.learn(order.allowances.map(({ key }) => key), reply[3]);
        this.#store.report(reply[4]);
        for (const one of token === undefined ? [hold] : [hold, token]) this.#begin(one, true);
        return { taken: true, hold, token };
      case 0: {
        const claim = [...order.claims, ...order.ofToken][Number(reply[2])];
        const shift = now - storeNow;
        const refusal = claim === undefined ? undefined : misfit(claim, Number(reply[3]), secondsOf(reply[4]), storeNow);
        return this.#remember(claim, refusal === undefined ? { admitted: false, cause: 'busy', retryAt: now + atOnceLookMs, reason: 'its limit was reached a moment ago' } : { ...refusal, retryAt: refusal.retryAt + shift }, now);
      }
      case 2: {
        const allowance = order.allowances[Number(reply[2])];
        // What the caller reserved here is still in what is known here, and is taken back behind this.
        this.#store.learn(order.allowances.map(({ key }) => key), reply[3], order.microUsd);
        const { used, extra } = allowance === undefined ? { used: 0, extra: 0 } : this.allowances.taken(allowance.key);
        // What the store does not count yet is told within a second.
        if (allowance !== undefined && this.#shares.spent(allowance.key) > 0) return { taken: false, kind: 'share', misfit: { ...allowance, leftMicroUsd: Math.max(0, allowance.limitMicroUsd + extra - (used - order.microUsd) - this.#shares.spent(allowance.key)) }, retryAfterMs: awayRetryMs };
        if (allowance !== undefined) return { taken: false, kind: 'allowance', misfit: { ...allowance, leftMicroUsd: allowance.limitMicroUsd + extra - (used - order.microUsd), ...(extra === 0 ? {} : { allowedMicroUsd: extra }) } };
        return this.#takeAway(order, now);
      }
      default:
        this.#store.tookTime(storeNow);
        return undefined;
    }
  }

  /** A hold ended. The store is told behind this. Called once for each. */
  settle(hold: CountHold, { isSent, tokens, microUsd, isAll }: HoldEnd): void {
    const known = this.#running.get(hold.id);
    if (known === undefined || known.isOver) return;
    known.isOver = true;
    this.#running.delete(hold.id);
    const requests = isSent ? 1 : 0;
    const unknown = !isSent || (isAll && microUsd !== undefined) ? 0 : Math.max(0, hold.microUsd - (microUsd ?? 0));
    const settled = isSent ? (microUsd ?? 0) + unknown : 0;
    for (const claim of hold.claims) {
      const used = usedOf(claim, isSent, tokens);
      this.#shares.of(claim.scope).add(hold.second, requests - 1, used - inBounds(claim.tokens), known.isHeld);
      if (claim.running !== undefined) this.#shares.leave(claim.scope);
      this.#lines.moved(claim.scope);
    }
    // What a request from before costs more is spent; what it costs less is given to all when the store is told.
    const more = known.isHeld ? Math.max(0, settled - hold.microUsd) : settled - hold.microUsd;
    if (!known.isHeld || !this.#isUsable) for (const { key } of hold.allowances) this.#shares.spend(key, more);
    if (known.isHeld) this.#order(known.id, { hold: known, requests, settled, unknown, tokens, isUncertain: false });
    else if (known.wasTold) this.#ends.add(known.id, { hold: known, requests: 1, settled: 0, unknown: 0, tokens: undefined, isUncertain: true });
    if (!known.isHeld) for (const { key } of hold.allowances) this.#untold.spend(key, settled, unknown);
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#options.clock.now();
    this.#shares.forget(Math.floor(now / 1000));
    this.#lines.forget(now);
    if (this.#sharesUntil !== -Infinity && now >= this.#sharesUntil) {
      this.#sharesUntil = -Infinity;
      this.allowances.setRestoring(false);
      this.#shares.reunited();
      this.#store.followAll();
    }
    if (this.#options.state.isUp) this.#guard.start(() => this.#catchUp());
  }

  /** Tells the store what it was not told, for a bounded time. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const isOver = new Promise<void>(resolve => { timer = setTimeout(resolve, endPatienceMs); });
    try {
      await Promise.race([isOver, this.#catchUp().then(() => this.#catchUp())]);
    } catch (error) {
      this.#guard.failed(error);
    }
    clearTimeout(timer);
    this.#isClosed = true;
    this.#subscription.dispose();
  }

  #holdOf(claims: readonly LimitClaim[], spend: Pick<TakeOrder, 'allowances' | 'microUsd'> | undefined, now: number): Hold {
    return { id: newId(), claims, allowances: spend?.allowances ?? [], microUsd: spend?.microUsd ?? 0, second: Math.floor(now / 1000), isHeld: false, wasTold: false, isOver: false };
  }

  /** What is asked for, with the limits that are left beside what this server took and the store does not count yet. */
  #besideUncounted(hold: Hold): Hold {
    if (!this.#isAhead) return hold;
    const unheld = [...this.#running.values()].filter(({ isHeld }) => !isHeld);
    return {
      ...hold,
      claims: hold.claims.map(claim => this.#shares.beside(claim, unheld.filter(({ claims }) => claims.some(({ scope }) => scope === claim.scope)).length)),
      allowances: hold.allowances.map((one): Allowance => ({ ...one, limitMicroUsd: one.limitMicroUsd - this.#shares.spent(one.key) })),
    };
  }

  #begin(hold: Hold, isHeld: boolean): void {
    hold.isHeld = isHeld;
    if (!isHeld) this.#isAhead = true;
    this.#running.set(hold.id, hold);
    for (const claim of hold.claims) {
      this.#shares.of(claim.scope).add(hold.second, 1, inBounds(claim.tokens), isHeld);
      if (claim.running !== undefined) this.#shares.enter(claim.scope);
      this.#lines.moved(claim.scope);
    }
    if (!isHeld) for (const { key } of hold.allowances) this.#shares.spend(key, hold.microUsd);
  }

  #takeAway(order: TakeOrder, now: number): TakeAnswer {
    const { figures, whenAway } = this.#options;
    const modes = whenAway();
    const claims = [...order.claims, ...order.ofToken];
    const holding = order.microUsd > 0 ? order.allowances.filter(({ budget }) => budget?.isHard !== false) : [];
    figures.decided('limits', modes.limits, claims.length > 0);
    figures.decided('budgets', modes.budgets, order.allowances.length > 0);
    if (claims.length > 0 && modes.limits === 'closed') return awayAnswer('limits');
    if (holding.length > 0 && modes.budgets === 'closed') return awayAnswer('budgets');
    const beyond = modes.limits === 'share' ? this.#shares.beyond(claims, now) : undefined;
    if (beyond !== undefined) return this.#remember(beyond.claim, beyond.refusal, now);
    const tooMuch = modes.budgets === 'share' ? this.#shares.beyondMoney(holding, this.allowances, order.microUsd) : undefined;
    if (tooMuch !== undefined) return { taken: false, kind: 'share', misfit: tooMuch, retryAfterMs: awayRetryMs };
    const hold = this.#holdOf(order.claims, order, now);
    const token = order.ofToken.length === 0 ? undefined : this.#holdOf(order.ofToken, undefined, now);
    for (const one of token === undefined ? [hold] : [hold, token]) this.#begin(one, false);
    return { taken: true, hold, token };
  }

  #remember(claim: LimitClaim | undefined, refusal: Refusal, now: number): TakeAnswer {
    if (claim !== undefined) this.#lines.reached(claim, refusal, now);
    return { taken: false, kind: 'limit', claim, refusal };
  }

  #leave(): void {
    if (this.#isUsable) this.#shares.lost();
    this.#isUsable = false;
  }

  /** The store has nothing any more of what this server told it. */
  #lose(): void {
    this.#leave();
    this.#isBack = true;
    this.#untold.lost();
    // What they say is in what this server knows of its own part.
    this.#ends.clear();
    this.#isAhead = true;
    for (const hold of this.#running.values()) hold.isHeld = false;
    this.allowances.setRestoring(true);
    this.#guard.start(() => this.#catchUp());
  }

  /** Brings the store up to date, and from then on lets it decide. Where something is wrong with what the store holds, it does not. */
  #catchUp(): Promise<void> {
    if (this.#isClosed || !this.#options.state.isUp) return this.#catchingUp ?? Promise.resolve();
    return this.#catchingUp ??= this.#broughtUp().catch((error: unknown) => {
      this.#leave();
      throw error;
    }).finally(() => { this.#catchingUp = undefined; });
  }

  async #broughtUp(): Promise<void> {
    // What this server's ledger had comes before what runs: the first of them begins its part.
    const hasHolds = await this.#store.follow();
    if (hasHolds === undefined) return;
    if (!hasHolds) for (const hold of this.#running.values()) {
      hold.isHeld = false;
      this.#isAhead = true;
    }
    if (!await this.#ends.tellAll() || !await this.#sweep() || !await this.#tell() || !await this.#tellRunning()) return;
    if (!this.#untold.hasMoney && ![...this.#running.values()].some(({ isHeld }) => !isHeld)) {
      this.#shares.allTold();
      if (this.#shares.isCounted) this.#isAhead = false;
    }
    if (!this.#isUsable) {
      this.#isUsable = true;
      if (this.#isBack) this.#sharesUntil = this.#options.clock.now() + reunitedMs;
      this.#isBack = true;
    }
    this.allowances.beginAgain();
  }

  /** Has the store end holds whose ends were merged. */
  async #sweep(): Promise<boolean> {
    for (const [key, { settled, unknown }] of this.#ends.takeMerged()) this.#untold.spend(key, settled, unknown);
    if (!this.#ends.hasUnnamed) return true;
    const before = (this.#options.clock.now() + this.#store.offsetMs) / 1000 - settledHoldS;
    const reply = await this.#store.call(sweepCall(this.#options, before, [...this.#running.keys(), ...this.#ends.ids()]));
    if (reply === undefined) return false;
    if (reply[1] === 0) this.#ends.swept();
    this.#store.report(reply[2]);
    return true;
  }

  /** Requests that run and that the store does not hold. */
  async #tellRunning(): Promise<boolean> {
    const unheld = [...this.#running.values()].filter(({ isHeld }) => !isHeld);
    for (let at = 0; at < unheld.length; at += runningToldAtOnce) {
      const until = this.#options.clock.now() + this.#store.offsetMs + this.#options.state.timeoutMs;
      const told = await Promise.all(unheld.slice(at, at + runningToldAtOnce).map(hold => this.#tellOneRunning(hold, until)));
      if (told.includes(false)) return false;
    }
    return true;
  }

  async #tellOneRunning(hold: Hold, until: number): Promise<boolean> {
    if (hold.isOver) return true;
    hold.wasTold = true;
    const reply = await this.#store.call(takeCall(this.#options, hold, undefined, hold.second + Math.round(this.#store.offsetMs / 1000), until));
    if (reply === undefined) return false;
    // One that ended meanwhile was counted as one that the store does not hold, and its end is told.
    if (Number(reply[0]) === 1 && !hold.isOver) hold.isHeld = true;
    this.#store.report(reply[4]);
    return true;
  }

  /** What was used while the store did not count it. */
  async #tell(): Promise<boolean> {
    for (;;) {
      const batch = this.#untold.next(Math.round(this.#store.offsetMs / 1000), newId);
      if (batch === undefined) return true;
      try {
        const reply = await this.#store.call(batch);
        if (reply === undefined) return false;
        this.#store.learn(batch.names, reply[1]);
        this.#store.report(reply[2]);
      } catch (error) {
        // Telling it again would fail again; the sums of budgets are corrected by the ledger.
        this.#guard.failed(error);
      }
      this.#untold.done(batch);
    }
  }

  #correct(key: string, known: number, since: number, keepsUnknown: boolean): void {
    if (!this.#isUsable) return;
    const call = correctCall(this.#options, key, known, since + this.#store.offsetMs, keepsUnknown);
    this.#guard.start(async () => {
      const reply = await this.#store.call(call);
      if (reply !== undefined) this.#store.learn(call.names, reply[1]);
    });
  }

  /** Something that the store is told once, now or later. */
  #order(id: string, end: EndOfHold | Call): void {
    this.#ends.add(id, end);
    if (this.#options.state.isUp) this.#guard.start(() => this.#ends.tell(id));
  }
}

function newId(): string {
  return randomBytes(9).toString('base64url');
}

/** For the part of the bundle that is loaded later. */
export function createReplicaCounts(options: ReplicaCountsOptions): ReplicaCounts {
  return new ReplicaCounts(options);
}
