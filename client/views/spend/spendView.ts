import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { RefreshThrottle } from '../shared/refreshThrottle.ts';
import { budgetSection } from './budgetSection.ts';
import { exportSpend } from './spendExport.ts';
import { isFromSpendPage } from './spendMessages.ts';
import type { FromSpendPage, SpendAction, ToSpendPage } from './spendMessages.ts';
import { buildSpendPage } from './spendModel.ts';
import { chartSlots, nextMidnight, spendRange } from './spendRange.ts';
import type { SpendPeriod } from './spendRange.ts';
import { webviewHtml, webviewOptions } from '../shared/webviewHtml.ts';

const refreshIntervalMs = 1500;
/** Which command a button of the page runs. */
const commandOfAction: Record<SpendAction, string> = {
  addProvider: 'waybill.addProvider',
  openChat: 'waybill.openChat',
  showRequests: 'waybill.showRequests',
  exportSpend: 'waybill.exportSpend',
  openDashboard: 'waybill.openSpendDashboard',
};

/**
 * The Spend view of the sidebar: money, tokens and where they went, of today, seven days or the month, live.
 * Registers itself and its commands `waybill.showSpend` and `waybill.exportSpend`.
 */
export class SpendView implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #extensionUri: vscode.Uri;
  readonly #server: WaybillServer;
  readonly #throttle = new RefreshThrottle(() => this.#refresh(), refreshIntervalMs);
  readonly #subscriptions: vscode.Disposable[];
  readonly #onFigures: () => void;
  #view: vscode.WebviewView | undefined;
  #viewSubscriptions: vscode.Disposable[] = [];
  #period: SpendPeriod = 'today';
  #pageIsReady = false;
  #shownRevision: number | undefined;
  #shownEndpoints: number | undefined;
  #shownBudgets: string | undefined;
  #midnight: NodeJS.Timeout | undefined;

  /** @param onFigures called when figures, and not an empty page, are on screen */
  constructor(extensionUri: vscode.Uri, server: WaybillServer, onFigures: () => void) {
    this.#extensionUri = extensionUri;
    this.#server = server;
    this.#onFigures = onFigures;
    this.#subscriptions = [
      vscode.window.registerWebviewViewProvider('waybill.spend', this),
      vscode.commands.registerCommand('waybill.showSpend', () => vscode.commands.executeCommand('waybill.spend.focus')),
      vscode.commands.registerCommand('waybill.exportSpend', () => exportSpend(server)),
      server.onDidChangeStatus(() => this.#refreshWhenChanged()),
      server.onDidChangeState((state) => {
        if (state === 'running' || state === 'failed') this.#throttle.request();
      }),
    ];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#forgetView();
    this.#view = view;
    view.webview.options = webviewOptions(this.#extensionUri);
    this.#viewSubscriptions = [
      view.webview.onDidReceiveMessage((message: unknown) => {
        if (isFromSpendPage(message)) this.#receive(message);
      }),
      view.onDidChangeVisibility(() => this.#refreshWhenChanged()),
      view.onDidDispose(() => this.#forgetView()),
    ];
    view.webview.html = webviewHtml(view.webview, this.#extensionUri, 'spend', t('Spend'));
    this.#waitForMidnight();
  }

  dispose(): void {
    this.#forgetView();
    this.#throttle.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #receive(message: FromSpendPage): void {
    switch (message.type) {
      case 'ready':
      case 'period':
        this.#pageIsReady = true;
        this.#period = message.period;
        // A person waits for this one: not through the throttle.
        void this.#refresh();
        return;
      case 'retry':
        void this.#refresh();
        return;
      case 'run':
        void vscode.commands.executeCommand(commandOfAction[message.action], ...(message.action === 'openDashboard' ? [{ period: this.#period }] : []));
        return;
    }
  }

  #refreshWhenChanged(): void {
    const status = this.#server.status;
    if (status === undefined || this.#view?.visible !== true) return;
    if (status.ledgerRevision !== this.#shownRevision || status.endpoints.length !== this.#shownEndpoints || JSON.stringify(status.budgets) !== this.#shownBudgets) this.#throttle.request();
  }

  async #refresh(): Promise<void> {
    const view = this.#view;
    if (view === undefined || !this.#pageIsReady || !view.visible) return;
    const period = this.#period;
    const message = await this.#read(period).catch((error: unknown): ToSpendPage => ({
      type: 'failed', period, message: error instanceof Error ? error.message : t('The spend could not be read.'),
    }));
    // Another period may have been chosen, or the view closed, while the server was reading.
    if (this.#view !== view || this.#period !== period) return;
    await view.webview.postMessage(message);
    if (message.type === 'page' && message.page.empty === undefined) this.#onFigures();
  }

  async #read(period: SpendPeriod): Promise<ToSpendPage> {
    const now = Date.now();
    const revision = this.#server.status?.ledgerRevision;
    const [report, week] = await Promise.all([
      this.#server.spend({ range: spendRange(period, now) }),
      period === 'today' ? this.#server.spend({ range: spendRange('week', now) }) : undefined,
    ]);
    const status = this.#server.status;
    this.#shownRevision = revision;
    this.#shownEndpoints = status?.endpoints.length;
    this.#shownBudgets = JSON.stringify(status?.budgets);
    const budgets = budgetSection(status?.budgets);
    const page = buildSpendPage({
      period,
      report,
      chartDays: (week ?? report).byDay,
      chartSlots: chartSlots(period, now),
      hasProviders: status === undefined || status.endpoints.length > 0,
      style: { locale: currentLanguage() },
    });
    return { type: 'page', page: budgets === undefined ? page : { ...page, sections: [budgets, ...page.sections] } };
  }

  #waitForMidnight(): void {
    clearTimeout(this.#midnight);
    // The extra second keeps a timer that fires early from counting the old day again.
    this.#midnight = setTimeout(() => {
      this.#shownRevision = undefined;
      this.#throttle.request();
      this.#waitForMidnight();
    }, nextMidnight(Date.now()) - Date.now() + 1000);
  }

  #forgetView(): void {
    clearTimeout(this.#midnight);
    this.#view = undefined;
    this.#pageIsReady = false;
    this.#shownRevision = undefined;
    for (const subscription of this.#viewSubscriptions.splice(0)) subscription.dispose();
  }
}
