import { pause } from '../base/clock.ts';

/** How a server ends when a service manager asks for it. */
export interface DrainTimes {
  /** So long it still serves everybody, while it says that it is not ready: balancers notice. Milliseconds. */
  delayMs: number;
  /** So long running requests may take, once no new ones are accepted. Milliseconds. */
  timeoutMs: number;
}

const lookEveryMs = 50;

/** What is drained. */
export interface Drained {
  startDraining(): void;
  /** Accepts no new connections at any address. */
  stopAccepting(): void;
  /** Closes connections without a request. @returns how many have one */
  closeIdle(): Promise<number>;
}

/**
 * Lets callers go: the server says that it is not ready, accepts nothing new after a delay, and waits for the requests that run.
 * @param signal ends all waits at once
 * @returns how many connections still had a request at the end
 */
export async function drain({ startDraining, stopAccepting, closeIdle }: Drained, { delayMs, timeoutMs }: DrainTimes, signal: AbortSignal): Promise<number> {
  startDraining();
  if (delayMs > 0) await pause(delayMs, signal);
  stopAccepting();
  const end = performance.now() + timeoutMs;
  let busy = await closeIdle();
  while (busy > 0 && performance.now() < end && !signal.aborted) {
    await pause(lookEveryMs, signal);
    busy = await closeIdle();
  }
  return busy;
}
