import type { AllowanceOutcome, AllowanceStore, AllowanceTransaction, TakenOfAllowance } from '../../ledger/allowanceStore.ts';

const mostTurns = 5_000;
const mostAllowances = 20_000;

/** Counts in this process alone, where there is no data folder. Bounded: what was used longest ago is forgotten. */
export class MemoryAllowanceStore implements AllowanceStore, AllowanceTransaction {
  readonly #taken = new Map<string, TakenOfAllowance>();
  /** By conversation and question; the last one that was kept stands last. */
  readonly #turns = new Map<string, { conversation: string; turn: string }>();

  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> {
    return { done: true, value: work(this) };
  }

  taken(key: string): TakenOfAllowance {
    return this.#taken.get(key) ?? { used: 0, extra: 0 };
  }

  add(key: string, used: number, extra: number): void {
    const before = this.taken(key);
    this.#taken.delete(key);
    this.#taken.set(key, { used: before.used + used, extra: before.extra + extra });
    dropOldest(this.#taken, mostAllowances);
  }

  lastTurn(conversation: string): string | undefined {
    let last: string | undefined;
    for (const one of this.#turns.values()) if (one.conversation === conversation) last = one.turn;
    return last;
  }

  turn(conversation: string, question: string): string | undefined {
    return this.#turns.get(`${conversation} ${question}`)?.turn;
  }

  keepTurn(conversation: string, question: string, turn: string): void {
    const key = `${conversation} ${question}`;
    this.#turns.delete(key);
    this.#turns.set(key, { conversation, turn });
    dropOldest(this.#turns, mostTurns);
  }

  close(): void { /* nothing is open */ }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return;
  for (const oldest of map.keys()) { map.delete(oldest); break; }
}
