import type { StateReply } from '../../state/stateStore.ts';
import { settleCall, type Call, type CountHold, type Counting } from './countCalls.ts';

/** How the store is told that a hold ended; see settleCall. */
export interface EndOfHold {
  readonly hold: CountHold;
  readonly requests: 0 | 1;
  readonly settled: number;
  readonly unknown: number;
  readonly tokens: number | undefined;
  /** Whether the store holds it is not known. */
  readonly isUncertain: boolean;
}

export interface CountEndsOptions extends Counting {
  /** @returns undefined where the store is away @throws for a mistake in the call */
  call(call: Call): Promise<readonly StateReply[] | undefined>;
  /** The store confirmed a call. */
  told(call: Call, reply: readonly StateReply[]): void;
  /** A call failed in a way in which it always will. */
  failed(error: unknown): void;
  /** So many ends are kept one by one. */
  most?: number;
}

/** As many ends as can wait without filling the memory. */
const mostEnds = 10_000;
/** So many are told at once, so that the last of them is answered in time, too. */
const toldAtOnce = 64;

/**
 * What the store is told once, now or later: ends of holds and orders of people. Of more ends than are kept one by one the oldest are
 * merged: what they cost beyond what the store has reserved for them is summed by allowance, and the store ends all holds that are not named any more.
 */
export class CountEnds {
  readonly #options: CountEndsOptions;
  readonly #waiting = new Map<string, EndOfHold | Call>();
  readonly #merged = new Map<string, { settled: number; unknown: number }>();
  /** Holds are in the store whose ends were merged. */
  #hasUnnamed = false;

  constructor(options: CountEndsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Holds are to be ended by `sweepCall`. */
  get hasUnnamed(): boolean {
    return this.#hasUnnamed;
  }

  add(id: string, end: EndOfHold | Call): void {
    this.#waiting.set(id, end);
    if (this.#waiting.size > (this.#options.most ?? mostEnds)) this.#mergeOldest();
  }

  /** Ids that the store may hold something for. */
  ids(): Iterable<string> {
    return this.#waiting.keys();
  }

  /** What merged ends cost, by allowance, beyond what was reserved for them; told from here on by who asks. */
  takeMerged(): [string, { readonly settled: number; readonly unknown: number }][] {
    const merged = [...this.#merged];
    this.#merged.clear();
    return merged;
  }

  swept(): void {
    this.#hasUnnamed = false;
  }

  /** The store has nothing any more that it could end. */
  clear(): void {
    this.#waiting.clear();
    this.#merged.clear();
    this.#hasUnnamed = false;
  }

  /** @returns whether the store was told all that waited */
  async tellAll(): Promise<boolean> {
    const ids = [...this.#waiting.keys()];
    for (let at = 0; at < ids.length; at += toldAtOnce) {
      const told = await Promise.all(ids.slice(at, at + toldAtOnce).map(id => this.tell(id)));
      if (told.includes(false)) return false;
    }
    return true;
  }

  /** @returns false where the store is away */
  async tell(id: string): Promise<boolean> {
    const end = this.#waiting.get(id);
    if (end === undefined) return true;
    const call = 'hold' in end ? settleCall(this.#options, end.hold, end.requests, end.settled, end.unknown, end.tokens) : end;
    try {
      const reply = await this.#options.call(call);
      if (reply === undefined) return false;
      this.#options.told(call, reply);
    } catch (error) {
      // Telling it again would fail again, and hold up nothing but itself.
      this.#options.failed(error);
    }
    if (this.#waiting.get(id) === end) this.#waiting.delete(id);
    return true;
  }

  /** What people order is kept. */
  #mergeOldest(): void {
    for (const [id, end] of this.#waiting) {
      if (!('hold' in end)) continue;
      this.#waiting.delete(id);
      this.#hasUnnamed = true;
      // What was perhaps never taken stays used where it was.
      if (end.isUncertain) return;
      for (const { key } of end.hold.allowances) {
        const before = this.#merged.get(key) ?? { settled: 0, unknown: 0 };
        this.#merged.set(key, { settled: before.settled + end.settled - end.hold.microUsd, unknown: before.unknown + end.unknown });
      }
      return;
    }
  }
}
