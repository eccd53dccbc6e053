import { t } from '@vscode/l10n';
import type { DrillSummary, LossOutcome, RouteResilience, RunningDrill, ResilienceReport, SurvivingTarget } from '../../../server/api/drill.ts';
import { shownOf, type Said } from '../../../server/api/localization/said.ts';
import { shownFailure } from '../../base/failureSentences.ts';
import { countOf, formatMoment } from '../../base/figures.ts';
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
    made: t('As configured, and as things were on {0}.', formatMoment(report.at, style)),
    drills: [...report.drills.map(runningSentence), ...(report.last === undefined ? [] : [lastSentence(report.last, style)])],
    matrix: matrixOf(report.routes),
    routes: report.routes.map(routeOf),
  };
}

function overall(routes: readonly RouteResilience[], surviving: number): string {
  const all = routes.length;
  if (all === 0) return t('There is no route yet, and no model that several providers serve: any loss stops everything.');
  if (routes.every(route => route.kind === 'route')) {
    if (all === 1) return surviving === 1 ? t('Your one route survives the loss of any single endpoint, key or model.') : t('Your one route does not survive the loss of any single endpoint, key or model.');
    if (surviving === all) return t('All {0} routes survive the loss of any single endpoint, key or model.', all);
    return surviving === 1
      ? t('1 of {0} routes survives the loss of any single endpoint, key or model.', all)
      : t('{0} of {1} routes survive the loss of any single endpoint, key or model.', surviving, all);
  }
  if (all === 1) return surviving === 1 ? t('Your one route or model survives the loss of any single endpoint, key or model.') : t('Your one route or model does not survive the loss of any single endpoint, key or model.');
  if (surviving === all) return t('All {0} routes and models survive the loss of any single endpoint, key or model.', all);
  return surviving === 1
    ? t('1 of {0} routes and models survives the loss of any single endpoint, key or model.', all)
    : t('{0} of {1} routes and models survive the loss of any single endpoint, key or model.', surviving, all);
}

function runningSentence(drill: RunningDrill): string {
  return t('A fire drill is running: {0}. What it does to health is left out here.', drillText(drill));
}

function lastSentence(last: DrillSummary, style: TimeStyle): string {
  return t('The last fire drill: {0} for {1}, until {2}. {3}.', drillText(last, 'past'), plainDuration(last.endedAt - last.startedAt), formatMoment(last.endedAt, style), countsText(last));
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

/** What stands where a route does not use what is lost. */
export function notConcerned(): string {
  return t('not concerned');
}

function cellOf(loss: LossOutcome | undefined): DrillReportCell {
  if (loss === undefined) return { tone: 'stopped', result: notConcerned() };
  const { text, tone } = lossResults[loss.result];
  return { tone, result: text, by: loss.takenOverBy, note: loss.note === undefined ? undefined : lossNote(loss.note, loss.takenOverBy) };
}

function routeOf(route: RouteResilience): DrillReportRoute {
  return {
    name: route.name,
    kind: route.kind === 'route' ? t('Route') : t('Model'),
    tone: route.verdict === 'stopped' ? 'failed' : route.verdict === 'survives' ? 'ok' : 'failover',
    verdict: route.verdict === 'stopped' ? t('Cannot answer now') : route.verdict === 'survives' ? t('Survives any single loss') : countOf(route.gaps.length, 'gap'),
    targets: route.targets.map(targetOf),
    gaps: route.gaps.map(({ saidProblem, saidAction, fix, endpoint }) => ({ problem: gapShown(saidProblem), action: shownOf(saidAction), fix, endpoint, button: gapFixes[fix].label })),
  };
}

/** The reason in it comes from elsewhere, and is English. */
function gapShown({ key, values = [] }: Said): string {
  return shownOf({ key, values: values.map(value => (typeof value === 'string' ? shownFailure(value) : value)) });
}

/** The reason of `north/m: north refused the connection.`: the target stands above it. */
function lossNote(note: string, target: string | undefined): string {
  const name = `${target ?? ''}: `;
  return shownFailure(note.startsWith(name) ? note.slice(name.length) : note);
}

function targetOf({ target, state, note: reason }: SurvivingTarget): DrillReportRoute['targets'][number] {
  const note = reason === undefined ? undefined : shownFailure(reason);
  switch (state) {
    case 'ready': return { target, tone: 'ok', state: t('ready'), note };
    case 'not-now': return { target, tone: 'failover', state: t('not now'), note };
    case 'never': return { target, tone: 'failed', state: t('cannot serve'), note };
  }
}
