import { t } from '@vscode/l10n';
import type { BillLine, BillReport } from '../../../server/api/bill.ts';
import { countOf, formatCount, formatDay, formatMoment, formatTokens } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatMicroUsd } from '../../base/money.ts';

export interface BillReasonRow { text: string; /** Ids of requests that can be opened. */ exchanges: string[] }
export interface BillRow {
  model: string;
  ours: string;
  theirs: string;
  difference: string;
  isSame: boolean;
  /** Requests and tokens on both sides, as far as they are known. */
  detail: string;
  reasons: BillReasonRow[];
}
export interface BillDay { label: string; rows: BillRow[] }

/** All that the page of a bill draws: texts are ready. */
export interface BillPage {
  title: string;
  /** What the comparison found, in one sentence. */
  verdict: string;
  isSame: boolean;
  ours: string;
  theirs: string;
  difference: string;
  made: string;
  days: BillDay[];
}

/** Below this, a difference is rounding: bills round each of their lines. */
const roundingMicroUsd = 100;

/** Turns a comparison into what the page shows. */
export function buildBillPage(report: BillReport, style: TimeStyle): BillPage {
  const { totals, lines } = report;
  const differing = lines.filter(line => !isSame(line)).length;
  const days = new Map<string, BillRow[]>();
  for (const line of lines) days.set(line.day, [...days.get(line.day) ?? [], rowOf(line)]);
  return {
    title: t('Bill of {0}', report.provider),
    verdict: verdictOf(lines.length, differing, totals.differenceMicroUsd),
    isSame: differing === 0,
    ours: formatMicroUsd(totals.oursMicroUsd), theirs: formatMicroUsd(totals.theirsMicroUsd), difference: signed(totals.differenceMicroUsd),
    made: [
      t('{0} to {1} (days in {2})', report.fromDay, report.toDay, report.utcOffset), report.endpoints.join(', '), t('from {0}', report.source), formatMoment(report.at, style),
    ].join(' · '),
    days: [...days].map(([day, rows]) => ({ label: formatDay(day, 'long', style), rows })),
  };
}

function verdictOf(lines: number, differing: number, difference: number): string {
  if (lines === 0) return t('Neither the bill nor the ledger has anything in these days.');
  if (differing === 0) return t('Bill and ledger agree on every day and model.');
  const [some, all, size] = [formatCount(differing), formatCount(lines), formatMicroUsd(Math.abs(difference))];
  if (difference === 0) return t('{0} of {1} lines differ; the sums are equal.', some, all);
  return difference > 0 ? t('{0} of {1} lines differ; the bill is {2} higher than the ledger.', some, all, size) : t('{0} of {1} lines differ; the bill is {2} lower than the ledger.', some, all, size);
}

function isSame({ differenceMicroUsd, reasons }: BillLine): boolean {
  return reasons.length === 0 || Math.abs(differenceMicroUsd) <= roundingMicroUsd;
}

function rowOf(line: BillLine): BillRow {
  const both = (ours: number, theirs: number | undefined, format: (count: number) => string, named: (count: number) => string): string[] => {
    if (ours === 0 && theirs === undefined) return [];
    return [theirs === undefined || theirs === ours ? named(ours) : t('{0}, billed {1}', named(ours), format(theirs))];
  };
  return {
    model: line.model, ours: formatMicroUsd(line.oursMicroUsd), theirs: formatMicroUsd(line.theirsMicroUsd), difference: signed(line.differenceMicroUsd), isSame: isSame(line),
    detail: [...both(line.ourRequests, line.theirRequests, formatCount, count => countOf(count, 'request')), ...both(line.ourTokens ?? 0, line.theirTokens, formatTokens, count => t('{0} tokens', formatTokens(count)))].join(' · '),
    reasons: line.reasons.map(({ text, exchanges = [] }) => ({ text, exchanges: exchanges.slice(0, 5) })),
  };
}

/** `+$0.42`, `−$0.42`, `$0.00`. */
function signed(microUsd: number): string {
  if (microUsd === 0) return formatMicroUsd(0);
  return `${microUsd > 0 ? '+' : '−'}${formatMicroUsd(Math.abs(microUsd))}`;
}
