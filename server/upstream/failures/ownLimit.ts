import { closeSync, openSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { devNull } from 'node:os';

/** What this machine or this process ran out of, as sentences. */
export interface OwnLimit { lacks: string; remedy: string; retryAfterMs: number }

/** Files, ports and memory come back when other work ends. */
const retryAfterMs = 1000;
const files: OwnLimit = { lacks: 'Too many files and connections are open', remedy: 'Raise the limit of open files (ulimit -n), or run fewer requests at once.', retryAfterMs };
const memory: OwnLimit = { lacks: 'This machine is out of memory', remedy: 'Close other programs, or run fewer requests at once.', retryAfterMs };
const disk: OwnLimit = { lacks: 'A disk of this machine is full', remedy: 'Make room on it.', retryAfterMs };
const ports: OwnLimit = { lacks: 'No local port is free for another connection', remedy: 'Run fewer requests at once, or wait until old connections have ended.', retryAfterMs };

const byCode: ReadonlyMap<string, OwnLimit> = new Map([
  ['EMFILE', files], ['ENFILE', files],
  ['ENOMEM', memory], ['ENOBUFS', memory], ['EAI_MEMORY', memory], ['OUT_OF_MEM', memory],
  ['ERR_OUT_OF_MEMORY', memory], ['ERR_MEMORY_ALLOCATION_FAILED', memory], ['ERR_WORKER_OUT_OF_MEMORY', memory],
  ['ENOSPC', disk], ['EDQUOT', disk],
]);

/** A name server is asked, and its addresses are read, through files: without any the search fails as if there were no such name. */
const nameFailure = /^(?:EAI_|ENOTFOUND$)/;

/**
 * What this machine or process ran out of, by its error; undefined for an error of another kind.
 * @param filesLeft whether another file can be opened; asked only for a failed look-up of a name
 */
export function ownLimit(code: string, error: unknown, filesLeft: () => boolean = canOpen): OwnLimit | undefined {
  const known = byCode.get(code);
  if (known !== undefined) return known;
  // Over IPv6 the code means that this machine has no such address at all.
  if (code === 'EADDRNOTAVAIL') return isIPv6(String((error as { address?: unknown }).address)) ? undefined : ports;
  if (error instanceof RangeError && /allocation failed/i.test(error.message)) return memory;
  return nameFailure.test(code) && !filesLeft() ? files : undefined;
}

/** Whether a file that was not found may only not have been opened. */
export function isOutOfFiles(): boolean {
  return !canOpen();
}

function canOpen(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return true;
  } catch {
    return false;
  }
}
