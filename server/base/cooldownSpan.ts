/** Moments taken a little before a rest began, by work already under way, are no sign that the clock was set back. */
const slackMs = 1000;

/** A time of rest, in milliseconds since the epoch. */
export interface CooldownSpan { readonly since: number; readonly until: number }

/**
 * Whether a rest is running. From well before its beginning it would last longer than it was meant to: the clock was set
 * back since, nobody knows how much of the rest has passed, and it is taken to be over.
 */
export function isCoolingDown({ since, until }: CooldownSpan, now: number): boolean {
  return now < until && now >= since - slackMs;
}
