import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { NextStep } from '../base/errors.ts';
import { anonymousAccessSetting } from './chatAccess.ts';
import type { ChatHost, ChatStart } from './chatAccess.ts';

/** How long the editor may take to read its settings file again, in milliseconds. */
const readAgainMs = 5_000;

/** VS Code's own chat, as `ChatAccess` asks about it. */
export const editorChat: ChatHost = {
  setting: () => vscode.workspace.getConfiguration().get(anonymousAccessSetting),
  // Sessions are visible only to extensions that the user lets use the account; accounts show whether there is a sign-in.
  accountCount: async provider => (await vscode.authentication.getAccounts(provider)).length,
  commandIds: async () => vscode.commands.getCommands(true),
  allow: async () => {
    if (await updateRegistered() || await writeIntoFile()) return;
    throw new NextStep(
      t('The setting could not be written. Add "{0}": true to your user settings.', anonymousAccessSetting),
      { title: t('Open Settings'), command: 'workbench.action.openSettingsJson' },
    );
  },
  openChat,
  inform: async (message, ...buttons) => vscode.window.showInformationMessage(message, ...buttons),
  ask: async (message, detail, yes, no) => {
    const answer = await vscode.window.showInformationMessage(message, { modal: true, detail }, { title: yes }, { title: no, isCloseAffordance: true });
    return answer?.title ?? no;
  },
};

/** An editor that cannot choose a model for the user, or does not offer it yet, opens the chat as it is. */
async function openChat(start?: ChatStart): Promise<void> {
  if (start !== undefined) {
    const { modelId, prompt } = start;
    try {
      await vscode.commands.executeCommand('workbench.action.chat.open', { query: prompt, isPartialQuery: true, modelSelector: { vendor: 'waybill', id: modelId } });
      return;
    } catch {
      // The model is chosen by hand then.
    }
  }
  await vscode.commands.executeCommand('workbench.action.chat.open');
}

/** The usual way; VS Code refuses it for settings that it hides from its settings editor. */
async function updateRegistered(): Promise<boolean> {
  try {
    await vscode.workspace.getConfiguration().update(anonymousAccessSetting, true, vscode.ConfigurationTarget.Global);
    return await holds();
  } catch {
    return false;
  }
}

/**
 * Writes the line into settings.json through the editor, so that the file of the user's profile is found wherever it
 * is, and unsaved changes stay. The document's address cannot be used for that: of a remote file it is another document.
 */
async function writeIntoFile(): Promise<boolean> {
  const { withUserSetting } = await import('../connect/toolConnector.ts');
  const wasOpen = new Set(openTabs());
  await vscode.commands.executeCommand('workbench.action.openSettingsJson');
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.fileName.endsWith('settings.json') !== true) return false;
  const { document } = editor;
  const text = document.getText();
  const changed = withUserSetting(text, anonymousAccessSetting, true);
  const whole = new vscode.Range(document.positionAt(0), document.positionAt(text.length));
  if (changed === undefined || !await editor.edit(builder => { builder.replace(whole, changed); })) return false;
  await vscode.commands.executeCommand('workbench.action.files.save');
  const done = await holds();
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  if (done && activeTab !== undefined && !activeTab.isDirty && !wasOpen.has(activeTab)) await vscode.window.tabGroups.close(activeTab);
  return done;
}

function openTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs);
}

/** Whether the setting is on; waits until the editor has read it. */
async function holds(): Promise<boolean> {
  const isOn = (): boolean => editorChat.setting() === true;
  if (isOn()) return true;
  return new Promise<boolean>(resolve => {
    const finish = (): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(isOn());
    };
    const subscription = vscode.workspace.onDidChangeConfiguration(() => { if (isOn()) finish(); });
    const timer = setTimeout(finish, readAgainMs);
  });
}
