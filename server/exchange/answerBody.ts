const space = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;

/** The body of an answer that is read as a whole, in the pieces in which it came. */
export class AnswerBody {
  #pieces: Buffer[] = [];
  /** Bytes so far. */
  length = 0;
  /** Something other than blank lines has come. */
  began = false;

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.length += piece.length;
    if (!this.began) this.began = !isBlank(piece);
  }

  whole(): Buffer {
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
  }

  clear(): void {
    this.#pieces = [];
  }
}

/** Whether bytes begin as a JSON object or array does. */
export function startsLikeJson(chunk: Buffer): boolean {
  const first = chunk.find(byte => !isSpace(byte));
  return first === 0x7b || first === 0x5b;
}

function isBlank(chunk: Buffer): boolean {
  return chunk.every(isSpace);
}

function isSpace(byte: number): boolean {
  return byte === space || byte === lineFeed || byte === carriageReturn || byte === tab;
}
