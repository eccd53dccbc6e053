import { t } from '@vscode/l10n';
import { NextStep, UserError } from '../../base/errors.ts';
import { countOf } from '../../base/figures.ts';
import { inform } from '../../base/toasts.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';

/** "Clear Response Cache…": forgets the kept answers of a route, or of all. */
export async function clearResponseCache(services: CommandServices, target: CommandTarget): Promise<void> {
  const caches = services.server.status?.responseCaches ?? [];
  if (caches.length === 0) throw new NextStep(t('No route keeps answers; a response cache is turned on in a route.'), { title: t('Edit Route…'), command: 'waybill.editRoute' });
  let route = target.route ?? (caches.length === 1 ? caches[0]?.route : undefined);
  if (route === undefined) {
    const chosen = valueOf(await askChoice<{ route: string | undefined }>({
      title: t('Clear Response Cache'), placeholder: t('Choose whose answers to forget'),
      items: [
        { label: t('All Routes'), value: { route: undefined } },
        ...caches.map(cache => ({ label: cache.route, description: countOf(cache.answers, 'answer'), value: { route: cache.route } })),
      ],
    }));
    if (chosen === undefined) return;
    route = chosen.route;
  }
  const result = await services.server.clearResponseCache(route);
  if ('refused' in result) throw new UserError(result.refused);
  void inform(forgotten(countOf(result.answers, 'answer'), result.answers, route));
}

function forgotten(answers: string, amount: number, route: string | undefined): string {
  if (amount === 0) return t('No answer was kept.');
  return route === undefined ? t('Forgot {0}.', answers) : t('Forgot {0} of the route "{1}".', answers, route);
}
