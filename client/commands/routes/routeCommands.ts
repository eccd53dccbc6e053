import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { targetName } from '../../../server/api/targetName.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { nameProblem, withoutRoute, withTarget, type Routes } from '../../settings/settingsEdits.ts';
import { firstRouteName } from '../addProviderSteps.ts';
import type { CommandTarget } from '../commandTable.ts';
import { addProviderAction } from '../input/pickers.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import { undone } from '../removal.ts';
import type { CommandServices } from '../services.ts';
import { offerUndo } from '../undo.ts';
import { askTarget } from './askTarget.ts';
import { openRoute } from './editRoute.ts';
import { askRoute } from './firstRoute.ts';

/** "New Route…": a name and a first target; then the route is open for more. */
export async function newRoute(services: CommandServices): Promise<void> {
  const taken = Object.keys(services.configuration.settings.routes);
  if (Object.keys(services.configuration.settings.endpoints).length === 0) throw new NextStep(t('A route needs a provider first.'), addProviderAction);
  const name = valueOf(await askText({
    title: t('New Route'), step: 1, totalSteps: 2, placeholder: t('Name'), prompt: t('The name that the model picker shows and that tools ask for'),
    value: taken.includes(firstRouteName) ? '' : firstRouteName, problem: text => nameProblem(text, taken),
  }));
  if (name === undefined) return;
  const target = await askTarget(services, [], { title: t('New Route "{0}"', name), step: 2, totalSteps: 2, placeholder: t('Choose the model that requests go to first') });
  if (target === undefined) return;
  await services.configuration.changeRoutes(routes => withTarget(routes, name, target));
  await openRoute(services, name);
}

/** "Edit Route…": the route that the command was called on, or one that is asked for. */
export async function editRoute(services: CommandServices, target: CommandTarget): Promise<void> {
  const { routes } = services.configuration.settings;
  if (Object.keys(routes).length === 0) return newRoute(services);
  if (target.route !== undefined && routes[target.route] === undefined) throw new UserError(t('There is no route "{0}" in the settings any more.', target.route));
  const name = target.route ?? await askRoute(Object.keys(routes), t('Edit Route'), t('Choose a route'));
  if (name !== undefined) await openRoute(services, name);
}

/** "Remove Route…". */
export async function removeRoute(services: CommandServices, target: CommandTarget): Promise<void> {
  const names = Object.keys(services.configuration.settings.routes);
  if (names.length === 0) throw new NextStep(t('There is no route yet.'), { title: t('New Route…'), command: 'waybill.newRoute' });
  const name = target.route ?? valueOf(await askChoice({ title: t('Remove Route'), placeholder: t('Choose a route'), items: names.map(route => ({ label: route, value: route })) }));
  if (name === undefined) return;
  const remove = t('Remove');
  const pick = await vscode.window.showWarningMessage(
    t('Remove the route "{0}"?', name), { modal: true, detail: t('Chats and tools that ask for it will get an error. Providers and keys stay.') }, remove,
  );
  if (pick !== remove) return;
  let before: Routes = {};
  let after: Routes = {};
  await services.configuration.changeRoutes(routes => {
    before = routes;
    after = withoutRoute(routes, name);
    return after;
  });
  await offerUndo(t('Removed the route "{0}".', name), () => services.configuration.changeRoutes(now => undone(before, after, now)));
}

/** "Add Model to Route…", on a model in the tree or for one of an endpoint's: it becomes the last fallback of a route. */
export async function addToRoute(services: CommandServices, target: CommandTarget): Promise<void> {
  const entry = target.endpoint !== undefined && target.model !== undefined
    ? targetName(target.endpoint, target.model)
    : await askTarget(services, [], { title: t('Add Model to Route'), placeholder: t('Choose a model') }, target.endpoint);
  if (entry === undefined) return;
  const names = Object.keys(services.configuration.settings.routes);
  const route = names.length === 0 ? firstRouteName : await askRoute(names, t('Add Model to Route'), t('Choose the route that {0} should back up', entry));
  if (route === undefined) return;
  await services.configuration.changeRoutes(routes => withTarget(routes, route, entry));
  void inform(t('{0} is in the route "{1}".', entry, route));
}

