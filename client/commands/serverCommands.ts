import * as vscode from 'vscode';
import { UserError } from '../base/errors.ts';
import type { HttpStatus } from '../../server/api/status.ts';
import type { CommandServices } from './services.ts';

/** "Restart Server". */
export async function restartServer(services: CommandServices): Promise<void> {
  await vscode.window.withProgress({ location: { viewId: 'switchyard.providers' } }, () => services.server.restart());
}

/** Opens the user's settings.json at the providers; problems of the configuration are mended there. */
export async function openSettingsFile(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettingsJson', { revealSetting: { key: 'switchyard.endpoints' } });
}

/** "Copy Local Endpoint URL": for other tools on this machine. */
export async function copyLocalEndpointUrl(services: CommandServices): Promise<void> {
  const url = localEndpoint(services).url;
  if (url === undefined) throw new UserError('The local endpoint has no address yet: try again in a moment.');
  await vscode.env.clipboard.writeText(url);
  void vscode.window.setStatusBarMessage(`Copied ${url}`, 5_000);
}

/** "Copy Local Endpoint Token…": warns first, since whoever has it can spend. */
export async function copyLocalEndpointToken(services: CommandServices): Promise<void> {
  const { tokenFile } = localEndpoint(services);
  if (tokenFile === undefined) throw new UserError('The local endpoint has no token yet: try again in a moment.');
  const copy = 'Copy Token';
  const pick = await vscode.window.showWarningMessage(
    'Copy the token of the local endpoint?',
    { modal: true, detail: 'Any program on this machine that has it can send requests with your keys, at your cost. Give it only to tools you trust.' }, copy,
  );
  if (pick !== copy) return;
  const token = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(tokenFile))).trim();
  await vscode.env.clipboard.writeText(token);
  void vscode.window.setStatusBarMessage('Copied the token of the local endpoint', 5_000);
}

/** The local endpoint as it is open. @throws UserError with what to do when it is not */
export function localEndpoint(services: CommandServices): HttpStatus {
  const http = services.server.status?.http;
  if (http === undefined) throw new UserError('Switchyard is still starting: try again in a moment.');
  if (http.state === 'off') throw new UserError('The local endpoint is switched off. Turn "switchyard.localEndpoint.enabled" on in the settings.');
  if (http.state === 'failed') throw new UserError(http.message ?? 'The local endpoint could not be opened: see "Switchyard: Show Log".');
  return http;
}
