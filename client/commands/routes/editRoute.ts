import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { targetTiers, type RouteSettings, type TargetTier } from '../../../server/api/settings.ts';
import { moved, targetsOf, weightProblem, withTargets, withTier, withWeight } from '../../settings/settingsEdits.ts';
import { askChoice, askText, valueOf, type Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { askTarget } from './askTarget.ts';
import { editPolicy, type EditedSettings } from './editPolicy.ts';
import { heedsWeights, tierLabels } from '../../settings/policies/ordering.ts';
import { policyText, type Policy } from '../../settings/policies/policy.ts';
import { routePolicies, routePolicyNames, type RoutePolicyName } from '../../settings/policies/routePolicies.ts';

type EditChoice = { kind: 'target'; index: number } | { kind: 'add' } | { kind: 'policy'; name: RoutePolicyName } | { kind: 'done' };
type TargetChange = 'first' | 'up' | 'down' | 'weight' | 'tier' | 'remove';

/** The targets in order; each can be moved, weighed or removed, others and routes added; and every policy. Each change is saved at once. */
export async function openRoute(services: CommandServices, route: string): Promise<void> {
  let last = 0;
  for (;;) {
    const settings = routeSettings(services, route);
    const targets = targetsOf(settings);
    const items: Choice<EditChoice>[] = [
      ...targets.map((target, index): Choice<EditChoice> => ({
        label: `${String(index + 1)}. ${target}`, ...describedTarget(settings, target), value: { kind: 'target', index },
      })),
      { label: t('$(add) Add a Model or Route…'), value: { kind: 'add' } },
      { label: t('Policies'), kind: vscode.QuickPickItemKind.Separator, value: { kind: 'done' } },
      ...routePolicyNames.map((name): Choice<EditChoice> => ({ label: t('$(gear) {0}…', routePolicies[name].title), description: policyText<RouteSettings>(routePolicies[name], settings), value: { kind: 'policy', name } })),
      { label: '', kind: vscode.QuickPickItemKind.Separator, value: { kind: 'done' } },
      { label: t('$(check) Done'), value: { kind: 'done' } },
    ];
    const choice = valueOf(await askChoice<EditChoice>({
      title: t('Edit Route "{0}"', route), active: last, items,
      placeholder: heedsWeights(settings) ? t('Choose a model to give it a weight, to move or to remove it') : t('Requests go to the first model that can answer. Choose one to move or remove it'),
    }));
    if (choice === undefined || choice.kind === 'done') return;
    last = items.findIndex(({ value }) => value === choice);
    switch (choice.kind) {
      case 'add': await addTarget(services, route); break;
      case 'policy': await editRoutePolicy(services, route, choice.name); break;
      case 'target': await changeTarget(services, route, targets[choice.index] ?? '', heedsWeights(settings)); break;
    }
  }
}

/** The tier and the weight of a target, where they say something. */
function describedTarget(settings: RouteSettings, target: string): { description?: string } {
  const tier = settings.tiers?.[target];
  const parts = [...(tier === undefined ? [] : [tierLabels[tier].toLowerCase()]), ...(heedsWeights(settings) ? [t('weight {0}', settings.weights?.[target] ?? 1)] : [])];
  return parts.length === 0 ? {} : { description: parts.join(', ') };
}

/** Asks when a target of a route is used. */
export async function editTier(services: CommandServices, route: string, target: string): Promise<void> {
  const now = routeSettings(services, route).tiers?.[target];
  const tier = valueOf(await askChoice<TargetTier | 'main'>({
    title: t('Edit Route "{0}": use of {1}', route, target), placeholder: t('When should {0} be used?', target), canGoBack: true,
    items: [
      { label: t('Main'), detail: t('As the route orders its models'), value: 'main' as const },
      ...(Object.keys(targetTiers) as TargetTier[]).map(value => ({ label: tierLabels[value], detail: `${targetTiers[value].charAt(0).toUpperCase()}${targetTiers[value].slice(1)}`, value })),
    ].map(item => item.value === (now ?? 'main') ? { ...item, description: t('now') } : item),
  }));
  if (tier !== undefined) await services.configuration.changeRoutes(routes => withTier(routes, route, target, tier === 'main' ? undefined : tier));
}

/** Asks for one policy of a route. */
export async function editRoutePolicy(services: CommandServices, route: string, name: RoutePolicyName): Promise<void> {
  const policy: Policy = routePolicies[name];
  const edited: EditedSettings<RouteSettings> = {
    title: t('Edit Route "{0}"', route), route, read: () => routeSettings(services, route),
    write: change => services.configuration.changeRoutes(routes => ({ ...routes, [route]: change(routes[route] ?? { targets: [] }) })),
  };
  await editPolicy(services, edited, policy);
}

/** Asks for a model or a route, which becomes the last of the route. */
export async function addTarget(services: CommandServices, route: string): Promise<void> {
  const targets = targetsOf(routeSettings(services, route));
  const added = await askTarget(services, targets, { title: t('Edit Route "{0}": add a model or route', route), placeholder: t('Choose the model or route that takes over when the others fail'), into: route });
  if (added !== undefined) await services.configuration.changeRoutes(routes => withTargets(routes, route, [...targetsOf(routes[route]), added]));
}

/** Asks for the weight of a target of a route. */
export async function editWeight(services: CommandServices, route: string, target: string): Promise<void> {
  const weight = valueOf(await askText({
    title: t('Edit Route "{0}": weight of {1}', route, target), prompt: t('How much {0} gets in proportion to the other models of the route', target), placeholder: t('Weight'),
    value: String(routeSettings(services, route).weights?.[target] ?? 1), problem: weightProblem,
  }));
  if (weight !== undefined) await services.configuration.changeRoutes(routes => withWeight(routes, route, target, Number(weight)));
}

/** The settings of a route as they are read now. */
export function routeSettings(services: CommandServices, route: string): RouteSettings {
  return services.configuration.settings.routes[route] ?? { targets: [] };
}

/** Asks what should become of a target. @param weighs the route heeds weights */
async function changeTarget(services: CommandServices, route: string, target: string, weighs: boolean): Promise<void> {
  const targets = targetsOf(routeSettings(services, route));
  const index = targets.indexOf(target);
  const change = valueOf(await askChoice<TargetChange>({
    title: t('Edit Route "{0}": {1}', route, target), placeholder: t('What should happen with this model?'), canGoBack: true,
    items: [
      ...(weighs ? [{ label: t('$(law) Set Its Weight…'), value: 'weight' as const }] : []),
      ...(targets.length > 1 ? [{ label: t('$(layers) Set When It Is Used…'), value: 'tier' as const }] : []),
      ...(index > 0 ? [{ label: t('$(arrow-up) Move Up'), value: 'up' as const }] : []),
      ...(index < targets.length - 1 ? [{ label: t('$(arrow-down) Move Down'), value: 'down' as const }] : []),
      ...(index > 1 ? [{ label: t('$(fold-up) Make It the First'), value: 'first' as const }] : []),
      ...(targets.length > 1 ? [{ label: t('$(trash) Remove from the Route'), value: 'remove' as const }] : []),
    ],
  }));
  switch (change) {
    case undefined: return;
    case 'weight': return editWeight(services, route, target);
    case 'tier': return editTier(services, route, target);
    case 'first': return reorder(services, route, list => moved(list, list.indexOf(target), 0));
    case 'up': return reorder(services, route, list => moved(list, list.indexOf(target), list.indexOf(target) - 1));
    case 'down': return reorder(services, route, list => moved(list, list.indexOf(target), list.indexOf(target) + 1));
    case 'remove': return reorder(services, route, list => list.filter(one => one !== target));
  }
}

/** Changes the order of a route's targets, as the settings have them by then. */
export async function reorder(services: CommandServices, route: string, change: (targets: readonly string[]) => readonly string[]): Promise<void> {
  await services.configuration.changeRoutes(routes => withTargets(routes, route, change(targetsOf(routes[route]))));
}
