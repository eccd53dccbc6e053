import { addSum, emptySum, mostSpendRows, type SpendRow, type SpendSum } from '../../api/reports/dashboard.ts';
import type { GroupedSpend, GroupedSpendParams, SpendOfDay } from '../../api/reports/groupedSpend.ts';
import { localDays } from './localDays.ts';
import { slotMs } from './slotBounds.ts';

/** The sum of a value of the field (null: not recorded) or, by days, of a quarter of an hour since the epoch. A value may have several rows: their sums are added up. */
export interface GroupedRow {
  readonly name: string | number | null;
  readonly sum: SpendSum;
}

/** The table of what such rows say; see groupedSpend. */
export function groupedFrom({ range, by }: GroupedSpendParams, rows: readonly GroupedRow[]): GroupedSpend {
  const totals = emptySum();
  for (const { sum } of rows) addSum(totals, sum);
  return { range, by, totals, rows: by === 'day' ? byDay(range, rows) : byValue(rows) };
}

function byValue(rows: readonly GroupedRow[]): SpendRow[] {
  const sums = new Map<string | null, SpendSum>();
  for (const { name: value, sum } of rows) {
    const name = value === null || value === '' ? null : String(value);
    const known = sums.get(name) ?? emptySum();
    addSum(known, sum);
    sums.set(name, known);
  }
  const sorted = [...sums].map(([name, sum]): SpendRow => ({ name, ...sum }));
  sorted.sort((a, b) => b.microUsd - a.microUsd || b.unknownAttempts - a.unknownAttempts || (a.name ?? '').localeCompare(b.name ?? ''));
  const shown = sorted.slice(0, mostSpendRows);
  const others = sorted.slice(mostSpendRows);
  if (others.length === 0) return shown;
  const rest = emptySum();
  for (const row of others) addSum(rest, row);
  return [...shown, { name: `(${String(others.length)} others)`, ...rest }];
}

function byDay({ from, to }: GroupedSpend['range'], rows: readonly GroupedRow[]): SpendOfDay[] {
  const days = localDays(from, to);
  const sums = days.map(({ day }): SpendOfDay => ({ name: day, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, unpricedAttempts: 0, requests: 0 }));
  for (const { name: slot, sum } of rows) {
    const start = Number(slot) * slotMs;
    // The first quarter of an hour may have begun before the range.
    const day = sums[Math.max(0, days.findLastIndex((one) => one.from <= start))];
    if (day === undefined) continue;
    for (const figure of ['microUsd', 'estimatedMicroUsd', 'unknownAttempts', 'unpricedAttempts', 'requests'] as const) day[figure] += sum[figure];
  }
  return sums;
}
