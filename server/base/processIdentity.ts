import { readFileSync, readlinkSync } from 'node:fs';

/** The version of this program; the build writes it. From sources it is 0.0.0. */
export const programVersion = process.env.WAYBILL_VERSION ?? '0.0.0';

/**
 * What distinguishes a process from another one that gets the same id later: the start of the machine, the space of process ids it
 * lives in (containers have their own) and its start in it.
 */
export interface ProcessIdentity {
  /** Boot and space of process ids; processes of different spaces cannot look at each other. */
  space: string;
  /** Start of the process, in ticks since the boot. */
  start: string;
}

/** The identity of a process by its id. undefined: there is no such process, or the platform does not say. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const space = readlinkSync('/proc/self/ns/pid');
    // proc(5): the second field, the name, may hold blanks and brackets; field 22 is the start time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return start === undefined ? undefined : { space: `${boot} ${space}`, start };
  } catch {
    return undefined;
  }
}

/** Whether there is a process of that id on this machine, be it the one that had it before or another one. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
