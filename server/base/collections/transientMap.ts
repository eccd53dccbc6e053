/** The place of one value. What V8 keeps of a removed entry is this place, empty. */
interface Slot<Value> { value: Value | undefined }

/**
 * A map by text whose entries stay for as long as one request. A Map of V8 is a table that is made anew after some dozens of entries, and
 * each table points to the next: once one of them is old, all later ones, with the entries they had when they were replaced, live until the
 * whole heap is collected. In a plain Map that is most of what requests ever made. Here a removed value is let go of at once.
 */
export class TransientMap<Value extends object> {
  readonly #slots = new Map<string, Slot<Value>>();

  get size(): number {
    return this.#slots.size;
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  get(key: string): Value | undefined {
    return this.#slots.get(key)?.value;
  }

  /** A key that is there keeps its place in the order. */
  set(key: string, value: Value): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) this.#slots.set(key, { value });
    else slot.value = value;
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    slot.value = undefined;
    this.#slots.delete(key);
  }

  clear(): void {
    for (const slot of this.#slots.values()) slot.value = undefined;
    this.#slots.clear();
  }

  /** The values in the order in which their keys came; entries may be deleted meanwhile. */
  * values(): Generator<Value, void> {
    for (const { value } of this.#slots.values()) if (value !== undefined) yield value;
  }

  /** As `values`, with their keys. */
  * [Symbol.iterator](): Generator<[key: string, value: Value], void> {
    for (const [key, { value }] of this.#slots) if (value !== undefined) yield [key, value];
  }
}
