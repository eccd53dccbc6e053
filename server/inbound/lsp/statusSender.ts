import type { StatusSnapshot } from '../../api/status.ts';
import type { Log } from '../../base/log.ts';

const throttleMs = 200;
/** A snapshot of thousands of models takes both processes tens of milliseconds, so it is sent less often. */
const throttleMsPerEntry = 0.2;

/** What the editor keeps in its output of the language server. The cause is named by its kind only: nothing redacts here. */
const standardError: Pick<Log, 'error'> = {
  error: (message, cause) => { process.stderr.write(`${message}${cause instanceof Error ? ` (${cause.name})` : ''}\n`); },
};

/**
 * Sends whole snapshots to the editor, only when something changed: at most one each fifth of a second, and fewer the more
 * models there are. Lists of models are compared as objects: a snapshot has the same list as the one
 * before as long as nothing in the list changed.
 */
export class StatusSender {
  #make: () => StatusSnapshot;
  #send: (snapshot: StatusSnapshot) => void;
  #log: Pick<Log, 'error'>;
  #timer: NodeJS.Timeout | undefined;
  #lastSent = '';
  #lastSentAt = 0;
  #throttleMs = throttleMs;
  #listIds = new WeakMap<object, number>();
  #lists = 0;
  #stopped = false;
  #lastProblem: string | undefined;

  /** @param log gets the error of a snapshot that could not be made; absent: the process's standard error */
  constructor(make: () => StatusSnapshot, send: (snapshot: StatusSnapshot) => void, log: Pick<Log, 'error'> = standardError) {
    this.#make = make;
    this.#send = send;
    this.#log = log;
  }

  /** The state may have changed. */
  changed(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const wait = Math.max(0, this.#lastSentAt + this.#throttleMs - performance.now());
    this.#timer = setTimeout(() => this.#flush(), wait);
    this.#timer.unref();
  }

  /** Nothing is sent any more; a snapshot that was due is dropped. Stopping twice is safe. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Runs in a timer, whose errors have no catcher: requests matter more than what the editor shows. */
  #flush(): void {
    this.#timer = undefined;
    this.#lastSentAt = performance.now();
    try {
      this.#sendIfChanged(this.#make());
      this.#lastProblem = undefined;
    } catch (cause) {
      this.#logOnce(cause);
    }
  }

  #sendIfChanged(snapshot: StatusSnapshot): void {
    let entries = 0;
    const text = JSON.stringify({ ...snapshot, at: 0 }, (field, value: unknown) => {
      if (!Array.isArray(value) || !(field === 'offered' || field === 'models')) return value;
      entries += value.length;
      return this.#listId(value);
    });
    if (text === this.#lastSent) return;
    this.#send(snapshot);
    this.#lastSent = text;
    this.#throttleMs = throttleMs + throttleMsPerEntry * entries;
  }

  #listId(list: object): number {
    const known = this.#listIds.get(list);
    if (known !== undefined) return known;
    this.#lists += 1;
    this.#listIds.set(list, this.#lists);
    return this.#lists;
  }

  /** Logs an error that repeats once: the state changes every second. */
  #logOnce(cause: unknown): void {
    const problem = String(cause);
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    this.#log.error('The state for the editor could not be put together; it shows the one before.', cause);
  }
}
