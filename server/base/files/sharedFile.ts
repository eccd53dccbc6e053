import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readOrdinaryFile } from './ordinaryFile.ts';

/**
 * Files that several processes share are written in one way only: whole, under a draft name in the same folder, and then
 * moved into place in one step. A reader therefore sees the old content or the new one and never a part.
 */

/** Only the owner reads and writes. */
const ownerOnly = 0o600;
/** A draft this old belongs to a process that died while it wrote, in milliseconds. */
const draftAbandonedAfterMs = 10 * 60_000;
/** A lock is held for a moment; one this old belongs to a process that died, in milliseconds. */
const lockAbandonedAfterMs = 5_000;
const pollMs = 5;
/** Windows refuses access to a file while another process replaces it; such a moment is short. */
const windowsTries = 40;
const draftName = /^\..+\.[0-9a-f]{12}\.draft$/;

/**
 * Replaces a file, or creates it, with mode 0600; the last writer wins. The content is not forced to the disk: after a
 * power failure the file may be empty.
 * @throws the system's error; the file is then as it was
 */
export function replaceSharedFile(file: string, content: string | Buffer): void {
  withDraft(file, content, false, draft => moveOver(draft, file));
}

/**
 * Reads a value that all processes on a folder must agree on, and creates it where there is none: the first writer wins,
 * and every process returns the winner's value. A file that holds no value (empty, damaged) is replaced, once.
 * @param parse the value in a text; undefined: the text holds none
 * @param create the text of a new value; asked at most once
 * @throws the system's error when the file can be neither read nor written
 */
export function agreeOnSharedFile<Value>(file: string, parse: (text: string) => Value | undefined, create: () => string): Value {
  const known = readShared(file, parse);
  if (known !== undefined) return known;
  const text = create();
  return withDraft(file, text, true, draft => {
    if (!linked(draft, file)) {
      // The file exists, or the file system knows no links: one process at a time looks again and decides.
      const theirs = withLock(file, () => {
        const found = readShared(file, parse);
        if (found === undefined) moveOver(draft, file);
        return found;
      });
      if (theirs !== undefined) return theirs;
    }
    const ours = parse(text);
    if (ours === undefined) throw new Error(`${file} cannot be read back.`);
    return ours;
  });
}

/** Removes drafts that dead writers left in a folder. Never throws: such drafts harm no reader. */
export function removeAbandonedDrafts(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      if (draftName.test(name) && isOlderThan(join(folder, name), draftAbandonedAfterMs)) rmSync(join(folder, name), { force: true });
    }
  } catch {
    return;
  }
}

/** @throws the system's error, except that a missing file holds no value */
function readShared<Value>(file: string, parse: (text: string) => Value | undefined): Value | undefined {
  try {
    return parse(patiently(() => readOrdinaryFile(file)));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes the content to a draft beside the file and hands it on; whatever is left of the draft is removed. */
function withDraft<Result>(file: string, content: string | Buffer, synced: boolean, use: (draft: string) => Result): Result {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.draft`);
  try {
    const descriptor = openSync(draft, 'wx', ownerOnly);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
      if (synced) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return use(draft);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Gives the draft its final name where that name is free. @returns false when it is taken or cannot be linked */
function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch {
    return false;
  }
}

function moveOver(draft: string, file: string): void {
  patiently(() => renameSync(draft, file));
}

/** Runs `decide` while no other process does so for the same file. A lock whose holder died is broken. */
function withLock<Result>(file: string, decide: () => Result): Result {
  const lock = `${file}.lock`;
  while (!locked(lock)) {
    if (isOlderThan(lock, lockAbandonedAfterMs)) rmSync(lock, { force: true });
    else pause();
  }
  try {
    return decide();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** @returns false when another process holds the lock. @throws the system's error when a lock cannot be made here */
function locked(lock: string): boolean {
  try {
    closeSync(patiently(() => openSync(lock, 'wx', ownerOnly)));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** A modification time far in the future, as after a change of the clock, counts as old. */
function isOlderThan(file: string, ms: number): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > ms;
}

function patiently<Result>(act: () => Result): Result {
  for (let left = process.platform === 'win32' ? windowsTries : 0; ; left -= 1) {
    try {
      return act();
    } catch (error) {
      if (left === 0 || !hasCode(error, 'EPERM', 'EACCES', 'EBUSY')) throw error;
      pause();
    }
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Blocks: shared files are written at a start and seldom later, and never while a request waits. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
}
