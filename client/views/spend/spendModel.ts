import { t } from '@vscode/l10n';
import type { CachedSpend, SpendGroup, SpendReport, SpendTotals } from '../../../server/api/receipt.ts';
import { cacheHitShare, formatCount, formatDay, formatShare, formatTokens, countOf, tokenFigures, totalTokens } from '../../base/figures.ts';
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
  /** What the response cache saved; absent where it answered no request. */
  saved?: { text: string; title: string } | undefined;
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
    section(t('By provider'), report.byEndpoint, totals.microUsd),
    section(t('By model'), report.byModel, totals.microUsd),
    section(t('By tool'), report.byTool, totals.microUsd),
  ];
  // One workspace only would repeat the total.
  if (report.byWorkspace.length > 1) sections.push(section(t('By workspace'), report.byWorkspace, totals.microUsd));
  return {
    period,
    empty: totals.exchanges > 0 ? undefined : source.hasProviders ? 'no-requests' : 'no-providers',
    totalText: formatSpend(totals),
    notes: isUnknownSum(totals.microUsd, totals.unknownAttempts) ? [unknownNote(totals), ...(totals.unpriced === undefined ? [] : [atLeastNote(totals.unpriced)])] : certaintyNotes(totals),
    requestsText: countOf(totals.exchanges, 'request'),
    tokens: tokenFigures(totals.usage, totals.incompleteUsage),
    cacheHitText: hitShare === undefined ? undefined : formatShare(hitShare),
    saved: report.cached === undefined ? undefined : savedByCache(report.cached),
    chart: !chartDays.some((day) => day.microUsd > 0) ? undefined : {
      title: period === 'month' ? t('This month, by day') : t('Last 7 days'),
      ceilingText: formatMicroUsd(geometry.ceilingMicroUsd),
      firstLabel: dayLabel(chartDays[0]?.day, style),
      lastLabel: period === 'month' ? lastOfMonthLabel(chartDays[0]?.day, source.chartSlots, style) : t('Today'),
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

/** What the response cache saved: the sum, and in words what it is the sum of. */
export function savedByCache({ exchanges, savedMicroUsd, estimatedMicroUsd, unknown }: CachedSpend): { text: string; title: string } {
  const answers = countOf(exchanges, 'answer');
  return {
    text: formatSpend({ microUsd: savedMicroUsd, estimatedMicroUsd, unknownAttempts: unknown }),
    title: unknown === 0
      ? t('What {0} from the response cache had cost; it is no part of the total', answers)
      : t('What {0} from the response cache had cost, {1} of unknown cost; it is no part of the total', answers, formatCount(unknown)),
  };
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
          ...(group.unpriced === undefined ? [] : [t('at least, without {0}', group.unpriced.join(', '))]),
          ...(group.unknownAttempts === 0 ? [] : [t('{0} of unknown cost', countOf(group.unknownAttempts, 'attempt'))]),
          tokens === undefined ? t('tokens unknown') : t('{0} tokens', `${formatTokens(tokens)}${isIncompleteSum(group) ? '+' : ''}`),
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
  const attempts = countOf(unknownAttempts, 'attempt');
  return totalTokens(usage) === undefined ? t('no usage is known for {0}', attempts) : t('no price is known for {0}', attempts);
}

function dayLabel(day: string | undefined, style: TimeStyle): string {
  return day === undefined ? '' : formatDay(day, 'short', style);
}

function lastOfMonthLabel(firstDay: string | undefined, slots: number, style: TimeStyle): string {
  return firstDay === undefined ? '' : formatDay(`${firstDay.slice(0, 8)}${String(slots).padStart(2, '0')}`, 'short', style);
}
