/** Results for longer texts are not kept: such texts come from outside and would fill the memory. */
const longestKept = 300;

/**
 * Remembers what was made of texts that were lately asked for. It holds at most twice `most` entries, in two generations:
 * when the younger is full, the older is forgotten, so no access costs more than two look-ups.
 */
export class TextMemo<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  /** Entries of one generation. */
  most: number;

  constructor(most: number) {
    this.most = most;
  }

  get(text: string): V | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, value: V): void {
    if (text.length > longestKept) return;
    if (this.#young.size >= this.most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
