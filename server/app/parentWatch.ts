import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const lookMs = 1000;
/** Read while this module loads, which is as early as a program can ask. */
const firstParent = process.ppid;

/** The place of a process in the system's table. */
export interface ProcessPlace {
  pid: number;
  parent: number;
  /** The process group. */
  group: number;
  /** The session; undefined where the system does not tell it. */
  session: number | undefined;
}

/**
 * Calls back, once, when the process that started this one is gone. Without this, servers of a killed editor or shell
 * serve for ever. The starter is gone when
 * - this process has another parent than at its start, or its parent no longer lives (Windows keeps the id of a dead one);
 * - its IPC channel is closed already;
 * - it was an orphan before it could look (see `isOrphan`).
 * A server that process 1 itself started (systemd, a container's init) or that is process 1 serves until it is asked to end.
 */
export function exitWithParent(gone: () => void): void {
  if (isGoneAlready()) {
    // The caller is still being set up; it is called back once that is done.
    setImmediate(gone);
    return;
  }
  const timer = setInterval(() => {
    if (process.ppid === firstParent && isAlive(firstParent)) return;
    clearInterval(timer);
    gone();
  }, lookMs);
  timer.unref();
}

function isGoneAlready(): boolean {
  if (process.send !== undefined && !process.connected) return true;
  if (process.ppid !== firstParent || !isAlive(firstParent)) return true;
  const own = placeOf(process.pid);
  const parent = placeOf(firstParent);
  return own !== undefined && parent !== undefined && isOrphan(own, parent);
}

/**
 * Whether a process was handed to the parent it has now because its own one died. A child inherits the session and the
 * process group of its parent and leaves them by leading new ones, so a process that leads neither and shares them with
 * another process than its parent was not started by it. The group is asked for below process 1 alone: a shell that
 * controls jobs moves the commands of a pipeline into a group of their own.
 */
export function isOrphan(own: ProcessPlace, parent: ProcessPlace): boolean {
  const leads = own.group === own.pid || own.session === own.pid;
  if (leads) return false;
  if (own.session !== undefined && parent.session !== undefined && own.session !== parent.session) return true;
  return parent.pid === 1 && own.group !== parent.group;
}

/** Undefined: the system does not tell. */
function placeOf(pid: number): ProcessPlace | undefined {
  if (pid === 0) return undefined;
  try {
    if (process.platform === 'linux') return placeInStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    // Elsewhere only a process below process 1 is worth the price of a command.
    if (process.platform === 'win32' || process.ppid !== 1) return undefined;
    return placeInPs(execFileSync('/bin/ps', ['-o', 'pid=,ppid=,pgid=', '-p', String(pid)], { encoding: 'latin1', timeout: 2_000, stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

/** Reads `/proc/PID/stat` (proc(5)): the command in brackets may itself hold brackets and spaces. */
export function placeInStat(stat: string): ProcessPlace | undefined {
  const [, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  const pid = Number.parseInt(stat, 10);
  return place(pid, parent, group, session);
}

/** Reads a line of `ps -o pid=,ppid=,pgid=`. */
export function placeInPs(line: string): ProcessPlace | undefined {
  const [pid, parent, group] = line.trim().split(/\s+/).map(Number);
  return place(pid, parent, group, undefined);
}

function place(pid: number | undefined, parent: number | undefined, group: number | undefined, session: number | undefined): ProcessPlace | undefined {
  if (pid === undefined || parent === undefined || group === undefined || ![pid, parent, group].every(Number.isInteger)) return undefined;
  return { pid, parent, group, session };
}

/** On Windows the parent's id stays after its death, so the process is asked for. */
function isAlive(pid: number): boolean {
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
