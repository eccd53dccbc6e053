import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { t } from '@vscode/l10n';

/** A sentence about a file, for the user. Known by its name, since it may come out of a bundle of its own. */
export class ConfigFileError extends Error {
  constructor(file: string, what: string, options?: ErrorOptions) {
    super(`${file} ${what}`, options);
    this.name = 'ConfigFileError';
  }
}

export interface ConfigFile {
  /** Absent: there is no file. */
  text: string | undefined;
  /** Permissions, as `stat` has them. */
  mode: number | undefined;
  /** Where the file really is: at the end of the links that lead to it. */
  realPath: string;
}

const mostLinks = 40;
const largestBytes = 8 * 1024 * 1024;

/** Reads a configuration. @throws ConfigFileError when it is there and cannot be read, or is no text */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const realPath = await endOfLinks(file);
  try {
    const found = await stat(realPath);
    if (!found.isFile()) throw new ConfigFileError(file, t('is not a file; nothing was changed.'));
    if (found.size > largestBytes) throw new ConfigFileError(file, t('is larger than any configuration; nothing was changed.'));
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(realPath));
    return { text, mode: found.mode & 0o777, realPath };
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    if (error instanceof TypeError) throw new ConfigFileError(file, t('is not UTF-8 text; nothing was changed.'), { cause: error });
    if (codeOf(error) === 'ENOENT') return { text: undefined, mode: undefined, realPath };
    throw new ConfigFileError(file, t('cannot be read ({0}); nothing was changed.', codeOf(error) ?? String(error)), { cause: error });
  }
}

/**
 * Writes a configuration whole or not at all: a new file beside it takes its place. Links stay links.
 * @param mode permissions; undefined: what new files get here
 */
export async function writeConfigFile(file: string, realPath: string, text: string, mode: number | undefined): Promise<void> {
  const folder = path.dirname(realPath);
  const aside = path.join(folder, `.${path.basename(realPath)}.${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(aside, 'wx', mode ?? 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // What `open` was given is cut by the process's mask.
    if (mode !== undefined) await chmod(aside, mode);
    await rename(aside, realPath);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw new ConfigFileError(file, t('cannot be written ({0}); it is as it was.', codeOf(error) ?? String(error)), { cause: error });
  }
}

/** Removes a configuration that was not there before; the folder stays. */
export async function removeConfigFile(file: string, realPath: string): Promise<void> {
  try {
    await rm(realPath, { force: true });
  } catch (error) {
    throw new ConfigFileError(file, t('cannot be removed ({0}); it is as it was.', codeOf(error) ?? String(error)), { cause: error });
  }
}

/** Follows links also to a file that is not there yet. */
async function endOfLinks(file: string): Promise<string> {
  let at = file;
  for (let links = 0; links < mostLinks; links++) {
    let target: string;
    try {
      target = await readlink(at);
    } catch {
      return at;
    }
    at = path.resolve(path.dirname(at), target);
  }
  throw new ConfigFileError(file, t('is a link that leads in a circle; nothing was changed.'));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
