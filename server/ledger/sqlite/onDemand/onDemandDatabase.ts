import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { isBusy, isDamageWhenOpened } from '../ledgerErrors.ts';

/** A file that cannot be used is opened again after so long. */
const retryMs = 1_000;
/** The log line about a file that cannot be used is repeated after so long. */
const repeatMs = 600_000;

export interface OnDemandOptions<Content> {
  /** Holds nothing but the files of this database. */
  folder: string;
  /** The name of the main file. */
  name: string;
  /** How long a statement may hold the event loop while another server writes. */
  busyTimeoutMs: number;
  /** Makes the tables where there are none. What it throws closes the database. */
  prepare(database: DatabaseSync): Content;
  /** The log line about a file that cannot be used. */
  complaint(file: string): string;
  /** Damaged files are deleted, not only moved aside. */
  disposable: boolean;
  clock: Clock;
  log: Log;
}

/** `busy`: another server holds the database at this moment; otherwise it cannot be used at all. */
export type OnDemandOutcome<Value> = { done: true; value: Value } | { done: false; busy: boolean };

/**
 * A database beside the ledger that is opened when it is first used, and again a second after it could not be. Files that are
 * damaged are moved aside and begun anew, by one server for all.
 */
export class OnDemandDatabase<Content> {
  readonly #options: OnDemandOptions<Content>;
  readonly #file: string;
  #open: { database: DatabaseSync; content: Content; identity: string } | undefined;
  #retryAt = -Infinity;
  #saidAt = -Infinity;

  constructor(options: OnDemandOptions<Content>) {
    this.#options = options;
    this.#file = join(options.folder, options.name);
  }

  /** Never throws. */
  use<Value>(work: (content: Content, database: DatabaseSync) => Value): OnDemandOutcome<Value> {
    const now = this.#options.clock.now();
    if (this.#open === undefined && now < this.#retryAt && this.#retryAt - now <= retryMs) return { done: false, busy: false };
    try {
      const { content, database } = this.#open ??= this.#opened();
      return { done: true, value: work(content, database) };
    } catch (error) {
      return { done: false, busy: this.#failed(error, now) };
    }
  }

  /** The open file is no longer the one that its path leads to. */
  get replaced(): boolean {
    return this.#open !== undefined && identityOf(this.#file) !== this.#open.identity;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.database.close();
    } catch {
      // A database that cannot be closed is left to the end of the process.
    }
  }

  #opened(): { database: DatabaseSync; content: Content; identity: string } {
    const { folder, busyTimeoutMs, prepare } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // SQLite gives its side files the mode of the main one.
    closeSync(openSync(this.#file, 'a', 0o600));
    const database = new DatabaseSync(this.#file, { timeout: busyTimeoutMs });
    try {
      return { database, content: prepare(database), identity: identityOf(this.#file) };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** @returns whether the file is only busy */
  #failed(error: unknown, now: number): boolean {
    if (isBusy(error)) return true;
    const known = this.#open?.identity ?? identityOf(this.#file);
    this.close();
    this.#retryAt = now + retryMs;
    if (now - this.#saidAt >= repeatMs) {
      this.#saidAt = now;
      this.#options.log.error(this.#options.complaint(this.#file), error);
    }
    if (isDamageWhenOpened(error)) this.#moveAside(known);
    return false;
  }

  /** All files of the database go at once, unless another server has begun a new one. */
  #moveAside(damaged: string): void {
    if (identityOf(this.#file) !== damaged) return;
    const { folder, disposable } = this.#options;
    const aside = `${folder}.damaged-${process.pid}-${randomInt(1e9)}`;
    try {
      renameSync(folder, aside);
      if (disposable) rmSync(aside, { recursive: true, force: true });
      this.#retryAt = -Infinity;
    } catch {
      // Other processes hold it open, or the folder is read-only: the next opening tries again.
    }
  }
}

/** One transaction that no other server can come between; undone where the work throws. */
export function atomically<Value>(database: DatabaseSync, work: () => Value): Value {
  database.exec('BEGIN IMMEDIATE');
  try {
    const value = work();
    database.exec('COMMIT');
    return value;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Which file stands under a name; empty: none. */
function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}
