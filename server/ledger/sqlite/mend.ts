import { copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { readOrdinaryFile } from '../../base/files/ordinaryFile.ts';
import { isBusy } from './ledgerErrors.ts';
import { openDatabase } from './openDatabase.ts';
import { salvage, type Salvaged } from './salvage.ts';

/** What became of an attempt to mend a ledger. */
export type Mended =
  /** A new file stands in its place; the damaged one was moved to `aside`. `salvaged` is absent where nothing of it could be read. */
  | { kind: 'replaced'; aside: string; salvaged: Salvaged | undefined }
  /** Another process mends it, or holds its lock. */
  | { kind: 'elsewhere' };

/** A mark that was not renewed for so long belongs to a process that died over it. */
const staleMarkMs = 15_000;
const sideFiles = ['-wal', '-shm'];

/**
 * Puts a sound ledger in the place of a damaged one: what can be read of it is copied into a new file, the damaged one is
 * kept beside it. While this lasts, a mark beside the file keeps peers away, and the write lock of the damaged file
 * is held, so that nothing is written to it that would be lost. Yields between portions of work.
 * @param me id of the mending process: the same for all its tries
 * @throws SQLite's or the file system's error when the new file cannot be made; trying again later is safe
 */
export function* mend(file: string, me: string, now: number): Generator<void, Mended> {
  if (!claim(file, me)) return { kind: 'elsewhere' };
  let done = false;
  try {
    const lock = writeLock(file);
    if (lock === 'busy') return { kind: 'elsewhere' };
    try {
      const fresh = `${file}.mended`;
      const salvaged = yield* salvageInto(fresh, file, me);
      // A system that cannot replace an open file needs this one closed.
      if (process.platform === 'win32') lock?.close();
      const aside = swap(file, fresh, now);
      done = true;
      return { kind: 'replaced', aside, salvaged };
    } finally {
      // Closed after the swap: SQLite then sees that the file was moved, and leaves the side files of the new one alone.
      if (lock?.isOpen === true) lock.close();
    }
  } finally {
    // After a try that failed the mark stays where an open file cannot be replaced: peers close theirs when they see it.
    if (done || process.platform !== 'win32') rmSync(markOf(file), { force: true });
  }
}

/** Whether another process is mending the file: it is not to be opened now, and closed where it is open. */
export function isMendedElsewhere(file: string, me: string): boolean {
  const mark = statSync(markOf(file), { throwIfNoEntry: false });
  if (mark === undefined || Date.now() - mark.mtimeMs > staleMarkMs) return false;
  return ownerOf(file) !== me;
}

function markOf(file: string): string {
  return `${file}.mending`;
}

function ownerOf(file: string): string | undefined {
  try {
    return readOrdinaryFile(markOf(file));
  } catch {
    return undefined;
  }
}

function claim(file: string, me: string): boolean {
  const mark = markOf(file);
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      writeFileSync(mark, me, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (ownerOf(file) === me) return true;
    if (isMendedElsewhere(file, me)) return false;
    // Renamed before it is removed: of two that find it stale, one gets it.
    try {
      renameSync(mark, `${mark}.${me}`);
      rmSync(`${mark}.${me}`, { force: true });
    } catch {
      return false;
    }
  }
  return false;
}

/** @returns an open transaction on the damaged file; undefined where it is too damaged to have one */
function writeLock(file: string): DatabaseSync | 'busy' | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    database.exec('PRAGMA busy_timeout = 100; BEGIN IMMEDIATE');
    return database;
  } catch (error) {
    database?.close();
    return isBusy(error) ? 'busy' : undefined;
  }
}

/** @returns undefined where nothing of the damaged file could be read; the new one is then empty */
function* salvageInto(fresh: string, file: string, me: string): Generator<void, Salvaged | undefined> {
  removeLedger(fresh);
  const database = openDatabase(fresh, 1_000);
  const damaged = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    const steps = salvage(damaged, database);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value.exchanges + step.value.attempts > 0 ? step.value : undefined;
      renew(file, me);
      yield;
    }
  } finally {
    damaged.close();
    database.close();
  }
}

function renew(file: string, me: string): void {
  if (ownerOf(file) !== me) throw new Error(`Another process took over the repair of the ledger ${file}.`);
  const now = new Date();
  utimesSync(markOf(file), now, now);
}

function removeLedger(file: string): void {
  for (const suffix of ['', ...sideFiles]) rmSync(file + suffix, { force: true });
}

/** The side files go first: a new ledger must never meet the write-ahead log of another one. @returns where the damaged file is kept */
function swap(file: string, fresh: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, '-');
  let aside = `${file}.damaged-${stamp}`;
  for (let count = 2; existsSync(aside); count += 1) aside = `${file}.damaged-${stamp}-${count}`;
  try {
    linkSync(file, aside);
  } catch {
    // Some file systems have no hard links.
    copyFileSync(file, aside);
  }
  for (const suffix of sideFiles) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  renameSync(fresh, file);
  return aside;
}
