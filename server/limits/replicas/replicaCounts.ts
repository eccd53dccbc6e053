import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { AllowanceStore } from '../../ledger/allowanceStore.ts';
import type { AwayMode } from '../../api/state/stateSettings.ts';
import type { Allowance, AllowanceLeft } from '../../routing/caps/allowance.ts';
import { isStateAway, type StateReply, type StateStore } from '../../state/stateStore.ts';
import { atOnceLookMs, inBounds, misfit, type LimitClaim } from '../limitClaims.ts';
import type { Refusal } from '../rateWindow.ts';
import { AwayShares } from './awayShares.ts';
import { allowCall, correctCall, followCall, secondsOf, settleCall, takeCall, tellCall, usedOf, type Call, type CountHold } from './countCalls.ts';
import type { CountFigures } from './countFigures.ts';
import { ReplicaAllowances, type LedgerPart } from './replicaAllowances.ts';

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
}

/** What an attempt needs, beside what this server alone decides. */
export interface TakeOrder {
  readonly claims: readonly LimitClaim[];
  /** The limits of a token, which the first attempt of an exchange takes. */
  readonly ofToken: readonly LimitClaim[];
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

interface Hold extends CountHold {
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

/** After the store is back, every server has told it within so long what it did meanwhile: the longest wait between two attempts to connect, and some more. */
const reunitedMs = 6_000;
/** A refusal is remembered for so long at most. */
const rateLookMs = 1_000;
const mostRemembered = 5_000;
/** A refusal because the store is away is worth another try so soon. */
const awayRetryMs = 1_000;
/** So many changed allowances are read at a time, and so many told. */
const mostFollowed = 500;
const mostTold = 200;

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
  readonly #running = new Map<string, Hold>();
  /** Ends that the store was not told, or did not confirm. */
  readonly #ends = new Map<string, Call>();
  /** Money of requests that the store never held, by name. */
  readonly #untold = new Map<string, { settled: number; unknown: number }>();
  /** What the store lost of what it had of this server's ledger, and of what was allowed on top. */
  readonly #retold = new Map<string, { settled: number; extra: number }>();
  /** What is being told; kept until it is confirmed, because the same batch counts once. */
  #batch: Call | undefined;
  readonly #refused = new Map<string, { refusal: Refusal; until: number; promptTokens: number }>();
  readonly #subscription: { dispose(): void };
  #isUsable = false;
  #isCatchingUp = false;
  /** The store decided before, or lost what it held. */
  #isBack = false;
  #sharesUntil = -Infinity;
  /** The store's clock less this server's, in milliseconds. */
  #offsetMs = 0;
  #changedSince = 0;
  #isClosed = false;

