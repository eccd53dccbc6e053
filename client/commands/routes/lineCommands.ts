import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { UserError } from '../../base/errors.ts';
import { moved, targetsOf, withTargets } from '../../settings/settingsEdits.ts';
import { routePolicies, type RoutePolicyName } from '../../settings/policies/routePolicies.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';
import { offerUndo } from '../undo.ts';
import { addTarget, editRoutePolicy, editTier, editWeight, reorder } from './editRoute.ts';

/** "Add Model or Route…" of a route's line. */
export async function addRouteTarget(services: CommandServices, line: CommandTarget): Promise<void> {
  await addTarget(services, routeOf(services, line));
}

/** "Move Up" and "Move Down" of a target's line. */
export async function moveTarget(services: CommandServices, line: CommandTarget, by: 1 | -1): Promise<void> {
  const { route, target } = targetOf(services, line);
  await reorder(services, route, targets => moved(targets, targets.indexOf(target), targets.indexOf(target) + by));
}

/** "Set Weight…" of a target's line. */
export async function weighTarget(services: CommandServices, line: CommandTarget): Promise<void> {
  const { route, target } = targetOf(services, line);
  await editWeight(services, route, target);
}

/** "Set When It Is Used…" of a target's line. */
export async function tierTarget(services: CommandServices, line: CommandTarget): Promise<void> {
  const { route, target } = targetOf(services, line);
  await editTier(services, route, target);
}

/** "Remove from Route" of a target's line; the last one stays. */
export async function removeTarget(services: CommandServices, line: CommandTarget): Promise<void> {
  const { route, target } = targetOf(services, line);
  const before = services.configuration.settings.routes[route];
  if (before === undefined || targetsOf(before).length < 2) throw new UserError(t('{0} is the only target of the route "{1}". Add another one first, or remove the route.', target, route));
  await services.configuration.changeRoutes(routes => withTargets(routes, route, targetsOf(routes[route]).filter(one => one !== target)));
  await offerUndo(t('Removed {0} from the route "{1}".', target, route), () => services.configuration.changeRoutes(now => now[route] === undefined ? now : { ...now, [route]: before }));
}

/** "Edit This Policy…" of a policy's line. */
export async function editPolicyOfLine(services: CommandServices, line: CommandTarget): Promise<void> {
  const route = routeOf(services, line);
  if (line.policy === undefined || !isPolicy(line.policy)) throw new UserError(t('Choose a policy in the Routes view, or run "Waybill: Edit Route…".'));
  await editRoutePolicy(services, route, line.policy);
}

/** "Open Routes as JSON": the user settings, at the routes. */
export async function openRouteSettings(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettingsJson', { revealSetting: { key: 'waybill.routes', edit: true } });
}

function isPolicy(name: string): name is RoutePolicyName {
  return Object.hasOwn(routePolicies, name);
}

function routeOf(services: CommandServices, { route }: CommandTarget): string {
  if (route === undefined) throw new UserError(t('Choose a route in the Routes view, or run "Waybill: Edit Route…".'));
  if (services.configuration.settings.routes[route] === undefined) throw new UserError(t('There is no route "{0}" in the settings any more.', route));
  return route;
}

function targetOf(services: CommandServices, line: CommandTarget): { route: string; target: string } {
  const route = routeOf(services, line);
  const { target } = line;
  if (target === undefined || !targetsOf(services.configuration.settings.routes[route]).includes(target)) throw new UserError(t('This target is not in the route "{0}" any more.', route));
  return { route, target };
}
