import { t } from '@vscode/l10n';
import { requestType } from './messageTypes.ts';

/** The two sides of a canary: the targets of the route, and those that are tried out. */
export type CanaryArm = 'baseline' | 'canary';

/** Which arm of a canary a request went to. */
export interface ArmOfPlan {
  arm: CanaryArm;
  /** Per cent of conversations that the canary gets at this stage. */
  share: number;
  /** One sentence without its end: why this arm. */
  why: string;
  /** A request of the canary for which each of its targets was kept away, so that the baseline got it. */
  keptAway?: true | undefined;
}

/** `none`: it was never started. `promoted`: every request goes to the canary's targets first. */
export type CanaryPhase = 'none' | 'running' | 'paused' | 'rolled-back' | 'promoted';

/** A figure with the bounds between which its true value lies at 95 %; absent bounds are not known. */
export interface FigureWithInterval { value: number; low?: number | undefined; high?: number | undefined }

/** What one arm did since the canary started, while both arms ran. Figures without data are absent. */
export interface ArmReport {
  targets: string[];
  /** Requests that were judged. */
  requests: number;
  /** Share of requests with a failed attempt at the arm, 0..1. */
  errorRate?: FigureWithInterval | undefined;
  /** Share of requests that the arm itself answered, 0..1. */
  successRate?: FigureWithInterval | undefined;
  p99FirstTokenMs?: FigureWithInterval | undefined;
  p99TotalMs?: FigureWithInterval | undefined;
  /** Millionths of a US dollar for 1,000 tokens, in and out. */
  microUsdPerThousandTokens?: FigureWithInterval | undefined;
}

export type GateState = 'pass' | 'fail' | 'inconclusive' | 'no-data';

export interface GateReport {
  /** Such as `error rate`. */
  gate: string;
  state: GateState;
  /** One sentence. */
  message: string;
}

/** Everything a person is shown of the canary of one route. */
export interface CanaryReport {
  route: string;
  phase: CanaryPhase;
  /** Counts from 1; 0 before the first start. */
  stage: number;
  stages: number[];
  /** Per cent of conversations that go to the canary now. */
  share: number;
  /** `none` until it was started. */
  verdict: GateState | 'none';
  /** One sentence: where it stands, and why. */
  message: string;
  /** Milliseconds since the epoch; absent before the first start. */
  startedAt?: number | undefined;
  stageSince?: number | undefined;
  /** Requests of this process that still run at the canary's targets; after a roll-back they end by themselves. */
  draining: number;
  gates: GateReport[];
  baseline: ArmReport;
  canary: ArmReport;
}

/** The part of a report that lists show. */
export type CanaryStatus = Pick<CanaryReport, 'route' | 'phase' | 'stage' | 'stages' | 'share' | 'verdict' | 'message'>;

/** `start` also goes on with one that is paused. `promote` goes to the next stage, whatever the gates say. */
export const canaryActions = ['start', 'status', 'promote', 'pause', 'rollback'] as const;
export type CanaryAction = (typeof canaryActions)[number];

export interface CanaryParams {
  action: CanaryAction;
  /** May be absent where exactly one route has a canary; for `status`: all of them. */
  route?: string | undefined;
}

/** An action that cannot be done is an answer with one sentence. */
export type CanaryResult = { canaries: CanaryReport[] } | { refused: string };

/** Client -> server, request: the canaries of routes, and what is done with them. */
export const canaryRequest = requestType<CanaryParams, CanaryResult>('waybill/canary');

const stateWords: Readonly<Record<GateState, string>> = { 'pass': t('pass'), 'fail': t('FAIL'), 'inconclusive': t('inconclusive'), 'no-data': t('not enough data') };

/** One line of the table of both arms. */
export interface ReportRow { name: string; baseline: string; canary: string }

/** Both arms side by side, with the bounds at 95 % in brackets. */
export function reportRows({ baseline, canary }: CanaryReport): ReportRow[] {
  const row = (name: string, text: (arm: ArmReport) => string): ReportRow => ({ name, baseline: text(baseline), canary: text(canary) });
  return [
    row(t('targets'), ({ targets }) => targets.join(', ')),
    row(t('requests'), ({ requests }) => String(requests)),
    row(t('error rate'), ({ errorRate }) => figure(errorRate, percent)),
    row(t('success rate'), ({ successRate }) => figure(successRate, percent)),
    row(t('p99 of first token'), ({ p99FirstTokenMs }) => figure(p99FirstTokenMs, duration)),
    row(t('p99 of total time'), ({ p99TotalMs }) => figure(p99TotalMs, duration)),
    row(t('cost per 1,000 tokens'), ({ microUsdPerThousandTokens }) => figure(microUsdPerThousandTokens, money)),
  ];
}

/** `Canary of "coding": running, stage 2 of 5, 15 %`. */
export function headline({ route, phase, stage, stages, share }: Pick<CanaryReport, 'route' | 'phase' | 'stage' | 'stages' | 'share'>): string {
  return phase === 'none' ? t('Canary of "{0}": not started', route) : t('Canary of "{0}": {1}, stage {2} of {3}, {4} %', route, phaseText(phase), stage, stages.length, share);
}

function phaseText(phase: Exclude<CanaryReport['phase'], 'none'>): string {
  switch (phase) {
    case 'running': return t('running');
    case 'paused': return t('paused');
    case 'rolled-back': return t('rolled-back');
    case 'promoted': return t('promoted');
  }
}

/** A report as plain text. */
export function reportText(report: CanaryReport): string {
  const rows = [{ name: '', baseline: 'baseline', canary: 'canary' }, ...reportRows(report)];
  const width = (column: keyof ReportRow): number => Math.max(...rows.map(row => row[column].length));
  const [first, second] = [width('name'), width('baseline')];
  return [
    headline(report), report.message,
    ...(report.draining > 0 && report.phase === 'rolled-back' ? [`${String(report.draining)} of its requests still run and end by themselves.`] : []),
    ...rows.map(row => `  ${row.name.padEnd(first)}  ${row.baseline.padEnd(second)}  ${row.canary}`.trimEnd()),
    ...report.gates.map(({ gate, state, message }) => `  ${gate}: ${stateWords[state]}. ${message}`),
  ].join('\n');
}

/** A report as Markdown. */
export function reportMarkdown(report: CanaryReport): string {
  const cell = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\r?\n/g, ' ');
  return [
    `# ${cell(headline(report))}`, '', cell(report.message), '',
    `| | ${t('baseline')} | ${t('canary')} |`, '|---|---|---|',
    ...reportRows(report).map(row => `| ${row.name} | ${cell(row.baseline)} | ${cell(row.canary)} |`),
    ...(report.gates.length === 0 ? [] : ['', `| ${t('gate')} | ${t('state')} | ${t('why')} |`, '|---|---|---|', ...report.gates.map(({ gate, state, message }) => `| ${gate} | ${stateWords[state]} | ${cell(message)} |`)]),
    '', t('Brackets hold the bounds between which the true value lies at 95 %. Failures that both arms share, and those that lie with the request or the caller, are not counted against the canary.'), '',
  ].join('\n');
}

function figure(value: FigureWithInterval | undefined, text: (value: number) => string): string {
  if (value === undefined) return t('no data');
  if (value.low === undefined) return text(value.value);
  return t('{0} ({1} to {2})', text(value.value), text(value.low), value.high === undefined ? t('unknown') : text(value.high));
}

function percent(share: number): string {
  return `${String(Math.round(share * 1000) / 10)} %`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function money(microUsd: number): string {
  return `$${(microUsd / 1e6).toPrecision(3)}`;
}
