import { t } from '@vscode/l10n';
import type { TimeRange } from '../../../server/api/receipt.ts';
import { readSpendFilter, spendDimensionNames, type SpendDimension, type SpendFilter } from '../../../server/api/reports/dashboard.ts';
import { optionalFields, type RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import { dayName } from '../../base/figures.ts';
import { spendRange } from '../spend/spendRange.ts';

/** The periods that the dashboard offers. */
export const dashboardPeriods = ['today', 'week', 'month', 'custom'] as const;
export type DashboardPeriod = (typeof dashboardPeriods)[number];

/** What a person chose in the dashboard. */
export interface DashboardState {
  period: DashboardPeriod;
  /** First and last local day of a custom range, such as `2026-11-20`. */
  fromDay: string;
  toDay: string;
  rows: SpendDimension;
  /** Absent: rows alone. */
  columns?: SpendDimension | undefined;
  filter: SpendFilter;
}

/** One value of a dimension; null: not recorded. */
export interface Pick { dimension: SpendDimension; value: string | null }

/** Reads a state that a page remembered or sent. What cannot be read is as at first. @param now milliseconds since the epoch */
export function readDashboardState(given: unknown, now: number): DashboardState {
  const { period, fromDay, toDay, rows, columns, filter }: Record<string, unknown> = typeof given === 'object' && given !== null ? { ...given } : {};
  const week = spendRange('week', now);
  const dimension = (name: unknown): SpendDimension | undefined => spendDimensionNames.find((one) => one === name);
  const [chosenRows, chosenColumns] = [dimension(rows) ?? 'model', dimension(columns)];
  return {
    period: dashboardPeriods.find((one) => one === period) ?? 'month',
    fromDay: typeof fromDay === 'string' ? fromDay : dayName(week.from), toDay: typeof toDay === 'string' ? toDay : dayName(week.to - 1),
    rows: chosenRows,
    ...(chosenColumns === undefined || chosenColumns === chosenRows ? {} : { columns: chosenColumns }),
    filter: readSpendFilter(filter),
  };
}

const dayShape = /^(\d{4})-(\d{2})-(\d{2})$/;
/** The longest custom range, in days: ten years. */
const mostDays = 3_660;

/** The half-open range of a state, up to the coming midnight at most. @returns or why it is none, as one sentence */
export function dashboardRange({ period, fromDay, toDay }: ChosenRange, now: number): TimeRange | string {
  if (period !== 'custom') return spendRange(period, now);
  const from = midnightOf(fromDay, 0);
  const to = midnightOf(toDay, 1);
  if (from === undefined || to === undefined) return t('Choose a first and a last day.');
  if (from >= to) return t('The first day comes after the last day: choose an earlier first day.');
  if (from > now) return t('The range has not begun yet: choose an earlier first day.');
  if (to - from > mostDays * 86_400_000) return t('The range is longer than ten years: choose a later first day.');
  return { from, to: Math.min(to, spendRange('today', now).to) };
}
type ChosenRange = { [Key in 'period' | 'fromDay' | 'toDay']: DashboardState[Key] };

/** The midnight at the start of a local day. @param later days after it; undefined for what is no day */
function midnightOf(day: string, later: number): number | undefined {
  const [, year, month, date] = dayShape.exec(day) ?? [];
  if (year === undefined || month === undefined || date === undefined) return undefined;
  const at = new Date(Number(year), Number(month) - 1, Number(date));
  if (dayName(at.getTime()) !== day) return undefined;
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + later).getTime();
}

/** A filter with one more value. A value of the same dimension is replaced. */
export function withPick({ notRecorded = [], ...filter }: SpendFilter, { dimension, value }: Pick): SpendFilter {
  const others = notRecorded.filter((one) => one !== dimension);
  const { [dimension]: _before, ...rest } = filter;
  const optional = optionalFields.find((one) => one === dimension);
  const missing = value === null && optional !== undefined ? [...others, optional] : others;
  return { ...rest, ...(value === null ? {} : { [dimension]: value }), ...(missing.length === 0 ? {} : { notRecorded: missing }) };
}

/** A filter without a dimension. */
export function withoutDimension({ notRecorded = [], ...filter }: SpendFilter, dimension: SpendDimension): SpendFilter {
  const { [dimension]: _before, ...rest } = filter;
  const missing = notRecorded.filter((one) => one !== dimension);
  return { ...rest, ...(missing.length === 0 ? {} : { notRecorded: missing }) };
}

/** What a filter names, in the order of the dimensions. */
export function picksOf({ notRecorded = [], ...filter }: SpendFilter): Pick[] {
  return spendDimensionNames.flatMap((dimension): Pick[] => {
    const value = filter[dimension];
    if (value !== undefined) return [{ dimension, value }];
    return notRecorded.some((one) => one === dimension) ? [{ dimension, value: null }] : [];
  });
}

/** The requests under a part of the dashboard. */
export function requestsUnder(filter: SpendFilter, { from, to }: TimeRange, picks: readonly Pick[]): RequestFilter {
  return { ...picks.reduce(withPick, filter), fromMs: from, toMs: to };
}
