/** Clocks that differ by less than this are taken to show the same time, in milliseconds. */
const sameTimeMs = 250;
/** An answer that took longer says too little of the store's clock, in milliseconds. */
const slowAnswerMs = 500;

/** The clock of the store, as this server knows it: replicas whose own clocks differ mean the same moment. */
export class StoreClock {
  #offsetMs = 0;

  /** Takes a time that the store gave. @param seconds and microseconds, as its command TIME has them @param sentAt and receivedAt by this server's clock */
  sample(seconds: number, microseconds: number, sentAt: number, receivedAt: number): void {
    const tookMs = receivedAt - sentAt;
    if (tookMs < 0 || tookMs > slowAnswerMs) return;
    const offsetMs = Math.round(seconds * 1000 + microseconds / 1000 - (sentAt + receivedAt) / 2);
    this.#offsetMs = Math.abs(offsetMs) < sameTimeMs ? 0 : offsetMs;
  }

  /** A moment of this server by the store's clock. */
  toStore(at: number): number {
    return Math.max(0, Math.round(at + this.#offsetMs));
  }

  /** A moment of the store by this server's clock. */
  fromStore(at: number): number {
    return at - this.#offsetMs;
  }
}
