import { hostname } from 'node:os';
import { isObject } from '../../base/json.ts';
import { processIdentity, processLives, type ProcessIdentity } from '../../base/processIdentity.ts';

/** The server that tells people of an incident. Its identity is absent where the platform does not say. */
export interface Teller extends Partial<ProcessIdentity> { readonly host: string; readonly pid: number }

export function ownTeller(): Teller {
  return { host: hostname(), pid: process.pid, ...processIdentity(process.pid) };
}

/** @param value of JSON @returns undefined where it names no teller */
export function tellerOf(value: unknown): Teller | undefined {
  if (!isObject(value) || typeof value['host'] !== 'string' || typeof value['pid'] !== 'number' || !Number.isInteger(value['pid']) || value['pid'] <= 0) return undefined;
  const { host, pid, space, start } = value;
  return { host, pid, ...(typeof space === 'string' && typeof start === 'string' ? { space, start } : {}) };
}

/** Whether a teller is known to have ended. Of one on another machine, or in another container, that cannot be known. */
export function isGone({ host, pid, space, start }: Teller): boolean {
  if (host !== hostname()) return false;
  const own = space === undefined ? undefined : processIdentity(process.pid);
  if (own === undefined) return !processLives(pid);
  return own.space === space ? processIdentity(pid)?.start !== start : bootOf(own.space) !== bootOf(space);
}

/** A space of process ids begins with the start of the machine, before the first blank. */
function bootOf(space: string | undefined): string | undefined {
  return space?.split(' ', 1)[0];
}
