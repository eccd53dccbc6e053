import type { LimitOutcome, LimitStore, LimitTransaction, OtherMember, UsedSecond } from '../../../server/ledger/limitStore.ts';

const deadAfterMs = 15_000;

interface Member { seenAt: number; alone: boolean }

/** The store of limits that the servers of one data folder share, without a file. */
export class InMemoryLimits {
  readonly members = new Map<string, Member>();
  /** By scope, then by member. */
  readonly running = new Map<string, Map<string, number>>();
  /** By scope, then by second. */
  readonly usage = new Map<string, Map<number, UsedSecond>>();
  /** Members whose process has ended. */
  readonly killed = new Set<string>();
  generation = 'first';
  /** Behaviour of the store at the next transactions. */
  state: 'well' | 'busy' | 'broken' = 'well';
  /** Number of transactions so far. */
  transactions = 0;

  /** The store as one server sees it. */
  of(id: string): LimitStore {
    return new MemberStore(this, id);
  }

  /** Loses all contents, as when the file is replaced. */
  replace(): void {
    this.members.clear();
    this.running.clear();
    this.usage.clear();
    this.generation += '+';
  }
}

class MemberStore implements LimitStore {
  readonly #limits: InMemoryLimits;
  readonly #id: string;

  constructor(limits: InMemoryLimits, id: string) {
    this.#limits = limits;
    this.#id = id;
  }

  get generation(): string {
    return this.#limits.generation;
  }

  transact<Value>(work: (transaction: LimitTransaction) => Value): LimitOutcome<Value> {
    this.#limits.transactions += 1;
    if (this.#limits.state !== 'well') return { done: false, busy: this.#limits.state === 'busy' };
    return { done: true, value: work(new MemberTransaction(this.#limits, this.#id)) };
  }

  check(): void {}

  close(): void {}
}

class MemberTransaction implements LimitTransaction {
  readonly #limits: InMemoryLimits;
  readonly #id: string;

  constructor(limits: InMemoryLimits, id: string) {
    this.#limits = limits;
    this.#id = id;
  }

  used(scope: string, sinceSecond: number): { requests: number; tokens: number } {
    return this.seconds(scope, sinceSecond).reduce((sum, one) => ({ requests: sum.requests + one.requests, tokens: sum.tokens + one.tokens }), { requests: 0, tokens: 0 });
  }

  seconds(scope: string, sinceSecond: number): UsedSecond[] {
    return [...this.#limits.usage.get(scope)?.values() ?? []].filter(({ second }) => second >= sinceSecond).sort((a, b) => a.second - b.second).map(one => ({ ...one }));
  }

  add(scope: string, second: number, requests: number, tokens: number): void {
    const seconds = this.#limits.usage.get(scope) ?? new Map<number, UsedSecond>();
    this.#limits.usage.set(scope, seconds);
    const before = seconds.get(second) ?? { second, requests: 0, tokens: 0 };
    seconds.set(second, { second, requests: before.requests + requests, tokens: before.tokens + tokens });
  }

  runningElsewhere(scope: string): number {
    let sum = 0;
    for (const [member, running] of this.#limits.running.get(scope) ?? []) if (member !== this.#id && this.#limits.members.has(member)) sum += running;
    return sum;
  }

  setRunning(scope: string, running: number): void {
    const members = this.#limits.running.get(scope) ?? new Map<string, number>();
    this.#limits.running.set(scope, members);
    if (running === 0) members.delete(this.#id);
    else members.set(this.#id, running);
  }

  others(now: number): OtherMember[] {
    return [...this.#limits.members].filter(([id]) => id !== this.#id)
      .map(([id, { alone, seenAt }]) => ({ id, alone, alive: !this.#limits.killed.has(id) && now - seenAt <= deadAfterMs }));
  }

  anotherIsAlone(now: number): boolean {
    return this.others(now).some(({ alone, alive }) => alone && alive);
  }

  beat(now: number, alone: boolean): boolean {
    const known = this.#limits.members.has(this.#id);
    this.#limits.members.set(this.#id, { seenAt: now, alone });
    return known;
  }

  remove(id = this.#id): void {
    this.#limits.members.delete(id);
    for (const members of this.#limits.running.values()) members.delete(id);
  }

  forget(beforeSecond: number, afterSecond: number): void {
    for (const [scope, seconds] of this.#limits.usage) {
      for (const one of [...seconds.values()]) {
        if (one.second > afterSecond) this.add(scope, afterSecond, one.requests, one.tokens);
        if (one.second < beforeSecond || one.second > afterSecond) seconds.delete(one.second);
      }
    }
    for (const members of this.#limits.running.values()) for (const id of [...members.keys()]) if (!this.#limits.members.has(id)) members.delete(id);
  }
}
