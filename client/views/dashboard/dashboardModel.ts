import { t } from '@vscode/l10n';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import type { DearConversation, DearestSpend, SpendDashboard, SpendDimension, SpendRow, SpendStep, SpendSum } from '../../../server/api/reports/dashboard.ts';
import { isSpendPart, spendParts, type SpendPart } from '../../../server/api/reports/spendPart.ts';
import { countOf, dayName, formatCount, formatDay, formatListTime, formatShare, formatTokens, type TimeStyle } from '../../base/figures.ts';
import { certaintyNotes, formatCost, formatMicroUsd, formatSpend, sumText, unknownText } from '../../base/money.ts';
import { chartGeometry, type ChartBar } from '../spend/spendChartModel.ts';
import { savedByCache } from '../spend/spendModel.ts';
import { picksOf, type DashboardState, type Pick } from './dashboardState.ts';
import { byDimension, dimensionName } from './dimensions.ts';
import { forecastMethod, monthForecast } from './forecast.ts';

/** A figure with its name. */
export interface Fact { label: string; text: string; /** How it is found, for a tooltip. */ title: string }

/** A bar of a list. */
export interface ShareRow {
  name: string;
  text: string;
  detail: string;
  notes: string;
  /** Share of the known total, 0..1. */
  share: number;
  /** What it stands for; absent for what cannot be opened, such as all others together. */
  pick?: Pick | undefined;
  /** A request, whose receipt it opens. */
  request?: string | undefined;
}
export interface ShareList { title: string; rows: ShareRow[]; note?: string | undefined }

export interface CrossCell { text: string; /** 0..1 of the dearest cell. */ strength: number; picks?: Pick[] | undefined }
export interface CrossTable { title: string; columns: string[]; lines: { name: string; cells: CrossCell[] }[] }

export interface StepBar { label: string; text: string; from: number; to: number; bar: ChartBar }

/** All that the dashboard draws: texts are ready, the page only lays them out. */
export interface DashboardPage {
  state: DashboardState;
  rangeText: string;
  empty?: 'no-providers' | 'no-requests' | 'no-match' | undefined;
  chips: { text: string; dimension: SpendDimension }[];
  totalText: string;
  notes: string[];
  forecast?: Fact | undefined;
  facts: Fact[];
  chart?: { title: string; ceilingText: string; firstLabel: string; lastLabel: string; hasEstimates: boolean; hasUnknown: boolean; steps: StepBar[] } | undefined;
  groups: ShareList;
  cross?: CrossTable | undefined;
  parts: ShareList;
}
export interface DearestPage { conversations: ShareList; requests: ShareList }

export interface DashboardSource { state: DashboardState; dashboard: SpendDashboard; hasProviders: boolean; style: TimeStyle }

function partName(part: SpendPart): string {
  switch (part) {
    case 'answer': return t('Answers');
    case 'retry': return t('Retries');
    case 'failover': return t('Failover');
    case 'hedge': return t('Hedging');
    case 'resume': return t('Resumed answers');
    case 'shadow': return t('Shadows');
  }
}
const overheads: ReadonlySet<string | null> = new Set<SpendPart>(['retry', 'failover', 'hedge', 'resume']);

/** A value of a dimension as a person reads it. */
export function valueText(dimension: SpendDimension, value: string | null): string {
  if (value === null) return t('not recorded');
  return dimension === 'part' && isSpendPart(value) ? partName(value) : value;
}

/** One value with its dimension: `Tool: claude-code`. */
function pickText({ dimension, value }: Pick): string {
  return `${dimensionName(dimension)}: ${valueText(dimension, value)}`;
}

