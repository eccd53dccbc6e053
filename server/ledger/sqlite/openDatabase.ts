import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LedgerTooNewError } from './ledgerErrors.ts';
import { migrations } from './migrations.ts';

/**
 * So many pages of the write-ahead log are copied into the main file by the commit that writes the last of them: ten megabytes. The log is
 * then written from its beginning again, in memory that the system has for it already.
 */
const checkpointPages = 2_500;

/**
 * Opens a ledger file (made with mode 0600 if it is missing) and brings it to the current version.
 * @param busyTimeoutMs how long a lock of another process is waited for, with the event loop held
 * @throws LedgerTooNewError, or SQLite's own error
 */
export function openDatabase(file: string, busyTimeoutMs: number): DatabaseSync {
  makeFile(file);
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    refuseNewer(database, file);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA temp_store = MEMORY;`);
    migrate(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * SQLite gives its side files the mode of the main one, so the mode is set before it first looks. A file that is there is
 * not touched: closing it would drop the locks that other connections of this process hold on it.
 */
function makeFile(file: string): void {
  if (existsSync(file)) return;
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function refuseNewer(database: DatabaseSync, file: string): void {
  const version = versionOf(database);
  if (version > migrations.length) throw new LedgerTooNewError(file, version, migrations.length);
}

function migrate(database: DatabaseSync, file: string): void {
  if (versionOf(database) === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: a peer may have migrated during the wait.
    refuseNewer(database, file);
    for (let version = versionOf(database); version < migrations.length; version += 1) {
      database.exec(migrations[version] ?? '');
      database.exec(`PRAGMA user_version = ${version + 1}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
