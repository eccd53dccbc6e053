import { t } from '@vscode/l10n';
import type { SpendStep } from '../../../server/api/reports/dashboard.ts';

/** What a month is expected to cost. An estimate, always. */
export interface Forecast {
  microUsd: number;
  /** Some cost of the days that it goes by is unknown: more is to be expected. */
  atLeast: boolean;
  /** Whole days that it goes by. */
  days: number;
}

/** The most whole days that a forecast goes by: four weeks. */
export const forecastDays = 28;
/** Fewer say too little. */
const fewestDays = 3;
/** Fewer weekdays or weekend days than this have no mean of their own. */
const fewestOfKind = 2;

/** How a forecast is made, for a tooltip. @param days whole days that it goes by */
export function forecastMethod(days: number): string {
  return [
    t('Spent so far this month, and for each day that is left the mean of the last {0} whole days, weekdays and weekends apart. Today counts at least as such a day.', forecastDays),
    t('By {0} whole days.', days),
  ].join(' ');
}

type Day = Pick<SpendStep, 'from' | 'microUsd' | 'unknownAttempts' | 'unpricedAttempts'>;

/**
 * What this month is expected to cost at its end.
 * @param history days before the month, oldest first
 * @param steps this month up to the end of today, in hours or days, oldest first
 * @returns undefined where fewer than three whole days are known
 */
export function monthForecast(history: readonly Day[], steps: readonly Day[]): Forecast | undefined {
  const month = localDaysOf(steps);
  const today = month.at(-1);
  if (today === undefined) return undefined;
  // Days before the first request of all say nothing: the history begins with it, and without one the month does.
  const before = month.slice(0, -1);
  const firstUsed = history.length > 0 ? 0 : before.findIndex(isUsed);
  const whole = [...history, ...(firstUsed < 0 ? [] : before.slice(firstUsed))].slice(-forecastDays);
  if (whole.length < fewestDays) return undefined;
  const mean = (days: readonly Day[]): number => days.reduce((sum, day) => sum + day.microUsd, 0) / days.length;
  const meanOn = (at: number): number => {
    const alike = whole.filter((day) => isWeekend(day.from) === isWeekend(at));
    return mean(alike.length >= fewestOfKind ? alike : whole);
  };
  let microUsd = before.reduce((sum, day) => sum + day.microUsd, 0) + Math.max(today.microUsd, meanOn(today.from));
  const date = new Date(today.from);
  const days = new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate();
  for (let day = date.getDate() + 1; day <= days; day += 1) microUsd += meanOn(new Date(date.getFullYear(), date.getMonth(), day).getTime());
  return { microUsd: Math.round(microUsd), atLeast: [...whole, ...month].some((day) => day.unknownAttempts + day.unpricedAttempts > 0), days: whole.length };
}

/** Steps as local days: the first two days of a month come in hours. */
function localDaysOf(steps: readonly Day[]): Day[] {
  const days: Day[] = [];
  for (const { from, microUsd, unknownAttempts, unpricedAttempts } of steps) {
    const day = days.at(-1);
    if (day === undefined || new Date(day.from).toDateString() !== new Date(from).toDateString()) {
      days.push({ from, microUsd, unknownAttempts, unpricedAttempts });
    } else {
      day.microUsd += microUsd;
      day.unknownAttempts += unknownAttempts;
      day.unpricedAttempts += unpricedAttempts;
    }
  }
  return days;
}

function isUsed({ microUsd, unknownAttempts }: Day): boolean {
  return microUsd > 0 || unknownAttempts > 0;
}

function isWeekend(at: number): boolean {
  const day = new Date(at).getDay();
  return day === 0 || day === 6;
}
