import type { BudgetPeriod } from '../../api/budgets/budgetSettings.ts';

/** A day, week or month of the machine's time zone, half-open, in milliseconds since the epoch. */
export interface PeriodRange {
  readonly from: number;
  /** The first moment of the next one. */
  readonly to: number;
  /** Its first day, as `2026-11-27`. */
  readonly day: string;
}

/** The period that a moment is in. A day has 23 to 25 hours where clocks change; a week begins on Monday. @param now milliseconds since the epoch */
export function periodOf(period: BudgetPeriod, now: number): PeriodRange {
  const date = new Date(now);
  const [year, month] = [date.getFullYear(), date.getMonth()];
  const day = period === 'month' ? 1 : period === 'week' ? date.getDate() - (date.getDay() + 6) % 7 : date.getDate();
  const from = new Date(year, month, day);
  const to = period === 'month' ? new Date(year, month + 1, 1) : new Date(year, month, day + (period === 'week' ? 7 : 1));
  const two = (part: number): string => String(part).padStart(2, '0');
  return { from: from.getTime(), to: to.getTime(), day: `${String(from.getFullYear())}-${two(from.getMonth() + 1)}-${two(from.getDate())}` };
}
