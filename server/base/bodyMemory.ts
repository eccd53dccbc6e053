/** The least that is worth giving back: V8 runs a full collection each time some ten megabytes of buffers have piled up. */
const worthReleasingBytes = 16 * 1024;

/** Node 20 cannot transfer. */
interface Memory { readonly byteLength: number; transfer?(newByteLength: number): unknown }

/**
 * Gives the memory of a buffer back at once, where the buffer is large and has its memory for itself. The buffer then has
 * length 0. Nothing outside of JavaScript may still read it: a pending write of a socket would read freed memory.
 */
export function releaseBytes(bytes: Buffer): void {
  const memory = bytes.buffer as Memory;
  if (bytes.length < worthReleasingBytes || bytes.length !== memory.byteLength) return;
  memory.transfer?.(0);
}

/**
 * The memory of a request body. It is given back when the request is answered and no call may still read it: garbage
 * collection alone lets large bodies pile up, costs more than passing them on, and takes fresh memory for each.
 */
export class BodyMemory {
  readonly #bytes: Buffer;
  #lent = 0;
  #givenBack = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A call begins, which may send the bytes. */
  lend(): void {
    this.#lent += 1;
  }

  /** A call is over, and the system has taken all it sent. Of an aborted call that is unknown: it gives nothing back. */
  giveBack(): void {
    this.#givenBack += 1;
  }

  /** Nothing in JavaScript reads the bytes any more. Bytes that were never lent are left to garbage collection. */
  release(): void {
    if (this.#lent > 0 && this.#lent === this.#givenBack) releaseBytes(this.#bytes);
  }
}
