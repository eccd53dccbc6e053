import { targetName } from '../../../server/api/targetName.ts';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { withTarget } from '../../settings/settingsEdits.ts';
import { inform } from '../../base/toasts.ts';
import { firstRouteName, orderedModels, routeOffer } from '../addProviderSteps.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { Choice } from '../input/quickInput.ts';
import type { RouteOffer } from '../addProviderSteps.ts';
import type { CommandServices } from '../services.ts';

/**
 * After an endpoint was added: makes the first route of one of its models, or adds one as a fallback to a route
 * that exists. `done` is the sentence that says what has happened so far.
 */
export async function offerRoute(services: CommandServices, endpoint: string, models: readonly string[], done: string): Promise<void> {
  const offer = routeOffer(services.configuration.settings.routes);
  const route = offer.kind === 'first' ? offer.route : await askRoute(offer.routes, t('Add Provider: fallback'), t('Choose a route that {0} should back up', endpoint), [notNow()]);
  if (route === undefined) return leaveOutOfRoutes(services, offer, endpoint, done);
  const model = await askModel(
    models,
    offer.kind === 'first' ? t('Add Provider: model of the route "{0}"', route) : t('Add Provider: fallback of the route "{0}"', route),
    offer.kind === 'first' ? t('Choose the model that your requests go to first') : t('Choose the model that takes over when the others fail'),
    services.configuration.settings.routes[route],
  );
  if (model === undefined) return leaveOutOfRoutes(services, offer, endpoint, done);
  await services.configuration.changeRoutes(routes => withTarget(routes, route, targetName(endpoint, model)));
  const added = offer.kind === 'first'
    ? t('The route "{0}" uses {1}: choose it in the chat\'s model picker.', route, targetName(endpoint, model))
    : t('{0} takes over in the route "{1}" when the others fail.', targetName(endpoint, model), route);
  await services.chatAccess.informWithChat(`${done} ${added}`);
}

/** Without any route the chat offers single models, so the endpoint can be used; beside routes it cannot until it is in one. */
async function leaveOutOfRoutes(services: CommandServices, offer: RouteOffer, endpoint: string, done: string): Promise<void> {
  if (offer.kind === 'first') return services.chatAccess.informWithChat(t("{0} Its models are in the chat's model picker.", done));
  const addToRoute = t('Add to Route…');
  const pick = await inform(t('{0} It is in no route yet.', done), addToRoute);
  if (pick === addToRoute) await vscode.commands.executeCommand('waybill.addToRoute', { endpoint });
}

/** Asks for one of the routes; the only one is taken without asking. Undefined: none of them. @param more choices below the routes */
export async function askRoute(routes: readonly string[], title: string, placeholder: string, more: readonly Choice<undefined>[] = []): Promise<string | undefined> {
  if (routes.length === 1) return routes[0];
  const ordered = [...routes].sort((left, right) => Number(right === firstRouteName) - Number(left === firstRouteName));
  return valueOf(await askChoice<string | undefined>({
    title, placeholder,
    items: [...ordered.map(name => ({ label: `$(git-branch) ${name}`, value: name })), ...more],
  }));
}

/** Asks for a model of an endpoint, also for one that the provider does not list. */
async function askModel(models: readonly string[], title: string, placeholder: string, route: Parameters<typeof orderedModels>[1]): Promise<string | undefined> {
  return valueOf(await askChoice<string | undefined>({
    title,
    placeholder: models.length === 0 ? t('Type the name of a model (this provider lists none)') : t('{0}, or type a name', placeholder),
    items: [...orderedModels(models, route).map(model => ({ label: model, value: model })), notNow()],
    typed: text => (models.includes(text) ? undefined : { label: t('$(edit) Use "{0}"', text), alwaysShow: true, value: text }),
  }));
}

function notNow(): Choice<undefined> {
  return { label: t('$(close) Not Now'), value: undefined };
}
