import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { Guard } from '../../base/guarded.ts';
import { isBusy, isDamage, isDamageWhenOpened, isEnvironmental, LedgerReplacedError, LedgerTooNewError } from './ledgerErrors.ts';
import { LedgerUnavailableError } from '../ledgerUnavailable.ts';
import { LedgerFile, type LedgerFileOptions } from './ledgerFile.ts';
import { isMendedElsewhere, mend, type Mended } from './mend.ts';

export interface LedgerHolderOptions extends Omit<LedgerFileOptions, 'openBusyTimeoutMs' | 'before'> {
  /** A file was opened, at the start or later. */
  opened(file: LedgerFile): void;
}

/** How long the first opening waits for a peer that migrates, or for a lock; later ones do not wait at all. */
const startBusyTimeoutMs = 400;
const retryBusyTimeoutMs = 10;
const firstRetryMs = 50;
const longestRetryMs = 1_000;
/** A ledger up to this size is mended in one go, in some ten milliseconds; a larger one in portions between which requests are served. */
const mendAtOnceBytes = 8_000_000;
/** A disk that damages files again and again is not to be filled with copies of them. */
const firstMendPauseMs = 1_000;
const longestMendPauseMs = 300_000;
const calmMs = 600_000;

/**
 * Holds the ledger file open. One that is locked is waited for, one that is damaged is mended or moved aside, one that
 * a peer replaced is opened again; meanwhile there is none, and its use throws a LedgerUnavailableError.
 */
export class LedgerHolder {
  readonly #options: LedgerHolderOptions;
  readonly #me = randomUUID();
  readonly #guard: Guard;
  #current: LedgerFile | undefined;
  /** The last one that was open: what follows it reads on where it was. */
  #before: LedgerFile | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #mending = false;
  #mendPauseMs = 0;
  #mendedAt = -Infinity;
  /** Why there is no file, in one sentence; it was logged. */
  #trouble: string | undefined;
  #closed = false;

  constructor(options: LedgerHolderOptions) {
    this.#options = options;
    this.#guard = new Guard(`The opening of the ledger ${options.file}`, options.log);
  }

  /** The first opening. @throws LedgerTooNewError, or SQLite's error when the folder cannot be used */
  start(): void {
    this.#open(startBusyTimeoutMs, true);
  }

