import { t } from '@vscode/l10n';
import type { CanaryStatus } from '../../../server/api/canary.ts';
import { type Condition, conditionIcon, conditionText, healthOf, isUp } from '../../../server/api/condition.ts';
import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../../server/api/purpose.ts';
import type { RouteSettings } from '../../../server/api/settings.ts';
import type { StatusSnapshot, TargetStatus } from '../../../server/api/status.ts';
import { formatTokens } from '../../base/figures.ts';
import { targetsOf, type Routes } from '../../settings/settingsEdits.ts';
import { heedsWeights, strategyLabels, tierLabels } from '../../settings/policies/ordering.ts';
import { policyIsSet, policyText, type Policy } from '../../settings/policies/policy.ts';
import { kindTitles, roleTitles } from '../../settings/policies/purposes.ts';
import { routePolicies, routePolicyNames, type RoutePolicyName } from '../../settings/policies/routePolicies.ts';
import type { TreeRow } from '../shared/treeRow.ts';
import { canaryLine, canaryLook } from '../providers/canaryRows.ts';

/** One line of the Routes view. */
export interface RouteLine extends TreeRow<RouteLine> {
  /** The route that it belongs to. */
  route: string;
  /** The entry of the route's targets that it is, as it is written there. */
  target?: string;
  policy?: RoutePolicyName;
}

const colors = { good: 'testing.iconPassed', warn: 'problemsWarningIcon.foreground', bad: 'problemsErrorIcon.foreground' } as const;

/** What the lines are made of. */
interface Known {
  readonly routes: Routes;
  readonly status: StatusSnapshot | undefined;
  readonly now: number;
}

/** Every route as the user wrote it, with what each of its targets can do now. */
export function routeLines(routes: Routes, status: StatusSnapshot | undefined, now: number): RouteLine[] {
  const known: Known = { routes, status, now };
  return Object.entries(routes).map(([name, settings]) => routeLine(name, settings, known));
}

function routeLine(name: string, settings: RouteSettings, known: Known): RouteLine {
  const targets = targetsOf(settings);
  const lines = targets.map((target, index) => targetLine(name, settings, target, index, targets.length, known));
  const canary = known.status?.canaries?.find(({ route, phase }) => route === name && phase !== 'none');
  const { up, all } = counts(name, known, new Set());
  const answers = firstUp(name, known, new Set());
  // What a person wrote may be no strategy at all; the server says so.
  const strategy = (strategyLabels as Readonly<Record<string, string | undefined>>)[settings.strategy ?? 'priority'] ?? String(settings.strategy);
  const problem = problemOf(known.status, name);
  const state = known.status === undefined ? '' : problem !== undefined && all === 0 ? t('left out') : up === all ? '' : up === 0 ? t('none up') : t('{0}/{1} up', up, all);
  const description = [...(state === '' ? [] : [state]), ...(settings.strategy === undefined || settings.strategy === 'priority' ? [] : [strategy.toLowerCase()]), ...(canary?.phase === 'running' ? [t('canary {0} %', canary.share)] : [])].join(' · ');
  const health = known.status === undefined || up === all ? undefined : up === 0 ? colors.bad : colors.warn;
  return {
    id: name, label: name, description, icon: 'git-branch', color: health, context: `route.${settings.canary === undefined ? 'plain' : 'canary'}`, route: name, expanded: true,
    tooltip: [
      targets.length === 0 ? t('{0}: {1}, without any target', name, strategy.toLowerCase()) : `${name}: ${strategy.toLowerCase()}`,
      ...(answers === undefined ? known.status === undefined || all === 0 ? [] : [t('No target can answer now.')] : [(settings.strategy ?? 'priority') === 'priority' ? t('Requests go to {0} now.', answers) : t('{0} of {1} targets can answer now.', up, all)]),
      ...(problem === undefined ? [] : [problem]),
    ].join('\n'),
    spoken: [t('Route {0}, {1}, {2} of {3} targets can answer', name, strategy, up, all), ...(canary?.phase === 'running' ? [t('canary at {0} per cent', canary.share)] : [])].join(', '),
    children: [...lines, ...canaryLines(name, settings, canary, known), ...purposeLines(name, settings, known), ...policyLines(name, settings)],
  };
}

