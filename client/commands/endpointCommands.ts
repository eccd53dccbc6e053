import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { count } from '../base/format.ts';
import { NextStep } from '../base/errors.ts';
import type { StoredKey } from '../keys/keyList.ts';
import type { Endpoints, Routes } from '../settings/settingsEdits.ts';
import { routesWithoutEndpoint, withEnabled, withEndpoint, withoutEndpoint } from '../settings/settingsEdits.ts';
import { inform, warn } from '../base/toasts.ts';
import { checkResult } from '../views/providers/checkResult.ts';
import type { CommandTarget } from './commandTable.ts';
import { chooseEndpoint } from './input/pickers.ts';
import { removalConsequences, undone, withTargetsBack } from './removal.ts';
import type { CommandServices } from './services.ts';
import { testWithProgress } from './testing.ts';
import { offerUndo } from './undo.ts';

/** "Test Provider…": tries every key of an endpoint. */
export async function testProvider(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, t('Test Provider'));
  if (endpoint === undefined) return;
  const { name, settings } = endpoint;
  const { ok, message, baseUrl, failureClass } = await testWithProgress(services.server, { name, settings });
  const [replace, useAddress] = [t('Replace Key…'), t('Use This Address')];
  const buttons = [...(baseUrl === undefined ? [] : [useAddress]), ...(failureClass === 'auth' ? [replace] : [])];
  // What the test proved closes the breaker as well.
  if (ok) await services.server.probe({ endpoint: name });
  const pick = ok ? await inform(message, ...buttons) : await warn(message, ...buttons);
  if (pick === replace) await vscode.commands.executeCommand('waybill.replaceKey', { endpoint: name });
  if (pick === useAddress && baseUrl !== undefined) {
    await services.configuration.changeEndpoints(all => withEndpoint(all, name, { ...all[name] ?? settings, baseUrl }));
  }
}

/** "Remove Provider…": asks, then removes the endpoint, its place in every route, and its keys; all of it can be undone. */
export async function removeProvider(services: CommandServices, target: CommandTarget): Promise<void> {
  const { configuration, keys } = services;
  const endpoint = await chooseEndpoint(services, target, t('Remove Provider'));
  if (endpoint === undefined) return;
  const { name } = endpoint;
  const stored = await keys.stored(name).catch((): StoredKey[] | undefined => undefined);
  const remove = t('Remove');
  const detail = removalConsequences(name, configuration.settings.routes, stored?.length).join('\n');
  const pick = await vscode.window.showWarningMessage(t('Remove the provider "{0}"?', name), { modal: true, detail }, remove);
  if (pick !== remove) return;
  const routes = changeOf<Routes>(all => routesWithoutEndpoint(all, name));
  const endpoints = changeOf<Endpoints>(all => withoutEndpoint(all, name));
  await configuration.changeRoutes(routes.apply);
  const wasPaused = await endPause(services, name);
  await configuration.changeEndpoints(endpoints.apply);
  await keys.removeAll(name);
  await offerUndo(removedText(name, stored !== undefined, wasPaused), async () => {
    if (configuration.settings.endpoints[name] !== undefined) throw new NextStep(t('There is a provider "{0}" again: nothing was put back.', name));
    for (const [index, key] of (stored ?? []).entries()) await keys.restore(name, key, index);
    await configuration.changeEndpoints(now => undone(endpoints.before, endpoints.after, now));
    await configuration.changeRoutes(now => undone(routes.before, routes.after, now, withTargetsBack(name)));
  });
}

function removedText(name: string, keysComeBack: boolean, wasPaused: boolean): string {
  if (keysComeBack) return wasPaused ? t('Removed {0}. Undo brings it back without its pause.', name) : t('Removed {0}.', name);
  return wasPaused ? t('Removed {0}. Undo brings it back without its keys and its pause.', name) : t('Removed {0}. Undo brings it back without its keys.', name);
}

/**
 * Ends the pause of an endpoint that is about to be removed: a later one of its name is not meant by it.
 * @returns whether it was paused
 */
export async function endPause({ server }: Pick<CommandServices, 'server'>, endpoint: string): Promise<boolean> {
  // A server that does not answer must not keep the endpoint from being removed.
  const result = await server.endpoint({ action: 'resume', endpoint }).catch(() => undefined);
  return result !== undefined && !('refused' in result);
}

/** A change of entries that remembers what they were before and after it. */
function changeOf<Entries extends Endpoints | Routes>(change: (entries: Entries) => Entries): { apply(entries: Entries): Entries; before: Entries; after: Entries } {
  const remembered = {
    before: {} as Entries,
    after: {} as Entries,
    apply(entries: Entries): Entries {
      const changed = change(entries);
      // The same object says that there is nothing to write.
      Object.assign(remembered, { before: entries, after: isDeepStrictEqual(changed, entries) ? entries : changed });
      return remembered.after;
    },
  };
  return remembered;
}

/** "Enable Provider…" and "Disable Provider…". */
export async function setEnabled(services: CommandServices, target: CommandTarget, enabled: boolean): Promise<void> {
  const endpoint = await chooseEndpoint(
    services, target, enabled ? t('Enable Provider') : t('Disable Provider'), settings => (settings.enabled ?? true) !== enabled,
    enabled ? t('No provider can be chosen for this: all are enabled.') : t('No provider can be chosen for this: none is enabled.'),
  );
  if (endpoint === undefined) return;
  await services.configuration.changeEndpoints(all => {
    const written = all[endpoint.name];
    return written === undefined ? all : withEndpoint(all, endpoint.name, withEnabled(written, enabled));
  });
}

/** "Check Health Now": asks one endpoint, or all that are enabled, and says in one sentence what was found. */
export async function checkHealth(services: CommandServices, target: CommandTarget): Promise<void> {
  const { server } = services;
  const names = target.endpoint === undefined ? (server.status?.endpoints ?? []).filter(endpoint => endpoint.enabled).map(endpoint => endpoint.name) : [target.endpoint];
  const found = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: names.length === 1 ? t('Checking {0}…', names[0] ?? '') : t('Checking {0}…', count(names.length, 'provider')) },
    async progress => {
      let done = 0;
      return (await Promise.all(names.map(async endpoint => {
        const report = await server.probe({ endpoint });
        progress.report({ message: t('{0} of {1}', ++done, names.length), increment: 100 / names.length });
        return report;
      }))).flat();
    },
  );
  const { text, allUp, action } = checkResult(found, Date.now());
  const show = allUp ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  const pick = await show(text, ...(action === undefined ? [] : [action.title]));
  if (pick !== undefined && action !== undefined) await vscode.commands.executeCommand(action.command, { endpoint: action.endpoint });
}
