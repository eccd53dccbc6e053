import { parseJson } from '../base/json.ts';

const quote = 0x22;
const backslash = 0x5c;
const longestScalar = 1000;

/**
 * Whether a text that grows is one JSON value by now. However often this is asked, each character is scanned once
 * and a value is parsed once; nothing is scanned before the first question.
 */
export class GrowingJson {
  /** Pieces added since the last question. They are joined once there, because each join copies the whole text. */
  #pieces: string[] = [];
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** The brackets of the first value have closed. */
  #closed = false;
  /** Something follows that value. */
  #spoiled = false;
  #verdict: boolean | undefined;

  add(piece: string): void {
    this.#pieces.push(piece);
  }

  /** @param text all that was added, in one */
  isWhole(text: string): boolean {
    for (const piece of this.#pieces) this.#walk(piece);
    this.#pieces = [];
    if (this.#spoiled) return false;
    // A number, a literal or a string has no brackets to count. As arguments they are short, so parsing them again is cheap.
    if (!this.#closed) return this.#depth === 0 && !this.#quoted && text.length <= longestScalar && parseJson(text) !== undefined;
    return this.#verdict ??= parseJson(text) !== undefined;
  }

  #walk(piece: string): void {
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (this.#closed) this.#spoiled ||= code > 0x20;
      else if (this.#escaped) this.#escaped = false;
      else if (this.#quoted) {
        if (code === backslash) this.#escaped = true;
        else if (code === quote) this.#quoted = false;
      } else if (code === quote) this.#quoted = true;
      else if (code === 0x7b || code === 0x5b) this.#depth += 1;
      else if (code === 0x7d || code === 0x5d) {
        this.#depth -= 1;
        this.#closed = this.#depth <= 0;
      }
    }
  }
}
