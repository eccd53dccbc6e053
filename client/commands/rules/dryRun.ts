import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { DryRunReport } from '../../../server/api/rules/dryRun.ts';
import { UserError } from '../../base/errors.ts';
import type { CommandTarget } from '../commandTable.ts';
import type { CommandServices } from '../services.ts';
import { rulesSelector } from './rulesDocuments.ts';

const largestFileBytes = 2_000_000;

/** "Dry Run Over Yesterday": the file in front, as it is in the editor, saved or not; else one that is chosen. */
export async function dryRun({ server }: CommandServices, { days = 1 }: CommandTarget, show: (report: DryRunReport) => Promise<void>): Promise<void> {
  const file = rulesInFront() ?? await chosenRules();
  if (file === undefined) return;
  const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Trying the rules on recorded requests…'), cancellable: true }, async (_progress, token) => {
    try {
      return await server.dryRun({ ...file, days }, token);
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    }
  });
  if (result === undefined) return;
  if ('refused' in result) throw new UserError(result.refused);
  await show(result.report);
}

interface Rules { text: string; file: string }

function rulesInFront(): Rules | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document === undefined || vscode.languages.match(rulesSelector, document) === 0 ? undefined : { text: document.getText(), file: nameOf(document.uri) };
}

async function chosenRules(): Promise<Rules | undefined> {
  const [uri] = await vscode.window.showOpenDialog({ title: t('Choose the Rules to Try'), openLabel: t('Try'), filters: { YAML: ['yaml', 'yml'] } }) ?? [];
  if (uri === undefined) return undefined;
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > largestFileBytes) throw new UserError(t('The file is larger than 2 MB: choose a Waybill configuration.'));
  const open = vscode.workspace.textDocuments.find(document => document.uri.toString() === uri.toString());
  return { text: open?.getText() ?? new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)), file: nameOf(uri) };
}

function nameOf(uri: vscode.Uri): string {
  return uri.path.split('/').at(-1) ?? 'waybill.yaml';
}
