import type { StatusSnapshot } from '../../api/status.ts';

const throttleMs = 200;

/** Sends whole snapshots to the editor: at most one each fifth of a second, and only when something changed. */
export class StatusSender {
  #make: () => StatusSnapshot;
  #send: (snapshot: StatusSnapshot) => void;
  #timer: NodeJS.Timeout | undefined;
  #lastSent = '';
  #lastSentAt = 0;
  #stopped = false;

  constructor(make: () => StatusSnapshot, send: (snapshot: StatusSnapshot) => void) {
    this.#make = make;
    this.#send = send;
  }

  /** The state may have changed. */
  changed(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const wait = Math.max(0, this.#lastSentAt + throttleMs - performance.now());
    this.#timer = setTimeout(() => this.#flush(), wait);
    this.#timer.unref();
  }

  /** Nothing is sent any more; a snapshot that was due is dropped. Stopping twice is safe. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#lastSentAt = performance.now();
    const snapshot = this.#make();
    const text = JSON.stringify({ ...snapshot, at: 0 });
    if (text === this.#lastSent) return;
    this.#lastSent = text;
    this.#send(snapshot);
  }
}
