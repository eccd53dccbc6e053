import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { BillReport } from '../../../server/api/bill.ts';
import { savePlace } from '../../base/savePlace.ts';
import { EditorPanel } from '../shared/editorPanel.ts';
import { billCsv } from './billExport.ts';
import { isFromBillPage } from './billMessages.ts';
import type { FromBillPage, ToBillPage } from './billMessages.ts';
import { buildBillPage } from './billModel.ts';

/** A bill beside the ledger, in one panel of the editor area. It holds what one run found, and does not survive a reload of the window. */
export class BillView implements vscode.Disposable {
  readonly #panel: EditorPanel<ToBillPage, FromBillPage>;
  #report: BillReport | undefined;

  constructor(extensionUri: vscode.Uri) {
    this.#panel = new EditorPanel({
      extensionUri, viewType: 'waybill.bill', page: 'bill', title: t('Reconcile Bill'), isAnswer: isFromBillPage, receive: message => { void this.#receive(message); },
    });
  }

  /** Shows what a run found. */
  async show(report: BillReport): Promise<void> {
    this.#report = report;
    this.#panel.open();
    await this.#post();
  }

  dispose(): void {
    this.#panel.dispose();
  }

  async #post(): Promise<void> {
    if (this.#report !== undefined) await this.#panel.post({ type: 'page', page: buildBillPage(this.#report, { locale: currentLanguage() }) });
  }

  async #receive(message: FromBillPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        await this.#post();
        return;
      case 'again':
        await vscode.commands.executeCommand('waybill.reconcileBill');
        return;
      case 'open':
        await vscode.commands.executeCommand('waybill.openReceipt', message.exchange);
        return;
      case 'export':
        if (this.#report !== undefined) await exportBill(this.#report);
    }
  }
}

async function exportBill(report: BillReport): Promise<void> {
  const fileName = `waybill-bill-${report.fromDay}-to-${report.toDay}.csv`;
  const file = await vscode.window.showSaveDialog({
    title: t('Export the Comparison as CSV'), filters: { CSV: ['csv'] }, defaultUri: savePlace(fileName),
  });
  if (file === undefined) return;
  try {
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(billCsv(report)));
  } catch (error) {
    void vscode.window.showErrorMessage(t('The comparison was not exported: {0}', error instanceof Error ? error.message : String(error)));
  }
}
