import * as vscode from 'vscode';
import type { CommandServices } from './services.ts';

/** "Restart Server". */
export async function restartServer(services: CommandServices): Promise<void> {
  await vscode.window.withProgress({ location: { viewId: 'waybill.providers' } }, () => services.server.restart());
}

/** Opens the user's settings.json at the providers; problems of the configuration are mended there. */
export async function openSettingsFile(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettingsJson', { revealSetting: { key: 'waybill.endpoints' } });
}
