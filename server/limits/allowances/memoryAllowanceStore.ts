import { mostExtraMicroUsd, type AllowanceOutcome, type AllowanceStore, type AllowanceTransaction, type NamedTaken, type TakenOfAllowance } from '../../ledger/allowanceStore.ts';

const mostTurns = 5_000;
const mostAllowances = 20_000;

/** Counts in this process alone, where there is no data folder. Bounded: what was used longest ago is forgotten. */
export class MemoryAllowanceStore implements AllowanceStore, AllowanceTransaction {
  readonly #taken = new Map<string, TakenOfAllowance>();
  readonly #changedAt = new Map<string, number>();
  readonly #now: () => number;
  /** By conversation and question; the last one that was kept stands last. */
  readonly #turns = new Map<string, { conversation: string; turn: string }>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> {
    return { done: true, value: work(this) };
  }

  taken(key: string, start = 0): TakenOfAllowance {
    return this.#taken.get(key) ?? { used: start, extra: 0, reserved: 0, unknown: 0 };
  }

  add(key: string, used: number, extra: number, reserved = 0, start = 0, unknown = 0): void {
    const before = this.taken(key, start);
    this.#taken.delete(key);
    this.#taken.set(key, { used: before.used + used, extra: Math.min(before.extra + extra, mostExtraMicroUsd), reserved: before.reserved + reserved, unknown: before.unknown + unknown });
    this.#changedAt.delete(key);
    this.#changedAt.set(key, this.#now());
    dropOldest(this.#taken, mostAllowances);
    dropOldest(this.#changedAt, mostAllowances);
  }

  under(prefix: string, most: number): NamedTaken[] {
    const found = [...this.#taken].filter(([key]) => key.startsWith(prefix)).map(([key, taken]) => ({ key, ...taken }));
    return found.sort((a, b) => b.used - a.used).slice(0, most);
  }

  correct(key: string, known: number, unchangedSince: number, keepsUnknown = false): boolean {
    const before = this.#taken.get(key);
    if (before === undefined || before.reserved !== 0 || (this.#changedAt.get(key) ?? 0) > unchangedSince) return false;
    const unknown = keepsUnknown ? before.unknown : 0;
    this.#taken.set(key, { ...before, used: known + unknown, unknown });
    return true;
  }

  /** Nobody else counts here. */
  freeOrphans(): boolean { return false; }

  revision(): number { return 0; }

  beat(): void { /* nobody asks whether this process lives */ }

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
