import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { EditorPanel } from '../shared/editorPanel.ts';
import { drillReportMarkdown } from './drillReportMarkdown.ts';
import { isFromDrillReportPage } from './drillReportMessages.ts';
import type { FromDrillReportPage, ToDrillReportPage } from './drillReportMessages.ts';
import { buildDrillReportPage } from './drillReportModel.ts';
import type { DrillReportPage } from './drillReportModel.ts';
import { gapFixes } from '../../base/drillWording.ts';

const viewType = 'waybill.drillReport';
const refreshIntervalMs = 2000;

/**
 * The report of what each route survives, in one panel of the editor area, kept up to date while it is to be seen. It
 * survives a reload of the window.
 */
export class DrillReportView implements vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #panel: EditorPanel<ToDrillReportPage, FromDrillReportPage>;
  #page: DrillReportPage | undefined;

  constructor(extensionUri: vscode.Uri, server: WaybillServer) {
    this.#server = server;
    this.#panel = new EditorPanel({
      extensionUri, viewType, page: 'drillReport', title: t('Fire Drill Report'), isAnswer: isFromDrillReportPage, receive: message => { void this.#receive(message); },
      refresh: { everyMs: refreshIntervalMs, run: () => this.#refresh() }, restore: () => true,
    });
    this.#panel.own(server.onDidChangeStatus(() => { this.#panel.requestRefresh(); }));
  }

  /** "Show Fire Drill Report". */
  open(): void {
    if (this.#panel.open()) this.#panel.requestRefresh();
  }

  dispose(): void {
    this.#panel.dispose();
  }

  async #receive(message: FromDrillReportPage): Promise<void> {
    switch (message.type) {
      case 'ready':
      case 'retry':
        await this.#refresh();
        return;
      case 'startDrill':
        await vscode.commands.executeCommand('waybill.fireDrill');
        return;
      case 'copyMarkdown':
        if (this.#page === undefined) return;
        await vscode.env.clipboard.writeText(drillReportMarkdown(this.#page));
        await this.#panel.post({ type: 'copied' });
        return;
      case 'fix':
        await vscode.commands.executeCommand(gapFixes[message.fix].command, message.endpoint === undefined ? undefined : { endpoint: message.endpoint });
    }
  }

  async #refresh(): Promise<void> {
    try {
      this.#page = buildDrillReportPage(await this.#server.resilienceReport(), { locale: currentLanguage() });
      await this.#panel.post({ type: 'page', page: this.#page });
    } catch (error) {
      await this.#panel.post({ type: 'failed', message: error instanceof Error ? error.message : t('The report could not be made.') });
    }
  }
}
