import { mostExtraMicroUsd, type AllowanceStore, type AllowanceTransaction, type NamedTaken, type TakenOfAllowance } from '../../ledger/allowanceStore.ts';
import type { Allowance, AllowanceLeft } from '../../routing/caps/allowance.ts';

/** So many allowances are remembered; the one that was used longest ago goes first. */
const mostKept = 5_000;

/** Under a hard budget a store that others hold is asked so often; each time waits up to 50 ms. */
const mostTries = 20;

/** What an attempt reserved, until it is known what it cost. */
export interface Reservation {
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

/**
 * Counts what allowances are used for. An attempt reserves what it is expected to cost before it is sent, and that is
 * replaced by what it cost when it ended: so attempts that run at once are never admitted for more than an allowance has. A
 * reservation that its process could not settle, because it was killed, stays counted: the provider was asked. Of a budget it is replaced by
 * what the ledger has of the request; see BudgetBook.
 *
 * The count of a data folder is one transaction for each attempt. While its store cannot be used, this process counts on from what it
 * knows, and tells the store when that works again.
 */
export class Allowances {
  readonly #store: AllowanceStore;
  /** What is known here: all of what only this process counts, and the last known state of the rest. */
  readonly #known = new Map<string, TakenOfAllowance>();
  /** What attempts of this process that run have reserved. */
  readonly #reserved = new Map<string, number>();
  /** What the store was not told yet. */
  readonly #untold = new Map<string, TakenOfAllowance & { readonly start: number }>();

  #version = 0;

  constructor(store: AllowanceStore) {
    this.#store = store;
  }

