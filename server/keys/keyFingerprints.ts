import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { agreeOnSharedFile } from '../base/files/sharedFile.ts';

/** Identifies a secret where peers share what they know about keys. The secret cannot be found from its fingerprint. */
export type KeyFingerprint = (secret: string) => string;

const saltBytes = 32;
const fingerprintLength = 32;

/**
 * Fingerprints of secrets for one data folder: a keyed digest (HMAC-SHA-256, 128 bits of it) under a random salt.
 *
 * A note about a key ("rejected", "cooling") must hold for that very secret in every peer and after a restart, and must end
 * once the secret is changed. Neither ids nor last four characters achieve that: a headless server gives its keys other ids,
 * and a new secret may be stored under the old id. The salt is a file of its own that only its owner can read, so a copy of
 * the ledger alone does not let anyone check a guess. When the file is lost, no note matches any more, and every key counts
 * as usable.
 */
export function keyFingerprints(dataDir: string): KeyFingerprint {
  return fingerprintsOf(sharedSalt(join(dataDir, 'key-salt')));
}

/** Fingerprints that mean nothing outside this process. */
export function privateKeyFingerprints(): KeyFingerprint {
  return fingerprintsOf(randomBytes(saltBytes));
}

/** Fingerprints under a salt that others know, too. */
export function fingerprintsOf(salt: Buffer): KeyFingerprint {
  const key = createSecretKey(salt);
  return secret => createHmac('sha256', key).update(secret).digest('hex').slice(0, fingerprintLength);
}

function sharedSalt(file: string): Buffer {
  const salt = randomBytes(saltBytes);
  try {
    return agreeOnSharedFile(file, saltIn, () => salt.toString('hex'));
  } catch {
    // The folder cannot be written to: no peer can match the notes of this process.
    return salt;
  }
}

function saltIn(text: string): Buffer | undefined {
  const digits = text.trim();
  return /^[0-9a-f]{64}$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