/** Turns sums of the ledger into what the dashboard shows. */
export function buildDashboardPage({ state, dashboard, hasProviders, style }: DashboardSource): DashboardPage {
  const { totals, groups, cross, parts } = dashboard;
  const isFiltered = picksOf(state.filter).length > 0;
  const isEmpty = totals.attempts === 0 && dashboard.cached === undefined;
  const forecast = state.period === 'month' ? monthForecast(dashboard.history ?? [], dashboard.steps) : undefined;
  return {
    state, rangeText: rangeText(dashboard.range, style),
    empty: !isEmpty ? undefined : isFiltered ? 'no-match' : hasProviders ? 'no-requests' : 'no-providers',
    chips: picksOf(state.filter).map((pick) => ({ dimension: pick.dimension, text: pickText(pick) })),
    totalText: formatSpend(totals), notes: sumNotes(totals),
    ...(forecast === undefined ? {} : { forecast: {
      label: t('Forecast for the month'), text: sumText(forecast.microUsd, true, forecast.atLeast ? 1 : 0), title: forecastMethod(forecast.days),
    } }),
    facts: factsOf(dashboard),
    ...chartOf(dashboard, style),
    groups: {
      title: byDimension(groups.dimension),
      rows: [
        ...groups.rows.map((row) => shareRow(row, groups.dimension, totals)),
        ...(groups.rest === undefined ? [] : [{ ...sumRow(groups.rest.sum, totals), name: groups.rest.groups === 1 ? t('1 other') : t('{0} others together', formatCount(groups.rest.groups)) }]),
      ],
    },
    ...(cross === undefined ? {} : { cross: crossTable(dashboard, cross) }),
    parts: { title: t('Paid for'), rows: parts.map((row) => shareRow(row, 'part', totals)) },
  };
}

/**
 * Turns what cost most into lists. @param now milliseconds since the epoch
 * @param titleOf the words that the editor knows a conversation by; those that the ledger keeps come second, and its id last
 */
export function buildDearestPage({ conversations, requests }: DearestSpend, totals: SpendSum, now: number, style: TimeStyle, titleOf: (conversation: string) => string | undefined): DearestPage {
  return {
    conversations: { title: t('Dearest conversations'), rows: conversations.map((one) => conversationRow(one, totals, titleOf(one.conversation))), note: conversations.length === 0 ? t('No request here says which conversation it belongs to.') : undefined },
    requests: { title: t('Dearest requests'), rows: requests.map((one) => requestRow(one, totals, now, style)), note: requests.length === 0 ? t('No request here has a known cost.') : undefined },
  };
}

function sumNotes(sum: SpendSum): string[] {
  const { unpricedAttempts, ...known } = sum;
  const notes = sum.microUsd === 0 && sum.unknownAttempts > 0 ? [t('no price is known for {0}', countOf(sum.unknownAttempts, 'attempt'))] : certaintyNotes(known).filter((note) => note !== t('exact') || unpricedAttempts === 0);
  return unpricedAttempts === 0 ? notes : [...notes, t('+ parts of {0} that have no price', countOf(unpricedAttempts, 'attempt'))];
}

function tokensOf({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }: SpendSum): number {
  return inputTokens + cacheReadTokens + cacheWriteTokens + outputTokens;
}

function tokensText(sum: SpendSum): string {
  const tokens = tokensOf(sum);
  if (tokens === 0 && sum.tokenGaps > 0) return unknownText();
  return `${sum.estimatedUsage > 0 ? '~' : ''}${formatTokens(tokens)}${sum.tokenGaps > 0 ? '+' : ''}`;
}

/** What 1,000 tokens cost; undefined where no token has a price. */
function perThousandText(sum: SpendSum): string | undefined {
  if (sum.pricedTokens === 0) return undefined;
  const microUsd = sum.microUsd * 1_000 / sum.pricedTokens;
  return sumText(Math.round(microUsd), sum.estimatedMicroUsd > 0 || sum.estimatedUsage > 0, sum.unpricedAttempts);
}

