import { t } from '@vscode/l10n';
import { isDeepStrictEqual } from 'node:util';
import { spendDimensionNames, spendSumNames, type SpendDashboard, type SpendDimension, type SpendFilter, type SpendGroups, type SpendSum } from '../../../server/api/reports/dashboard.ts';
import { csvText, microUsdToDecimal, type Cell } from '../../../server/api/reports/csv.ts';
import { UserError } from '../../base/errors.ts';

const columns = [
  'cost_usd', 'estimated_cost_usd', 'attempts_of_unknown_cost', 'attempts_in_part', 'attempts_covered', 'requests', 'attempts', 'input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'output_tokens',
  'attempts_of_unknown_tokens', 'attempts_of_estimated_tokens', 'cache_saved_usd',
];
const notRecorded = '(not recorded)';

/**
 * The table of a dashboard as CSV: a line for the total, one for each row, and one for each cell where two dimensions are crossed. The
 * lines of the level `row`, and those of the level `cell`, each add up to the total. Money in US dollars with six decimals; what is unknown is empty.
 */
export function dashboardCsv({ totals, groups, cross }: SpendDashboard): string {
  const rows = groups.rows.map((row): Cell[] => ['row', row.name ?? notRecorded, '', ...cells(row)]);
  const rest = groups.rest === undefined ? [] : [['row', '(others)', '', ...cells(groups.rest.sum)] satisfies Cell[]];
  const crossed = cross === undefined ? [] : groups.rows.flatMap((row, line) => (cross.lines[line] ?? []).flatMap((sum, index): Cell[][] => (
    sum.attempts === 0 ? [] : [['cell', row.name ?? notRecorded, index < cross.columns.length ? cross.columns[index] ?? notRecorded : '(others)', ...cells(sum)]]
  )));
  return csvText([['level', groups.dimension, cross?.dimension ?? '', ...columns], ['total', '', '', ...cells(totals)], ...rows, ...rest, ...crossed]);
}

function cells(sum: SpendSum): Cell[] {
  const unknown = sum.microUsd === 0 && sum.unknownAttempts + sum.unpricedAttempts > 0;
  return [
    unknown ? undefined : microUsdToDecimal(sum.microUsd), unknown ? undefined : microUsdToDecimal(sum.estimatedMicroUsd), sum.unknownAttempts, sum.unpricedAttempts, sum.coveredAttempts,
    sum.requests, sum.attempts, sum.inputTokens, sum.cacheReadTokens, sum.cacheWriteTokens, sum.outputTokens, sum.tokenGaps, sum.estimatedUsage, microUsdToDecimal(sum.cacheSavedMicroUsd),
  ];
}

/** How often the sums are read anew, because a request ended while they were read. */
const mostReadings = 5;

/**
 * The sums by every dimension, all of the same requests: where one ended meanwhile, they are read again.
 * @param ask for the sums by one dimension
 * @throws UserError where requests end all the time
 */
export async function spendByEveryDimension(ask: (dimension: SpendDimension) => Promise<SpendDashboard>): Promise<{ dashboard: SpendDashboard; groups: SpendGroups[] }> {
  for (let reading = 1; reading <= mostReadings; reading++) {
    let dashboard: SpendDashboard | undefined;
    const groups: SpendGroups[] = [];
    for (const dimension of spendDimensionNames) {
      const answer = await ask(dimension);
      dashboard ??= answer;
      if (!isDeepStrictEqual(answer.totals, dashboard.totals)) break;
      groups.push(answer.groups);
    }
    if (dashboard !== undefined && groups.length === spendDimensionNames.length) return { dashboard, groups };
  }
  throw new UserError(t('Requests ended all the time while the sums were read. Export again when fewer of them run, or choose a range that has passed.'));
}

/** The sums of a dashboard by every dimension as JSON. Money in micro-dollars, as in the ledger; the groups of each dimension add up to the total. */
export function dashboardJson({ range, totals, steps }: SpendDashboard, filter: SpendFilter, groups: readonly SpendGroups[]): string {
  return `${JSON.stringify({
    format: 'waybill-spend', version: 1, moneyUnit: 'micro-dollar',
    from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), filter, totals: plain(totals),
    steps: steps.map(({ from, to, ...sum }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), ...sum })),
    by: Object.fromEntries(groups.map(({ dimension, rows, rest }) => [dimension, [...rows.map((row) => ({ name: row.name, ...plain(row) })), ...(rest === undefined ? [] : [{ others: rest.groups, ...plain(rest.sum) }])]])),
  }, undefined, 2)}\n`;
}

function plain(sum: SpendSum): Record<string, number> {
  return Object.fromEntries(spendSumNames.map((name) => [name, sum[name]]));
}
