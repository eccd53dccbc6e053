import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { TimeRange } from '../../../server/api/receipt.ts';
import { dayName } from '../../base/figures.ts';
import type { ConversationTitles } from '../../chat/conversationTitles.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { EditorPanel } from '../shared/editorPanel.ts';
import { nextMidnight, type SpendPeriod } from '../spend/spendRange.ts';
import { exportDashboard } from './dashboardExport.ts';
import { isFromDashboardPage, type DashboardAction, type FromDashboardPage, type ToDashboardPage } from './dashboardMessages.ts';
import { buildDashboardPage, buildDearestPage } from './dashboardModel.ts';
import { dashboardRange, readDashboardState, requestsUnder, type DashboardState } from './dashboardState.ts';
import { forecastDays } from './forecast.ts';

const viewType = 'waybill.spendDashboard';
const refreshIntervalMs = 1_000;
const dearestShown = 10;

/** The Spend dashboard, in one panel of the editor area, live while it is to be seen. It survives a reload of the window. */
export class DashboardView implements vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #titles: Pick<ConversationTitles, 'of'>;
  readonly #panel: EditorPanel<ToDashboardPage, FromDashboardPage>;
  readonly #onFigures: () => void;
  #state: DashboardState | undefined;
  /** A period that the page is to show once it is ready. */
  #wanted: SpendPeriod | undefined;
  #shownRevision: number | undefined;
  #midnight: NodeJS.Timeout | undefined;

  /** @param onFigures called when figures, and not an empty page, are on screen */
  constructor(extensionUri: vscode.Uri, server: WaybillServer, titles: Pick<ConversationTitles, 'of'>, onFigures: () => void) {
    this.#server = server;
    this.#titles = titles;
    this.#onFigures = onFigures;
    this.#panel = new EditorPanel({
      extensionUri, viewType, page: 'dashboard', title: t('Spend Dashboard'), isAnswer: isFromDashboardPage, receive: message => { void this.#receive(message); },
      refresh: { everyMs: refreshIntervalMs, run: () => this.#refresh() }, restore: () => true,
    });
    this.#panel.own(
      server.onDidChangeStatus((status) => {
        if (status.ledgerRevision !== this.#shownRevision) this.#panel.requestRefresh();
      }),
      server.onDidChangeState((state) => {
        if (state === 'running' || state === 'failed') this.#panel.requestRefresh();
      }),
    );
  }

  /** "Open Spend Dashboard". @param period to show without a filter; absent: what was chosen last */
  async open(period?: SpendPeriod): Promise<void> {
    const wasOpen = this.#panel.open();
    if (period === undefined) {
      if (wasOpen) this.#panel.requestRefresh();
      return;
    }
    // A page that is not ready asks by itself when it is.
    if (!await this.#panel.post({ type: 'show', period })) this.#wanted = period;
  }

  dispose(): void {
    clearTimeout(this.#midnight);
    this.#panel.dispose();
  }

  async #receive(message: FromDashboardPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        if (this.#wanted !== undefined) {
          await this.#panel.post({ type: 'show', period: this.#wanted });
          this.#wanted = undefined;
          return;
        }
        await this.#choose(message.state);
        return;
      case 'state':
        await this.#choose(message.state);
        return;
      case 'retry':
        await this.#refresh();
        return;
      case 'requests': {
        const range = this.#range();
        if (range === undefined || this.#state === undefined) return;
        const under = { from: message.from ?? range.from, to: message.to ?? range.to };
        await vscode.commands.executeCommand('waybill.filterRequests', { filter: requestsUnder(this.#state.filter, under, message.picks) });
        return;
      }
      case 'receipt':
        await vscode.commands.executeCommand('waybill.openReceipt', message.request);
        return;
      case 'run':
        await this.#run(message.action);
    }
  }

  async #choose(state: unknown): Promise<void> {
    this.#state = readDashboardState(state, Date.now());
    this.#waitForMidnight();
    // A person waits for this one: not through the throttle.
    await this.#refresh();
  }

  async #run(action: DashboardAction): Promise<void> {
    const range = this.#range();
    const days = range === undefined ? undefined : { fromDay: dayName(range.from), toDay: dayName(range.to - 1) };
    switch (action) {
      case 'addProvider':
        await vscode.commands.executeCommand('waybill.addProvider');
        return;
      case 'openChat':
        await vscode.commands.executeCommand('waybill.openChat');
        return;
      case 'whatIf':
        await vscode.commands.executeCommand('waybill.showSavings', { ...days, filter: this.#state?.filter });
        return;
      case 'migration':
        await vscode.commands.executeCommand('waybill.migrationReport', { ...days, filter: this.#state?.filter });
        return;
      case 'exportDashboard':
        if (this.#state !== undefined && range !== undefined) await exportDashboard(this.#server, this.#state, range);
    }
  }

  #range(): TimeRange | undefined {
    const range = this.#state === undefined ? 'no state' : dashboardRange(this.#state, Date.now());
    return typeof range === 'string' ? undefined : range;
  }

  async #refresh(): Promise<void> {
    const state = this.#state;
    if (state === undefined || !this.#panel.isOpen) return;
    const now = Date.now();
    const range = dashboardRange(state, now);
    if (typeof range === 'string') {
      await this.#panel.post({ type: 'failed', message: range });
      return;
    }
    try {
      await this.#read(state, range, now);
    } catch (error) {
      if (this.#state === state) await this.#panel.post({ type: 'failed', message: error instanceof Error ? error.message : t('The spend could not be read.') });
    }
  }

  async #read(state: DashboardState, range: TimeRange, now: number): Promise<void> {
    const revision = this.#server.status?.ledgerRevision;
    const style = { locale: currentLanguage() };
    const { filter, rows, columns } = state;
    const date = new Date(now);
    const historyFrom = state.period === 'month' ? new Date(date.getFullYear(), date.getMonth(), date.getDate() - forecastDays).getTime() : undefined;
    const dashboard = await this.#server.spendDashboard({ range, filter, rows, columns, ...(historyFrom === undefined || historyFrom >= range.from ? {} : { historyFrom }) });
    // Something else may have been chosen while the server was reading.
    if (this.#state !== state) return;
    const status = this.#server.status;
    this.#shownRevision = revision;
    const page = buildDashboardPage({ state, dashboard, hasProviders: status === undefined || status.endpoints.length > 0, style });
    await this.#panel.post({ type: 'page', page });
    if (page.empty !== undefined) return;
    this.#onFigures();
    const dearest = await this.#server.dearestSpend({ range, filter, limit: dearestShown });
    if (this.#state === state) await this.#panel.post({ type: 'dearest', state, dearest: buildDearestPage(dearest, dashboard.totals, now, style, conversation => this.#titles.of(conversation)) });
  }

  #waitForMidnight(): void {
    clearTimeout(this.#midnight);
    // The extra second keeps a timer that fires early from counting the old day again.
    this.#midnight = setTimeout(() => {
      this.#shownRevision = undefined;
      this.#panel.requestRefresh();
      if (this.#panel.isOpen) this.#waitForMidnight();
    }, nextMidnight(Date.now()) - Date.now() + 1000);
  }
}
