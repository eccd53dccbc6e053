import { t } from '@vscode/l10n';
import type { FigureWithInterval } from './canary.ts';
import { requestType } from './messageTypes.ts';

/** Whether requests of a route are mirrored. `none`: the shadow was never started with this target. */
export type ShadowPhase = 'none' | 'running' | 'stopped';

export const shadowVerdicts = ['ready', 'needs tuning', 'not enough data'] as const;
export type ShadowVerdict = (typeof shadowVerdicts)[number];

/** Why a request that was drawn for the shadow was not mirrored, each as the end of "not mirrored, because". */
export const shadowSkips = {
  'header': t('the caller marked it with x-waybill-no-shadow'),
  'workspace': t('its workspace does not take part'),
  'secret': t('something in it looks like a key or is one'),
  'too-large': t('its body is larger than is kept for a shadow'),
  'provider-tools': t('it has tools that a provider runs'),
  'provider-state': t('it leans on what one provider keeps'),
  'unreadable': t('its body could not be read'),
  'other-operation': t('it is a completion or an embedding, which are not mirrored'),
  'kept-answer': t('the response cache answered it, so that there is nothing to compare with'),
  'busy': t('as many shadows run as may run at once'),
  'budget': t('the budget of the day has too little left for it'),
  'no-price': t('the price of the target is not known, so that a budget could not hold'),
  'own-target': t('the shadow\'s target served it itself'),
  'kept-away': t('the shadow\'s target was kept away at that moment'),
} as const;
export type ShadowSkip = keyof typeof shadowSkips;

/** Which of the two the mirrored request of a shadow is: `shadow` goes to the target that is tried, `repeat` to the route's own once more. */
export type ShadowArm = 'shadow' | 'repeat';

/** The mark of a receipt that is a shadow's: no caller has seen its answer. */
export interface ShadowOfReceipt {
  /** The caller's request. */
  of: string;
  /** The route of that request. */
  route: string;
  arm: ShadowArm;
}

/** One measure of the report. Figures without data are absent. */
export interface ShadowRow {
  name: string;
  unit: 'share' | 'ms' | 'microUsd' | 'tokens';
  /** Of the answers that callers got. */
  own?: FigureWithInterval | undefined;
  /** Of the target that is tried. */
  shadow?: FigureWithInterval | undefined;
  /** Of the route's own target, asked a second time. */
  repeat?: FigureWithInterval | undefined;
  /** The shadow in proportion to the route's own target asked a second time. */
  relative?: FigureWithInterval | undefined;
}

export interface ShadowCheck {
  /** Such as `agreement`. */
  check: string;
  state: 'pass' | 'fail' | 'no-data';
  /** One sentence. */
  message: string;
}

/** Everything a person is shown of the shadow of one route. */
export interface ShadowReport {
  route: string;
  target: string;
  phase: ShadowPhase;
  verdict: ShadowVerdict;
  /** One sentence: where it stands, and why. */
  message: string;
  /** Per cent of the route's requests that are mirrored. */
  share: number;
  /** Per cent of the mirrored ones that also go to the route's own target once more. */
  sameTargetShare: number;
  budgetMicroUsd: number;
  /** Of today, by all servers of the data folder, with what is set aside for those that run here. */
  spentMicroUsd: number;
  /** Milliseconds since the epoch; absent before the first start. */
  startedAt?: number | undefined;
  /** Requests sent to the target that is tried, to the route's own once more, and pairs of answers compared of each. */
  counts: Record<ShadowArm, { sent: number; answered: number; compared: number }>;
  /** Requests that were drawn and not mirrored, the most frequent reason first. */
  skipped: { reason: ShadowSkip; count: number }[];
  checks: ShadowCheck[];
  rows: ShadowRow[];
}

/** The part of a report that lists show. */
export type ShadowStatus = Pick<ShadowReport, 'route' | 'target' | 'phase' | 'verdict' | 'message'>;

export const shadowActions = ['start', 'status', 'stop'] as const;
export type ShadowAction = (typeof shadowActions)[number];

export interface ShadowParams {
  action: ShadowAction;
  /** May be absent where exactly one route has a shadow; for `status`: all of them. */
  route?: string | undefined;
}

/** An action that cannot be done is an answer with one sentence. */
export type ShadowResult = { shadows: ShadowReport[] } | { refused: string };

/** Client -> server, request: the shadows of routes, and what is done with them. */
export const shadowRequest = requestType<ShadowParams, ShadowResult>('waybill/shadow');

