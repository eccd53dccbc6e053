import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { until } from './until.ts';

/** Set in the environment of everything a test starts; children inherit it, so that stragglers can be found. */
export const runMarkerName = 'WAYBILL_E2E_RUN';

export interface RunningProcess {
  pid: number;
  parentPid: number;
  commandLine: string;
  environment: string;
}

/**
 * The living processes whose environment carries this run's marker, read from /proc. Empty where there is no /proc.
 */
export function processesOfRun(marker: string): RunningProcess[] {
  return allProcessIds().flatMap((pid) => {
    const found = readProcess(pid);
    return found?.environment.split('\0').includes(`${runMarkerName}=${marker}`) ? [found] : [];
  });
}

function allProcessIds(): number[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
}

function readProcess(pid: number): RunningProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return undefined;
    return {
      pid,
      parentPid: Number(parentPid),
      commandLine: readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim(),
      environment: readFileSync(`/proc/${pid}/environ`, 'latin1'),
    };
  } catch {
    // The process ended while it was being read, or belongs to another user.
    return undefined;
  }
}

/**
 * Ends a process started with `detached: true` and everything below it: asks its group, then insists, then ends
 * whatever left the group but carries the marker. Resolves when nothing of the run is left.
 */
export async function endProcessTree(child: ChildProcess, marker: string): Promise<void> {
  signal(child.pid === undefined ? undefined : -child.pid, 'SIGTERM');
  await until('the processes to end when asked', () => processesOfRun(marker).length === 0, { timeoutMs: 3_000 }).catch(() => {
    signal(child.pid === undefined ? undefined : -child.pid, 'SIGKILL');
    for (const straggler of processesOfRun(marker)) signal(straggler.pid, 'SIGKILL');
  });
  await until('the killed processes to be gone', () => processesOfRun(marker).length === 0, { timeoutMs: 5_000 });
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Which of these processes listens on a port of the loopback interface; undefined: none of them. */
export function listenerOf(port: number, candidates: readonly RunningProcess[]): RunningProcess | undefined {
  const wantedAddress = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = '0A';
  const socket = readFileSync('/proc/net/tcp', 'latin1').split('\n').map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local?.endsWith(wantedAddress) && state === listening);
  const inode = socket?.[9];
  if (inode === undefined) return undefined;
  return candidates.find(({ pid }) => openFiles(pid).includes(`socket:[${inode}]`));
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${name}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
