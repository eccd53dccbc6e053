import type { DryRunMoney, DryRunMove, DryRunReport, DryRunRoute, DryRunTarget } from '../../api/rules/dryRun.ts';
import type { Cost, Receipt } from '../../api/receipt.ts';

/** Ids of so many requests of a move are shown. */
const mostExamples = 3;
const mostReasons = 5;

interface Counted { requests: number; cost: DryRunMoney }
interface CountedMove { requests: number; before: DryRunMoney; after: DryRunMoney; examples: string[]; from: string; to: string }
interface Name { requests: number; moved: number; unserved: number; why: Map<string, number>; before: Map<string, Counted>; after: Map<string, Counted>; moves: Map<string, CountedMove> }

/** Sums of a dry run, by the name that was asked for. */
export class DryRunCount {
  readonly #names = new Map<string, Name>();
  readonly #before = nothing();
  readonly #after = nothing();

  /** The request goes where it went. @param target undefined: nothing answered then either */
  same(receipt: Receipt, target: string | undefined): void {
    const name = this.#recorded(receipt, target);
    if (target !== undefined) count(name.after, target, receipt.cost);
    add(this.#after, receipt.cost);
  }

  /** The request goes elsewhere. @param cost there; undefined: not known */
  moved(receipt: Receipt, from: string, to: string, cost: Cost | undefined): void {
    const name = this.#recorded(receipt, from);
    name.moved += 1;
    count(name.after, to, cost);
    add(this.#after, cost);
    const key = JSON.stringify([from, to]);
    const move = name.moves.get(key) ?? { requests: 0, before: nothing(), after: nothing(), examples: [], from, to };
    name.moves.set(key, move);
    move.requests += 1;
    add(move.before, receipt.cost);
    add(move.after, cost);
    if (move.examples.length < mostExamples) move.examples.push(receipt.id);
  }

  /** Nothing can serve the request. */
  unserved(receipt: Receipt, from: string, why: string): void {
    const name = this.#recorded(receipt, from);
    name.unserved += 1;
    name.why.set(why, (name.why.get(why) ?? 0) + 1);
  }

  report(): Pick<DryRunReport, 'requests' | 'moved' | 'unserved' | 'before' | 'after' | 'routes'> {
    const routes = [...this.#names].map(([name, one]): DryRunRoute => ({
      name, requests: one.requests, moved: one.moved, unserved: one.unserved,
      unservedWhy: [...one.why].sort(([, a], [, b]) => b - a).slice(0, mostReasons).map(([why, times]) => `${why} (${times})`),
      before: targets(one.before), after: targets(one.after), moves: [...one.moves.values()].sort((a, b) => b.requests - a.requests || order(a.to, b.to)).map((move): DryRunMove => move),
    })).sort((a, b) => b.moved + b.unserved - a.moved - a.unserved || b.requests - a.requests || order(a.name, b.name));
    const sum = (field: 'requests' | 'moved' | 'unserved'): number => routes.reduce((total, route) => total + route[field], 0);
    return { requests: sum('requests'), moved: sum('moved'), unserved: sum('unserved'), before: { ...this.#before }, after: { ...this.#after }, routes };
  }

  #recorded({ plan: { requestedModel }, cost }: Receipt, target: string | undefined): Name {
    let name = this.#names.get(requestedModel);
    if (name === undefined) {
      name = { requests: 0, moved: 0, unserved: 0, why: new Map(), before: new Map(), after: new Map(), moves: new Map() };
      this.#names.set(requestedModel, name);
    }
    name.requests += 1;
    if (target !== undefined) count(name.before, target, cost);
    add(this.#before, cost);
    return name;
  }
}

function nothing(): DryRunMoney {
  return { microUsd: 0, unknown: 0 };
}

function add(sum: DryRunMoney, cost: Cost | undefined): void {
  if (cost?.microUsd === undefined) sum.unknown += 1;
  else sum.microUsd += cost.microUsd;
}

function count(of: Map<string, Counted>, target: string, cost: Cost | undefined): void {
  const counted = of.get(target) ?? { requests: 0, cost: nothing() };
  of.set(target, counted);
  counted.requests += 1;
  add(counted.cost, cost);
}

function targets(of: ReadonlyMap<string, Counted>): DryRunTarget[] {
  return [...of].map(([target, { requests, cost }]) => ({ target, requests, cost })).sort((a, b) => b.requests - a.requests || order(a.target, b.target));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