export function shadowHeadline({ route, target, phase, verdict }: Pick<ShadowReport, 'route' | 'target' | 'phase' | 'verdict'>): string {
  if (phase === 'none') return t('Shadow of "{0}" at {1}: not started', route, target);
  return t('Shadow of "{0}" at {1}: {2}, {3}', route, target, phase === 'running' ? t('running') : t('stopped'), verdictText(verdict));
}

function verdictText(verdict: ShadowVerdict): string {
  switch (verdict) {
    case 'ready': return t('ready');
    case 'needs tuning': return t('needs tuning');
    case 'not enough data': return t('not enough data');
  }
}

const columns = [t('callers got'), t('shadow'), t('repeat'), t('shadow / repeat')] as const;

function cells({ unit, own, shadow, repeat, relative }: ShadowRow): string[] {
  const format = formats[unit];
  return [...[own, shadow, repeat].map(value => figureText(value, format)), figureText(relative, times)];
}

/** A report as plain text. */
export function shadowText(report: ShadowReport): string {
  const lines = [['', ...columns], ...report.rows.map(row => [row.name, ...cells(row)])];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? [];
  return [
    shadowHeadline(report), report.message, countsText(report), moneyText(report),
    ...skippedLines(report).map(line => `  ${line}`),
    ...(report.rows.length === 0 ? [] : lines.map(line => `  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())),
    ...report.checks.map(({ check, state, message }) => `  ${check}: ${stateWords[state]}. ${message}`),
  ].join('\n');
}

/** A report as Markdown. */
export function shadowMarkdown(report: ShadowReport): string {
  const cell = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\r?\n/g, ' ');
  const line = (texts: readonly string[]): string => `| ${texts.map(cell).join(' | ')} |`;
  return [
    `# ${cell(shadowHeadline(report))}`, '', cell(report.message), '', cell(countsText(report)), '', cell(moneyText(report)), '',
    ...skippedLines(report).map(text => `- ${cell(text)}`), '',
    ...(report.rows.length === 0 ? [] : [line(['', ...columns]), '|---|---|---|---|---|', ...report.rows.map(row => line([row.name, ...cells(row)]))]),
    ...(report.checks.length === 0 ? [] : ['', `| ${t('check')} | ${t('state')} | ${t('why')} |`, '|---|---|---|', ...report.checks.map(({ check, state, message }) => line([check, stateWords[state], message]))]),
    '', t('Brackets hold the bounds between which the true value lies at 95 %, at one look. "Repeat" is the route\'s own target, asked a second time: what differs there is its own noise. Calls of tools were compared and never run, and no text was kept.'), '',
  ].join('\n');
}

const stateWords = { 'pass': t('pass'), 'fail': t('FAIL'), 'no-data': t('not enough data') } as const;

function countsText({ counts: { shadow, repeat }, share, sameTargetShare }: ShadowReport): string {
  return t(
    '{0} % of requests are mirrored, {1} % of those also to the route\'s own target once more: {2} sent, {3} compared; {4} repeated, {5} compared.',
    share, sameTargetShare, shadow.sent, shadow.compared, repeat.sent, repeat.compared,
  );
}

function moneyText({ budgetMicroUsd, spentMicroUsd }: ShadowReport): string {
  return t('Today it cost {0} of at most {1}.', money(spentMicroUsd), money(budgetMicroUsd));
}

function skippedLines({ skipped }: ShadowReport): string[] {
  return skipped.map(({ reason, count }) => (count === 1 ? t('1 request was not mirrored, because {0}.', shadowSkips[reason]) : t('{0} requests were not mirrored, because {1}.', count, shadowSkips[reason])));
}

function figureText(value: FigureWithInterval | undefined, text: (value: number) => string): string {
  if (value === undefined) return t('no data');
  if (value.low === undefined) return text(value.value);
  return t('{0} ({1} to {2})', text(value.value), text(value.low), value.high === undefined ? t('unknown') : text(value.high));
}

function money(microUsd: number): string {
  return microUsd === 0 ? '$0' : `$${(microUsd / 1e6).toPrecision(3)}`;
}

function times(ratio: number): string {
  return `${String(Number(ratio.toPrecision(3)))}×`;
}

const formats: Readonly<Record<ShadowRow['unit'], (value: number) => string>> = {
  share: value => `${String(Math.round(value * 1000) / 10)} %`,
  ms: value => (value < 1000 ? `${String(Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`),
  microUsd: money,
  tokens: value => String(Math.round(value)),
};
