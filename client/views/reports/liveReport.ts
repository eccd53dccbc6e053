import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';

/** What a live report is of. */
export interface LiveReportOptions {
  /** Of the documents' addresses; one for each kind of report. */
  scheme: string;
  /** Begins the names of the documents, such as `Canary`. */
  title: string;
  /** The report of a route as Markdown. */
  markdown(route: string): Promise<string>;
}

/** The reports of routes as read-only documents, which follow the state while they are open. */
export class LiveReport implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #options: LiveReportOptions;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #open = new Map<string, vscode.Uri>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(server: Pick<WaybillServer, 'onDidChangeStatus'>, options: LiveReportOptions) {
    this.#options = options;
    const { scheme } = options;
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      server.onDidChangeStatus(() => { for (const uri of this.#open.values()) this.#changed.fire(uri); }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => { if (uri.scheme === scheme) this.#open.delete(uri.toString()); }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    this.#open.set(uri.toString(), uri);
    try {
      return await this.#options.markdown(uri.query);
    } catch (error) {
      return `${messageOf(error)}\n`;
    }
  }

  async show(route: string): Promise<void> {
    const { scheme, title } = this.#options;
    await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.from({ scheme, path: `${t({ message: '{0} of {1}', comment: 'a report and its route', args: [title, route] })}.md`, query: route }));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}
