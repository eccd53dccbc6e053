import type { AllowanceStore, AllowanceTransaction, TakenOfAllowance } from '../../ledger/allowanceStore.ts';
import type { Allowance, AllowanceLeft } from '../../routing/caps/allowance.ts';

/** So many allowances are remembered; the one that was used longest ago goes first. */
const mostKept = 5_000;

/** What an attempt reserved, until it is known what it cost. */
export interface Reservation {
  readonly allowances: readonly Allowance[];
  readonly microUsd: number;
}

/**
 * Counts what allowances are used for. An attempt reserves what it is expected to cost before it is sent, and that is
 * replaced by what it cost when it ended: so attempts that run at once are never admitted for more than an allowance has. A
 * reservation that its process could not settle, because it was killed, stays as it is: the provider was asked.
 *
 * The count of a data folder is one transaction for each attempt. While its store cannot be used, this process counts on from what it
 * knows, and tells the store when that works again.
 */
export class Allowances {
  readonly #store: AllowanceStore;
  /** What is known here: all of what only this process counts, and the last known state of the rest. */
  readonly #known = new Map<string, TakenOfAllowance>();
  /** What the store was not told yet. */
  readonly #untold = new Map<string, TakenOfAllowance>();

  constructor(store: AllowanceStore) {
    this.#store = store;
  }

  /** What is left of each. */
  left(allowances: readonly Allowance[]): AllowanceLeft[] {
    if (allowances.some(isShared)) this.#transact(transaction => { for (const one of allowances) if (isShared(one)) this.#remember(one.key, transaction.taken(one.key)); });
    return allowances.map(one => this.#leftOf(one));
  }

  /**
   * Takes an amount of all of them, or of none.
   * @returns the reservation, or the allowance that has less than that left
   */
  reserve(allowances: readonly Allowance[], microUsd: number): Reservation | { readonly misfit: AllowanceLeft } {
    const isCounted = microUsd === 0 || !allowances.some(isShared) || this.#transact(transaction => {
      for (const one of allowances) if (isShared(one)) this.#remember(one.key, transaction.taken(one.key));
      if (this.#misfit(allowances, microUsd) !== undefined) return;
      for (const one of allowances) if (isShared(one)) transaction.add(one.key, microUsd, 0);
    });
    const misfit = this.#misfit(allowances, microUsd);
    if (misfit !== undefined) return { misfit };
    this.#add(allowances, microUsd, 0, isCounted);
    return { allowances, microUsd };
  }

  /** The attempt of a reservation ended. Called once for each. @param microUsd what it cost; undefined: nobody knows, so what was reserved stays counted */
  settle({ allowances, microUsd: reserved }: Reservation, microUsd: number | undefined): void {
    const more = (microUsd ?? reserved) - reserved;
    if (more !== 0) this.#count(allowances, more, 0);
  }

  /** A person allows more. */
  allow(allowances: readonly Allowance[], microUsd: number): void {
    this.#count(allowances, 0, microUsd);
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
    this.#transact(() => undefined);
    this.#store.close();
  }

  #count(allowances: readonly Allowance[], used: number, extra: number): void {
    const isCounted = !allowances.some(isShared) || this.#transact(transaction => {
      for (const one of allowances) if (isShared(one)) transaction.add(one.key, used, extra);
    });
    this.#add(allowances, used, extra, isCounted);
  }

  #misfit(allowances: readonly Allowance[], microUsd: number): AllowanceLeft | undefined {
    if (microUsd <= 0) return undefined;
    for (const one of allowances) {
      const left = this.#leftOf(one);
      if (microUsd > left.leftMicroUsd) return left;
    }
    return undefined;
  }

  #leftOf(allowance: Allowance): AllowanceLeft {
    const { used, extra } = this.#known.get(allowance.key) ?? nothing;
    return { ...allowance, leftMicroUsd: allowance.limitMicroUsd + extra - used };
  }

  #add(allowances: readonly Allowance[], used: number, extra: number, isCounted: boolean): void {
    for (const one of allowances) {
      this.#remember(one.key, plus(this.#known.get(one.key), used, extra));
      if (!isCounted && isShared(one)) this.#untold.set(one.key, plus(this.#untold.get(one.key), used, extra));
    }
  }

  #remember(key: string, taken: TakenOfAllowance): void {
    this.#known.delete(key);
    this.#known.set(key, taken);
    if (this.#known.size > mostKept) for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  /** A transaction that first tells the store what it was not told. @returns whether it was done */
  #transact(work: (transaction: AllowanceTransaction) => void): boolean {
    const outcome = this.#store.transact(transaction => {
      for (const [key, { used, extra }] of this.#untold) transaction.add(key, used, extra);
      work(transaction);
    });
    if (outcome.done) this.#untold.clear();
    return outcome.done;
  }
}

/** No question is digested to this. */
const sessions = 'session';
/** Whoever comes back later begins anew. */
const sessionPauseMs = 3_600_000;
const nothing: TakenOfAllowance = { used: 0, extra: 0 };

function isShared({ ofProcess }: Allowance): boolean {
  return ofProcess !== true;
}

function plus(taken: TakenOfAllowance = nothing, used: number, extra: number): TakenOfAllowance {
  return { used: taken.used + used, extra: taken.extra + extra };
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
