import type { TimeRange } from '../../../server/api/receipt.ts';

/** The periods the Spend view offers. */
export const spendPeriods = ['today', 'week', 'month'] as const;
export type SpendPeriod = (typeof spendPeriods)[number];

/**
 * The half-open range of a period in the local calendar: today from midnight, `week` today and the six days
 * before, `month` from the first of this month; each up to the coming midnight. Days are counted in the
 * calendar, never as 24 hours, so that a change of clocks moves nothing.
 */
export function spendRange(period: SpendPeriod, now: number): TimeRange {
  const date = new Date(now);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  const firstDay = period === 'today' ? day : period === 'week' ? day - 6 : 1;
  return { from: new Date(year, month, firstDay).getTime(), to: new Date(year, month, day + 1).getTime() };
}

/** The whole local month before the current one. */
export function lastMonthRange(now: number): TimeRange {
  const date = new Date(now);
  return {
    from: new Date(date.getFullYear(), date.getMonth() - 1, 1).getTime(),
    to: new Date(date.getFullYear(), date.getMonth(), 1).getTime(),
  };
}

/** The next local midnight, when every period begins to mean something else. */
export function nextMidnight(now: number): number {
  return spendRange('today', now).to;
}

/** How many days the chart of a period has room for: a week, or the whole of this month. */
export function chartSlots(period: SpendPeriod, now: number): number {
  if (period !== 'month') return 7;
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate();
}
