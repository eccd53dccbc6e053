import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { CanaryOutcome, CanaryStore } from '../../canaryStore.ts';

export interface CanaryStoreOptions { dataDir: string; clock: Clock; log: Log }

/** SQLite's primary result codes that are distinguished here. */
const codes = { error: 1, busy: 5, locked: 6, corrupt: 11, notADatabase: 26 } as const;
/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 20;
/** A file that cannot be used is opened again after so long. */
const retryMs = 1_000;
/** The log line about a file that cannot be used is repeated after so long. */
const repeatMs = 600_000;

interface OpenFile {
  readonly database: DatabaseSync;
  readonly identity: string;
  readonly version: StatementSync;
  readonly one: StatementSync;
  readonly all: StatementSync;
  readonly put: StatementSync;
}

/**
 * The states of canaries in a database of their own, `canary/state.db` in the data folder, opened when it is first
 * needed. What is committed survives the death of the process. A damaged file is moved aside, and every canary then
 * counts as not started, which sends all requests to the route's own targets.
 */
export function createCanaryStore(options: CanaryStoreOptions): CanaryStore {
  return new CanaryDatabase(options);
}

class CanaryDatabase implements CanaryStore {
  readonly #options: CanaryStoreOptions;
  readonly #folder: string;
  readonly #file: string;
  #open: OpenFile | undefined;
  /** What `data_version` was at the last poll; other connections change it. */
  #seen: number | undefined;
  #retryAt = -Infinity;
  #saidAt = -Infinity;

  constructor(options: CanaryStoreOptions) {
    this.#options = options;
    this.#folder = join(options.dataDir, 'canary');
    this.#file = join(this.#folder, 'state.db');
  }

  update(route: string, change: (stored: string | undefined) => string | undefined): CanaryOutcome {
    let thrown: { cause: unknown } | undefined;
    const outcome = this.#using(({ database, one, put }) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const stored = one.get(route)?.['state'];
        let next: string | undefined;
        try {
          next = change(typeof stored === 'string' ? stored : undefined);
        } catch (cause) {
          thrown = { cause };
        }
        if (next !== undefined) put.run(route, next, this.#options.clock.now());
        database.exec('COMMIT');
      } finally {
        if (database.isTransaction) database.exec('ROLLBACK');
      }
    });
    if (thrown !== undefined) throw thrown.cause;
    return outcome;
  }

  poll(): ReadonlyMap<string, string> | undefined {
    let found: Map<string, string> | undefined;
    this.#using(({ all, version, identity }) => {
      if (identityOf(this.#file) !== identity) {
        this.close();
        found = new Map();
        return;
      }
      const now = Number(version.get()?.['data_version']);
      if (now === this.#seen) return;
      found = new Map(all.all().map(row => [String(row['route']), String(row['state'])]));
      this.#seen = now;
    });
    return found;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#seen = undefined;
    try {
      open?.database.close();
    } catch {
      // A database that cannot be closed is left to the end of the process.
    }
  }

  #using(work: (open: OpenFile) => void): CanaryOutcome {
    const now = this.#options.clock.now();
    if (this.#open === undefined && now < this.#retryAt && this.#retryAt - now <= retryMs) return { done: false, busy: false };
    try {
      work(this.#open ??= this.#opened());
      return { done: true };
    } catch (error) {
      return { done: false, busy: this.#failed(error, now) };
    }
  }

  #opened(): OpenFile {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    // SQLite gives its side files the mode of the main one.
    closeSync(openSync(this.#file, 'a', 0o600));
    const database = new DatabaseSync(this.#file, { timeout: busyTimeoutMs });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      database.exec('CREATE TABLE IF NOT EXISTS canaries (route TEXT PRIMARY KEY, state TEXT NOT NULL, changed_at INTEGER NOT NULL) STRICT');
      return {
        database, identity: identityOf(this.#file), version: database.prepare('PRAGMA data_version'),
        one: database.prepare('SELECT state FROM canaries WHERE route = ?'),
        all: database.prepare('SELECT route, state FROM canaries'),
        put: database.prepare('INSERT INTO canaries (route, state, changed_at) VALUES (?, ?, ?) ON CONFLICT (route) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at'),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** @returns whether the file is only busy */
  #failed(error: unknown, now: number): boolean {
    const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
    if (code === codes.busy || code === codes.locked) return true;
    const known = this.#open?.identity ?? identityOf(this.#file);
    this.close();
    this.#retryAt = now + retryMs;
    if (now - this.#saidAt >= repeatMs) {
      this.#saidAt = now;
      this.#options.log.error(`The states of canaries cannot be kept in ${this.#file} now; each server goes on with what it knows. The file is begun anew or tried again every second.`, error);
    }
    if (code === codes.corrupt || code === codes.notADatabase || code === codes.error) this.#moveAside(known);
    return false;
  }

  /** All files of the database go at once, unless another server has begun a new one. */
  #moveAside(damaged: string): void {
    if (identityOf(this.#file) !== damaged) return;
    try {
      renameSync(this.#folder, `${this.#folder}.damaged-${String(process.pid)}-${String(randomInt(1e9))}`);
      this.#retryAt = -Infinity;
    } catch {
      // Other processes hold it open, or the folder is read-only: the next opening tries again.
    }
  }
}

/** Which file stands under a name; empty: none. */
function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${String(found.dev)}:${String(found.ino)}`;
}
