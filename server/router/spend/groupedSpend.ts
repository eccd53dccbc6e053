import { addSum, emptySum, mostSpendRows, type SpendDashboard } from '../../api/reports/dashboard.ts';
import type { GroupedSpend, GroupedSpendParams, SpendOfDay } from '../../api/reports/groupedSpend.ts';
import { localDay } from '../../base/localDay.ts';
import type { LedgerReader } from '../../ledger/ports.ts';

/** A dashboard has days, or parts of days, of so long a range. */
const daysAtOnce = 90;

/** What attempts of a range cost, by a field of them or by local days. */
export async function groupedSpend(ledger: Pick<LedgerReader, 'dashboard'>, { range, by, filter }: GroupedSpendParams): Promise<GroupedSpend> {
  if (by !== 'day') {
    const { totals, groups: { rows, rest } } = await ledger.dashboard({ range, filter, rows: by, limit: mostSpendRows });
    return { range, by, totals, rows: rest === undefined ? rows : [...rows, { name: `(${rest.groups} others)`, ...rest.sum }] };
  }
  const totals = emptySum();
  const days = new Map<string, SpendOfDay>();
  for (let from = range.from; from < range.to;) {
    const to = Math.min(daysLater(from), range.to);
    const part = await ledger.dashboard({ range: { from, to }, filter, rows: 'model', limit: 1 });
    addSum(totals, part.totals);
    addDays(days, part.steps);
    from = to;
  }
  return { range, by, totals, rows: [...days.values()] };
}

function addDays(days: Map<string, SpendOfDay>, steps: SpendDashboard['steps']): void {
  for (const { from, microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts, requests } of steps) {
    const name = localDay(from);
    const day = days.get(name) ?? { name, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, unpricedAttempts: 0, requests: 0 };
    day.microUsd += microUsd;
    day.estimatedMicroUsd += estimatedMicroUsd;
    day.unknownAttempts += unknownAttempts;
    day.unpricedAttempts += unpricedAttempts;
    day.requests += requests;
    days.set(name, day);
  }
}

function daysLater(from: number): number {
  const date = new Date(from);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + daysAtOnce).getTime();
}