  /** The file is open now. */
  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Runs some work on the file. Where that shows that the file is damaged or was replaced, it is run again on what takes
   * its place, when that is there at once.
   * @throws LedgerUnavailableError when there is no file now; SQLite's error for anything else
   */
  use<Result>(work: (file: LedgerFile) => Result): Result {
    for (let tries = 0; ; tries += 1) {
      const file = this.#current;
      if (file === undefined) throw new LedgerUnavailableError(this.#trouble ?? `The ledger ${this.#options.file} is closed.`);
      try {
        return work(file);
      } catch (error) {
        if (tries > 1 || !this.#gaveUp(file, error)) throw error;
      }
    }
  }

  /** To be called about once a second: gives a file up that was replaced, or that another process wants to mend. */
  check(): void {
    const file = this.#current;
    if (file === undefined) return;
    try {
      file.verify();
      if (isMendedElsewhere(file.file, this.#me)) {
        this.#release();
        this.#open(retryBusyTimeoutMs, false);
      }
    } catch (error) {
      if (!this.#gaveUp(file, error)) throw error;
    }
  }

  /** One more try at once, however long the next one would be away. @param busyTimeoutMs how long a lock may hold everything up */
  tryNow(busyTimeoutMs: number): void {
    if (this.#current === undefined && !this.#mending && !this.#closed) this.#guard.run(() => { this.#open(busyTimeoutMs, false); });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#release();
  }

  /** @returns whether the error is about the file, which then was closed, and opened again as far as that is possible now */
  #gaveUp(file: LedgerFile, error: unknown): boolean {
    const replaced = error instanceof LedgerReplacedError;
    if (!replaced && !isDamage(error)) return false;
    if (this.#current !== file) return true;
    this.#release();
    // A peer may have found the damage first, and have put another file in its place by now.
    if (replaced || isReplaced(file)) this.#open(retryBusyTimeoutMs, false);
    else this.#mend(error);
    return true;
  }

  #release(): void {
    const file = this.#current;
    if (file === undefined) return;
    this.#before = file;
    this.#current = undefined;
    this.#guard.run(() => { file.close(); });
  }

  #open(openBusyTimeoutMs: number, starting: boolean): void {
    const { file } = this.#options;
    if (this.#closed) return;
    if (isMendedElsewhere(file, this.#me)) {
      this.#wait(`The ledger ${file} is being repaired by another Waybill on this data folder; records are kept until that is done.`);
      return;
    }
    let opened: LedgerFile;
    try {
      opened = new LedgerFile({ ...this.#options, openBusyTimeoutMs, before: this.#before });
    } catch (error) {
      this.#notOpened(error, starting);
      return;
    }
    this.#current = opened;
    this.#before = undefined;
    this.#retryMs = firstRetryMs;
    if (this.#trouble !== undefined) this.#options.log.info(`The ledger ${file} can be used again.`);
    this.#trouble = undefined;
    this.#options.opened(opened);
  }

  #notOpened(error: unknown, starting: boolean): void {
    const { file } = this.#options;
    if (isBusy(error)) this.#wait(`The ledger ${file} is locked by another program; requests are served, and their records are kept until it is free.`);
    else if (isDamageWhenOpened(error)) this.#mend(error);
    else if (error instanceof LedgerReplacedError) this.#wait(undefined);
    else if (starting && !isEnvironmental(error)) throw error;
    else if (error instanceof LedgerTooNewError) this.#wait(error.message);
    else this.#wait(`The ledger ${file} cannot be opened; records are kept and it is tried again.`, error);
  }

  /** @param trouble one sentence for a person; absent: it passes at once */
  #wait(trouble: string | undefined, cause?: unknown): void {
    if (trouble !== undefined && trouble !== this.#trouble) {
      if (cause === undefined) this.#options.log.warn(trouble);
      else this.#options.log.error(trouble, cause);
      this.#trouble = trouble;
    }
    this.#openLater(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
  }

  #openLater(delayMs: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(this.#guard.wrap(() => { this.#open(retryBusyTimeoutMs, false); }), delayMs);
    this.#retry.unref();
  }

  #mend(cause: unknown): void {
    const { file, clock } = this.#options;
    if (this.#mending) return;
    const sinceMs = performance.now() - this.#mendedAt;
    if (sinceMs < this.#mendPauseMs) {
      this.#wait(`The ledger ${file} was damaged again; records are kept, and it is repaired in ${Math.ceil((this.#mendPauseMs - sinceMs) / 1000)} s.`, cause);
      this.#openLater(this.#mendPauseMs - sinceMs);
      return;
    }
    this.#mendPauseMs = sinceMs > calmMs ? firstMendPauseMs : Math.min(this.#mendPauseMs * 2, longestMendPauseMs);
    this.#mendedAt = performance.now();
    this.#trouble = `The ledger ${file} is damaged and being repaired; try again in a moment.`;
    this.#mending = true;
    const steps = mend(file, this.#me, clock.now());
    const atOnce = sizeOf(file) + sizeOf(`${file}-wal`) <= mendAtOnceBytes;
    this.#advance(steps, atOnce, cause);
  }

  #advance(steps: Generator<void, Mended>, atOnce: boolean, cause: unknown): void {
    try {
      let step = steps.next();
      while (step.done !== true && atOnce) step = steps.next();
      if (step.done === true) this.#mended(step.value, cause);
      else setImmediate(() => { this.#advance(steps, atOnce, cause); });
    } catch (error) {
      this.#mending = false;
      this.#mendPauseMs = 0;
      this.#wait(`The ledger ${this.#options.file} is damaged and could not be repaired; records are kept and it is tried again.`, error);
    }
  }

  #mended(result: Mended, cause: unknown): void {
    const { file, log } = this.#options;
    this.#mending = false;
    if (result.kind === 'elsewhere') {
      this.#mendPauseMs = 0;
      this.#wait(`The ledger ${file} is damaged and in use by another Waybill on this data folder; records are kept until it is repaired.`);
      return;
    }
    const { aside, salvaged } = result;
    if (salvaged === undefined) log.error(`The ledger ${file} cannot be read and was moved to ${aside}; a new ledger was begun.`, cause);
    else log.error(`The ledger ${file} was damaged: ${salvaged.exchanges} exchanges were saved into a new file, the damaged one was moved to ${aside}.`, cause);
    this.#trouble = undefined;
    this.#open(retryBusyTimeoutMs, false);
  }
}

function isReplaced(file: LedgerFile): boolean {
  try {
    file.verify();
    return false;
  } catch {
    return true;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
