import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { DrilledRequest, DrilledRoute, DrilledStep, DrillStatus, RunningDrill } from '../../../server/api/drill.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { formatDuration, formatListTime } from '../../base/figures.ts';
import { failureText, isRefused, outcomeText } from '../../base/outcomeWording.ts';
import { countdown, drillText } from '../../base/drillWording.ts';

/** One line of the Fire Drill view, in plain data. `id` is stable, so that the lines keep their place. */
export interface DrillNode {
  id: string;
  label: string;
  description: string;
  /** Plain text; several lines. */
  tooltip: string;
  icon: string | undefined;
  /** Theme colour of the icon. */
  color: string | undefined;
  /** Read out instead of label and description. */
  spoken: string;
  children: DrillNode[];
  /** The exchange whose receipt a click opens. */
  receipt?: string;
}

const colors = { good: 'testing.iconPassed', warn: 'problemsWarningIcon.foreground', bad: 'problemsErrorIcon.foreground' } as const;

const effectLooks: Readonly<Record<DrilledRoute['effect'], { icon: string; color: string }>> = {
  'unaffected': { icon: 'pass', color: colors.good },
  'taken-over': { icon: 'arrow-swap', color: colors.good },
  'slow': { icon: 'watch', color: colors.warn },
  'broken': { icon: 'warning', color: colors.warn },
  'lost': { icon: 'error', color: colors.bad },
};

/** What fails, who answers for each route now, and how requests fared; empty while no drill runs. */
export function drillNodes(drill: DrillStatus | undefined): DrillNode[] {
  if (drill === undefined || drill.running.length === 0) return [];
  return [
    ...drill.running.map(runningNode),
    group('routes', t('Who answers now'), '', drill.routes.map(routeNode)),
    group('requests', t('Requests that met it'), drill.counts.met === 0 ? '' : counts(drill), requestNodes(drill)),
  ];
}

/** The time left of the drill that ends last, for the view's header; empty while none runs. */
export function timeLeft(drill: DrillStatus | undefined, now: number): string {
  const until = Math.max(0, ...(drill?.running ?? []).map(one => one.until));
  return until === 0 ? '' : t('{0} left', countdown(until, now));
}

function runningNode(drill: RunningDrill): DrillNode {
  const text = drillText(drill);
  return node(drill.id, {
    label: text, icon: 'flame', color: colors.warn,
    tooltip: t('Fire drill: {0}, until {1}.\nThe drill itself sends nothing; health and keys are put back when it ends.', text, formatListTime(drill.until, Date.now(), { locale: currentLanguage() })),
    spoken: t('Fire drill: {0}', text),
  });
}

function routeNode(route: DrilledRoute): DrillNode {
  const who = route.answeredBy ?? t('nothing answers');
  return node(`route:${route.kind}:${route.name}`, {
    label: route.name, description: route.effect === 'taken-over' || route.effect === 'broken' ? `→ ${who}` : who, ...effectLooks[route.effect],
    tooltip: `${route.name}: ${route.note}`, spoken: route.kind === 'route' ? t('Route {0}: {1}', route.name, route.note) : t('Model {0}: {1}', route.name, route.note),
  });
}

function requestNodes(drill: DrillStatus): DrillNode[] {
  if (drill.requests.length > 0) return drill.requests.map(requestNode);
  return [node('none', { label: t('None yet: send a request'), icon: 'info', spoken: t('None yet: send a request') })];
}

function requestNode(request: DrilledRequest): DrillNode {
  const outcome = outcomeText(request.outcome, 0, request.failureClass, request.path.length);
  const took = formatDuration(request.totalMs);
  const path = request.path.map(stepText).join(' → ');
  return {
    ...node(request.id, {
      label: path,
      description: request.outcome === 'ok' ? `${took} · ${request.requestedModel}` : `${outcome.toLowerCase()} · ${request.requestedModel}`,
      icon: isRefused(request) ? 'circle-slash' : request.outcome === 'ok' ? 'pass' : request.outcome === 'failed' ? 'error' : 'circle-slash',
      color: isRefused(request) ? undefined : request.outcome === 'ok' ? colors.good : request.outcome === 'failed' ? colors.bad : undefined,
      tooltip: [t('{0}: {1} after {2}', request.requestedModel, outcome, took), ...request.path.map(stepLine), t('Click to open the receipt.')].join('\n'),
      spoken: `${request.requestedModel}: ${request.path.map(stepLine).join(', ')}; ${outcome}`,
    }),
    receipt: request.id,
  };
}

/** `north ✕`, `south`: the endpoint is enough in a narrow view. */
function stepText(step: DrilledStep): string {
  const endpoint = parseTargetName(step.target)?.endpoint ?? step.target;
  switch (step.outcome) {
    case 'failed': return `${endpoint} ✕`;
    case 'passed-over': return `(${endpoint})`;
    case 'ok':
    case 'cancelled':
    case 'interrupted': return endpoint;
  }
}

function stepLine({ target, outcome, drill, failureClass, totalMs }: DrilledStep): string {
  const took = totalMs === undefined ? undefined : formatDuration(totalMs);
  const timed = (text: string): string => (took === undefined ? text : t('{0} after {1}', text, took));
  switch (outcome) {
    case 'ok': {
      const text = t('{0} answered in {1}', target, formatDuration(totalMs ?? 0));
      return drill ? t('{0}, held back by the drill', text) : text;
    }
    case 'failed': {
      const text = timed(drill ? t('{0} failed by the drill', target) : t('{0} failed', target));
      return failureClass === undefined ? text : `${text} (${failureText(failureClass)})`;
    }
    case 'passed-over': return t('{0} was not tried: it rests since it failed by the drill', target);
    case 'cancelled': return timed(t('{0} was cancelled', target));
    case 'interrupted': return timed(t('{0} was interrupted', target));
  }
}

function counts({ counts: { met, answered, failed } }: DrillStatus): string {
  return failed === 0 ? t('{0} of {1} answered', answered, met) : t('{0} answered, {1} failed', answered, failed);
}

function group(id: string, label: string, description: string, children: DrillNode[]): DrillNode {
  return { ...node(id, { label, description, tooltip: label, spoken: `${label} ${description}`.trim() }), children };
}

function node(id: string, look: Pick<DrillNode, 'label' | 'spoken'> & Partial<DrillNode>): DrillNode {
  return { description: '', tooltip: look.label, icon: undefined, color: undefined, children: [], ...look, id };
}
