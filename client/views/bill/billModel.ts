import { t } from '@vscode/l10n';
import type { BillFigures, BillLine, BillReport } from '../../../server/api/bill.ts';
import { shownOf } from '../../../server/api/localization/said.ts';
import { countOf, formatCount, formatDay, formatMoment, formatTokens } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatMicroUsd, isUnknownSum, sumText, unknownText } from '../../base/money.ts';

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
    verdict: verdictOf(lines.length, differing, totals),
    isSame: differing === 0,
    ...figuresOf(totals),
    made: [
      t('{0} to {1} (days in {2})', report.fromDay, report.toDay, report.utcOffset), report.endpoints.join(', '), t('from {0}', shownOf(report.saidSource)), formatMoment(report.at, style),
    ].join(' · '),
    days: [...days].map(([day, rows]) => ({ label: formatDay(day, 'long', style), rows })),
  };
}

function verdictOf(lines: number, differing: number, totals: BillFigures): string {
  const difference = totals.differenceMicroUsd;
  if (lines === 0) return t('Neither the bill nor the ledger has anything in these days.');
  if (differing === 0) return t('Bill and ledger agree on every day and model.');
  const [some, all, size] = [formatCount(differing), formatCount(lines), `${isExact(totals) ? '' : '~'}${formatMicroUsd(Math.abs(difference))}`];
  if (isUnknown(totals)) return t('{0} of {1} lines differ; the cost in the ledger is unknown.', some, all);
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
    model: line.model, ...figuresOf(line), isSame: isSame(line),
    detail: [...both(line.ourRequests, line.theirRequests, formatCount, count => countOf(count, 'request')), ...both(line.ourTokens ?? 0, line.theirTokens, formatTokens, count => t('{0} tokens', formatTokens(count)))].join(' · '),
    reasons: line.reasons.map(({ said, exchanges = [] }) => ({ text: shownOf(said), exchanges: exchanges.slice(0, 5) })),
  };
}

/** Ours with the marks of a sum. Where ours holds estimates or leaves something out, so does the difference; where nothing of ours is known, it is unknown. */
function figuresOf(figures: BillFigures): Pick<BillRow, 'ours' | 'theirs' | 'difference'> {
  const { oursMicroUsd, oursEstimated, oursUnknown, theirsMicroUsd, differenceMicroUsd } = figures;
  return {
    ours: sumText(oursMicroUsd, oursEstimated > 0, oursUnknown), theirs: formatMicroUsd(theirsMicroUsd),
    difference: isUnknown(figures) ? unknownText() : signed(differenceMicroUsd, isExact(figures) ? '' : '~'),
  };
}

function isExact({ oursEstimated, oursUnknown }: BillFigures): boolean {
  return oursEstimated === 0 && oursUnknown === 0;
}

function isUnknown({ oursMicroUsd, oursUnknown }: BillFigures): boolean {
  return isUnknownSum(oursMicroUsd, oursUnknown);
}

/** `+$0.42`, `~−$0.42`, `$0.00`. */
function signed(microUsd: number, mark: '' | '~'): string {
  if (microUsd === 0) return `${mark}${formatMicroUsd(0)}`;
  return `${mark}${microUsd > 0 ? '+' : '−'}${formatMicroUsd(Math.abs(microUsd))}`;
}
