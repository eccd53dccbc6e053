import type { Log } from './log.ts';

/** After so many runs in a row without an error, the next error counts as a first one again. */
const calmRuns = 60;

/**
 * Owns what one part of the program throws, so that it ends neither the process nor the parts beside it. Errors are
 * logged when they are the 1st, 2nd, 4th, 8th … in a row: a timer that fails every second does not fill the log.
 */
export class Guard {
  readonly #name: string;
  readonly #log: Pick<Log, 'error'>;
  #failures = 0;
  #calm = 0;

  /** @param name what fails, as the subject of a sentence: "The probe of endpoints" */
  constructor(name: string, log: Pick<Log, 'error'>) {
    this.#name = name;
    this.#log = log;
  }

  /** Runs some work at once. @returns its result; undefined when it threw */
  run<Result>(work: () => Result): Result | undefined {
    try {
      const result = work();
      if (this.#failures > 0) this.#succeeded();
      return result;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** Calls a function as `start` runs some work, without another function made for the call. @returns its result; undefined when it threw */
  call<Argument, Result>(listen: (argument: Argument) => Result, argument: Argument): Result | undefined {
    try {
      const result = listen(argument);
      if (result instanceof Promise) this.settle(result);
      if (this.#failures > 0) this.#succeeded();
      return result;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** Starts some work that nothing waits for: what it throws and the rejection of its promise are owned. */
  start(work: () => unknown): void {
    const result = this.run(work);
    if (result instanceof Promise) this.settle(result);
  }

  /** Owns the rejection of a promise that nothing else waits for. */
  settle(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => { this.failed(error); });
  }

  /** The same function, for a timer or a listener: it never throws. */
  wrap<Parameters extends unknown[]>(work: (...args: Parameters) => unknown): (...args: Parameters) => void {
    return (...args) => { this.start(() => work(...args)); };
  }

  /** Takes an error that was caught elsewhere. Never throws. */
  failed(error: unknown): void {
    this.#calm = 0;
    this.#failures += 1;
    const count = this.#failures;
    if ((count & (count - 1)) !== 0) return;
    try {
      this.#log.error(count === 1 ? `${this.#name} failed; the rest goes on.` : `${this.#name} failed ${count} times; the rest goes on.`, error);
    } catch {
      // An error that cannot be logged is still owned.
    }
  }

  #succeeded(): void {
    this.#calm += 1;
    if (this.#calm < calmRuns) return;
    this.#failures = 0;
    this.#calm = 0;
  }
}

/** A log whose methods never throw: a cause that cannot be printed, or an output that is gone, costs the line only. */
export function safeLog(log: Log): Log {
  const safely = (write: () => void): void => {
    try {
      write();
    } catch {
      // There is nowhere left to say it.
    }
  };
  return {
    debug: message => { safely(() => log.debug(message)); },
    info: message => { safely(() => log.info(message)); },
    warn: message => { safely(() => log.warn(message)); },
    error: (message, cause) => {
      safely(() => log.error(message, printable(cause)));
    },
  };
}

/** What is no error may be an object that has no JSON; its kind is said instead. */
function printable(cause: unknown): unknown {
  if (cause === undefined || cause instanceof Error || typeof cause === 'string') return cause;
  try {
    return JSON.stringify(cause) ?? String(cause);
  } catch {
    return Object.prototype.toString.call(cause);
  }
}
