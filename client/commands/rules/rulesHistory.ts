import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { RuleVersion, RuleVersionResult } from '../../../server/api/rules/rulesHistory.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import { countOf, formatMoment } from '../../base/figures.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandServices } from '../services.ts';

/** Shows a version beside what is there now. */
export type Compare = (title: string, name: string, version: string, now: string) => Promise<void>;

const goBack = t('Return to This Version');
const largestFileBytes = 2_000_000;

interface VersionItem extends vscode.QuickPickItem { version: RuleVersion }
interface Choice { version: RuleVersion; action: 'compare' | 'return' }

/** "Rules History…": the last versions of the rules; one is compared with what is there now, or returned to with one click. */
export async function rulesHistory(services: CommandServices, compare: Compare): Promise<void> {
  const versions = await services.server.ruleVersions();
  if (versions.length === 0) throw new NextStep(t('No version of the rules is kept yet: the first one is kept as soon as there is a route.'), { title: t('New Route…'), command: 'waybill.newRoute' });
  const choice = await chosen(versions);
  if (choice === undefined) return;
  const { version, action } = choice;
  if (action === 'return') return returnTo(services, version);
  const read = await readVersion(services, version);
  if (read.text === read.now) return void inform(t('The rules of {0} are those of now: there is nothing to compare.', timeText(version.at)));
  const name = version.file === undefined ? 'settings.json' : nameOf(version.file);
  await compare(t('Rules of {0} ↔ now ({1})', timeText(version.at), name), name, read.text, read.now);
  void inform(t('These are the rules of {0} beside those of now.', timeText(version.at)), goBack).then(pick => (pick === goBack ? returnTo(services, version) : undefined)).catch((error: unknown) => {
    void vscode.window.showWarningMessage(error instanceof Error ? error.message : String(error));
  });
}

function chosen(versions: readonly RuleVersion[]): Promise<Choice | undefined> {
  const pick = vscode.window.createQuickPick<VersionItem>();
  const back: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('discard'), tooltip: goBack };
  pick.title = t('Rules History');
  pick.placeholder = t('Choose a version to compare it with now; its button returns to it');
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  pick.items = versions.map(version => ({
    version, label: timeText(version.at), description: version.file ?? 'settings',
    detail: [countOf(version.routes, 'route'), ...(version.latest ? [t('in use')] : [])].join(', '), buttons: version.latest ? [] : [back],
  }));
  return new Promise((resolve) => {
    const finish = (choice: Choice | undefined): void => {
      resolve(choice);
      pick.dispose();
    };
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      finish(item === undefined ? undefined : { version: item.version, action: 'compare' });
    });
    pick.onDidTriggerItemButton(({ item }) => { finish({ version: item.version, action: 'return' }); });
    pick.onDidHide(() => { finish(undefined); });
    pick.show();
  });
}

async function returnTo(services: CommandServices, version: RuleVersion): Promise<void> {
  const read = await readVersion(services, version);
  if (read.kind === 'settings') await services.configuration.replaceRules(read.settings);
  else await writeFile(vscode.Uri.file(version.file ?? ''), read.file);
  void inform(t('The rules of {0} hold again. Those from before are in Rules History too.', timeText(version.at)));
}

async function readVersion({ server }: CommandServices, { id, file }: RuleVersion): Promise<Exclude<RuleVersionResult, { refused: string }>> {
  const result = await server.ruleVersion({ id, fileNow: file === undefined ? undefined : await textOf(vscode.Uri.file(file)) });
  if ('refused' in result) throw new UserError(result.refused);
  return result;
}

/** The file as it is in the editor, else on disk; undefined where it is gone. */
async function textOf(uri: vscode.Uri): Promise<string | undefined> {
  const open = vscode.workspace.textDocuments.find(document => document.uri.toString() === uri.toString());
  if (open !== undefined) return open.getText();
  try {
    if ((await vscode.workspace.fs.stat(uri)).size > largestFileBytes) throw new UserError(t('{0} is larger than 2 MB: correct it first.', uri.fsPath));
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return undefined;
  }
}

/** Through the editor, so that it can be undone there. */
async function writeFile(uri: vscode.Uri, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true });
  await vscode.workspace.applyEdit(edit);
  const document = await vscode.workspace.openTextDocument(uri);
  const whole = new vscode.WorkspaceEdit();
  whole.replace(uri, new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length)), text);
  if (!await vscode.workspace.applyEdit(whole) || !await document.save()) throw new UserError(t('{0} cannot be written; check its permissions.', uri.fsPath));
}

function nameOf(file: string): string {
  return file.split(/[\\/]/).at(-1) ?? file;
}

function timeText(at: number): string {
  return formatMoment(at, { locale: currentLanguage() });
}
