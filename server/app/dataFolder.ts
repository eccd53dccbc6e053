import { accessSync, chmodSync, constants, mkdirSync, readdirSync, renameSync, statSync, type Stats } from 'node:fs';
import { basename, join, sep } from 'node:path';
import type { Log } from '../base/log.ts';
import { removeAbandonedDrafts } from '../base/files/sharedFile.ts';
import { portsFolder } from '../inbound/http/servedPorts.ts';
import { compiledCodeFolder } from './compiledParts.ts';

/** Everything this program keeps in its data folder. */
const ownFiles = /^(?:token|key-salt|models\.json|ledger\.db(?:[-.].*)?|(?:token|key-salt)\.lock|\..*\.draft)$/;
/** Versions of the rules. */
export const rulesFolder = 'rules';
/** What people decided about endpoints. */
export const endpointsFolder = 'endpoints';
/** Questions to peers to end a request: see PeerStops. */
export const stopsFolder = 'stops';
/** Which server tells people of an incident. */
export const noticesFolder = 'notices';
/** Incidents of alerts. */
export const alertsFolder = 'alerts';
const ownFolders = new Set(['tokens', 'access', 'connections', 'limits', portsFolder, rulesFolder, endpointsFolder, stopsFolder, noticesFolder, alertsFolder, compiledCodeFolder]);
const asideName = /\.damaged-/;
/** The permission bits of other users. */
const othersMode = 0o077;

/** Makes the data folder if it is missing. @throws Error that says in one sentence why it cannot be used */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new Error(`The data folder ${dataDir} cannot be used: ${troubleWith(dataDir, error)}.`, { cause: error });
  }
  removeAbandonedDrafts(dataDir);
  removeAbandonedDrafts(join(dataDir, 'tokens'));
  removeAbandonedDrafts(join(dataDir, rulesFolder));
  removeAbandonedDrafts(join(dataDir, endpointsFolder));
  removeAbandonedDrafts(join(dataDir, stopsFolder));
  removeAbandonedDrafts(join(dataDir, alertsFolder));
  removeAbandonedDrafts(join(dataDir, compiledCodeFolder));
}

/**
 * Moves aside what stands in the place of a file or folder of this program and is of another kind: a folder in the place of
 * a file, a pipe (opening one blocks without end), a link that leads to itself. Each is kept under a name with the time, and
 * logged with one sentence. Call this before anything in the folder is opened.
 * @param now in milliseconds since the epoch
 */
export function setAsideMisplaced(dataDir: string, now: number, log: Log): void {
  const inner = [...ownFolders].flatMap(folder => (isFolder(join(dataDir, folder)) ? namesIn(join(dataDir, folder), log).map(name => join(folder, name)) : []));
  for (const name of [...namesIn(dataDir, log), ...inner]) {
    if (!ownFiles.test(name) && !ownFolders.has(name) && !name.includes(sep)) continue;
    const path = join(dataDir, name);
    const wrong = misplaced(path, ownFolders.has(name));
    if (wrong === undefined || asideName.test(name)) continue;
    const aside = join(dataDir, `${basename(name)}.damaged-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`);
    try {
      renameSync(path, aside);
      log.warn(`${path} was ${wrong} in the place of a ${ownFolders.has(name) ? 'folder' : 'file'} of Waybill, and was moved to ${aside}.`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') log.error(`${path} is ${wrong} in the place of a ${ownFolders.has(name) ? 'folder' : 'file'} of Waybill and cannot be moved away: ${chmodTrouble(error)}. Move it away by hand.`);
    }
  }
}

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** What stands at a path, where that is not the folder or file expected; undefined: it is as expected, or nothing is there. */
function misplaced(path: string, wantsFolder: boolean): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || (wantsFolder ? found.isDirectory() : found.isFile())) return undefined;
    if (found.isDirectory()) return 'a folder';
    return found.isFile() ? 'a file' : 'no ordinary file';
  } catch (error) {
    return codeOf(error) === 'ELOOP' ? 'a link that leads to itself' : undefined;
  }
}

/** Undefined: nothing is there, or its state cannot be read. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Removes the permissions of other users from the data folder and from the files of this program in it. A mode that cannot
 * be changed is logged with one sentence. A folder that also holds other files keeps its mode, because closing it could lock
 * a person out of those. Does nothing on Windows, where the access rules of the profile are inherited.
 */
export function closeToOthers(dataDir: string, log: Log): void {
  if (process.platform === 'win32') return;
  const names = namesIn(dataDir, log);
  for (const name of names) {
    const path = join(dataDir, name);
    if (ownFiles.test(name)) tighten(path, log);
    if (!ownFolders.has(name.replace(/\.damaged-.*/s, ''))) continue;
    tighten(path, log);
    for (const inner of namesIn(path, log)) tighten(join(path, inner), log);
  }
  const isOurs = names.every(name => ownFiles.test(name) || ownFolders.has(name) || asideName.test(name));
  if (isOurs) tighten(dataDir, log);
  else warnIfOpen(dataDir, log);
}

function tighten(path: string, log: Log): void {
  const found = openToOthers(path);
  if (found === undefined) return;
  try {
    chmodSync(path, found.mode & 0o777 & ~othersMode);
    log.info(`${path} was open to other users of this machine (mode ${modeOf(found)}); it is now open to its owner only.`);
  } catch (error) {
    log.warn(`${path} is open to other users of this machine (mode ${modeOf(found)}) and cannot be closed: ${chmodTrouble(error)}. Close it by hand (chmod go= ${path}).`);
  }
}

function warnIfOpen(dataDir: string, log: Log): void {
  const found = openToOthers(dataDir);
  if (found !== undefined) log.warn(`The data folder ${dataDir} is open to other users of this machine (mode ${modeOf(found)}) and stays so, because it also holds other files. Give Waybill a folder of its own.`);
}

/** Undefined: other users have no permission, or the path is gone. */
function openToOthers(path: string): Stats | undefined {
  const found = statOf(path);
  return found === undefined || (found.mode & othersMode) === 0 ? undefined : found;
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

function namesIn(folder: string, log: Log): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    log.warn(`The modes of the files in ${folder} cannot be checked: ${troubleWith(folder, error)}.`);
    return [];
  }
}

function chmodTrouble(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'EPERM': return 'it belongs to another user';
    case 'EROFS': return 'the file system is read-only';
    case 'ENOTSUP':
    case 'ENOSYS': return 'the file system knows no modes';
    default: return code ?? 'the reason is unknown';
  }
}

function troubleWith(folder: string, error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'EEXIST': return statOf(folder) === undefined ? 'it is a link that leads nowhere' : 'it is a file';
    case 'ENOTDIR': return 'a part of its path is a file';
    case 'EACCES':
    case 'EPERM': return 'access is not allowed';
    case 'EROFS': return 'the file system is read-only';
    case 'ENOSPC': return 'the disk is full';
    default: return code ?? 'for an unknown reason';
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