  constructor(options: ReplicaCountsOptions) {
    this.#options = options;
    this.#guard = new Guard('The count that servers share', options.log);
    this.allowances = new ReplicaAllowances(options.allowances, {
      allow: (key, microUsd, start) => { this.#order(allowCall(options, newId(), key, microUsd, start)); },
      correct: (key, known, since, keepsUnknown) => { this.#correct(key, known, since, keepsUnknown); },
    });
    this.#shares = new AwayShares(options.state);
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
    const refused = this.#refused.get(scope);
    return refused !== undefined && now < refused.until && promptTokens >= refused.promptTokens ? refused.refusal : undefined;
  }

  /** Takes what an attempt needs, or nothing. One call of the store at most. */
  async take(order: TakeOrder): Promise<TakeAnswer> {
    const now = this.#options.clock.now();
    if (!this.#isUsable) return this.#takeAway(order, now);
    if (now < this.#sharesUntil && this.#options.whenAway().limits === 'share') {
      const beyond = this.#shares.beyond([...order.claims, ...order.ofToken], now);
      if (beyond !== undefined) return this.#remember(beyond.claim, beyond.refusal, now);
    }
    const hold = this.#holdOf(order.claims, order, now);
    const token = order.ofToken.length === 0 ? undefined : this.#holdOf(order.ofToken, undefined, now);
    let reply: readonly StateReply[] | undefined;
    try {
      reply = await this.#call(takeCall(this.#options, hold, token, undefined, now + this.#offsetMs + this.#options.state.timeoutMs));
    } catch (error) {
      // What the store holds is of another kind than it should be: nothing is taken of it, and no request fails for that.
      this.#guard.failed(error);
      return this.#takeAway(order, now);
    }
    if (reply === undefined) {
      // Whether it was taken is not known: it is as if it had never been.
      for (const one of token === undefined ? [hold] : [hold, token]) this.#ends.set(one.id, settleCall(this.#options, one, 0, 0, 0, 0));
      return this.#takeAway(order, now);
    }
    const [kind, storeNow] = [Number(reply[0]), Number(reply[1])];
    switch (kind) {
      case 1:
        this.#options.figures.decided('limits', 'store', order.claims.length + order.ofToken.length > 0);
        this.#options.figures.decided('budgets', 'store', order.allowances.length > 0);
        this.#learn(order.allowances.map(({ key }) => key), reply[3]);
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
        this.#learn(order.allowances.map(({ key }) => key), reply[3], order.microUsd);
        const { used, extra } = allowance === undefined ? { used: 0, extra: 0 } : this.allowances.taken(allowance.key);
        if (allowance !== undefined) return { taken: false, kind: 'allowance', misfit: { ...allowance, leftMicroUsd: allowance.limitMicroUsd + extra - (used - order.microUsd), ...(extra === 0 ? {} : { allowedMicroUsd: extra }) } };
        return this.#takeAway(order, now);
      }
      default:
        // The store carried it out too late, and so did not.
        this.#offsetMs = storeNow - this.#options.clock.now();
        return this.#takeAway(order, now);
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
      this.#refused.delete(claim.scope);
    }
    // What a request from before costs more is spent; what it costs less is given to all when the store is told.
    const more = known.isHeld ? Math.max(0, settled - hold.microUsd) : settled - hold.microUsd;
    if (!known.isHeld || !this.#isUsable) for (const { key } of hold.allowances) this.#shares.spend(key, more);
    if (known.isHeld) this.#order(settleCall(this.#options, known, requests, settled, unknown, tokens), known.id);
    else if (known.wasTold) this.#ends.set(known.id, settleCall(this.#options, known, 1, 0, 0, undefined));
    if (!known.isHeld) for (const { key } of hold.allowances) {
      const before = this.#untold.get(key) ?? { settled: 0, unknown: 0 };
      this.#untold.set(key, { settled: before.settled + settled, unknown: before.unknown + unknown });
    }
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#options.clock.now();
    this.#shares.forget(Math.floor(now / 1000));
    if (this.#sharesUntil !== -Infinity && now >= this.#sharesUntil) {
      this.#sharesUntil = -Infinity;
      this.allowances.setRestoring(false);
      this.#shares.reunited();
      this.#changedSince = 0;
    }
    if (this.#options.state.isUp) this.#guard.start(() => this.#catchUp());
  }

  /** Tells the store what it was not told. */
  async close(): Promise<void> {
    if (this.#options.state.isUp) await this.#catchUp();
    this.#isClosed = true;
    this.#subscription.dispose();
  }

  #holdOf(claims: readonly LimitClaim[], spend: Pick<TakeOrder, 'allowances' | 'microUsd'> | undefined, now: number): Hold {
    return { id: newId(), claims, allowances: spend?.allowances ?? [], microUsd: spend?.microUsd ?? 0, second: Math.floor(now / 1000), isHeld: false, wasTold: false, isOver: false };
  }

  #begin(hold: Hold, isHeld: boolean): void {
    hold.isHeld = isHeld;
    this.#running.set(hold.id, hold);
    for (const claim of hold.claims) {
      this.#shares.of(claim.scope).add(hold.second, 1, inBounds(claim.tokens), isHeld);
      if (claim.running !== undefined) this.#shares.enter(claim.scope);
      this.#refused.delete(claim.scope);
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
    if (claim !== undefined) {
      if (this.#refused.size >= mostRemembered) this.#refused.clear();
      this.#refused.set(claim.scope, { refusal, until: Math.min(refusal.retryAt, now + rateLookMs), promptTokens: refusal.tokensOnly === true ? claim.promptTokens : 0 });
    }
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
    for (const [key, { own, extra }] of this.allowances.entries()) if (own !== undefined || extra > 0) this.#retold.set(key, { settled: Math.max(0, (own?.settled ?? 0) - (this.#untold.get(key)?.settled ?? 0)), extra });
    // What they say is in what this server knows of its own part.
    this.#ends.clear();
    this.#batch = undefined;
    this.#shares.allUntold();
    for (const hold of this.#running.values()) hold.isHeld = false;
    this.allowances.setRestoring(true);
    this.#guard.start(() => this.#catchUp());
  }

  /** Brings the store up to date, and from then on lets it decide. */
  async #catchUp(): Promise<void> {
    if (this.#isCatchingUp || this.#isClosed || !this.#options.state.isUp) return;
    this.#isCatchingUp = true;
    try {
      // What this server's ledger had comes before what runs: the first of them begins its part.
      if (!await this.#follow() || !await this.#tellEnds() || !await this.#tell() || !await this.#tellRunning()) return;
      if (this.#untold.size === 0 && ![...this.#running.values()].some(({ isHeld }) => !isHeld)) this.#shares.allTold();
      if (!this.#isUsable) {
        this.#isUsable = true;
        if (this.#isBack) this.#sharesUntil = this.#options.clock.now() + reunitedMs;
        this.#isBack = true;
      }
      this.allowances.beginAgain();
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #follow(): Promise<boolean> {
    const reply = await this.#call(followCall(this.#options, this.#changedSince, mostFollowed));
    if (reply === undefined) return false;
    const [storeNow, hasHolds, changed] = [Number(reply[0]), reply[1] === 1, reply[2]];
    this.#offsetMs = storeNow - this.#options.clock.now();
    const list = Array.isArray(changed) ? changed as readonly StateReply[] : [];
    for (let at = 0; at < list.length; at += 3) this.#learnOne(String(list[at]), list[at + 2], list[at + 1] === 1);
    // Whoever changes one in the same millisecond is seen, too.
    if (list.length < 3 * mostFollowed) this.#changedSince = storeNow - 1;
    else this.#changedSince = this.#changedAt(list);
    if (!hasHolds) for (const hold of this.#running.values()) hold.isHeld = false;
    return true;
  }

  /** Of more changes than are read at a time, those behind the last one come next. */
  #changedAt(list: readonly StateReply[]): number {
    const last = list.at(-1);
    const changedAt = Array.isArray(last) ? Number(last[7]) : 0;
    return Math.max(this.#changedSince + 1, changedAt);
  }

  async #tellEnds(): Promise<boolean> {
    const ends = [...this.#ends];
    const told = await Promise.all(ends.map(([id, call]) => this.#tellEnd(id, call)));
    return told.every(isTold => isTold);
  }

  async #tellEnd(id: string, call: Call): Promise<boolean> {
    const reply = await this.#call(call);
    if (reply === undefined) return false;
    this.#ends.delete(id);
    this.#learn(call.names, reply[1]);
    return true;
  }

  /** Requests that run and that the store does not hold. */
  async #tellRunning(): Promise<boolean> {
    const unheld = [...this.#running.values()].filter(({ isHeld }) => !isHeld);
    const until = this.#options.clock.now() + this.#offsetMs + this.#options.state.timeoutMs;
    const told = await Promise.all(unheld.map(async hold => {
      hold.wasTold = true;
      const reply = await this.#call(takeCall(this.#options, hold, undefined, hold.second + Math.round(this.#offsetMs / 1000), until));
      // One that ended meanwhile was counted as one that the store does not hold, and its end is told.
      if (reply !== undefined && Number(reply[0]) === 1 && !hold.isOver) hold.isHeld = true;
      return reply !== undefined;
    }));
    return told.every(isTold => isTold);
  }

  /** What was used while the store did not count it. */
  async #tell(): Promise<boolean> {
    for (;;) {
      const batch = this.#batch ??= this.#makeBatch();
      if (batch === undefined) return true;
      const reply = await this.#call(batch);
      if (reply === undefined) return false;
      this.#learn(batch.names, reply[1]);
      // A store that lost what it held meanwhile is told another one.
      if (this.#batch === batch) this.#batch = undefined;
    }
  }

  #makeBatch(): Call | undefined {
    const shiftS = Math.round(this.#offsetMs / 1000);
    const uses = this.#shares.takeUntold(mostTold).map(use => ({ ...use, second: use.second + shiftS }));
    const names = [...new Set([...this.#untold.keys(), ...this.#retold.keys()])].slice(0, mostTold);
    const money = names.map(key => {
      const { settled, unknown } = this.#untold.get(key) ?? { settled: 0, unknown: 0 };
      const { settled: before, extra } = this.#retold.get(key) ?? { settled: Math.max(0, (this.allowances.own(key)?.settled ?? settled) - settled), extra: 0 };
      this.#untold.delete(key);
      this.#retold.delete(key);
      return { key, before, settled, unknown, extra };
    });
    return uses.length === 0 && money.length === 0 ? undefined : tellCall(this.#options, newId(), uses, money);
  }

  #correct(key: string, known: number, since: number, keepsUnknown: boolean): void {
    if (!this.#isUsable) return;
    const call = correctCall(this.#options, key, known, since + this.#offsetMs, keepsUnknown);
    this.#guard.start(async () => {
      const reply = await this.#call(call);
      if (reply !== undefined) this.#learn(call.names, reply[1]);
    });
  }

  /** Something that the store is told once, now or later. */
  #order(call: Call, id = newId()): void {
    this.#ends.set(id, call);
    if (this.#options.state.isUp) this.#guard.start(() => this.#tellEnd(id, call));
  }

  #learn(names: readonly string[], states: StateReply | undefined, reservedHere = 0): void {
    if (!Array.isArray(states)) return;
    names.forEach((name, index) => { this.#learnOne(name, (states as readonly StateReply[])[index], true, reservedHere); });
  }

  #learnOne(key: string, state: StateReply | undefined, isOwn: boolean, reservedHere = 0): void {
    if (!Array.isArray(state)) return;
    const [used = 0, extra = 0, reserved = 0, unknown = 0, settled = 0, ownReserved = 0, ownUnknown = 0, changedAt = 0] = state.map(Number);
    const own: LedgerPart | undefined = isOwn ? { settled, reserved: ownReserved + reservedHere, unknown: ownUnknown, changedAt } : undefined;
    this.allowances.learn(key, { used: used + reservedHere, extra, reserved: reserved + reservedHere, unknown, own, told: { used, extra } });
  }

  /** @returns undefined where the store is away */
  async #call({ script, keys, args }: Call): Promise<readonly StateReply[] | undefined> {
    try {
      const reply = await this.#options.state.run(script, keys, args);
      return Array.isArray(reply) ? reply as readonly StateReply[] : [];
    } catch (error) {
      if (isStateAway(error)) return undefined;
      throw error;
    }
  }
}

function awayAnswer(kind: 'limits' | 'budgets'): TakeAnswer {
  return { taken: false, kind: 'away', reason: `the count of ${kind} that servers share is away, and nothing that ${kind} hold for is sent until it is back`, retryAfterMs: awayRetryMs };
}

function newId(): string {
  return randomBytes(9).toString('base64url');
}

/** For the part of the bundle that is loaded later. */
export function createReplicaCounts(options: ReplicaCountsOptions): ReplicaCounts {
  return new ReplicaCounts(options);
}
