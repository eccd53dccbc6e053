/** Time and randomness are handed in, so that state machines are tables of cases in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A number in [0, 1). */
export type Random = () => number;

export const systemClock: Clock = { now: () => Date.now() };
