import type { TimeRange } from '../../../api/receipt.ts';
import type { SpendDashboard } from '../../../api/reports/dashboard.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** The longest range that is shown in hours, with room for an hour that a clock gains. */
const longestInHours = 2 * dayMs + hourMs;
const longestInDays = 100 * dayMs;
/** At most so many steps, whatever range is asked for. */
const mostSteps = 1_200;

/**
 * Cuts a half-open range into hours, local days or local months, with the process's time zone and its clock changes.
 * @param wanted the length of the steps; absent: by that of the range
 * @returns the start of each step, oldest first; the first is the start of the range
 */
export function stepsOf({ from, to }: TimeRange, wanted?: SpendDashboard['stepLength']): { length: SpendDashboard['stepLength']; borders: number[] } {
  const length = wanted ?? (to - from <= longestInHours ? 'hour' : to - from <= longestInDays ? 'day' : 'month');
  const borders: number[] = [];
  for (let start = from; start < to && borders.length < mostSteps; start = stepAfter(start, length)) borders.push(start);
  return { length, borders };
}

function stepAfter(start: number, length: SpendDashboard['stepLength']): number {
  const date = new Date(start);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  if (length === 'day') return new Date(year, month, day + 1).getTime();
  if (length === 'month') return new Date(year, month + 1, 1).getTime();
  // Local hours begin at whole quarters of UTC hours in every zone.
  const offset = date.getMinutes() * 60_000 + date.getSeconds() * 1_000 + date.getMilliseconds();
  return start - offset + hourMs;
}