function factsOf({ totals, parts, cached }: SpendDashboard): Fact[] {
  const prompt = totals.inputTokens + totals.cacheReadTokens + totals.cacheWriteTokens;
  const { cacheSavedMicroUsd, cacheUnpricedAttempts } = totals;
  const lost = parts.filter(({ name }) => overheads.has(name));
  const overhead = lost.reduce((sum, part) => ({
    microUsd: sum.microUsd + part.microUsd, estimatedMicroUsd: sum.estimatedMicroUsd + part.estimatedMicroUsd, unknownAttempts: sum.unknownAttempts + part.unknownAttempts, unpricedAttempts: sum.unpricedAttempts + part.unpricedAttempts,
  }), { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, unpricedAttempts: 0 });
  return [
    {
      label: t('Requests'), text: countOf(totals.requests + (cached?.exchanges ?? 0), 'request'),
      title: cached === undefined ? t('Requests that ended and for which a provider was asked') : t('Requests that ended: {0} for which a provider was asked, and {1} with an answer from the response cache', countOf(totals.requests, 'request'), countOf(cached.exchanges, 'request')),
    },
    { label: t('Tokens'), text: tokensText(totals), title: t('Fresh input, from caches, written to caches and output together') },
    { label: t('Cost of {0} tokens', formatCount(1000)), text: perThousandText(totals) ?? unknownText(), title: t('Known cost by the tokens of the same attempts') },
    { label: t('Cache hits'), text: prompt === 0 ? unknownText() : formatShare(totals.cacheReadTokens / prompt), title: t('The share of known prompt tokens that a provider read from its cache') },
    {
      label: t('Saved by providers\' caches'), text: cacheSavedMicroUsd === 0 && cacheUnpricedAttempts > 0 ? unknownText() : `${cacheSavedMicroUsd === 0 ? '' : '~'}${formatMicroUsd(cacheSavedMicroUsd)}${cacheUnpricedAttempts > 0 ? '+' : ''}`,
      title: t('An estimate: tokens read from caches at the price of fresh input, less what they cost, less the surcharge of writing to caches'),
    },
    ...(cached === undefined ? [] : [{ label: t('Saved by the response cache'), ...savedByCache(cached) }]),
    { label: t('Failover, retries, hedging'), text: formatSpend(overhead), title: t('Attempts that failed, lost against a faster one, or went on with an answer that broke off; part of the total') },
  ];
}

function rangeText({ from, to }: { from: number; to: number }, style: TimeStyle): string {
  const [first, last] = [dayName(from), dayName(to - 1)];
  return first === last ? formatDay(first, 'long', style) : `${formatDay(first, 'long', style)} – ${formatDay(last, 'long', style)}`;
}

function stepLabel({ from }: SpendStep, length: SpendDashboard['stepLength'], style: TimeStyle): string {
  if (length === 'day') return formatDay(dayName(from), 'long', style);
  const options: Intl.DateTimeFormatOptions = length === 'hour' ? { weekday: 'short', hour: 'numeric', minute: '2-digit' } : { month: 'long', year: 'numeric' };
  return new Intl.DateTimeFormat(style.locale, { ...options, timeZone: style.timeZone }).format(from);
}

function chartOf({ steps, stepLength }: SpendDashboard, style: TimeStyle): Partial<DashboardPage> {
  if (!steps.some(({ microUsd }) => microUsd > 0)) return {};
  const geometry = chartGeometry(steps, steps.length);
  return { chart: {
    title: { hour: t('By hour'), day: t('By day'), month: t('By month') }[stepLength], ceilingText: formatMicroUsd(geometry.ceilingMicroUsd),
    firstLabel: stepLabel(steps[0] ?? { from: 0 } as SpendStep, stepLength, style), lastLabel: stepLabel(steps.at(-1) ?? { from: 0 } as SpendStep, stepLength, style),
    hasEstimates: steps.some(({ estimatedMicroUsd }) => estimatedMicroUsd > 0), hasUnknown: steps.some((step) => step.unknownAttempts + step.unpricedAttempts > 0),
    steps: steps.map((step, index) => ({
      label: stepLabel(step, stepLength, style), text: `${formatSpend(step)}, ${countOf(step.requests, 'request')}`, from: step.from, to: step.to,
      bar: geometry.bars[index] ?? { left: 0, width: 0, height: 0, estimatedHeight: 0 },
    })),
  } };
}

