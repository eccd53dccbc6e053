/** The last local midnight, in milliseconds since the epoch: the moment at which "today" began. @param now milliseconds since the epoch */
export function localMidnight(now: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** The next local midnight, in milliseconds since the epoch; 23 to 25 hours after the last one where clocks change. */
export function nextLocalMidnight(now: number): number {
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}
