import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ShownChange } from '../connect/toolConnector.ts';
import { inform } from '../base/toasts.ts';

const scheme = 'waybill-change';
const shownContext = 'waybill.changeShown';

/**
 * Shows changes of files as diffs and asks whether to make them. The question is in a notification and in the title
 * of the diff, so that nothing covers what is asked about; closing the diff says no. The documents are made up: nothing
 * is written, and whatever is secret was taken out of them before.
 */
export class ShownChanges {
  #answer: ((yes: boolean) => void) | undefined;
  #times = 0;

  /** "Write This Change" and "Discard This Change": the answer to what is shown now, if anything is. */
  answer(yes: boolean): void {
    this.#answer?.(yes);
  }

  /** @param doing what saying yes does, such as `Write ~/.codex/config.toml`, and the word of it that is on the button */
  async agreed(title: string, changes: readonly ShownChange[], { verb, what }: { verb: string; what: string }): Promise<boolean> {
    this.answer(false);
    // The editor may still hold what was shown of the same file before.
    const time = String(++this.#times);
    const texts = new Map<string, string>();
    const documents = changes.map(({ file, before, after }) => {
      const uriOf = (side: 'now' | 'then', text: string): vscode.Uri => {
        // The file's own path is what the editor shows, and colours it by.
        const uri = vscode.Uri.file(file).with({ scheme, query: `${side}-${time}` });
        texts.set(uri.toString(), text);
        return uri;
      };
      return { file: vscode.Uri.file(file), now: uriOf('now', before), then: uriOf('then', after) };
    });
    const provider = vscode.workspace.registerTextDocumentContentProvider(scheme, { provideTextDocumentContent: uri => texts.get(uri.toString()) ?? '' });
    // Asked at once: the diff takes a while to be drawn, and the way to agree belongs to it.
    const question = this.#ask(title, verb, documents.length > 0 ? t('{0}: {1}? Tokens and keys are hidden in what you see.', title, what) : t('{0}: {1}? Its configuration needs no change.', title, what));
    try {
      await Promise.all([showDiff(title, documents), vscode.commands.executeCommand('setContext', shownContext, true)]);
      return await question.answer;
    } finally {
      question.settle(false);
      await vscode.commands.executeCommand('setContext', shownContext, false);
      const tabs = tabsOf(title);
      if (tabs.length > 0) await vscode.window.tabGroups.close(tabs);
      provider.dispose();
    }
  }

  /** The buttons of the notification, the title of the diff and its closing all answer; the first answer holds. */
  #ask(title: string, verb: string, message: string): { answer: Promise<boolean>; settle(yes: boolean): void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let settled = false;
    let answeredInToast = false;
    const closing = vscode.window.tabGroups.onDidChangeTabs(({ closed }) => { if (closed.some(tab => isOurs(tab, title))) settle(false); });
    const settle = (yes: boolean): void => {
      if (settled) return;
      settled = true;
      closing.dispose();
      if (this.#answer === settle) this.#answer = undefined;
      // A question that was answered elsewhere does not stay in sight.
      if (!answeredInToast) void vscode.commands.executeCommand('notifications.hideToasts');
      resolve(yes);
    };
    this.#answer = settle;
    void inform(message, verb, t('Cancel')).then(async pick => {
      answeredInToast = true;
      if (settled && pick === verb) await inform(t('This change is not shown any more, and nothing was written: run the command again.'));
      else settle(pick === verb);
    });
    return { answer: promise, settle };
  }
}

interface DiffDocument { file: vscode.Uri; now: vscode.Uri; then: vscode.Uri }

async function showDiff(title: string, documents: readonly DiffDocument[]): Promise<void> {
  const [first] = documents;
  if (first !== undefined && documents.length === 1) await vscode.commands.executeCommand('vscode.diff', first.now, first.then, title, { preview: false });
  else if (first !== undefined) await vscode.commands.executeCommand('vscode.changes', title, documents.map(({ file, now, then }) => [file, now, then]));
}

function tabsOf(title: string): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs).filter(tab => isOurs(tab, title));
}

function isOurs({ input, label }: vscode.Tab, title: string): boolean {
  if (input instanceof vscode.TabInputTextDiff) return input.modified.scheme === scheme;
  // Of an editor of several diffs an extension sees little more than its label, which the editor adds a count to.
  return label.startsWith(title);
}