function targetLine(route: string, settings: RouteSettings, target: string, index: number, count: number, known: Known): RouteLine {
  const weight = heedsWeights(settings) ? weightText(settings, target) : undefined;
  const tier = tierText(settings, target);
  const place = `${index === 0 ? 'first' : index === count - 1 ? 'last' : 'middle'}${count === 1 ? '.only' : ''}${heedsWeights(settings) ? '.weighed' : ''}`;
  const line = entryLine(`${route}:target:${target}`, route, target, problemAt(known.status, route, index), known);
  return {
    ...line, label: target, description: [...(tier === undefined ? [] : [tier]), ...(weight === undefined ? [] : [weight]), ...(line.description === '' ? [] : [line.description])].join(' · '), context: `target.${place}`, target,
    spoken: [`${String(index + 1)}. ${line.spoken}`, ...(tier === undefined ? [] : [tier]), ...(weight === undefined ? [] : [weight])].join(', '),
  };
}

/** A model or a route that a route names, with what it can do now. @param problem why the server leaves it out */
function entryLine(id: string, route: string, target: string, problem: string | undefined, known: Known): RouteLine {
  const common = { id, label: target, route, expanded: false, context: 'entry' };
  if (known.routes[target] !== undefined) {
    const { up, all } = counts(target, known, new Set());
    const description = known.status === undefined ? t('route') : problem === undefined ? `${t('route')} · ${t('{0}/{1} up', up, all)}` : t('left out');
    const color = known.status === undefined ? undefined : problem !== undefined || up === 0 ? colors.bad : up < all ? colors.warn : undefined;
    return { ...common, description, icon: 'git-branch', color, tooltip: problem ?? t('The route {0}, which orders its own targets: {1} of {2} can answer now.', target, up, all), spoken: t('Route {0}, {1} of {2} targets can answer', target, up, all), children: [] };
  }
  const status = known.status?.targets?.[target];
  if (status === undefined) {
    if (known.status === undefined) return { ...common, description: '', icon: 'circle-outline', color: undefined, tooltip: target, spoken: target, children: [] };
    // The server reads settings a moment after they are written.
    if (problem === undefined) return { ...common, description: t('not in use yet'), icon: 'circle-outline', color: undefined, tooltip: t('The settings hold "{0}", which is not in use yet.', target), spoken: t('{0}, not in use yet', target), children: [] };
    return { ...common, description: t('left out'), icon: 'error', color: colors.bad, tooltip: problem, spoken: t('{0}, left out: {1}', target, problem), children: [] };
  }
  return { ...common, ...conditionLook(status.condition, known.now), tooltip: targetTooltip(target, status, known.now), spoken: `${target}, ${conditionText(status.condition, known.now)}`, children: [] };
}

function conditionLook(condition: Condition, now: number): Pick<RouteLine, 'description' | 'icon' | 'color'> {
  const icon = conditionIcon(condition);
  const calm = condition.kind === 'healthy' || condition.kind === 'unknown';
  const health = healthOf(condition);
  const color = condition.kind === 'disabled' || condition.kind === 'paused' ? 'disabledForeground' : health === 'healthy' ? colors.good : health === 'degraded' ? colors.warn : health === 'down' ? colors.bad : undefined;
  return { description: calm ? '' : conditionText(condition, now), icon, color };
}

function targetTooltip(target: string, { condition, contextWindow, pricing }: TargetStatus, now: number): string {
  return [
    `${target}: ${conditionText(condition, now)}`,
    ...(contextWindow === undefined ? [] : [t('Context window: {0} tokens', formatTokens(contextWindow))]),
    ...(pricing === undefined ? [] : [pricing]),
  ].join('\n');
}

/** `backup`, `last resort`; undefined for a main target, and for what is no tier. */
function tierText(settings: RouteSettings, target: string): string | undefined {
  const tier = settings.tiers?.[target];
  return tier !== undefined && Object.hasOwn(tierLabels, tier) ? tierLabels[tier].toLowerCase() : undefined;
}

/** `70 %` of what the targets of a route get. */
function weightText(settings: RouteSettings, target: string): string {
  const weightOf = (one: string): number => {
    const weight: unknown = settings.weights?.[one];
    return typeof weight === 'number' ? weight : 1;
  };
  const all = targetsOf(settings).reduce((sum, one) => sum + weightOf(one), 0);
  return `${String(Number((100 * weightOf(target) / all).toPrecision(3)))} %`;
}

