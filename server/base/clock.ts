import { setTimeout as sleep } from 'node:timers/promises';

/** Time and randomness are handed in, so that state machines are tables of cases in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A number in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = { now: () => Date.now() };

/** Resolves after so many milliseconds, or when the signal aborts. @param ref false: the process may end meanwhile */
export async function pause(ms: number, signal: AbortSignal, ref = true): Promise<void> {
  try {
    await sleep(ms, undefined, { signal, ref });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
