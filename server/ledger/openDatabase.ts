import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { migrations } from './migrations.ts';

/** The ledger was written by a newer Switchyard. `message` is one sentence with the next action. */
export class LedgerTooNewError extends Error {
  readonly code = 'ledger-too-new';
  constructor(file: string, found: number) {
    super(`The ledger ${file} was written by a newer Switchyard (format ${found}, this one knows ${migrations.length}): update Switchyard in this window.`);
    this.name = 'LedgerTooNewError';
  }
}

/** SQLite's primary result codes that are told apart here. */
const codes = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** The primary SQLite result code of an error; undefined when it is not SQLite's. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** Another process holds a lock; the same statement may succeed in a moment. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.busy || code === codes.locked;
}

/** The place where the file lies does not take it now (full, read-only, broken); what was to be written is fine. */
export function isEnvironmental(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.full || code === codes.readOnly || code === codes.ioError || code === codes.cannotOpen || isDamage(error);
}

/** How long opening waits for another window that migrates, in milliseconds. */
const openBusyTimeoutMs = 5_000;

/**
 * Opens the ledger file (made with mode 0600, its folder with 0700) and brings it to the current version. A file
 * that is no readable database is moved aside, with a log line, and a new one is begun.
 * @throws LedgerTooNewError, or SQLite's own error when the folder cannot be used
 */
export function openDatabase(dataDir: string, clock: Clock, log: Log): { database: DatabaseSync; file: string } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'ledger.db');
  try {
    return { database: openAndMigrate(file), file };
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  // Another window may have moved the damaged file away just now: believe only a second look.
  try {
    return { database: openAndMigrate(file), file };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = moveAside(file, clock.now());
    log.error(`The ledger ${file} cannot be read and was moved to ${aside}; a new ledger was begun.`, error);
  }
  return { database: openAndMigrate(file), file };
}

function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === codes.corrupt || code === codes.notADatabase;
}

function moveAside(file: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  let aside = `${file}.damaged-${stamp}`;
  for (let count = 2; existsSync(aside); count += 1) aside = `${file}.damaged-${stamp}-${count}`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}

function openAndMigrate(file: string): DatabaseSync {
  // SQLite gives its side files the mode of the main one, so the mode is set before it first looks.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    database.exec(`PRAGMA busy_timeout = ${openBusyTimeoutMs}`);
    refuseNewer(database, file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;');
    migrate(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function refuseNewer(database: DatabaseSync, file: string): void {
  const version = versionOf(database);
  if (version > migrations.length) throw new LedgerTooNewError(file, version);
}

function migrate(database: DatabaseSync, file: string): void {
  if (versionOf(database) === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another window may have migrated while we waited.
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
