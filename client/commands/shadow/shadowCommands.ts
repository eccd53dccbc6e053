import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ShadowAction, ShadowPhase } from '../../../server/api/shadow.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { targetsOf } from '../../settings/settingsEdits.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askTarget } from '../routes/askTarget.ts';
import { askRoute } from '../routes/firstRoute.ts';
import { routeWith, untilKnown } from '../routes/runningPolicy.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { formatMicroUsd } from '../../base/money.ts';

const showReport = t('Show Report');
const shares = [5, 10, 25, 100];
const budgets = [0.5, 1, 5, 20];

/** "Start Shadow…": a route; where it has no shadow yet, what to try, how much of the requests, and for how much money; then it runs. */
export async function startShadow(services: CommandServices, target: CommandTarget): Promise<void> {
  const { routes } = services.configuration.settings;
  if (Object.keys(routes).length === 0) throw new NextStep(t('A shadow needs a route first.'), { title: t('New Route…'), command: 'waybill.newRoute' });
  const route = target.route ?? await askRoute(Object.keys(routes), t('Start Shadow'), t('Choose the route whose requests should also go to another model'));
  if (route === undefined) return;
  if (routes[route]?.shadow === undefined) {
    const title = t('Start Shadow of "{0}"', route);
    const entry = await askTarget(services, targetsOf(routes[route]), { title, step: 1, totalSteps: 3, placeholder: t('Choose the model to compare with; callers get nothing of its answers') });
    if (entry === undefined) return;
    const share = valueOf(await askChoice<number>({
      title, step: 2, totalSteps: 3, placeholder: t('How much of the requests should be sent there too?'),
      items: shares.map(value => ({ label: `${String(value)} %`, value })),
    }));
    if (share === undefined) return;
    const budgetUsd = valueOf(await askChoice<number>({
      title, step: 3, totalSteps: 3, placeholder: t('What may that cost a day? When it is used up, nothing is mirrored until midnight'),
      items: budgets.map(value => ({ label: formatMicroUsd(value * 1_000_000), value })),
    }));
    if (budgetUsd === undefined) return;
    await services.configuration.changeRoutes(now => ({ ...now, [route]: { ...now[route] ?? { targets: [] }, shadow: { target: entry, share, budgetUsd } } }));
    await untilKnown(services, () => services.server.status?.shadows?.some(known => known.route === route) === true);
  }
  await act(services, 'start', route);
}

/** "Stop Shadow…": nothing more is mirrored; what was found out stays. */
export async function stopShadow(services: CommandServices, target: CommandTarget): Promise<void> {
  const route = await routeOf(services, target, t('Stop Shadow'), ['running']);
  if (route !== undefined) await act(services, 'stop', route);
}

/** "Show Shadow Report…". */
export async function shadowReport(services: CommandServices, target: CommandTarget, show: (route: string) => Promise<void>): Promise<void> {
  const route = await routeOf(services, target, t('Show Shadow Report'), ['none', 'running', 'stopped']);
  if (route !== undefined) await show(route);
}

function routeOf({ server }: CommandServices, target: CommandTarget, title: string, phases: readonly ShadowPhase[]): Promise<string | undefined> {
  return routeWith(target, server.status?.shadows, phases, title, [t('No shadow is there that this could be done with.'), { title: t('Start Shadow…'), command: 'waybill.startShadow' }]);
}

async function act(services: CommandServices, action: ShadowAction, route: string): Promise<void> {
  const result = await services.server.shadow({ action, route });
  if ('refused' in result) throw new UserError(result.refused);
  const message = action === 'stop' ? t('Stopped; requests are no longer mirrored.') : result.shadows[0] === undefined ? t('Requests are mirrored. The report says when there is enough to judge by.') : t('Requests are mirrored to {0}. The report says when there is enough to judge by.', result.shadows[0].target);
  void inform(t('Shadow of "{0}": {1}', route, message), showReport).then(async pick => {
    if (pick === showReport) await vscode.commands.executeCommand('waybill.shadowReport', { route });
  });
}