function sumRow(sum: SpendSum, totals: SpendSum): Omit<ShareRow, 'name'> {
  const perThousand = perThousandText(sum);
  return {
    text: formatSpend(sum), notes: sumNotes(sum).join(', '), share: shareOf(sum.microUsd, totals),
    detail: [
      sum.requests === 0 ? countOf(sum.attempts, 'attempt') : countOf(sum.requests, 'request'), ...(sum.unknownAttempts > 0 ? [t('{0} of unknown cost', countOf(sum.unknownAttempts, 'attempt'))] : []),
      t('{0} tokens', tokensText(sum)), ...(perThousand === undefined ? [] : [t({ message: '{0} for {1}', comment: 'money and tokens', args: [perThousand, formatCount(1000)] })]),
    ].join(' · '),
  };
}

function shareOf(microUsd: number, totals: SpendSum): number {
  return totals.microUsd > 0 ? Math.min(1, Math.max(0, microUsd / totals.microUsd)) : 0;
}

function shareRow(row: SpendRow, dimension: SpendDimension, totals: SpendSum): ShareRow {
  const made = { name: valueText(dimension, row.name), ...sumRow(row, totals), pick: { dimension, value: row.name } };
  return dimension === 'part' && isSpendPart(row.name) ? { ...made, notes: `${spendParts[row.name]}; ${made.notes}` } : made;
}

function crossTable({ groups, totals }: SpendDashboard, cross: NonNullable<SpendDashboard['cross']>): CrossTable {
  const most = Math.max(1, ...cross.lines.flat().map(({ microUsd }) => microUsd));
  const columns = cross.columns.map((name) => valueText(cross.dimension, name));
  return {
    title: t('{0} × {1}', dimensionName(groups.dimension), dimensionName(cross.dimension)),
    columns: [...columns, ...(cross.hasRest ? [t('others')] : []), t('Total')],
    lines: groups.rows.map((row, line) => ({
      name: valueText(groups.dimension, row.name),
      cells: [
        ...(cross.lines[line] ?? []).map((sum, index): CrossCell => {
          const column = cross.columns[index];
          const picks: Pick[] = [{ dimension: groups.dimension, value: row.name }, { dimension: cross.dimension, value: column ?? null }];
          return { text: sum.attempts === 0 ? '' : formatSpend(sum), strength: sum.microUsd / most, ...(sum.attempts === 0 || column === undefined ? {} : { picks }) };
        }),
        { text: formatSpend(row), strength: 0, ...(totals.attempts === 0 ? {} : { picks: [{ dimension: groups.dimension, value: row.name }] }) },
      ],
    })),
  };
}

function conversationRow({ conversation, tool, workspace, model, title, ...sum }: DearConversation, totals: SpendSum, ownTitle: string | undefined): ShareRow {
  const made = sumRow(sum, totals);
  return { ...made, name: ownTitle ?? title ?? conversation, detail: [[tool, workspace, model].filter((part) => part !== null).join(' · '), made.detail].join(' · '), pick: { dimension: 'conversation', value: conversation } };
}

function requestRow(request: RequestSummary, totals: SpendSum, now: number, style: TimeStyle): ShareRow {
  const { caller, attempts, cost } = request;
  return {
    name: `${formatListTime(request.startedAt, now, style)} · ${request.target ?? request.requestedModel}`, text: formatCost(cost), notes: '', share: shareOf(cost.microUsd ?? 0, totals),
    detail: [caller.tool, ...(caller.workspace === undefined ? [] : [caller.workspace]), ...(attempts > 1 ? [countOf(attempts, 'attempt')] : [])].join(' · '), request: request.id,
  };
}
