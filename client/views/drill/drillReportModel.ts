import type { DrillSummary, LossOutcome, RouteResilience, RunningDrill, ResilienceReport, SurvivingTarget } from '../../../server/api/drill.ts';
import { count } from '../../base/format.ts';
import { formatMoment } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import type { Tone } from '../../base/outcomeWording.ts';
import { countsText, drillText, gapFixes, lossNames, lossResults, plainDuration } from '../../base/drillWording.ts';

/** What becomes of one route when one thing is lost. */
export interface DrillReportCell {
  tone: Tone;
  /** `survives`, `stops`; `not concerned` where the route does not use what is lost. */
  result: string;
  /** The target that answers then. */
  by?: string | undefined;
  note?: string | undefined;
}
export interface DrillReportGap {
  problem: string;
  action: string;
  button: string;
  fix: keyof typeof gapFixes;
  endpoint?: string | undefined;
}
export interface DrillReportRoute {
  name: string;
  kind: string;
  tone: Tone;
  verdict: string;
  targets: { target: string; tone: Tone; state: string; note?: string | undefined }[];
  gaps: DrillReportGap[];
}

/** All that the report shows: texts are ready, the page and the Markdown only lay them out. */
export interface DrillReportPage {
  tone: Tone;
  /** `2 of 3 routes survive the loss of any single endpoint, key or model.` */
  verdict: string;
  /** `As configured and as things were on 20 Nov 2026, 14:30:00.` */
  made: string;
  /** What the drill that ended last found, and which drills run; sentences. */
  drills: string[];
  /** One column a route, one row a loss. */
  matrix: { columns: string[]; rows: { kind: string; name: string; cells: DrillReportCell[] }[] };
  routes: DrillReportRoute[];
}

/** Turns a report of the server into what a person reads. */
export function buildDrillReportPage(report: ResilienceReport, style: TimeStyle): DrillReportPage {
  const surviving = report.routes.filter(route => route.verdict === 'survives').length;
  const stopped = report.routes.some(route => route.verdict === 'stopped');
  return {
    tone: stopped ? 'failed' : surviving === report.routes.length ? 'ok' : 'failover',
    verdict: overall(report.routes, surviving),
    made: `As configured, and as things were on ${formatMoment(report.at, style)}.`,
    drills: [...report.drills.map(runningSentence), ...(report.last === undefined ? [] : [lastSentence(report.last, style)])],
    matrix: matrixOf(report.routes),
    routes: report.routes.map(routeOf),
  };
}

function overall(routes: readonly RouteResilience[], surviving: number): string {
  const loss = 'the loss of any single endpoint, key or model';
  if (routes.length === 0) return 'There is no route yet, and no model that several providers serve: any loss stops everything.';
  const what = routes.every(route => route.kind === 'route') ? 'route' : 'route or model';
  if (routes.length === 1) return surviving === 1 ? `Your one ${what} survives ${loss}.` : `Your one ${what} does not survive ${loss}.`;
  if (surviving === routes.length) return `All ${String(routes.length)} ${what === 'route' ? 'routes' : 'routes and models'} survive ${loss}.`;
  return `${String(surviving)} of ${String(routes.length)} ${what === 'route' ? 'routes' : 'routes and models'} ${surviving === 1 ? 'survives' : 'survive'} ${loss}.`;
}

function runningSentence(drill: RunningDrill): string {
  return `A fire drill is running: ${drillText(drill)}. What it does to health is left out here.`;
}

function lastSentence(last: DrillSummary, style: TimeStyle): string {
  return `The last fire drill: ${drillText(last, 'past')} for ${plainDuration(last.endedAt - last.startedAt)}, until ${formatMoment(last.endedAt, style)}. ${countsText(last)}.`;
}

function matrixOf(routes: readonly RouteResilience[]): DrillReportPage['matrix'] {
  const rows = new Map<string, Pick<LossOutcome, 'kind' | 'name'>>();
  const order: LossOutcome['kind'][] = ['endpoint', 'provider', 'model', 'key'];
  for (const loss of routes.flatMap(route => route.losses)) rows.set(`${loss.kind} ${loss.name}`, loss);
  const sorted = [...rows.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  return {
    columns: routes.map(route => route.name),
    rows: sorted.map(({ kind, name }) => ({
      kind: lossNames[kind], name, cells: routes.map(route => cellOf(route.losses.find(loss => loss.kind === kind && loss.name === name))),
    })),
  };
}

function cellOf(loss: LossOutcome | undefined): DrillReportCell {
  if (loss === undefined) return { tone: 'stopped', result: 'not concerned' };
  const { text, tone } = lossResults[loss.result];
  return { tone, result: text, by: loss.takenOverBy, note: loss.note };
}

function routeOf(route: RouteResilience): DrillReportRoute {
  return {
    name: route.name,
    kind: route.kind === 'route' ? 'Route' : 'Model',
    tone: route.verdict === 'stopped' ? 'failed' : route.verdict === 'survives' ? 'ok' : 'failover',
    verdict: route.verdict === 'stopped' ? 'Cannot answer now' : route.verdict === 'survives' ? 'Survives any single loss' : count(route.gaps.length, 'gap'),
    targets: route.targets.map(targetOf),
    gaps: route.gaps.map(({ problem, action, fix, endpoint }) => ({ problem, action, fix, endpoint, button: gapFixes[fix].label })),
  };
}

function targetOf({ target, state, note }: SurvivingTarget): DrillReportRoute['targets'][number] {
  switch (state) {
    case 'ready': return { target, tone: 'ok', state: 'ready', note };
    case 'not-now': return { target, tone: 'failover', state: 'not now', note };
    case 'never': return { target, tone: 'failed', state: 'cannot serve', note };
  }
}
