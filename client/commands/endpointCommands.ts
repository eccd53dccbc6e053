import * as vscode from 'vscode';
import { count } from '../base/format.ts';
import { partsOfTarget, routesWithoutEndpoint, targetsOf, withEnabled, withEndpoint, withoutEndpoint } from '../settingsEdits.ts';
import { checkResult } from '../views/checkResult.ts';
import type { CommandTarget } from './commandTable.ts';
import { chooseEndpoint } from './pickers.ts';
import type { CommandServices } from './services.ts';
import { testWithProgress } from './testing.ts';

/** "Test Provider…": tries every key of an endpoint. */
export async function testProvider(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, 'Test Provider');
  if (endpoint === undefined) return;
  const result = await testWithProgress(services.server, { name: endpoint.name, settings: endpoint.settings });
  if (result.ok) {
    void vscode.window.showInformationMessage(`${endpoint.name}: ${result.message}`);
    // What the test proved closes the breaker as well.
    await services.server.probe({ endpoint: endpoint.name });
    return;
  }
  const replace = 'Replace Key…';
  const pick = await vscode.window.showWarningMessage(`${endpoint.name}: ${result.message}`, ...(result.failureClass === 'auth' ? [replace] : []));
  if (pick === replace) await vscode.commands.executeCommand('switchyard.replaceKey', { endpoint: endpoint.name });
}

/** "Remove Provider…": asks, then removes the endpoint, its place in every route, and its keys. */
export async function removeProvider(services: CommandServices, target: CommandTarget): Promise<void> {
  const endpoint = await chooseEndpoint(services, target, 'Remove Provider');
  if (endpoint === undefined) return;
  const keys = await services.keys.list(endpoint.name).catch(() => []);
  const routes = Object.entries(services.configuration.settings.routes)
    .filter(([, route]) => targetsOf(route).some(entry => partsOfTarget(entry)?.endpoint === endpoint.name)).map(([name]) => name);
  const consequences = [
    keys.length === 0 ? undefined : `${count(keys.length, 'key')} will be deleted from the secret store.`,
    routes.length === 0 ? undefined : `It is also taken out of ${routes.length === 1 ? 'the route' : 'the routes'} ${routes.map(name => `"${name}"`).join(', ')}.`,
    'What it cost so far stays in the records.',
  ].filter(line => line !== undefined);
  const remove = 'Remove';
  const pick = await vscode.window.showWarningMessage(`Remove the provider "${endpoint.name}"?`, { modal: true, detail: consequences.join('\n') }, remove);
  if (pick !== remove) return;
  if (routes.length > 0) await services.configuration.changeRoutes(all => routesWithoutEndpoint(all, endpoint.name));
  await services.configuration.changeEndpoints(all => withoutEndpoint(all, endpoint.name));
  await services.keys.removeAll(endpoint.name);
}

/** "Enable Provider…" and "Disable Provider…". */
export async function setEnabled(services: CommandServices, target: CommandTarget, enabled: boolean): Promise<void> {
  const endpoint = await chooseEndpoint(
    services, target, enabled ? 'Enable Provider' : 'Disable Provider', settings => (settings.enabled ?? true) !== enabled,
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
    { location: vscode.ProgressLocation.Notification, title: names.length === 1 ? `Checking ${names[0] ?? ''}…` : `Checking ${count(names.length, 'provider')}…` },
    async progress => {
      let done = 0;
      return (await Promise.all(names.map(async endpoint => {
        const report = await server.probe({ endpoint });
        progress.report({ message: `${String(++done)} of ${String(names.length)}`, increment: 100 / names.length });
        return report;
      }))).flat();
    },
  );
  const { text, allUp, action } = checkResult(found, Date.now());
  const show = allUp ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  const pick = await show(text, ...(action === undefined ? [] : [action.title]));
  if (pick !== undefined && action !== undefined) await vscode.commands.executeCommand(action.command, { endpoint: action.endpoint });
}
