import type { SpendGroup, SpendReport } from '../../../server/api/receipt.ts';
import { csvText, microUsdToDecimal, type Cell } from '../../../server/api/reports/csv.ts';
import { tokenBuckets, tokenColumns } from '../../../server/api/reports/requestRows.ts';
import { isUnknownSum } from '../../base/money.ts';
import type { SpendFigure } from '../../base/money.ts';

/**
 * The sums of a report as CSV: one line for the total and one for each provider, model, tool, workspace and day.
 * Money in US dollars with six decimals. What is unknown is empty, also where the known part of a sum is nothing; of a sum
 * that is known in part, the columns `requests_of_unknown_cost`, `incomplete_token_columns`, `requests_in_part` and `not_in_cost` say so.
 */
export function spendSummaryCsv(report: SpendReport): string {
  const header = ['group', 'name', 'cost_usd', 'estimated_cost_usd', 'requests_of_unknown_cost', 'requests', ...tokenColumns, 'incomplete_token_columns', 'requests_in_part', 'not_in_cost', 'requests_covered'];
  const line = (group: string) => (sum: SpendGroup): Cell[] => [
    group, sum.name, ...moneyCells(sum), sum.unknownAttempts, sum.exchanges, ...sumTokenCells(sum), ...partCells(sum),
  ];
  return csvText([
    header,
    line('total')({ name: '', ...report.totals }),
    ...report.byEndpoint.map(line('provider')),
    ...report.byModel.map(line('model')),
    ...report.byTool.map(line('tool')),
    ...report.byWorkspace.map(line('workspace')),
    ...report.byDay.map((day): Cell[] => ['day', day.day, ...moneyCells(day), day.unknownAttempts, day.exchanges, ...tokenColumns.map(() => undefined), undefined, ...partCells(day)]),
  ]);
}

function sumTokenCells({ usage, incompleteUsage = [] }: SpendGroup): Cell[] {
  const incomplete = tokenBuckets.filter(([bucket]) => incompleteUsage.includes(bucket));
  const cells = tokenBuckets.map(([bucket]): Cell => (usage[bucket] === 0 && incompleteUsage.includes(bucket) ? undefined : usage[bucket]));
  return [...cells, incomplete.map(([, column]) => column).join(' ')];
}

/** What the sum does not hold of costs that it holds, and what costs nothing more. */
function partCells({ unpricedAttempts, unpriced, coveredAttempts }: SpendFigure): Cell[] {
  return [unpricedAttempts ?? 0, unpriced?.join(', '), coveredAttempts ?? 0];
}

function moneyCells(sum: SpendFigure): Cell[] {
  return isUnknownSum(sum.microUsd, sum.unknownAttempts + (sum.unpricedAttempts ?? 0)) ? [undefined, undefined] : [microUsdToDecimal(sum.microUsd), microUsdToDecimal(sum.estimatedMicroUsd)];
}
