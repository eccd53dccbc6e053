import { ByteQueue } from '../../base/byteQueue.ts';

const space = 0x20;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;

/** The body of an answer that is read as a whole, kept in the pieces in which it came. */
export class AnswerBody {
  readonly #bytes = new ByteQueue();
  /** Something other than white space is here. */
  began = false;

  /** In bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  add(piece: Buffer): void {
    this.#bytes.add(piece);
    if (!this.began) this.began = !isBlank(piece);
  }

  /** All of it in one piece. */
  whole(): Buffer {
    return this.#bytes.whole();
  }
}

/** Whether bytes begin as a JSON object or array does, after white space. */
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
