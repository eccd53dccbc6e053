import * as vscode from 'vscode';
import { shadowMarkdown } from '../../../server/api/shadow.ts';
import { messageOf } from '../../base/errors.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';

const scheme = 'waybill-shadow';

/** The report of a shadow as a read-only document, which follows the state while it is open. */
export class ShadowReportDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: Pick<WaybillServer, 'shadow' | 'onDidChangeStatus'>;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #open = new Map<string, vscode.Uri>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(server: Pick<WaybillServer, 'shadow' | 'onDidChangeStatus'>) {
    this.#server = server;
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      server.onDidChangeStatus(() => { for (const uri of this.#open.values()) this.#changed.fire(uri); }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => { if (uri.scheme === scheme) this.#open.delete(uri.toString()); }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    this.#open.set(uri.toString(), uri);
    try {
      const result = await this.#server.shadow({ action: 'status', route: uri.query });
      return 'refused' in result ? `${result.refused}\n` : result.shadows.map(shadowMarkdown).join('\n');
    } catch (error) {
      return `${messageOf(error)}\n`;
    }
  }

  async show(route: string): Promise<void> {
    await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.from({ scheme, path: `Shadow of ${route}.md`, query: route }));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}
