/** So many pieces are kept as they came; from there on small ones are copied together. */
const fewPieces = 16;
const smallBytes = 16 * 1024;
const blockBytes = 64 * 1024;

/**
 * Bytes that wait, in the order in which they came. Whoever sends byte by byte costs its bytes, and not an object (and
 * the network buffer behind it) for each of them.
 */
export class ByteQueue {
  /** Bytes that wait. */
  length = 0;
  #pieces: Buffer[] = [];
  #block: Buffer | undefined;
  /** Of the block: what is written, and how much of that stands among the pieces. */
  #used = 0;
  #listed = 0;

  add(piece: Buffer): void {
    this.length += piece.length;
    if (this.#pieces.length < fewPieces || piece.length > smallBytes) {
      this.#list();
      this.#pieces.push(piece);
      return;
    }
    if (this.#block === undefined || this.#used + piece.length > blockBytes) {
      this.#list();
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
      this.#used = 0;
      this.#listed = 0;
    }
    piece.copy(this.#block, this.#used);
    this.#used += piece.length;
  }

  /** All bytes in one piece; they wait on. */
  whole(): Buffer {
    this.#list();
    const [first] = this.#pieces;
    const whole = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.length);
    this.#pieces = [whole];
    return whole;
  }

  /** All bytes in one piece; they wait no longer. */
  take(): Buffer {
    const whole = this.whole();
    this.clear();
    return whole;
  }

  clear(): void {
    this.length = 0;
    this.#pieces = [];
    this.#block = undefined;
    this.#used = 0;
    this.#listed = 0;
  }

  #list(): void {
    if (this.#block === undefined || this.#used === this.#listed) return;
    this.#pieces.push(this.#block.subarray(this.#listed, this.#used));
    this.#listed = this.#used;
  }
}
