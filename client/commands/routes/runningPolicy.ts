import { t } from '@vscode/l10n';
import { NextStep } from '../../base/errors.ts';
import { askRoute } from './firstRoute.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';

const knownWithinMs = 5_000;

/** The state of a canary or a shadow. */
interface RunningPolicy<Phase> { readonly route: string; readonly phase: Phase }

/**
 * The route that a command was called on, the only one that it can be about, or one that is asked for.
 * @param running the canaries or shadows that the server knows
 * @param otherwise what is said where there is none
 * @returns undefined when the user leaves
 * @throws NextStep where there is none
 */
export async function routeWith<Phase>(target: CommandTarget, running: readonly RunningPolicy<Phase>[] | undefined, phases: readonly Phase[], title: string, otherwise: ConstructorParameters<typeof NextStep>): Promise<string | undefined> {
  if (target.route !== undefined) return target.route;
  const routes = (running ?? []).filter(({ phase }) => phases.includes(phase)).map(({ route }) => route);
  if (routes.length === 0) throw new NextStep(...otherwise);
  return routes.length === 1 ? routes[0] : askRoute(routes, title, t('Choose the route'));
}

/** Waits until the server knows what was just written to the settings, at most five seconds: it reads them a moment later. */
export function untilKnown({ server }: CommandServices, knows: () => boolean): Promise<void> {
  if (knows()) return Promise.resolve();
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve();
    };
    const timer = setTimeout(finish, knownWithinMs);
    const subscription = server.onDidChangeStatus(() => { if (knows()) finish(); });
  });
}
