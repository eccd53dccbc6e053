import * as vscode from 'vscode';
import type { ShownChange } from '../connect/toolConnector.ts';

const scheme = 'switchyard-change';
const shownContext = 'switchyard.changeShown';

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

  /** @param doing what saying yes does, such as `Write ~/.codex/config.toml` */
  async agreed(title: string, changes: readonly ShownChange[], doing: string): Promise<boolean> {
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
    try {
      const [first] = documents;
      if (first !== undefined && documents.length === 1) await vscode.commands.executeCommand('vscode.diff', first.now, first.then, title, { preview: false });
      else if (first !== undefined) await vscode.commands.executeCommand('vscode.changes', title, documents.map(({ file, now, then }) => [file, now, then]));
      await vscode.commands.executeCommand('setContext', shownContext, true);
      return await this.#asked(title, documents.length > 0, doing);
    } finally {
      await vscode.commands.executeCommand('setContext', shownContext, false);
      const tabs = tabsOf(title);
      if (tabs.length > 0) await vscode.window.tabGroups.close(tabs);
      provider.dispose();
    }
  }

  #asked(title: string, hasDiff: boolean, doing: string): Promise<boolean> {
    // A notification of progress stays until it is answered, and goes when the answer is given elsewhere.
    const place = { location: vscode.ProgressLocation.Notification, title: hasDiff ? 'The change, with tokens and keys hidden' : 'Its configuration needs no change', cancellable: true };
    return Promise.resolve(vscode.window.withProgress(place, async (progress, token) => {
      progress.report({ message: `[${doing}](command:switchyard.writeChange)` });
      const subscriptions: vscode.Disposable[] = [];
      try {
        return await new Promise<boolean>(resolve => {
          this.#answer = resolve;
          subscriptions.push(
            token.onCancellationRequested(() => { resolve(false); }),
            vscode.window.tabGroups.onDidChangeTabs(({ closed }) => { if (closed.some(tab => isOurs(tab, title))) resolve(false); }),
          );
        });
      } finally {
        this.#answer = undefined;
        for (const subscription of subscriptions) subscription.dispose();
      }
    }));
  }
}

function tabsOf(title: string): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap(group => group.tabs).filter(tab => isOurs(tab, title));
}

function isOurs({ input, label }: vscode.Tab, title: string): boolean {
  if (input instanceof vscode.TabInputTextDiff) return input.modified.scheme === scheme;
  // Of an editor of several diffs an extension sees little more than its label, which the editor adds a count to.
  return label.startsWith(title);
}
