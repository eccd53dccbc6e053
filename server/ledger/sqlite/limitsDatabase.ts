import { randomInt } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { LimitOutcome, LimitStore, LimitTransaction } from '../limitStore.ts';
import { LimitsTransaction } from './limitsTransaction.ts';
import { atomically, OnDemandDatabase } from './onDemand/onDemandDatabase.ts';

export interface LimitStoreOptions {
  dataDir: string;
  /** Unique for each start of a server process. */
  instanceId: string;
  clock: Clock;
  log: Log;
}

/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 5;

/**
 * The store of limits in a database of its own, `limits/counts.db` in the data folder: what it holds is a minute old at
 * most, so it is never flushed to the disk, and the ledger's lock does not delay a request. The file is opened when it is
 * first needed. A damaged file is moved away with its side files, deleted, and started over.
 */
export function createLimitStore(options: LimitStoreOptions): LimitStore {
  return new LimitsDatabase(options);
}

class LimitsDatabase implements LimitStore {
  generation = '';
  readonly #database: OnDemandDatabase<LimitsTransaction>;

  constructor({ dataDir, instanceId, clock, log }: LimitStoreOptions) {
    const host = thisHost();
    this.#database = new OnDemandDatabase({
      folder: join(dataDir, 'limits'), name: 'counts.db', busyTimeoutMs, disposable: true, clock, log,
      prepare: database => {
        database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
        const generation = atomically(database, () => generationOf(database));
        const transaction = new LimitsTransaction(database, instanceId, host);
        this.generation = String(generation);
        return transaction;
      },
      complaint: file => `Requests of all windows and servers on this data folder cannot be counted in ${file} now, and each keeps to its share of the limits. The file is begun anew or tried again every second.`,
    });
  }

  transact<Value>(work: (transaction: LimitTransaction) => Value): LimitOutcome<Value> {
    return this.#database.use((transaction, database) => atomically(database, () => work(transaction)));
  }

  check(): void {
    if (this.#database.replaced) this.close();
  }

  close(): void {
    this.#database.close();
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
