import type { CachedSpend, SpendGroup, SpendReport, SpendTotals } from '../../../server/api/receipt.ts';
import { cacheHitShare, countOf, formatCount, formatDay, formatShare, formatTokens, tokenFigures, totalTokens } from '../../base/figures.ts';
import type { TimeStyle, TokenFigure } from '../../base/figures.ts';
import { atLeastNote, certaintyNotes, formatMicroUsd, formatSpend, isUnknownSum } from '../../base/money.ts';
import { chartGeometry } from './spendChartModel.ts';
import type { ChartBar } from './spendChartModel.ts';
import type { SpendPeriod } from './spendRange.ts';

export interface ChartDay {
  /** `Fri, Nov 20`. */
  label: string;
  /** What the day cost, with its certainty: `~$0.42`. */
  text: string;
  bar: ChartBar;
  /** Belongs to the chosen period (today's chart shows the week around it). */
  inPeriod: boolean;
}
export interface SpendRow {
  name: string;
  text: string;
  /** `12 requests · 45K tokens`. */
  detail: string;
  /** How sure the figure is, for the tooltip. */
  notes: string;
  /** Share of the known total, 0..1. */
  share: number;
  /** Of a budget: it is nearly used up, or reached. */
  tone?: 'near' | 'reached' | undefined;
}
export interface SpendSection { title: string; rows: SpendRow[] }

/** All that the Spend view draws: texts are ready, the page only lays them out. */
export interface SpendPage {
  period: SpendPeriod;
  /** Why there is nothing to show; absent when there is. */
  empty?: 'no-providers' | 'no-requests' | undefined;
  totalText: string;
  notes: string[];
  requestsText: string;
  tokens: TokenFigure[];
  /** `62%`; absent when unknown. */
  cacheHitText?: string | undefined;
  /** `~$0.42 for 12 requests`; absent where the response cache answered none. */
  savedText?: string | undefined;
  /** Absent when no day has a known cost: a scale of nothing says nothing. */
  chart?: {
    title: string;
    ceilingText: string;
    firstLabel: string;
    lastLabel: string;
    /** Some bar has an estimated part, so the legend is needed. */
    hasEstimates: boolean;
    /** Some cost of a day is unknown and in no bar. */
    hasUnknown: boolean;
    days: ChartDay[];
  } | undefined;
  sections: SpendSection[];
}

export interface SpendPageSource {
  period: SpendPeriod;
  report: SpendReport;
  /** The days of the chart: the period's own, or for today the week's. */
  chartDays: SpendReport['byDay'];
  chartSlots: number;
  hasProviders: boolean;
  style: TimeStyle;
}

/** Turns a report of the ledger into what the Spend view shows. */
export function buildSpendPage(source: SpendPageSource): SpendPage {
  const { period, report, chartDays, style } = source;
  const { totals } = report;
  const geometry = chartGeometry(chartDays, source.chartSlots);
  const daysInPeriod = new Set(report.byDay.map((day) => day.day));
  const hitShare = cacheHitShare(totals.usage);
  const sections = [
    section('By provider', report.byEndpoint, totals.microUsd),
    section('By model', report.byModel, totals.microUsd),
    section('By tool', report.byTool, totals.microUsd),
  ];
  // One workspace only would repeat the total.
  if (report.byWorkspace.length > 1) sections.push(section('By workspace', report.byWorkspace, totals.microUsd));
  return {
    period,
    empty: totals.exchanges > 0 ? undefined : source.hasProviders ? 'no-requests' : 'no-providers',
    totalText: formatSpend(totals),
    notes: isUnknownSum(totals.microUsd, totals.unknownAttempts) ? [unknownNote(totals), ...(totals.unpriced === undefined ? [] : [atLeastNote(totals.unpriced)])] : certaintyNotes(totals),
    requestsText: countOf(totals.exchanges, 'request'),
    tokens: tokenFigures(totals.usage, totals.incompleteUsage),
    cacheHitText: hitShare === undefined ? undefined : formatShare(hitShare),
    savedText: report.cached === undefined ? undefined : savedText(report.cached),
    chart: !chartDays.some((day) => day.microUsd > 0) ? undefined : {
      title: period === 'month' ? 'This month, by day' : 'Last 7 days',
      ceilingText: formatMicroUsd(geometry.ceilingMicroUsd),
      firstLabel: dayLabel(chartDays[0]?.day, style),
      lastLabel: period === 'month' ? lastOfMonthLabel(chartDays[0]?.day, source.chartSlots, style) : 'Today',
      hasUnknown: chartDays.some((day) => day.unknownAttempts > 0 || (day.unpricedAttempts ?? 0) > 0),
      hasEstimates: chartDays.some((day) => day.estimatedMicroUsd > 0),
      days: chartDays.map((day, index) => ({
        label: formatDay(day.day, 'long', style),
        text: formatSpend(day),
        bar: geometry.bars[index] ?? { left: 0, width: 0, height: 0, estimatedHeight: 0 },
        inPeriod: daysInPeriod.has(day.day),
      })),
    },
    sections: sections.filter(({ rows }) => rows.length > 0),
  };
}

/** What the response cache saved. */
export function savedText({ exchanges, savedMicroUsd, estimatedMicroUsd, unknown }: CachedSpend): string {
  const requests = countOf(exchanges, 'request');
  if (unknown === exchanges) return `unknown for ${requests}`;
  const sum = formatSpend({ microUsd: savedMicroUsd, estimatedMicroUsd, unknownAttempts: unknown });
  return `${sum} for ${requests}${unknown === 0 ? '' : `, ${formatCount(unknown)} of unknown cost`}`;
}

function section(title: string, groups: readonly SpendGroup[], totalMicroUsd: number): SpendSection {
  const rows = [...groups].sort((one, other) => other.microUsd - one.microUsd || other.exchanges - one.exchanges || one.name.localeCompare(other.name))
    .map((group): SpendRow => {
      const tokens = totalTokens(group.usage);
      return {
        name: group.name,
        text: formatSpend(group),
        detail: [
          countOf(group.exchanges, 'request'),
          ...(group.unpriced === undefined ? [] : [`at least, without ${group.unpriced.join(', ')}`]),
          ...(group.unknownAttempts === 0 ? [] : [`${formatCount(group.unknownAttempts)} of unknown cost`]),
          tokens === undefined ? 'tokens unknown' : `${formatTokens(tokens)}${isIncompleteSum(group) ? '+' : ''} tokens`,
        ].join(' · '),
        notes: certaintyNotes(group).join(', '),
        share: totalMicroUsd > 0 ? Math.min(1, Math.max(0, group.microUsd / totalMicroUsd)) : 0,
      };
    });
  return { title, rows };
}

/** A provider that reports no cache figures counts those tokens as input, so only input and output can be missing in a sum. */
function isIncompleteSum({ incompleteUsage = [] }: SpendGroup): boolean {
  return incompleteUsage.includes('inputTokens') || incompleteUsage.includes('outputTokens');
}

/** Which of the two is missing: where tokens were counted, it is the price. */
function unknownNote({ usage, unknownAttempts }: SpendTotals): string {
  return `no ${totalTokens(usage) === undefined ? 'usage is known' : 'price is known'} for ${countOf(unknownAttempts, 'request')}`;
}

function dayLabel(day: string | undefined, style: TimeStyle): string {
  return day === undefined ? '' : formatDay(day, 'short', style);
}

function lastOfMonthLabel(firstDay: string | undefined, slots: number, style: TimeStyle): string {
  return firstDay === undefined ? '' : formatDay(`${firstDay.slice(0, 8)}${String(slots).padStart(2, '0')}`, 'short', style);
}
