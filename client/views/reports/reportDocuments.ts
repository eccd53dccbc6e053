import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { savePlace } from '../../base/savePlace.ts';

const scheme = 'waybill-report';
const mostKept = 20;

/** Reports as read-only Markdown, shown as a preview. A report is what one run found; the newest run of a name takes the place of the one before. */
export class ReportDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? `${t('This report is not kept any more: make it again.')}\n`;
  }

  /** Shows a report. @param name of the document, such as `Savings.md` */
  async show(name: string, markdown: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme, path: name });
    this.#texts.delete(uri.path);
    this.#texts.set(uri.path, markdown);
    if (this.#texts.size > mostKept) for (const oldest of this.#texts.keys()) { this.#texts.delete(oldest); break; }
    this.#changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreview', uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}

/** Asks where to save a report. */
export async function saveReport(fileName: string, markdown: string): Promise<void> {
  const file = await vscode.window.showSaveDialog({
    title: t('Save the Report'), filters: { Markdown: ['md'] }, defaultUri: savePlace(fileName),
  });
  if (file === undefined) return;
  try {
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(markdown));
  } catch (error) {
    void vscode.window.showErrorMessage(t('The report was not saved: {0}', error instanceof Error ? error.message : String(error)));
  }
}
