import * as vscode from 'vscode';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { RefreshThrottle } from '../shared/refreshThrottle.ts';
import { webviewHtml, webviewOptions } from '../shared/webviewHtml.ts';
import { drillReportMarkdown } from './drillReportMarkdown.ts';
import { isFromDrillReportPage } from './drillReportMessages.ts';
import type { FromDrillReportPage, ToDrillReportPage } from './drillReportMessages.ts';
import { buildDrillReportPage } from './drillReportModel.ts';
import type { DrillReportPage } from './drillReportModel.ts';
import { gapFixes } from '../../base/drillWording.ts';

const viewType = 'waybill.drillReport';
const title = 'Fire Drill Report';
const refreshIntervalMs = 2000;

/**
 * The report of what each route survives, in one panel of the editor area, kept up to date while it is to be seen. It
 * survives a reload of the window.
 */
export class DrillReportView implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #extensionUri: vscode.Uri;
  readonly #server: WaybillServer;
  readonly #throttle = new RefreshThrottle(() => this.#refresh(), refreshIntervalMs);
  readonly #subscriptions: vscode.Disposable[];
  #panel: vscode.WebviewPanel | undefined;
  #pageIsReady = false;
  #page: DrillReportPage | undefined;

  constructor(extensionUri: vscode.Uri, server: WaybillServer) {
    this.#extensionUri = extensionUri;
    this.#server = server;
    this.#subscriptions = [
      vscode.window.registerWebviewPanelSerializer(viewType, this),
      server.onDidChangeStatus(() => {
        if (this.#panel?.visible === true) this.#throttle.request();
      }),
    ];
  }

  /** "Show Fire Drill Report". */
  open(): void {
    if (this.#panel === undefined) {
      this.#adopt(vscode.window.createWebviewPanel(viewType, title, vscode.ViewColumn.Active, webviewOptions(this.#extensionUri)));
    } else {
      this.#panel.reveal();
      this.#throttle.request();
    }
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    if (this.#panel === undefined) this.#adopt(panel);
    else panel.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.#throttle.dispose();
    this.#panel?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel = panel;
    this.#pageIsReady = false;
    panel.iconPath = vscode.Uri.joinPath(this.#extensionUri, 'media', 'receipt.svg');
    panel.webview.options = webviewOptions(this.#extensionUri);
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (isFromDrillReportPage(message)) void this.#receive(message);
    });
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = undefined;
    });
    panel.onDidChangeViewState(() => {
      if (panel.visible) this.#throttle.request();
    });
    panel.webview.html = webviewHtml(panel.webview, this.#extensionUri, 'drillReport', title);
  }

  async #receive(message: FromDrillReportPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#pageIsReady = true;
        await this.#refresh();
        return;
      case 'retry':
        await this.#refresh();
        return;
      case 'startDrill':
        await vscode.commands.executeCommand('waybill.fireDrill');
        return;
      case 'copyMarkdown':
        if (this.#page === undefined) return;
        await vscode.env.clipboard.writeText(drillReportMarkdown(this.#page));
        await this.#post({ type: 'copied' });
        return;
      case 'fix':
        await vscode.commands.executeCommand(gapFixes[message.fix].command, message.endpoint === undefined ? undefined : { endpoint: message.endpoint });
    }
  }

  async #refresh(): Promise<void> {
    try {
      this.#page = buildDrillReportPage(await this.#server.resilienceReport(), { locale: vscode.env.language });
      await this.#post({ type: 'page', page: this.#page });
    } catch (error) {
      await this.#post({ type: 'failed', message: error instanceof Error ? error.message : 'The report could not be made.' });
    }
  }

  async #post(message: ToDrillReportPage): Promise<void> {
    if (this.#panel !== undefined && this.#pageIsReady) await this.#panel.webview.postMessage(message);
  }
}
