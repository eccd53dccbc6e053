import { parseJson } from '../base/json.ts';

const quote = 0x22;
const backslash = 0x5c;

/**
 * Says of a text that grows whether it is one JSON value by now. However often it is asked, each character is walked once
 * and a value is parsed once; nothing is walked before it is asked.
 */
export class GrowingJson {
  #at = 0;
  #depth = 0;
  #quoted = false;
  /** Where the brackets of the first value close; -1 before that. */
  #end = -1;
  #verdict: boolean | undefined;

  /** @param text what was asked about before, and what came since */
  isWhole(text: string): boolean {
    if (this.#end === -1) this.#walk(text);
    if (this.#end === -1) return this.#isScalar(text);
    if (this.#verdict !== false && text.length > this.#at) {
      if (text.slice(this.#at).trim() !== '') this.#verdict = false;
      this.#at = text.length;
    }
    return this.#verdict ??= parseJson(text) !== undefined;
  }

  #walk(text: string): void {
    for (; this.#at < text.length && this.#end === -1; this.#at += 1) {
      const code = text.charCodeAt(this.#at);
      if (this.#quoted) {
        if (code === backslash && this.#at + 1 === text.length) return;
        if (code === backslash) this.#at += 1;
        else if (code === quote) this.#quoted = false;
      } else if (code === quote) this.#quoted = true;
      else if (code === 0x7b || code === 0x5b) this.#depth += 1;
      else if (code === 0x7d || code === 0x5d) {
        this.#depth -= 1;
        if (this.#depth <= 0) this.#end = this.#at;
      }
    }
  }

  /** A number, a word or a string, which has no brackets; arguments are short ones at the most. */
  #isScalar(text: string): boolean {
    return this.#depth === 0 && !this.#quoted && text.length <= longestScalar && parseJson(text) !== undefined;
  }
}

const longestScalar = 1000;
