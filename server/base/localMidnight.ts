/** The last local midnight, in milliseconds since the epoch: the moment at which "today" began. @param now milliseconds since the epoch */
export function localMidnight(now: number): number {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}
