/** A local calendar day that a range touches. `from` is its local midnight, or the start of the range. */
export interface LocalDay {
  /** `YYYY-MM-DD`. */
  day: string;
  from: number;
}

/** At most this many days are listed (ten years), whatever range is asked for. */
const maximumDays = 3_660;

/** The local days of a half-open range, oldest first, with the process's time zone and its clock changes. */
export function localDays(from: number, to: number): LocalDay[] {
  const days: LocalDay[] = [];
  let start = from;
  while (start < to && days.length < maximumDays) {
    const date = new Date(start);
    const month = String(date.getMonth() + 1).padStart(2, '0');
    days.push({ day: `${date.getFullYear()}-${month}-${String(date.getDate()).padStart(2, '0')}`, from: start });
    start = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
  }
  return days;
}
