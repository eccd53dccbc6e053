/** The local calendar day of a moment, `YYYY-MM-DD`. @param at milliseconds since the epoch */
export function localDay(at: number): string {
  const date = new Date(at);
  return dayText(date.getFullYear(), date.getMonth() + 1, date.getDate());
}

/** The local midnight with which a day such as `2026-11-20` begins; undefined where the text is no day. */
export function startOfLocalDay(day: string): number | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (parts === null) return undefined;
  const date = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  // The 31st of a shorter month is a day of the next one.
  return localDay(date.getTime()) === day ? date.getTime() : undefined;
}

/** The local midnight after a moment that is one; days have 23 to 25 hours where clocks change. */
export function nextLocalDay(midnight: number): number {
  const date = new Date(midnight);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}

function dayText(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
