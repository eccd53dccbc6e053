/** Times are kept to an eighth of them, and to so many milliseconds. */
const lookEveryAtMostMs = 10;
const looks = 8;

/** What `within` gives where no answer came in time. */
export const tooLate = Symbol('too late');

interface Wait {
  readonly ms: number;
  leftMs: number;
  lookedAt: number;
  end(): void;
}

/**
 * Gives up what is not answered in time. Time in which this process was held up itself counts for a quarter, and for no more than a quarter of
 * the time limit each time: a command may have waited for the process to send it. So an answer is looked for at least four times before
 * it is given up, and four times the limit is the longest wait of a process that gets on at all.
 */
export class AnswerTimes {
  readonly #waits = new Set<Wait>();
  #timer: NodeJS.Timeout | undefined;
  #lookEveryMs = Infinity;

  /** What a promise gives, or `tooLate` after some milliseconds. */
  within<Value>(promise: Promise<Value>, ms: number): Promise<Value | typeof tooLate> {
    return new Promise((resolve, reject) => {
      const wait: Wait = { ms, leftMs: ms, lookedAt: performance.now(), end: () => { resolve(tooLate); } };
      this.#waits.add(wait);
      const lookEveryMs = Math.max(1, Math.min(lookEveryAtMostMs, ms / looks));
      if (lookEveryMs < this.#lookEveryMs) this.#lookEvery(lookEveryMs);
      promise.then(value => {
        this.#waits.delete(wait);
        resolve(value);
      }, (cause: unknown) => {
        this.#waits.delete(wait);
        reject(cause instanceof Error ? cause : new Error(String(cause)));
      });
    });
  }

  /** One timer is for all of them, also for those that follow soon. */
  #lookEvery(ms: number): void {
    clearInterval(this.#timer);
    this.#timer = ms === Infinity ? undefined : setInterval(() => { this.#look(); }, ms);
    this.#lookEveryMs = ms;
  }

  #look(): void {
    if (this.#waits.size === 0) {
      this.#lookEvery(Infinity);
      return;
    }
    const now = performance.now();
    let isAnyOver = false;
    for (const wait of this.#waits) {
      const passedMs = now - wait.lookedAt;
      wait.lookedAt = now;
      wait.leftMs -= Math.min(passedMs, Math.max(2 * this.#lookEveryMs, Math.min(passedMs, wait.ms) / 4));
      isAnyOver ||= wait.leftMs <= 0;
    }
    // What the sockets have is read first, and what follows from it is done.
    if (isAnyOver) setImmediate(() => { setImmediate(() => { this.#giveUp(); }); });
  }

  #giveUp(): void {
    for (const wait of this.#waits) {
      if (wait.leftMs > 0) continue;
      this.#waits.delete(wait);
      wait.end();
    }
  }
}
