import type { TokenUsage } from '../../server/api/conversation.ts';
import type { Cost, RequestSummary, SpendGroup, SpendReport } from '../../server/api/receipt.ts';
import { microUsdToDecimal } from './money.ts';

type Cell = string | number | undefined;

const tokenColumns = ['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens', 'reasoning_tokens'];

/**
 * The sums of a report as CSV: one line for the total and one for each provider, model, tool, workspace and day.
 * Money in US dollars with six decimals; what is unknown is empty.
 */
export function spendSummaryCsv(report: SpendReport): string {
  const header = ['group', 'name', 'cost_usd', 'estimated_cost_usd', 'requests_of_unknown_cost', 'requests', ...tokenColumns];
  const line = (group: string) => (sum: SpendGroup): Cell[] => [
    group, sum.name, microUsdToDecimal(sum.microUsd), microUsdToDecimal(sum.estimatedMicroUsd), sum.unknownAttempts, sum.exchanges, ...tokenCells(sum.usage),
  ];
  return csvText([
    header,
    line('total')({ name: '', ...report.totals }),
    ...report.byEndpoint.map(line('provider')),
    ...report.byModel.map(line('model')),
    ...report.byTool.map(line('tool')),
    ...report.byWorkspace.map(line('workspace')),
    ...report.byDay.map((day): Cell[] => ['day', day.day, microUsdToDecimal(day.microUsd), microUsdToDecimal(day.estimatedMicroUsd)]),
  ]);
}

/** One line for each exchange, in the order given. Costs and tokens are sums over all its attempts. */
export function requestsCsv(requests: readonly RequestSummary[]): string {
  const header = [
    'started_at', 'request_id', 'wanted', 'answered_by', 'outcome', 'failure_class', 'attempts', 'first_token_ms', 'total_ms',
    ...tokenColumns, 'cost_usd', 'cost_certainty', 'price_source', 'tool', 'purpose', 'workspace', 'conversation',
  ];
  return csvText([header, ...requests.map((request): Cell[] => [
    new Date(request.startedAt).toISOString(), request.id, request.wanted, request.target, request.outcome, request.failureClass,
    request.attempts, round(request.firstTokenMs), round(request.totalMs), ...tokenCells(request.usage),
    costCell(request.cost), request.cost.certainty, request.cost.priceSource,
    request.caller.tool, request.caller.purpose, request.caller.workspace, request.caller.conversation,
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
  // Also the full-width signs, which some spreadsheets read as the plain ones.
  const safe = /^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n;\t]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function tokenCells(usage: TokenUsage): Cell[] {
  return [usage.inputTokens, usage.cacheReadTokens, usage.cacheWriteTokens, usage.cacheWrite1hTokens, usage.outputTokens, usage.reasoningTokens];
}

function costCell(cost: Cost): Cell {
  return cost.certainty === 'unknown' || cost.microUsd === undefined ? undefined : microUsdToDecimal(cost.microUsd);
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds);
}
