import { DatabaseSync } from 'node:sqlite';
import { LedgerUnavailableError } from '../../ledgerUnavailable.ts';
import { isBusy } from '../ledgerErrors.ts';

/** How long a lock is waited for at once, and in all for readers that keep the write-ahead log from being emptied. Milliseconds. */
const busyTimeoutMs = 2_000;
const usualPatienceMs = 30_000;

/** How many requests of a ledger have a title. */
export function countTitles(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return Number(database.prepare('SELECT count(*) AS count FROM exchanges WHERE title IS NOT NULL').get()?.['count'] ?? 0);
  } finally {
    database.close();
  }
}

/**
 * Removes every title of a ledger, and rewrites the file: what a row held stays in free space of pages, in free pages and in the
 * write-ahead log otherwise. Doing it again is safe and finishes what was interrupted. Nothing can be written to the ledger meanwhile.
 * @param patienceMs how long each step is tried again while others use the file
 * @returns how many requests had one
 * @throws LedgerUnavailableError where a reader does not let go of the write-ahead log; SQLite's error where the file is locked, damaged, or the disk is full
 */
export function forgetTitles(file: string, patienceMs = usualPatienceMs): number {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    // The new copy of the file is made on the disk: it may be larger than the memory.
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA secure_delete = ON; PRAGMA temp_store = FILE`);
    let count = 0;
    insist(patienceMs, () => {
      count = Number(database.prepare('UPDATE exchanges SET title = NULL WHERE title IS NOT NULL').run().changes);
      return true;
    });
    insist(patienceMs, () => {
      database.exec('VACUUM');
      return true;
    });
    if (!insist(patienceMs, () => database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0)) {
      throw new LedgerUnavailableError(`The titles are removed, but the write-ahead log of the ledger ${file} is being read and may still hold their words; forget them again in a moment.`);
    }
    return count;
  } finally {
    database.close();
  }
}

/** Does work again while the file is locked, or while it says that it is not done. @returns whether it was done */
function insist(patienceMs: number, work: () => boolean): boolean {
  const until = performance.now() + patienceMs;
  for (;;) {
    const isOver = performance.now() >= until;
    try {
      if (work()) return true;
      if (isOver) return false;
    } catch (error) {
      if (!isBusy(error) || isOver) throw error;
    }
  }
}
