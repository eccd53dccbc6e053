/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** From 0 up to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Entry>(entries: readonly Entry[]): Entry {
    if (entries.length === 0) throw new Error('there is nothing to pick from');
    return entries[this.below(entries.length)] as Entry;
  }

  /** The pick, or undefined. */
  maybe<Entry>(probability: number, entries: readonly Entry[]): Entry | undefined {
    return this.chance(probability) ? this.pick(entries) : undefined;
  }
}
