import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LocalToken { token: string; file: string }

/**
 * The token of the local endpoint, shared by all windows: read from the data folder, made at first use. Only its owner
 * can read the file.
 */
export function localToken(dataDir: string): LocalToken {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'token');
  const known = readToken(file);
  if (known !== undefined) return { token: known, file };
  const token = `switchyard-${randomBytes(24).toString('base64url')}`;
  try {
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, file };
  } catch {
    // Another window was quicker, or the file is there and empty.
    const theirs = readToken(file);
    if (theirs !== undefined) return { token: theirs, file };
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
    return { token, file };
  }
}

function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim();
    return token.length >= 16 ? token : undefined;
  } catch {
    return undefined;
  }
}
