import * as vscode from 'vscode';
import { t } from '@vscode/l10n';

/** Files that the server completes and checks while they are edited: by name, as in server/inbound/lsp/rules/documents.ts. */
const pattern = '**/{waybill,*.waybill,waybill.*,*.waybill.*}.{yaml,yml}';

export const rulesSelector: { scheme: string; pattern: string }[] = ['file', 'untitled', 'vscode-vfs'].map(scheme => ({ scheme, pattern }));

/** Above the routes of a file: what can be tried with it before it is saved. */
export class RulesCodeLenses implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #registration = vscode.languages.registerCodeLensProvider(rulesSelector, this);

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const line = Math.max(0, Array.from({ length: Math.min(document.lineCount, 5000) }, (_, index) => document.lineAt(index).text).findIndex(text => /^routes\s*:/.test(text)));
    const range = new vscode.Range(line, 0, line, 0);
    return [
      new vscode.CodeLens(range, { title: t('Dry run over the last day'), command: 'waybill.dryRun', arguments: [{ days: 1 }] }),
      new vscode.CodeLens(range, { title: t('over 7 days'), command: 'waybill.dryRun', arguments: [{ days: 7 }] }),
      new vscode.CodeLens(range, { title: t('Rules history'), command: 'waybill.rulesHistory' }),
    ];
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
