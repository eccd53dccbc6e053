/**
 * Runs a refresh at most once per interval and never twice at the same time. Calls in between become one more
 * run at the end, so the last change is always shown.
 */
export class RefreshThrottle {
  readonly #refresh: () => Promise<void>;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #wanted = false;
  #disposed = false;

  /** `refresh` must handle its own errors. */
  constructor(refresh: () => Promise<void>, intervalMs: number) {
    this.#refresh = refresh;
    this.#intervalMs = intervalMs;
  }

  /** Asks for a refresh: at once when none ran within the interval, else when it has passed. */
  request(): void {
    if (this.#disposed) return;
    this.#wanted = true;
    if (this.#timer === undefined && !this.#running) void this.#run();
  }

  dispose(): void {
    this.#disposed = true;
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#wanted = false;
    try {
      await this.#refresh();
    } finally {
      this.#running = false;
    }
    if (this.#disposed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#wanted) void this.#run();
    }, this.#intervalMs);
  }
}
