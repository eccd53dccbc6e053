import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { agreeOnSharedFile } from '../../../base/files/sharedFile.ts';

export interface LocalToken { token: string; file: string }

const leastTokenLength = 16;

/**
 * The token of the local endpoint, shared by all server processes: read from the data folder, created at the first use.
 * Processes that start at the same moment agree on one token. Only its owner can read the file.
 * @throws Error with one sentence when the file can be neither read nor written
 */
export function localToken(dataDir: string): LocalToken {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'token');
  try {
    return { token: agreeOnSharedFile(file, tokenIn, () => `${newToken()}\n`), file };
  } catch (error) {
    throw new Error(`The token file ${file} cannot be used (${error instanceof Error ? error.message : String(error)}): make it readable and writable for you, or delete it.`, { cause: error });
  }
}

/** A new random token: 192 bits. */
export function newToken(): string {
  return `waybill-${randomBytes(24).toString('base64url')}`;
}

/** The token in the text of a token file; undefined when the text holds none. */
export function tokenIn(text: string): string | undefined {
  const token = text.trim();
  return token.length >= leastTokenLength && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}