function canaryLines(route: string, settings: RouteSettings, canary: CanaryStatus | undefined, known: Known): RouteLine[] {
  if (settings.canary === undefined) return [];
  const id = `${route}:canary`;
  const children = targetsOf(settings.canary).map(target => entryLine(`${id}:${target}`, route, target, undefined, known));
  const common = { id, label: t('Canary'), route, expanded: true, children, policy: 'canary' as const };
  if (canary === undefined) {
    const problem = known.status?.problems.find(({ path }) => path?.startsWith(`routes.${route}.canary`) === true)?.message;
    return [{ ...common, description: problem === undefined ? t('not started') : t('left out'), icon: 'beaker', color: problem === undefined ? undefined : colors.bad, tooltip: problem ?? t('The canary waits until it is started.'), context: 'canary.none', spoken: t('Canary, {0}', problem ?? t('not started')) }];
  }
  const { description, tooltip } = canaryLine(canary);
  return [{ ...common, description, tooltip, ...canaryLook(canary), context: `canary.${canary.phase}`, spoken: t('Canary, {0}. {1}', description, canary.message) }];
}

/** Where roles and kinds of work go first. */
function purposeLines(route: string, { byRole, byKind }: RouteSettings, known: Known): RouteLine[] {
  const line = (policy: 'byRole' | 'byKind', key: string, title: string, meaning: string, target: string | undefined): RouteLine[] => {
    if (typeof target !== 'string') return [];
    const problem = known.status?.problems.find(({ path }) => path === `routes.${route}.${policy}.${key}`)?.message;
    const entry = entryLine(`${route}:${policy}:${key}`, route, target, problem, known);
    return [{
      ...entry, label: title, description: [`→ ${target}`, ...(entry.description === '' ? [] : [entry.description])].join(' · '), icon: policy === 'byRole' ? 'person' : 'symbol-misc',
      tooltip: `${t('{0} ({1}) go to {2} first.', title, meaning, target)}\n${entry.tooltip}`, context: 'policy', policy, spoken: t('{0} go to {1}', title, entry.spoken),
    }];
  };
  return [
    ...(Object.keys(requestRoles) as RequestRole[]).flatMap(role => line('byRole', role, roleTitles[role], requestRoles[role], byRole?.[role])),
    ...(Object.keys(workKinds) as WorkKind[]).flatMap(kind => line('byKind', kind, kindTitles[kind], workKinds[kind], byKind?.[kind])),
  ];
}

/** Policies with lines of their own, or that the route's own line shows. */
const shownElsewhere: ReadonlySet<string> = new Set(['strategy', 'byRole', 'byKind', 'canary']);

function policyLines(route: string, settings: RouteSettings): RouteLine[] {
  return routePolicyNames.flatMap((name): RouteLine[] => {
    const policy: Policy = routePolicies[name];
    if (shownElsewhere.has(name) || !policyIsSet(policy, settings)) return [];
    const text = policyText(policy, settings);
    return [{
      id: `${route}:policy:${name}`, label: policy.title, description: text, tooltip: `${policy.title}: ${text}`, icon: 'settings', color: undefined, context: 'policy', spoken: `${policy.title}: ${text}`,
      children: [], expanded: false, route, policy: name,
    }];
  });
}

/** How many targets a route leads to, and how many of them can be asked now. @param seen a circle ends at what was seen */
function counts(route: string, known: Known, seen: Set<string>): { up: number; all: number } {
  let up = 0;
  let all = 0;
  for (const [index, target] of targetsOf(known.routes[route]).entries()) {
    if (seen.has(target)) continue;
    seen.add(target);
    if (known.routes[target] !== undefined) {
      const inner = counts(target, known, seen);
      up += inner.up;
      all += inner.all;
      continue;
    }
    const status = known.status?.targets?.[target];
    // What the server has not read yet is neither up nor down.
    if (known.status !== undefined && status === undefined && problemAt(known.status, route, index) === undefined) continue;
    all += 1;
    if (status !== undefined && isUp(status.condition)) up += 1;
  }
  return { up, all };
}

/** The first target of a route that can be asked now, as it is listed. */
function firstUp(route: string, known: Known, seen: Set<string>): string | undefined {
  for (const target of targetsOf(known.routes[route])) {
    if (seen.has(target)) continue;
    seen.add(target);
    const status = known.status?.targets?.[target];
    const found = known.routes[target] !== undefined ? firstUp(target, known, seen) : status !== undefined && isUp(status.condition) ? target : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why a route as a whole is left out, as the server says. */
function problemOf(status: StatusSnapshot | undefined, route: string): string | undefined {
  return status?.problems.find(({ path, message }) => (path === `routes.${route}` || path === `routes.${route}.targets`) && message.includes('left out'))?.message;
}

function problemAt(status: StatusSnapshot | undefined, route: string, index: number): string | undefined {
  return status?.problems.find(({ path }) => path === `routes.${route}.targets.${String(index)}`)?.message;
}
