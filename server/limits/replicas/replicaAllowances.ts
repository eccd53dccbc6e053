import { mostExtraMicroUsd, type AllowanceOutcome, type AllowanceStore, type AllowanceTransaction, type NamedTaken, type TakenOfAllowance } from '../../ledger/allowanceStore.ts';

/** What one ledger has of an allowance. `settled` is without what is reserved. */
export interface LedgerPart { settled: number; reserved: number; unknown: number; /** In the store's time. */ changedAt: number }

/** What is known of an allowance that servers share; `own`: the part of this server's ledger, undefined where it has none yet. */
export interface SharedAllowance extends TakenOfAllowance { own: LedgerPart | undefined; /** As the store last said it: without what was reserved and allowed here since. */ told: { readonly used: number; readonly extra: number } }

/** What the store is asked for on behalf of it. */
export interface AllowanceOrders {
  allow(key: string, microUsd: number, start: number): void;
  /** @param unchangedSince milliseconds since the epoch */
  correct(key: string, known: number, unchangedSince: number, keepsUnknown: boolean): void;
}

/** So many allowances are followed; the one that changed longest ago goes first. */
const mostFollowed = 20_000;

/**
 * The last known state of allowances that servers share: what is read is memory, and what attempts take is decided by the store (see
 * ReplicaCounts). Turns and sessions stay where the data folder has them.
 */
export class ReplicaAllowances implements AllowanceStore, AllowanceTransaction {
  readonly #local: AllowanceStore;
  readonly #orders: AllowanceOrders;
  readonly #known = new Map<string, SharedAllowance>();
  /** What this server's ledger has of names whose part the store has not confirmed. */
  readonly #unconfirmed = new Map<string, number>();
  #revision = 0;
  /** States that know of less than this server does are not believed: the store lost what it held. */
  #isRestoring = false;

  constructor(local: AllowanceStore, orders: AllowanceOrders) {
    this.#local = local;
    this.#orders = orders;
  }

  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> {
    return { done: true, value: work(this) };
  }

  /** Takes over what the store says. */
  learn(key: string, taken: SharedAllowance): void {
    const before = this.#known.get(key);
    if (before !== undefined && this.#isRestoring && taken.used < before.used) return;
    this.#known.delete(key);
    this.#known.set(key, taken);
    if (before === undefined || before.used !== taken.used || before.extra !== taken.extra || before.reserved !== taken.reserved || before.unknown !== taken.unknown) this.#revision += 1;
    if (this.#known.size > mostFollowed) for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  entries(): Iterable<[string, Readonly<SharedAllowance>]> {
    return this.#known;
  }

  /** As the store last said it. @param start what this server's ledger had before, where the store does not know it */
  told(key: string, start: number): { readonly used: number; readonly extra: number } {
    const known = this.#known.get(key);
    return { used: (known?.told.used ?? 0) + (known?.own === undefined ? start : 0), extra: known?.told.extra ?? 0 };
  }

  /** The part of this server's ledger. */
  own(key: string): Readonly<LedgerPart> | undefined {
    return this.#known.get(key)?.own;
  }

  setRestoring(isRestoring: boolean): void {
    this.#isRestoring = isRestoring;
  }

  taken(key: string, start = 0): TakenOfAllowance {
    const known = this.#known.get(key);
    if (known === undefined) return { used: start, extra: 0, reserved: 0, unknown: 0 };
    return known.own === undefined ? { ...known, used: known.used + start } : known;
  }

  add(key: string, used: number, extra: number, reserved = 0, start = 0, unknown = 0): void {
    const told = this.told(key, start);
    const { own = { settled: start, reserved: 0, unknown: 0, changedAt: 0 } } = this.#known.get(key) ?? {};
    const before = this.taken(key, start);
    this.#known.delete(key);
    this.#known.set(key, {
      used: before.used + used, extra: Math.max(0, Math.min(before.extra + extra, mostExtraMicroUsd)), reserved: Math.max(0, before.reserved + reserved), unknown: before.unknown + unknown,
      own: { settled: own.settled + used - reserved, reserved: Math.max(0, own.reserved + reserved), unknown: own.unknown + unknown, changedAt: own.changedAt },
      told,
    });
    if (extra !== 0) this.#orders.allow(key, extra, start);
  }

  under(prefix: string, most: number): NamedTaken[] {
    const found = [...this.#known].filter(([key]) => key.startsWith(prefix)).map(([key, { used, extra, reserved, unknown }]) => ({ key, used, extra, reserved, unknown }));
    return found.sort((a, b) => b.used - a.used).slice(0, most);
  }

  correct(key: string, known: number, unchangedSince: number, keepsUnknown = false): boolean {
    const own = this.#known.get(key)?.own;
    if (own !== undefined && own.reserved === 0 && own.settled === known + (keepsUnknown ? own.unknown : 0) && (keepsUnknown || own.unknown === 0)) return true;
    if (own === undefined && known === 0) return true;
    this.#orders.correct(key, known, unchangedSince, keepsUnknown);
    return false;
  }

  /** What this server's ledger has is in the count of all, also where nothing is asked for here. */
  begin(key: string, known: number): void {
    if (known === 0 || this.own(key) !== undefined || this.#unconfirmed.get(key) === known) return;
    if (this.#unconfirmed.size >= mostFollowed) this.#unconfirmed.clear();
    this.#unconfirmed.set(key, known);
    this.#orders.correct(key, known, Infinity, false);
  }

  /** Asks again for what the store was away for, or did not answer. */
  beginAgain(): void {
    for (const [key, known] of this.#unconfirmed) {
      if (this.own(key) === undefined) this.#orders.correct(key, known, Infinity, false);
      else this.#unconfirmed.delete(key);
    }
  }

  /** The store frees what gone servers hold. */
  freeOrphans(): boolean { return false; }

  revision(): number { return this.#revision; }

  beat(): void { /* the connection to the store says that this server lives */ }

  lastTurn(conversation: string): string | undefined {
    return this.#ofLocal(local => local.lastTurn(conversation));
  }

  turn(conversation: string, question: string): string | undefined {
    return this.#ofLocal(local => local.turn(conversation, question));
  }

  keepTurn(conversation: string, question: string, turn: string): void {
    this.#local.transact(local => { local.keepTurn(conversation, question, turn); });
  }

  close(): void { /* the data folder's store is closed by who opened it */ }

  #ofLocal<Value>(work: (transaction: AllowanceTransaction) => Value | undefined): Value | undefined {
    const outcome = this.#local.transact(work);
    return outcome.done ? outcome.value : undefined;
  }
}