  /** What is left of each. @param fresh what peers took within the last second is looked up for budgets too */
  left(allowances: readonly Allowance[], fresh = false): AllowanceLeft[] {
    if (allowances.some(one => (fresh ? isShared(one) : this.#isToRead(one)))) this.#transact(transaction => { for (const one of allowances) if (isShared(one)) this.#remember(one.key, takenOf(transaction, one)); });
    return allowances.map(one => this.#leftOf(one));
  }

  /** Grows with each change of what is known here. */
  get version(): number {
    return this.#version;
  }

  /** What was taken of a name, as far as it is known here, without a look into the store. */
  known(key: string): TakenOfAllowance | undefined {
    return this.#known.get(key);
  }

  /** Learns in one transaction what peers took of every name that begins so, of many the most used. @returns those, by prefix; undefined where the store cannot be used */
  learn(prefixes: readonly string[], most: number): readonly (readonly NamedTaken[])[] | undefined {
    let found: readonly (readonly NamedTaken[])[] | undefined;
    this.#transact(transaction => { found = prefixes.map(prefix => transaction.under(prefix, most)); });
    for (const each of found ?? []) for (const { key, ...taken } of each) this.#remember(key, taken);
    return found;
  }

  /** What is known of names that begin so and that the store has nothing of is asked anew. */
  forget(prefix: string): void {
    const inStore = this.maintain(transaction => transaction.under(prefix, mostKept))?.value;
    if (inStore === undefined || inStore.length === mostKept) return;
    const kept = new Set(inStore.map(({ key }) => key));
    this.#version += 1;
    for (const key of this.#known.keys()) if (key.startsWith(prefix) && !kept.has(key)) this.#known.delete(key);
  }

  /** Work on the store beside requests. @returns undefined where it cannot be used */
  maintain<Value>(work: (transaction: AllowanceTransaction) => Value): { readonly value: Value } | undefined {
    let made: { readonly value: Value } | undefined;
    this.#transact(transaction => { made = { value: work(transaction) }; });
    return made;
  }

  /** Changes when a peer took something; undefined where that cannot be known. */
  revision(): number | undefined {
    return this.#store.revision();
  }

  /** This server lives, and tells the store what it could not be told before. To be called every second or so. */
  beat(): void {
    this.#store.beat();
    if (this.#untold.size > 0) this.#transact(() => undefined);
  }

  /**
   * Takes an amount of all of them, or of none.
   * @returns the reservation, or the allowance that has less than that left
   */
  reserve(allowances: readonly Allowance[], microUsd: number): Reservation | { readonly misfit: AllowanceLeft } {
    const isCounted = microUsd === 0 || !allowances.some(isShared) || this.#transact(transaction => {
      for (const one of allowances) if (isShared(one)) this.#remember(one.key, takenOf(transaction, one));
      if (this.#misfit(allowances, microUsd) !== undefined) return;
      for (const one of allowances) if (isShared(one)) transaction.add(one.key, microUsd, 0, heldOf(one, microUsd), startOf(one));
    }, allowances.some(isHard) ? mostTries : 1);
    const misfit = this.#misfit(allowances, microUsd);
    if (misfit !== undefined) return { misfit };
    this.#add(allowances, microUsd, 0, microUsd, 0, isCounted);
    this.#reserve(allowances, microUsd);
    return { allowances, microUsd };
  }

  /**
   * The attempt of a reservation ended. Called once for each. Where nobody knows what it cost, or not all of it, it counts for no less than was reserved.
   * @param microUsd what is known of what it cost; undefined: nothing @param isAll that is all
   */
  settle({ allowances, microUsd: reserved }: Reservation, microUsd: number | undefined, isAll = true): void {
    this.#reserve(allowances, -reserved);
    const unknown = isAll && microUsd !== undefined ? 0 : Math.max(0, reserved - (microUsd ?? 0));
    const more = (microUsd ?? 0) + unknown - reserved;
    if (more !== 0 || (reserved !== 0 && allowances.some(isHeld))) this.#count(allowances, more, 0, -reserved, unknown);
  }

  /** A person allows more. */
  allow(allowances: readonly Allowance[], microUsd: number): void {
    this.#count(allowances, 0, microUsd, 0);
  }

  /** What a person allowed is taken back, with what peers allowed meanwhile. */
  restore(one: Allowance): void {
    const isDone = this.#transact(transaction => {
      transaction.add(one.key, 0, -takenOf(transaction, one).extra, 0, startOf(one));
      this.#remember(one.key, takenOf(transaction, one));
    });
    if (!isDone) this.#count([one], 0, -(this.#known.get(one.key)?.extra ?? 0), 0);
  }

  /**
   * The turn of a conversation that a request belongs to: a text that stays the same through a loop of tool calls, and is another one for
   * each message of the user.
   * @param question a digest of that message; undefined: it was not found, so the request goes on with the last turn
   * @param begins how long the prompt is, where the message is the last thing in it. A longer prompt that ends with the same words asks again; one of the same length is the same request, sent again
   */
  turn(conversation: string, question: string | undefined, begins: number | undefined): string {
    let found: string | undefined;
    this.#transact(transaction => { found = turnOf(transaction, conversation, question, begins); });
    return found ?? question ?? '';
  }

  /** Which session of a tool a request belongs to, where the tool names none: a new one begins after an hour without requests. @param now milliseconds since the epoch */
  session(tool: string, now: number): string {
    let number = 1;
    this.#transact(transaction => {
      const [last = 0, at = now] = transaction.turn(tool, sessions)?.split(' ').map(Number) ?? [];
      number = last === 0 || now - at > sessionPauseMs ? last + 1 : last;
      transaction.keepTurn(tool, sessions, `${String(number)} ${String(now)}`);
    });
    return String(number);
  }

  close(): void {
    if (this.#untold.size > 0) this.#transact(() => undefined);
    this.#store.close();
  }

  #count(allowances: readonly Allowance[], used: number, extra: number, reserved: number, unknown = 0): void {
    const isCounted = !allowances.some(isShared) || this.#transact(transaction => {
      for (const one of allowances) if (isShared(one)) transaction.add(one.key, used, extra, heldOf(one, reserved), startOf(one), heldOf(one, unknown));
    });
    this.#add(allowances, used, extra, reserved, unknown, isCounted);
  }

  /** What is left of a budget is looked up once and then followed, so that a plan asks memory; of a cap it is looked up for each plan. */
  #isToRead(one: Allowance): boolean {
    return isShared(one) && (one.budget === undefined || !this.#known.has(one.key));
  }

