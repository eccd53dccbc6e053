import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import type { ConfigureParams } from '../../../api/messages.ts';
import { readOrdinaryFile } from '../../../base/files/ordinaryFile.ts';
import { watchConfigFile, type ConfigWatch } from '../../../config/watchConfigFile.ts';

/** The text of the file of rules that the user chose, or why there is none as one sentence. */
export type ActiveText = { text: string; problem?: undefined } | { text?: undefined; problem: string };

const largestBytes = 2_000_000;

/** The one file of rules that is obeyed beside the settings. */
export class ActiveFile {
  #path: string | undefined;
  #watch: ConfigWatch | undefined;

  /** Looks for changes of a file from now on, in place of the one before. */
  follow(path: string | undefined, changed: () => void): void {
    if (path === this.#path) return;
    this.#watch?.dispose();
    this.#path = path;
    this.#watch = path === undefined || !isAbsolute(path) ? undefined : watchConfigFile(path, changed);
  }

  close(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }
}

/** Reads the file. One in an open workspace folder is not obeyed: whoever can write there could redirect prompts. */
export function activeText({ path, workspaceFolders }: NonNullable<ConfigureParams['rulesFile']>): ActiveText {
  if (!isAbsolute(path)) return { problem: `"waybill.rulesFile" must be a whole path, not "${path}".` };
  try {
    const real = realpathSync(path);
    const folder = workspaceFolders.find(one => contains(realOf(one), real) || contains(one, path));
    if (folder !== undefined) return { problem: `The rules file ${path} is not used: it is in the open folder ${folder}, and a workspace must not decide where prompts go; move it elsewhere.` };
    return { text: readOrdinaryFile(real, largestBytes) };
  } catch (error) {
    return { problem: `The rules file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'it is no file of at most 2 MB'}); correct "waybill.rulesFile", or make the file.` };
  }
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
