import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { CanaryAction, CanaryPhase } from '../../../server/api/canary.ts';
import { canaryAdvances, type CanaryAdvance } from '../../../server/api/settings.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { targetsOf, withCanaryAdopted } from '../../settings/settingsEdits.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askRoute } from '../routes/firstRoute.ts';
import { routeWith, untilKnown } from '../routes/runningPolicy.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import { askTarget } from '../routes/askTarget.ts';
import { advanceChoices } from '../../settings/policies/canary.ts';
import type { CommandServices } from '../services.ts';
import { undone } from '../removal.ts';
import { offerUndo } from '../undo.ts';

const showReport = t('Show Report');

/** "Start Canary…": a route; where it has no canary yet, what to try and how its stages end; then it runs. */
export async function startCanary(services: CommandServices, target: CommandTarget): Promise<void> {
  const { routes } = services.configuration.settings;
  if (Object.keys(routes).length === 0) throw new NextStep(t('A canary needs a route first.'), { title: t('New Route…'), command: 'waybill.newRoute' });
  const route = target.route ?? await askRoute(Object.keys(routes), t('Start Canary'), t('Choose the route whose traffic should move in stages'));
  if (route === undefined) return;
  if (routes[route]?.canary === undefined) {
    const entry = await askTarget(services, targetsOf(routes[route]), { title: t('Start Canary of "{0}"', route), step: 1, totalSteps: 2, placeholder: t('Choose the model to try') });
    if (entry === undefined) return;
    const advance = valueOf(await askChoice<CanaryAdvance>({
      title: t('Start Canary of "{0}"', route), step: 2, totalSteps: 2, placeholder: t('How should a stage end? The stages are 5, 15, 30, 50 and 100 % of conversations'),
      items: canaryAdvances.map(value => ({ ...advanceChoices[value], value })),
    }));
    if (advance === undefined) return;
    await services.configuration.changeRoutes(now => ({ ...now, [route]: { ...now[route] ?? { targets: [] }, canary: { targets: [entry], advance } } }));
    await untilKnown(services, () => services.server.status?.canaries?.some(known => known.route === route) === true);
  }
  await act(services, 'start', route);
}

/** "Promote Canary…": to the next stage, whatever the gates say. */
export async function promoteCanary(services: CommandServices, target: CommandTarget): Promise<void> {
  await actOn(services, 'promote', target, ['running', 'paused']);
}

/** "Pause Canary…": the share stays, and the gates still watch. */
export async function pauseCanary(services: CommandServices, target: CommandTarget): Promise<void> {
  await actOn(services, 'pause', target, ['running', 'paused']);
}

/** "Roll Back Canary…": new requests go to the route's own targets. */
export async function rollBackCanary(services: CommandServices, target: CommandTarget): Promise<void> {
  await actOn(services, 'rollback', target, ['running', 'paused', 'promoted']);
}

/** "Make Canary the Targets of Its Route…": once the canary has every stage behind it, the route has its targets and no canary. */
export async function adoptCanary(services: CommandServices, target: CommandTarget): Promise<void> {
  const route = await routeOf(services, target, t('Make Canary the Targets of Its Route'), ['promoted'], t('No canary has finished its last stage; promote it first.'));
  if (route === undefined) return;
  const canary = services.server.status?.canaries?.find(one => one.route === route);
  if (canary?.phase !== 'promoted') throw new UserError(t('The canary of "{0}" has not finished its last stage; promote it first.', route));
  const before = services.configuration.settings.routes;
  if (targetsOf(before[route]?.canary).length === 0) throw new UserError(t('The canary of "{0}" is not in the settings; in the rules file, give the route the canary\'s `targets` and remove its `canary`.', route));
  let after = before;
  await services.configuration.changeRoutes(routes => (after = withCanaryAdopted(routes, route)));
  await offerUndo(t('The route "{0}" now has the targets of its canary: {1}.', route, targetsOf(after[route]).join(', ')), () => services.configuration.changeRoutes(now => undone(before, after, now)));
}

/** "Show Canary Report…". */
export async function canaryReport(services: CommandServices, target: CommandTarget, show: (route: string) => Promise<void>): Promise<void> {
  const route = await routeOf(services, target, t('Show Canary Report'), ['none', 'running', 'paused', 'rolled-back', 'promoted']);
  if (route !== undefined) await show(route);
}

async function actOn(services: CommandServices, action: CanaryAction, target: CommandTarget, phases: readonly CanaryPhase[]): Promise<void> {
  const route = await routeOf(services, target, { start: t('Start Canary'), status: t('Show Canary'), promote: t('Promote Canary'), pause: t('Pause Canary'), rollback: t('Roll Back Canary') }[action], phases);
  if (route !== undefined) await act(services, action, route);
}

function routeOf({ server }: CommandServices, target: CommandTarget, title: string, phases: readonly CanaryPhase[], none = t('No canary is there that this could be done with.')): Promise<string | undefined> {
  return routeWith(target, server.status?.canaries, phases, title, [none, { title: t('Start Canary…'), command: 'waybill.startCanary' }]);
}

async function act(services: CommandServices, action: CanaryAction, route: string): Promise<void> {
  const result = await services.server.canary({ action, route });
  if ('refused' in result) throw new UserError(result.refused);
  const message = result.canaries[0]?.message ?? '';
  void inform(t('Canary of "{0}": {1}', route, message), showReport).then(async pick => {
    if (pick === showReport) await vscode.commands.executeCommand('waybill.canaryReport', { route });
  });
}
