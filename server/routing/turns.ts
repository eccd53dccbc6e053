import type { Random } from '../base/clock.ts';
import type { SignalRequest } from './signals.ts';

const largestStart = 1_000_000;

/** Whose turn it is in each route. A request has one turn of a route, however often its targets are looked at. */
export class Turns {
  readonly #random: Random;
  readonly #next = new Map<string, number>();
  readonly #taken = new WeakMap<SignalRequest, Map<string, number>>();

  /** @param random where the turns begin, so that servers that start together do not all ask the same target first */
  constructor(random: Random) {
    this.#random = random;
  }

  /** The turn that a request has in a route: a number that grows by 1 with each request. */
  of(route: string, request: SignalRequest): number {
    const taken = this.#taken.get(request);
    const before = taken?.get(route);
    if (before !== undefined) return before;
    let turn = this.#next.get(route);
    if (turn === undefined) {
      turn = Math.floor(this.#random() * largestStart);
      this.#next.set(route, turn);
    }
    if (request.rehearsal === true) return turn;
    this.#next.set(route, turn + 1);
    if (taken === undefined) this.#taken.set(request, new Map([[route, turn]]));
    else taken.set(route, turn);
    return turn;
  }
}
