import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Cost, RequestSummary, SpendGroup, SpendReport } from '../../../server/api/receipt.ts';
import { isUnknownSum, microUsdToDecimal } from '../../base/money.ts';
import type { SpendFigure } from '../../base/money.ts';

type Cell = string | number | undefined;

const tokenBuckets = [
  ['inputTokens', 'input_tokens'], ['cacheReadTokens', 'cache_read_tokens'], ['cacheWriteTokens', 'cache_write_tokens'],
  ['cacheWrite1hTokens', 'cache_write_1h_tokens'], ['outputTokens', 'output_tokens'], ['reasoningTokens', 'reasoning_tokens'],
] as const;
const tokenColumns = tokenBuckets.map(([, column]) => column);

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

/** One line for each exchange, in the order given. Costs and tokens are sums over all its attempts. */
export function requestsCsv(requests: readonly RequestSummary[]): string {
  const header = [
    'started_at', 'request_id', 'wanted', 'answered_by', 'outcome', 'failure_class', 'attempts', 'first_token_ms', 'total_ms',
    ...tokenColumns, 'cost_usd', 'cost_certainty', 'price_source', 'tool', 'purpose', 'workspace', 'conversation', 'attempts_of_unknown_cost', 'not_in_cost',
  ];
  return csvText([header, ...requests.map((request): Cell[] => [
    new Date(request.startedAt).toISOString(), request.id, request.requestedModel, request.target, request.outcome, request.failureClass,
    request.attempts, round(request.firstTokenMs), round(request.totalMs), ...tokenCells(request.usage),
    costCell(request.cost), request.cost.certainty, request.cost.priceSource,
    request.caller.tool, request.caller.purpose, request.caller.workspace, request.caller.conversation, unknownAttempts(request.cost, request.attempts), request.cost.unpriced?.join(', '),
  ])]);
}

/**
 * Lines of cells as CSV (RFC 4180: CRLF, quotes doubled; every line as wide as the first). A text that a
 * spreadsheet would run as a formula gets an apostrophe before it: names come from callers and providers.
 */
export function csvText(lines: readonly (readonly Cell[])[]): string {
  const width = lines[0]?.length ?? 0;
  return lines.map((cells) => `${Array.from({ length: width }, (_, index) => csvCell(cells[index])).join(',')}\r\n`).join('');
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  if (/^-?\d+\.\d+$/.test(cell)) return cell;
  // Also the full-width signs, which some spreadsheets read as the plain ones.
  const safe = /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n;\t]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function tokenCells(usage: TokenUsage): Cell[] {
  return tokenBuckets.map(([bucket]) => usage[bucket]);
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

function costCell(cost: Cost): Cell {
  return cost.certainty === 'unknown' || cost.microUsd === undefined ? undefined : microUsdToDecimal(cost.microUsd);
}

/** Where the whole cost is unknown, some of the attempts cost nothing that is known: how many is not known either. */
function unknownAttempts(cost: Cost, attempts: number): number | undefined {
  if (cost.certainty !== 'unknown') return cost.unknownParts ?? 0;
  return attempts === 1 ? 1 : undefined;
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}
