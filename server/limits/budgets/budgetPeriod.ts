import { createHash } from 'node:crypto';
import type { Caller } from '../../api/receipt.ts';
import type { BudgetConfig } from '../../config/config.ts';
import type { BudgetAllowance } from '../../routing/caps/allowance.ts';
import { periodOf, type PeriodRange } from './period.ts';

/** A request, as far as budgets go by it. */
export interface BudgetedRequest {
  readonly input: { readonly caller: Caller };
  /** The route that was asked for; undefined for models and pinned targets. */
  readonly route: string | undefined;
  /** A digest of the conversation that it belongs to; asked where its caller gave no id of one. */
  readonly conversation: () => string;
}

/** What the ledger has of a period. `unknown`: attempts whose cost is not known, or not all of it. */
export interface StartOfBudget { readonly microUsd: number; readonly unknown: number }

/** So many allowances are kept; then they are made anew. */
const mostKept = 2_000;
/** Begins what is kept of a conversation whose caller gave no id, which the ledger does not know. */
const unnamed = '~';
const nothing: StartOfBudget = { microUsd: 0, unknown: 0 };

/** One budget in one period: what it is counted under, and for what. */
export class BudgetInPeriod {
  readonly config: BudgetConfig;
  readonly range: PeriodRange;
  /** Begins the keys of everything that it counts, in any period. */
  readonly series: string;
  /** Begins the keys of everything that it counts. */
  readonly prefix: string;
  readonly #allowances = new Map<string, BudgetAllowance>();
  readonly #seen = new Set<string>();
  #starts: ReadonlyMap<string, StartOfBudget> = new Map();
  #isRead = false;
  #version = 0;

  /** @param now milliseconds since the epoch */
  constructor(config: BudgetConfig, now: number) {
    this.config = config;
    this.range = periodOf(config.period, now);
    this.series = `budget/${config.key ?? config.name}/${config.per}/${config.period}/`;
    this.prefix = `${this.series}${this.range.day}/`;
  }

  /** What the ledger has, by what it is for; the name is empty where it is for everything. */
  get starts(): ReadonlyMap<string, StartOfBudget> {
    return this.#starts;
  }

  /** Grows with each change of what its statuses are made of, beside what allowances know. */
  get version(): number {
    return this.#version;
  }

  /** What the ledger has of the period is known. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** The allowances that requests hold already begin with it too. */
  begin(starts: ReadonlyMap<string, StartOfBudget>): void {
    this.#starts = starts;
    this.#isRead = true;
    this.#version += 1;
  }

  startOf(of: string | undefined): StartOfBudget {
    return this.#starts.get(of ?? '') ?? nothing;
  }

  /** The ledger knows what it costs. */
  isInLedger(of: string | undefined): boolean {
    return this.config.per !== 'conversation' || of?.startsWith(unnamed) !== true;
  }

  keyOf(of: string | undefined): string {
    return this.prefix + encodeURIComponent(of ?? '');
  }

  /** The reverse of `keyOf`. @throws URIError where that did not make it */
  ofKey(key: string): string | undefined {
    const of = decodeURIComponent(key.slice(this.prefix.length));
    return of === '' ? undefined : of;
  }

  /** Whether `keyOf` can have made it: for everything there is one alone. */
  isKey(key: string): boolean {
    try {
      return key.startsWith(this.prefix) && (key === this.prefix) === (this.config.per === 'everything') && this.keyOf(this.ofKey(key)) === key;
    } catch {
      // It holds an escape that stands for no character.
      return false;
    }
  }

  /** What it is for, of a request; empty for everything, undefined where it is not for it. Endpoints are asked for apart. */
  nameOf({ input: { caller }, route, conversation }: BudgetedRequest): string | undefined {
    switch (this.config.per) {
      case 'everything': return '';
      case 'conversation': return caller.conversation === undefined ? unnamed + conversation() : conversationName(JSON.stringify([caller.tool, caller.conversation]));
      case 'workspace': return caller.workspace;
      case 'branch': return caller.branch;
      case 'tool': return caller.tool;
      case 'route': return route;
      case 'extension': return caller.extension;
      case 'token': return caller.token;
      case 'endpoint': return undefined;
    }
  }

  /** Those that something was asked for, here or at a peer. */
  seen(): Iterable<string> {
    return this.#seen;
  }

  /** A peer counts one. */
  saw(key: string): void {
    const of = this.ofKey(key);
    if (of !== undefined) this.#see(of);
  }

  #see(of: string): void {
    if (this.#seen.size >= mostKept || this.#seen.has(of)) return;
    this.#seen.add(of);
    this.#version += 1;
  }

  isFor(name: string): boolean {
    return this.config.only?.has(name.toLowerCase()) !== false;
  }

  /** @param of as `nameOf` says it @returns undefined where the budget is not for it */
  allowanceOf(of: string): BudgetAllowance | undefined {
    const { name, period, per, limitMicroUsd, isHard, cheaperAt } = this.config;
    if (!this.isFor(of)) return undefined;
    let allowance = this.#allowances.get(of);
    if (allowance === undefined) {
      if (this.#allowances.size >= mostKept) this.#allowances.clear();
      const named = of === '' ? undefined : of;
      const start = (): number => this.startOf(named).microUsd;
      allowance = {
        key: this.keyOf(named), limitMicroUsd,
        budget: { name, period, per, of: named, ...(per === 'endpoint' ? { endpoint: named } : {}), isHard, cheaperAt, resetsAt: this.range.to, get startMicroUsd() { return start(); } },
      };
      this.#allowances.set(of, allowance);
      if (named !== undefined) this.#see(named);
    }
    return allowance;
  }
}

/** A conversation as budgets name it: a digest of tool and id. @param named see SpentBy */
export function conversationName(named: string): string {
  return createHash('sha256').update(named).digest('base64url').slice(0, 12);
}
