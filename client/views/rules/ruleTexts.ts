import * as vscode from 'vscode';

const scheme = 'waybill-rules';

/** Texts of versions of the rules, as read-only documents that the diff editor can show. */
export class RuleTexts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #subscriptions = [
    vscode.workspace.registerTextDocumentContentProvider(scheme, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => { if (uri.scheme === scheme) this.#texts.delete(uri.toString()); }),
  ];

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  /** Shows what differs between a version and what is there now. */
  async compare(title: string, name: string, version: string, now: string): Promise<void> {
    const [left, right] = [this.#document(`version/${name}`, version), this.#document(`now/${name}`, now)];
    await vscode.commands.executeCommand('vscode.diff', left, right, title);
  }

  #document(path: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme, path: `/${path}` });
    this.#texts.set(uri.toString(), text);
    this.#changed.fire(uri);
    return uri;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}
