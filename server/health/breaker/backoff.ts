import type { Random } from '../../base/clock.ts';

/**
 * How long to wait before trying again, in whole milliseconds. Full jitter: anything from 0 to a ceiling that doubles with
 * each attempt, so that callers who failed together do not come back together.
 *
 * @param attempt 1 for the wait after the first failure
 */
export function backoffMs(attempt: number, limits: { baseMs: number; capMs: number }, random: Random): number {
  return Math.floor(random() * doublingMs(attempt, limits));
}

/** The ceiling itself: `baseMs`, doubled with each further attempt, at most `capMs`. */
export function doublingMs(attempt: number, limits: { baseMs: number; capMs: number }): number {
  // 2 ** 30 of anything is past every cap; larger exponents would only run into Infinity.
  return Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
}
