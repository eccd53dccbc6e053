import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { agreeOnSharedFile } from '../base/files/sharedFile.ts';

/** What a secret is known by where windows tell each other about keys; the secret cannot be found from it. */
export type KeyFingerprint = (secret: string) => string;

const saltBytes = 32;
const fingerprintLength = 32;

/**
 * Marks of secrets for one data folder: a keyed digest (HMAC-SHA-256, 128 bits of it) under a random salt.
 *
 * A note about a key ("dead", "resting") must hold for that very secret in every window and after a restart, and no longer
 * once the secret was changed. Ids and last four characters do not say that: a headless server calls its keys otherwise,
 * and a new secret may stand under the old id. The salt is a file of its own, for its owner only, so that a copy of the
 * ledger alone does not even let somebody check a guess. Should the file be lost, notes match nothing any more, and every
 * key counts as alive.
 */
export function keyFingerprints(dataDir: string): KeyFingerprint {
  return fingerprintsOf(sharedSalt(join(dataDir, 'key-salt')));
}

/** Marks that mean nothing outside this process. */
export function privateKeyFingerprints(): KeyFingerprint {
  return fingerprintsOf(randomBytes(saltBytes));
}

function fingerprintsOf(salt: Buffer): KeyFingerprint {
  const key = createSecretKey(salt);
  return secret => createHmac('sha256', key).update(secret).digest('hex').slice(0, fingerprintLength);
}

function sharedSalt(file: string): Buffer {
  const salt = randomBytes(saltBytes);
  try {
    return agreeOnSharedFile(file, saltIn, () => salt.toString('hex'));
  } catch {
    // A folder that takes no file: this process keeps its notes to itself.
    return salt;
  }
}

function saltIn(text: string): Buffer | undefined {
  const digits = text.trim();
  return /^[0-9a-f]{64}$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
