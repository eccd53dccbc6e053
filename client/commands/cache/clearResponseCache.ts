import { NextStep, UserError } from '../../base/errors.ts';
import { countOf } from '../../base/figures.ts';
import { inform } from '../../base/toasts.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';

/** "Clear Response Cache…": forgets the kept answers of a route, or of all. */
export async function clearResponseCache(services: CommandServices, target: CommandTarget): Promise<void> {
  const caches = services.server.status?.responseCaches ?? [];
  if (caches.length === 0) throw new NextStep('No route keeps answers; a response cache is turned on in a route.', { title: 'Edit Route…', command: 'waybill.editRoute' });
  let route = target.route ?? (caches.length === 1 ? caches[0]?.route : undefined);
  if (route === undefined) {
    const chosen = valueOf(await askChoice<{ route: string | undefined }>({
      title: 'Clear Response Cache', placeholder: 'Choose whose answers to forget',
      items: [
        { label: 'All Routes', value: { route: undefined } },
        ...caches.map(cache => ({ label: cache.route, description: countOf(cache.answers, 'answer'), value: { route: cache.route } })),
      ],
    }));
    if (chosen === undefined) return;
    route = chosen.route;
  }
  const result = await services.server.clearResponseCache(route);
  if ('refused' in result) throw new UserError(result.refused);
  void inform(result.answers === 0 ? 'No answer was kept.' : `Forgot ${countOf(result.answers, 'answer')}${route === undefined ? '' : ` of the route "${route}"`}.`);
}