  #misfit(allowances: readonly Allowance[], microUsd: number): AllowanceLeft | undefined {
    if (microUsd <= 0) return undefined;
    for (const one of allowances) {
      const left = this.#leftOf(one);
      if (microUsd > left.leftMicroUsd && one.budget?.isHard !== false) return left;
    }
    return undefined;
  }

  #leftOf(allowance: Allowance): AllowanceLeft {
    const { used, extra } = this.#known.get(allowance.key) ?? { used: startOf(allowance), extra: 0 };
    const reservedMicroUsd = this.#reserved.get(allowance.key);
    return { ...allowance, leftMicroUsd: allowance.limitMicroUsd + extra - used, ...(extra === 0 ? {} : { allowedMicroUsd: extra }), ...(reservedMicroUsd === undefined ? {} : { reservedMicroUsd }) };
  }

  #reserve(allowances: readonly Allowance[], microUsd: number): void {
    if (microUsd === 0) return;
    for (const { key } of allowances) {
      const reserved = (this.#reserved.get(key) ?? 0) + microUsd;
      if (reserved > 0) this.#reserved.set(key, reserved);
      else this.#reserved.delete(key);
    }
  }

  #add(allowances: readonly Allowance[], used: number, extra: number, reserved: number, unknown: number, isCounted: boolean): void {
    for (const one of allowances) {
      const more: TakenOfAllowance = { used, extra, reserved: heldOf(one, reserved), unknown: heldOf(one, unknown) };
      const taken = plus(this.#known.get(one.key) ?? { ...nothing, used: startOf(one) }, more);
      this.#remember(one.key, { ...taken, reserved: Math.max(0, taken.reserved) });
      if (!isCounted && isShared(one)) this.#untold.set(one.key, { start: startOf(one), ...plus(this.#untold.get(one.key) ?? nothing, more) });
    }
  }

  #remember(key: string, taken: TakenOfAllowance): void {
    this.#version += 1;
    this.#known.delete(key);
    this.#known.set(key, taken);
    if (this.#known.size > mostKept) for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  /** A transaction that first tells the store what it was not told. @param tries while another server holds it @returns whether it was done */
  #transact(work: (transaction: AllowanceTransaction) => void, tries = 1): boolean {
    const outcome = this.#store.transact(transaction => {
      for (const [key, { used, extra, reserved, unknown, start }] of this.#untold) transaction.add(key, used, extra, reserved, start, unknown);
      work(transaction);
    });
    if (outcome.done) this.#untold.clear();
    else if (outcome.busy && tries > 1) return this.#transact(work, tries - 1);
    return outcome.done;
  }
}

/** No question is digested to this. */
const sessions = 'session';
/** Whoever comes back later begins anew. */
const sessionPauseMs = 3_600_000;
const nothing: TakenOfAllowance = { used: 0, extra: 0, reserved: 0, unknown: 0 };

function isShared({ ofProcess }: Allowance): boolean {
  return ofProcess !== true;
}

/** What runs is told apart from what was spent. */
function isHeld({ budget }: Allowance): boolean {
  return budget !== undefined;
}

function isHard({ budget }: Allowance): boolean {
  return budget?.isHard === true;
}

function heldOf(one: Allowance, microUsd: number): number {
  return isHeld(one) ? microUsd : 0;
}

function startOf({ budget }: Allowance): number {
  return budget?.startMicroUsd ?? 0;
}

function takenOf(transaction: AllowanceTransaction, one: Allowance): TakenOfAllowance {
  return transaction.taken(one.key, startOf(one));
}

function plus(taken: TakenOfAllowance, more: TakenOfAllowance): TakenOfAllowance {
  return { used: taken.used + more.used, extra: Math.min(taken.extra + more.extra, mostExtraMicroUsd), reserved: taken.reserved + more.reserved, unknown: taken.unknown + more.unknown };
}

/** The text that is kept of a turn: its number among those of the same words, and how long its first prompt was. */
function turnOf(transaction: AllowanceTransaction, conversation: string, question: string | undefined, begins: number | undefined): string | undefined {
  if (question === undefined) return nameOf(transaction.lastTurn(conversation));
  const before = transaction.turn(conversation, question);
  const [number, length] = before === undefined ? [] : before.slice(question.length + 1).split(' ').map(Number);
  const isNew = before === undefined || (begins !== undefined && begins !== length);
  const turn = isNew ? `${question}.${String((number ?? 0) + 1)} ${String(begins ?? 0)}` : before;
  // Kept again also where it is known: the last one that was used is the last turn.
  transaction.keepTurn(conversation, question, turn);
  return nameOf(turn);
}

function nameOf(turn: string | undefined): string | undefined {
  return turn?.slice(0, turn.indexOf(' '));
}
