import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { HttpStatus } from '../../server/api/status.ts';
import { UserError } from '../base/errors.ts';
import { endpointOpen, portProblem } from '../status/localEndpoint.ts';
import { inform } from '../base/toasts.ts';
import { askText, valueOf } from './input/quickInput.ts';
import type { CommandServices } from './services.ts';

/** "Copy Local Endpoint URL": for other tools on this machine. */
export async function copyLocalEndpointUrl(services: CommandServices): Promise<void> {
  const { url } = await localEndpoint(services);
  await vscode.env.clipboard.writeText(url);
  void vscode.window.setStatusBarMessage(t('Copied {0}', url), 5_000);
}

/** "Copy Local Endpoint Token…": warns first, since whoever has it can spend. */
export async function copyLocalEndpointToken(services: CommandServices): Promise<void> {
  const { tokenFile } = await localEndpoint(services);
  if (tokenFile === undefined) throw new UserError(t('The local endpoint has no token yet: try again in a moment.'));
  const copy = t('Copy Token');
  const pick = await vscode.window.showWarningMessage(
    t('Copy the token of the local endpoint?'),
    { modal: true, detail: t('Any program on this machine that has it can send requests with your keys, at your cost. Give it only to tools you trust.') }, copy,
  );
  if (pick !== copy) return;
  const token = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(tokenFile))).trim();
  await vscode.env.clipboard.writeText(token);
  void vscode.window.setStatusBarMessage(t('Copied the token of the local endpoint'), 5_000);
}

/** "Choose Another Port…": for the local endpoint; tools that were connected before have to be connected again. */
export async function chooseLocalEndpointPort(services: CommandServices): Promise<void> {
  const { port } = services.configuration.settings.localEndpoint;
  const chosen = valueOf(await askText({
    title: t('Choose Another Port'), placeholder: t('Port'), prompt: t('The port of the local endpoint on this machine, now {0}', port), value: String(port < 65_535 ? port + 1 : 7717), problem: portProblem,
  }));
  if (chosen === undefined || Number(chosen) === port) return;
  await vscode.workspace.getConfiguration('waybill').update('localEndpoint.port', Number(chosen), vscode.ConfigurationTarget.Global);
  const tools = await services.server.connectedTools();
  const connect = t('Connect a Tool…');
  const pick = await inform(
    tools.length === 0 ? t('The local endpoint moves to port {0}.', chosen)
      : tools.length === 1 ? t('The local endpoint moves to port {0}. {1} still points to port {2}: connect again.', chosen, tools.join(', '), port)
      : t('The local endpoint moves to port {0}. {1} still point to port {2}: connect again.', chosen, tools.join(', '), port),
    ...(tools.length === 0 ? [] : [connect]),
  );
  if (pick === connect) await vscode.commands.executeCommand('waybill.connectTool');
}

/** "Try the Local Endpoint Again": listens if the port is free by now. @throws NextStep while it is not */
export async function retryLocalEndpoint(services: CommandServices): Promise<void> {
  const { url } = await localEndpoint(services);
  const copy = t('Copy URL');
  if (await inform(t('The local endpoint is open at {0}.', url), copy) === copy) await vscode.env.clipboard.writeText(url);
}

/**
 * The local endpoint, where a Waybill has just been found at its address.
 * @throws NextStep or UserError with what to do when there is none
 */
export async function localEndpoint(services: CommandServices): Promise<HttpStatus & { url: string }> {
  return endpointOpen(await services.server.retryEndpoint());
}
