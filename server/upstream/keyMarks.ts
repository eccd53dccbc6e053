import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a secret is known by where windows tell each other about keys; the secret cannot be found from it. */
export type KeyMark = (secret: string) => string;

const saltBytes = 32;
const markLength = 32;

/**
 * Marks of secrets for one data folder: a keyed digest (HMAC-SHA-256, 128 bits of it) under a random salt.
 *
 * A note about a key ("dead", "resting") must hold for that very secret in every window and after a restart, and no longer
 * once the secret was changed. Ids and last four characters do not say that: a headless server calls its keys otherwise,
 * and a new secret may stand under the old id. The salt is a file of its own, for its owner only, so that a copy of the
 * ledger alone does not even let somebody check a guess. Should the file be lost, notes match nothing any more, and every
 * key counts as alive.
 */
export function keyMarks(dataDir: string): KeyMark {
  return marksOf(sharedSalt(join(dataDir, 'key-salt')));
}

/** Marks that mean nothing outside this process. */
export function privateKeyMarks(): KeyMark {
  return marksOf(randomBytes(saltBytes));
}

function marksOf(salt: Buffer): KeyMark {
  return secret => createHmac('sha256', salt).update(secret).digest('hex').slice(0, markLength);
}

function sharedSalt(file: string): Buffer {
  const known = readSalt(file);
  if (known !== undefined) return known;
  const salt = randomBytes(saltBytes);
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(draft, salt.toString('hex'), { mode: 0o600, flag: 'wx' });
    try {
      // All at once, or not at all where another window was quicker.
      linkSync(draft, file);
      return salt;
    } catch {
      const theirs = readSalt(file);
      if (theirs !== undefined) return theirs;
      // A damaged file, or a file system without links.
      writeFileSync(file, salt.toString('hex'), { mode: 0o600 });
      return salt;
    }
  } catch {
    // A folder that takes no file: this process remembers for itself.
    return salt;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readSalt(file: string): Buffer | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined;
  } catch {
    return undefined;
  }
}
