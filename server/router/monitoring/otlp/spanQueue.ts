/** The most spans that wait, and the most bytes of them. */
export const mostWaiting = 4_096;
const mostWaitingBytes = 8 * 1024 * 1024;
/** The most spans of one request, and the most bytes of them. */
const mostInBatch = 512;
const mostBatchBytes = 2 * 1024 * 1024;

/** Spans that wait to be sent, in bounds: what is beyond them is left out and counted by its owner. */
export class SpanQueue {
  #waiting: string[] = [];
  #bytes = 0;

  get length(): number {
    return this.#waiting.length;
  }

  /** Takes all spans of an exchange, or none of them. @returns whether they were taken */
  add(spans: readonly string[]): boolean {
    let bytes = 0;
    for (const span of spans) bytes += span.length;
    if (this.#waiting.length + spans.length > mostWaiting || this.#bytes + bytes > mostWaitingBytes) return false;
    for (const span of spans) this.#waiting.push(span);
    this.#bytes += bytes;
    return true;
  }

  /** Whether there are enough for a whole batch. */
  get hasBatch(): boolean {
    return this.#waiting.length >= mostInBatch || this.#bytes >= mostBatchBytes;
  }

  /** Takes the oldest ones out, as many as one request may have. */
  takeBatch(): string[] {
    let count = 0;
    let bytes = 0;
    for (const span of this.#waiting) {
      if (count > 0 && (count >= mostInBatch || bytes + span.length > mostBatchBytes)) break;
      count += 1;
      bytes += span.length;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  /** Takes all out. @returns how many there were */
  clear(): number {
    const count = this.#waiting.length;
    this.#waiting = [];
    this.#bytes = 0;
    return count;
  }
}
