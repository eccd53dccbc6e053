import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processor time of a process so far, all its threads, user and system, in microseconds. Linux only: the scheduler's own
 * count, as `/proc/PID/stat` counts in steps of 10 ms.
 */
export function cpuTimeUs(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
    } catch (error) {
      // A thread may end between the two reads.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return nanoseconds / 1000;
}

/**
 * Processor time of a process and its children so far, those that ended included, in microseconds; of the latter it is known in steps of 10 ms. Linux only.
 * @param without a child that does not count
 */
export function familyCpuTimeUs(pid: number, without?: number): number {
  let us = 0;
  for (const name of readdirSync('/proc')) {
    const child = Number(name);
    if (!Number.isInteger(child) || child === without) continue;
    try {
      if (child === pid) us += cpuTimeUs(pid) + endedChildrenUs(statOf(pid));
      else if (Number(statOf(child)[1]) === pid) us += cpuTimeUs(child);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    }
  }
  return us;
}

/** The fields of `/proc/PID/stat` from the state on: behind the name, which may hold spaces. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function endedChildrenUs(stat: readonly string[]): number {
  return (Number(stat[13]) + Number(stat[14])) * 10_000;
}

/** Resident memory of a process in megabytes (10^6 bytes). Linux only. */
export function residentMb(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} shows no resident memory`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** How often the main thread of a process has gone to sleep so far, and so was woken. Linux only. */
export function sleepsOf(pid: number): number {
  const sleeps = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${pid}/status`, 'latin1'))?.[1];
  if (sleeps === undefined) throw new Error(`process ${pid} shows no context switches`);
  return Number(sleeps);
}
