import { t } from '@vscode/l10n';
import { proposedRoutes } from '../../../server/api/firstRun/proposedRoutes.ts';
import { isSimulated } from '../../../server/api/firstRun/simulated.ts';
import { askMany } from '../input/quickInput.ts';
import type { Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { routeChanges, withRouteChanges } from './importPlan.ts';
import type { RouteChange, TriedKey } from './importPlan.ts';

/**
 * Proposes routes over all providers, shows what each would hold, and writes those that the user agrees to.
 * @param done the sentence that says what has happened so far
 */
export async function offerRoutes(services: CommandServices, kept: readonly TriedKey[], done: string): Promise<void> {
  const { configuration, server, chatAccess } = services;
  const listed = new Map(kept.map(({ plan, result }) => [plan.name, result.models]));
  const known = new Map(server.status?.endpoints.map(({ name, models }) => [name, models]));
  const endpoints = Object.entries(configuration.settings.endpoints).filter(([, settings]) => settings.enabled !== false && !isSimulated(settings))
    .map(([name, settings]) => ({ name, settings, models: listed.get(name) ?? known.get(name) ?? [] }));
  const changes = routeChanges(await server.proposeRoutes({ endpoints }), configuration.settings.routes);
  const open = changes.filter(({ kind }) => kind !== 'same');
  if (open.length === 0) return chatAccess.informWithChat(changes.length === 0 ? t("{0} Their models are in the chat's model picker, or can be put into a route.", done) : t('{0} The proposed routes are there already.', done));
  const answer = await askMany<RouteChange>({
    title: t('Import Keys: routes'), placeholder: t('Choose the routes to write'),
    items: open.map((change): Choice<RouteChange> => ({
      label: `$(git-branch) ${change.proposed.name}`, value: change,
      description: [proposedRoutes[change.proposed.name], ...(change.kind === 'extended' ? [t('adds to your route')] : [])].join(' · '),
      detail: change.targets.map(target => {
        const pricing = change.proposed.targets.find(one => one.target === target)?.pricing;
        return pricing === undefined ? target : `${target} (${pricing})`;
      }).join(' → '),
    })),
    picked: ({ kind }) => kind === 'new',
  });
  if (answer.kind !== 'value' || answer.value.length === 0) return chatAccess.informWithChat(t('{0} No route was written.', done));
  await configuration.changeRoutes(routes => withRouteChanges(routes, answer.value));
  const names = answer.value.map(({ proposed }) => `"${proposed.name}"`).join(', ');
  await chatAccess.informWithChat(answer.value.length === 1 ? t('{0} The route {1} can be chosen in the chat\'s model picker.', done, names) : t('{0} The routes {1} can be chosen in the chat\'s model picker.', done, names));
}
