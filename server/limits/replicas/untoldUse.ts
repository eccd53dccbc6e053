import { forgetOldestTurn, mostSpent, type AwayShares } from './awayShares.ts';
import { tellCall, type Call, type Counting } from './countCalls.ts';
import type { ReplicaAllowances } from './replicaAllowances.ts';

/** So many seconds of limits, and so many allowances, are told at a time. */
const mostTold = 200;

/** What was used while the store did not count it, and what the store lost. It is told in batches, each of which counts once. */
export class UntoldUse {
  readonly #counting: Counting;
  readonly #shares: AwayShares;
  readonly #allowances: ReplicaAllowances;
  /** Money of requests that the store never held, by name. */
  readonly #money = new Map<string, { settled: number; unknown: number }>();
  /** What the store lost of what it had of this server's ledger, and of what was allowed on top. */
  readonly #lost = new Map<string, { settled: number; extra: number }>();
  /** What is being told; kept until it is confirmed. */
  #batch: Call | undefined;

  constructor(counting: Counting, shares: AwayShares, allowances: ReplicaAllowances) {
    this.#counting = counting;
    this.#shares = shares;
    this.#allowances = allowances;
  }

  get hasMoney(): boolean {
    return this.#money.size > 0;
  }

  spend(key: string, settled: number, unknown: number): void {
    const before = this.#money.get(key) ?? { settled: 0, unknown: 0 };
    this.#money.set(key, { settled: before.settled + settled, unknown: before.unknown + unknown });
    if (this.#money.size > mostSpent) forgetOldestTurn(this.#money);
  }

  /** The store has nothing any more of what it was told. */
  lost(): void {
    for (const [key, { own, extra }] of this.#allowances.entries()) if (own !== undefined || extra > 0) this.#lost.set(key, { settled: Math.max(0, (own?.settled ?? 0) - (this.#money.get(key)?.settled ?? 0)), extra });
    this.#batch = undefined;
    this.#shares.allUntold();
  }

  /** What is to be told next; undefined: nothing. @param shiftS the store's clock less this server's, in seconds @param newId the same batch has the same one */
  next(shiftS: number, newId: () => string): Call | undefined {
    return this.#batch ??= this.#made(shiftS, newId);
  }

  /** The store knows a batch, or never will. A store that lost what it held meanwhile is told another one. */
  done(batch: Call): void {
    if (this.#batch !== batch) return;
    this.#batch = undefined;
    this.#shares.told();
  }

  #made(shiftS: number, newId: () => string): Call | undefined {
    const uses = this.#shares.takeUntold(mostTold).map(use => ({ ...use, second: use.second + shiftS }));
    const names = [...new Set([...this.#money.keys(), ...this.#lost.keys()])].slice(0, mostTold);
    const money = names.map(key => {
      const { settled, unknown } = this.#money.get(key) ?? { settled: 0, unknown: 0 };
      const { settled: before, extra } = this.#lost.get(key) ?? { settled: Math.max(0, (this.#allowances.own(key)?.settled ?? settled) - settled), extra: 0 };
      this.#money.delete(key);
      this.#lost.delete(key);
      return { key, before, settled, unknown, extra };
    });
    return uses.length === 0 && money.length === 0 ? undefined : tellCall(this.#counting, newId(), uses, money);
  }
}
