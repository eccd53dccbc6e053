import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { simulatedEndpoints, simulatedRouteSettings } from '../../../server/api/firstRun/simulated.ts';
import type { OfferedModel } from '../../../server/api/status.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { anonymousAccessSetting } from '../../chat/chatAccess.ts';
import { inform } from '../../base/toasts.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { endPause } from '../endpointCommands.ts';
import type { CommandServices } from '../services.ts';
import { routesWithoutSimulated, simulatedNames, simulatedRouteName, withoutSimulatedEndpoints, withSimulated } from './simulatedSettings.ts';

/** Which of the two settings were written, as `{}`, before the simulated providers came. */
const emptyBeforeKey = 'waybill.simulated.emptyBefore';
/** The chat was allowed to work without a sign-in on the way to the simulated providers. */
const allowedChatKey = 'waybill.simulated.allowedChat';
/** How long the server may take to start both, in milliseconds. */
const startMs = 20_000;
/** How long the first answer may take, in milliseconds: it is the user who asks. */
const answerMs = 10 * 60_000;

/**
 * "Try It Without Keys": two providers that the server plays, a route over both, and the chat with it. A second run changes
 * nothing and opens the chat again.
 */
export async function tryWithoutKeys(services: CommandServices, memory: vscode.Memento): Promise<void> {
  const { configuration, server, chatAccess } = services;
  const { endpoints, routes } = configuration.settings;
  if (withSimulated(endpoints) === undefined) {
    throw new UserError(t('A provider of your own is named {0}: rename it in the settings, then run this again.', Object.keys(simulatedEndpoints).join(', ')));
  }
  if (simulatedNames(endpoints).length === 0) await memory.update(emptyBeforeKey, configuration.emptySettings());
  const route = simulatedRouteName(routes);
  await configuration.changeEndpoints(all => withSimulated(all) ?? all);
  if (!route.exists) await configuration.changeRoutes(all => ({ ...all, [route.name]: simulatedRouteSettings }));
  const offered = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: t('Waybill: starting the simulated providers') }, () => isOffered(server, route.name));
  if (offered === undefined) throw new NextStep(t('The simulated providers did not start.'), { title: t('Show Log'), command: 'waybill.showLog' }, removeAction);
  const startedAt = Date.now();
  const asked = await chatAccess.state() === 'asks-for-sign-in';
  await chatAccess.openChat({ modelId: offered.id, prompt: t('Which provider answers this?') });
  if (asked && await chatAccess.state() === 'allowed') await memory.update(allowedChatKey, true);
  // A notification lies over the box of the chat, so it waits until there is an answer to speak of.
  if (!await isAnswered(server, route.name, startedAt) || simulatedNames(configuration.settings.endpoints).length === 0) return;
  const drill = t('Fire Drill…');
  const pick = await inform(t('A simulated provider answered, without a key and at no cost. Let it fail in a fire drill and ask again: the other one takes over.'), drill, removeAction.title);
  if (pick === drill) await vscode.commands.executeCommand('waybill.fireDrill', { endpoint: Object.keys(simulatedEndpoints)[0] });
  if (pick === removeAction.title) await vscode.commands.executeCommand(removeAction.command);
}

const removeAction = { title: t('Remove Simulated Providers'), command: 'waybill.removeSimulated' };

/** "Remove Simulated Providers": the settings are as they were without them. Fire drills end first. */
export async function removeSimulated(services: CommandServices, memory: vscode.Memento): Promise<void> {
  const { configuration, server, keys, chatAccess } = services;
  const names = simulatedNames(configuration.settings.endpoints);
  if (names.length === 0) throw new NextStep(t('There are no simulated providers.'), { title: t('Try It Without Keys'), command: 'waybill.tryWithoutKeys' });
  if (server.status?.drill?.running.some(drill => names.includes(drill.endpoint)) === true) await server.stopDrills();
  const keptEmpty = memory.get<{ endpoints?: boolean; routes?: boolean }>(emptyBeforeKey) ?? {};
  await configuration.changeRoutes(all => kept(routesWithoutSimulated(all, names), keptEmpty.routes));
  for (const name of names) await endPause(services, name);
  await configuration.changeEndpoints(all => kept(withoutSimulatedEndpoints(all), keptEmpty.endpoints));
  for (const name of names) await keys.removeAll(name);
  await memory.update(emptyBeforeKey, undefined);
  const none = Object.keys(configuration.settings.endpoints).length === 0;
  const [add, importKeys] = [t('Add Provider…'), t('Import Keys…')];
  const chat = none && memory.get(allowedChatKey) === true && await chatAccess.state() === 'allowed'
    ? [t('The setting "{0}" that you allowed for the chat is still there: take it out of the settings if you do not want it.', anonymousAccessSetting)] : [];
  await memory.update(allowedChatKey, undefined);
  const pick = await inform([t('The simulated providers and their route are removed. Their requests stay in the records, marked as simulated.'), ...chat].join(' '), ...(none ? [add, importKeys] : []));
  if (pick === add) await vscode.commands.executeCommand('waybill.addProvider');
  if (pick === importKeys) await vscode.commands.executeCommand('waybill.importKeys');
}

/** Undefined takes the setting out of the file. */
function kept<Entries extends object>(entries: Entries, wasEmpty = false): Entries | undefined {
  return Object.keys(entries).length === 0 && !wasEmpty ? undefined : entries;
}

/** The route as the server offers it; undefined when it does not in time. */
async function isOffered(server: WaybillServer, route: string): Promise<OfferedModel | undefined> {
  const find = (): OfferedModel | undefined => server.status?.offered.find(one => one.kind === 'route' && one.requestedModel === route);
  await becomes(server, startMs, () => find() !== undefined);
  return find();
}

/** Whether the route answers a request in time that began at a moment or later, in milliseconds since the epoch. */
function isAnswered(server: WaybillServer, route: string, fromMs: number): Promise<boolean> {
  let seen: number | undefined;
  return becomes(server, answerMs, async () => {
    const revision = server.status?.ledgerRevision;
    if (revision === seen) return false;
    seen = revision;
    const found = await server.findRequests({ filter: { route, outcome: 'ok', fromMs }, limit: 1 });
    return 'requests' in found && found.requests.length > 0;
  });
}

/** Whether it holds before the time is over. Looks at each status of the server; a look that fails says no. */
async function becomes(server: WaybillServer, withinMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  return new Promise(resolve => {
    const finish = (held: boolean): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(held);
    };
    const look = async (): Promise<void> => {
      if (await holds()) finish(true);
    };
    const lookQuietly = (): void => { look().catch(() => undefined); };
    const timer = setTimeout(() => { finish(false); }, withinMs);
    const subscription = server.onDidChangeStatus(lookQuietly);
    lookQuietly();
  });
}
