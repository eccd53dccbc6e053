/** One figure of a bill. */
export interface BillItem {
  /** Such as `2026-11-20`. */
  day: string;
  /** As the bill names it; absent where the figure is not of a model. */
  model?: string | undefined;
  /** What the figure is for, where it is not of a model. */
  what?: string | undefined;
  /** See exactUsd; absent where it only counts. */
  exactUsd?: bigint | undefined;
  requests?: number | undefined;
  /** Prompt and answer together. */
  tokens?: number | undefined;
}

/** A bill that cannot be read: one sentence with the next action. */
export class BillProblem extends Error {
  override readonly name = 'BillProblem';
  readonly missing: 'day' | 'model' | 'cost' | undefined;
  readonly columns: string[] | undefined;

  /** @param columns of a file in which one was not found */
  constructor(message: string, missing?: 'day' | 'model' | 'cost', columns?: string[]) {
    super(message);
    this.missing = missing;
    this.columns = columns;
  }
}

export const dayMs = 86_400_000;

/** The day of a moment, in a time zone. @param offsetMs of the zone to UTC */
export function dayOf(at: number, offsetMs = 0): string {
  return new Date(at + offsetMs).toISOString().slice(0, 10);
}

/** Milliseconds since the epoch at which a day begins in UTC; undefined for what is no day of the calendar. */
export function dayStart(day: string): number | undefined {
  if (!/^20\d{2}-\d{2}-\d{2}$/.test(day)) return undefined;
  const [month, date] = [Number(day.slice(5, 7)), Number(day.slice(8))];
  const at = Date.UTC(Number(day.slice(0, 4)), month - 1, date);
  // A day that the calendar does not have counts on into the next month.
  return month >= 1 && month <= 12 && new Date(at).getUTCDate() === date && date > 0 ? at : undefined;
}

/** Milliseconds to UTC of an offset such as `+08:00`; undefined for what is none. */
export function offsetOf(text: string): number | undefined {
  if (text === 'Z' || text === 'UTC') return 0;
  const parts = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const minutes = Number(parts[2]) * 60 + Number(parts[3]);
  return minutes > 14 * 60 || Number(parts[3]) > 59 ? undefined : (parts[1] === '-' ? -minutes : minutes) * 60_000;
}
