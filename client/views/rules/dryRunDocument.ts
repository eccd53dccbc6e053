import * as vscode from 'vscode';
import { dryRunMarkdown, type DryRunReport } from '../../../server/api/rules/dryRun.ts';

const scheme = 'waybill-dry-run';

/** The report of the last dry run as a read-only document. */
export class DryRunDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  #markdown = '';

  provideTextDocumentContent(): string {
    return this.#markdown;
  }

  async show(report: DryRunReport): Promise<void> {
    this.#markdown = dryRunMarkdown(report);
    const uri = vscode.Uri.from({ scheme, path: 'Dry run.md' });
    this.#changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreview', uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
