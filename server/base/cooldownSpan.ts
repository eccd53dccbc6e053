/** A span that began this much after `now` is no sign that the clock was set back: work under way reads the clock at other moments. */
const slackMs = 1000;

/** The span of a cooldown, in milliseconds since the epoch. */
export interface CooldownSpan { readonly since: number; readonly until: number }

/**
 * Whether a cooldown runs. A `now` well before its beginning means that the clock was set back: how much of the cooldown has
 * passed is unknown then, and it counts as over.
 */
export function isCoolingDown({ since, until }: CooldownSpan, now: number): boolean {
  return now < until && now >= since - slackMs;
}
