import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { LimitOutcome, LimitStore, LimitTransaction } from '../limitStore.ts';
import { LimitsTransaction } from './limitsTransaction.ts';

export interface LimitStoreOptions {
  dataDir: string;
  /** Unique for each start of a server process. */
  instanceId: string;
  clock: Clock;
  log: Log;
}

/** SQLite's primary result codes that are distinguished here. */
const codes = { error: 1, busy: 5, locked: 6, corrupt: 11, notADatabase: 26 } as const;
/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 5;
/** A file that cannot be used is opened again after so long. */
const retryMs = 1_000;
/** The log line about a file that cannot be used is repeated after so long. */
const repeatMs = 600_000;

/**
 * The store of limits in a database of its own, `limits/counts.db` in the data folder: what it holds is a minute old at
 * most, so it is never flushed to the disk, and the ledger's lock does not delay a request. The file is opened when it is
 * first needed. A damaged file is moved away with its side files, deleted, and started over.
 */
export function createLimitStore(options: LimitStoreOptions): LimitStore {
  return new LimitsDatabase(options);
}

interface OpenFile { database: DatabaseSync; transaction: LimitTransaction; identity: string }

class LimitsDatabase implements LimitStore {
  generation = '';
  readonly #options: LimitStoreOptions;
  readonly #folder: string;
  readonly #file: string;
  readonly #host = thisHost();
  #open: OpenFile | undefined;
  #retryAt = -Infinity;
  #saidAt = -Infinity;

  constructor(options: LimitStoreOptions) {
    this.#options = options;
    this.#folder = join(options.dataDir, 'limits');
    this.#file = join(this.#folder, 'counts.db');
  }

  transact<Value>(work: (transaction: LimitTransaction) => Value): LimitOutcome<Value> {
    const now = this.#options.clock.now();
    if (this.#open === undefined && now < this.#retryAt && this.#retryAt - now <= retryMs) return { done: false, busy: false };
    try {
      const { database, transaction } = this.#open ??= this.#opened();
      const value = atomically(database, () => work(transaction));
      return { done: true, value };
    } catch (error) {
      return { done: false, busy: this.#failed(error, now) };
    }
  }

  check(): void {
    if (this.#open !== undefined && identityOf(this.#file) !== this.#open.identity) this.close();
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

  #opened(): OpenFile {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    // SQLite gives its side files the mode of the main one.
    closeSync(openSync(this.#file, 'a', 0o600));
    const database = new DatabaseSync(this.#file, { timeout: busyTimeoutMs });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
      const generation = atomically(database, () => generationOf(database));
      const transaction = new LimitsTransaction(database, this.#options.instanceId, this.#host);
      this.generation = String(generation);
      return { database, transaction, identity: identityOf(this.#file) };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** @returns whether the file is only busy */
  #failed(error: unknown, now: number): boolean {
    const code = sqliteCode(error);
    if (code === codes.busy || code === codes.locked) return true;
    const known = this.#open?.identity ?? identityOf(this.#file);
    this.close();
    this.#retryAt = now + retryMs;
    if (now - this.#saidAt >= repeatMs) {
      this.#saidAt = now;
      this.#options.log.error(`Requests of all windows and servers on this data folder cannot be counted in ${this.#file} now, and each keeps to its share of the limits. The file is begun anew or tried again every second.`, error);
    }
    if (code === codes.corrupt || code === codes.notADatabase || code === codes.error) this.#moveAway(known);
    return false;
  }

  /** All files of the database go at once, unless another server has begun a new one. */
  #moveAway(damaged: string): void {
    if (identityOf(this.#file) !== damaged) return;
    const aside = `${this.#folder}.damaged-${process.pid}-${randomInt(1e9)}`;
    try {
      renameSync(this.#folder, aside);
      rmSync(aside, { recursive: true, force: true });
      this.#retryAt = -Infinity;
    } catch {
      // Other processes hold it open, or the folder is read-only: the next opening tries again.
    }
  }
}

/** The random number that a database gets when its tables are made; makes them where there are none. */
function generationOf(database: DatabaseSync): number {
  const known = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (known !== 0) return known;
  const made = randomInt(1, 2 ** 31);
  database.exec(`${LimitsTransaction.schema}; PRAGMA user_version = ${made}`);
  return made;
}

function atomically<Value>(database: DatabaseSync, work: () => Value): Value {
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

function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** Which file stands under a name; empty: none. */
function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}

/** Where process ids mean the same: machine, its start, and on Linux the namespace of process ids. */
function thisHost(): string {
  const part = (read: () => string): string => {
    try {
      return read().trim();
    } catch {
      return '';
    }
  };
  return [hostname(), part(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), part(() => readlinkSync('/proc/self/ns/pid'))].join(' ').trim();
}
