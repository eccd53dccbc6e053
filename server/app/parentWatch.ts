import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { processLives } from '../base/processIdentity.ts';
import type { TickedPart, Ticker } from '../router/ticker.ts';

const pollMs = 1000;
/** Read while this module loads: no earlier moment is possible. */
const firstParent = process.ppid;

/** The place of a process in the system's table. */
export interface ProcessPlace {
  pid: number;
  parent: number;
  /** The process group. */
  group: number;
  /** The session; undefined where the system does not report it. */
  session: number | undefined;
}

/**
 * Calls back, once, when the process that started this one has ended. Without this, servers of a killed editor or shell run
 * without end. The starter has ended when
 * - this process has another parent than at its start, or its parent no longer lives (Windows keeps the id of a dead one);
 * - its IPC channel is closed already;
 * - it was an orphan before this module loaded (see `isOrphan`).
 * A server that process 1 itself started (systemd, a container's init), or that is process 1, runs until it is asked to end.
 */
export class ParentWatch implements TickedPart {
  readonly name = 'The watch over the process that started this one';
  readonly #gone: () => void;
  #isGone = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(gone: () => void) {
    this.#gone = gone;
    if (isGoneAlready()) {
      this.#isGone = true;
      // The caller is still being set up; the callback comes after that.
      setImmediate(gone);
      return;
    }
    this.#timer = setInterval(() => { this.tick(); }, pollMs).unref();
  }

  /** Looks once a second when the ticker does, instead of with a timer of its own. */
  lookWith(ticker: Pick<Ticker, 'add'>): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#isGone) ticker.add(this);
  }

  tick(): void {
    if (this.#isGone || (process.ppid === firstParent && isAlive(firstParent))) return;
    this.#isGone = true;
    clearInterval(this.#timer);
    this.#gone();
  }
}

function isGoneAlready(): boolean {
  if (process.send !== undefined && !process.connected) return true;
  if (process.ppid !== firstParent || !isAlive(firstParent)) return true;
  const own = placeOf(process.pid);
  const parent = placeOf(firstParent);
  return own !== undefined && parent !== undefined && isOrphan(own, parent);
}

/**
 * Whether a process got its present parent because its own one died. A child inherits the session and the process group of
 * its parent and leaves them by leading new ones. So a process that leads neither, and does not share them with its parent,
 * was not started by that parent. The group is compared below process 1 alone: a shell that controls jobs moves the
 * commands of a pipeline into a group of their own.
 */
export function isOrphan(own: ProcessPlace, parent: ProcessPlace): boolean {
  const leads = own.group === own.pid || own.session === own.pid;
  if (leads) return false;
  if (own.session !== undefined && parent.session !== undefined && own.session !== parent.session) return true;
  return parent.pid === 1 && own.group !== parent.group;
}

/** Undefined: the system does not report it. */
function placeOf(pid: number): ProcessPlace | undefined {
  if (pid === 0) return undefined;
  try {
    if (process.platform === 'linux') return placeInStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    // Elsewhere this costs a command, which only a process below process 1 needs.
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

/** On Windows the parent's id stays after the parent has ended, so the process itself is looked for. */
function isAlive(pid: number): boolean {
  return pid === 0 || processLives(pid);
}
