import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { receiptMarkdown } from './receiptMarkdown.ts';
import { isFromReceiptPage, isReceiptState } from './receiptMessages.ts';
import type { FromReceiptPage, ToReceiptPage } from './receiptMessages.ts';
import { buildReceiptPage, receiptTitle } from './receiptModel.ts';
import { EditorPanel } from '../shared/editorPanel.ts';

const viewType = 'waybill.receipt';
const refreshIntervalMs = 1000;
/** So soon after Enter the list has opened its line. */
const enterMs = 1000;

/**
 * The receipt of one exchange, in one panel of the editor area that every receipt shares and that survives a
 * reload of the window. Registers itself and its command `waybill.openReceipt` (arguments: the exchange's id, and
 * `list` where a line of a list opens it, which keeps the focus; Enter there moves it into the receipt).
 */
export class ReceiptView implements vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #panel: EditorPanel<ToReceiptPage, FromReceiptPage>;
  #id = '';
  #receipt: Receipt | undefined;
  /** The next receipt that a line of a list opens takes the focus: Enter was pressed there. */
  #entering: NodeJS.Timeout | undefined;

  constructor(extensionUri: vscode.Uri, server: WaybillServer) {
    this.#server = server;
    this.#panel = new EditorPanel({
      extensionUri, viewType, page: 'receipt', title: t('Receipt'), isAnswer: isFromReceiptPage, receive: message => { void this.#receive(message); },
      refresh: { everyMs: refreshIntervalMs, run: () => this.#refreshRunning() }, restore: state => this.#restore(state),
    });
    this.#panel.own(
      vscode.commands.registerCommand('waybill.openReceipt', (argument: unknown, from: unknown) => {
        const id = requestId(argument);
        if (id !== undefined) this.#open(id, from === 'list' && !this.#entered());
        // Without an id there is nothing to open but the list to choose from.
        else void vscode.commands.executeCommand('waybill.showRequests');
      }),
      // Behind a key of the lists only, so it is in no menu and no palette.
      vscode.commands.registerCommand('waybill.enterReceipt', () => this.#enter()),
      server.onDidChangeStatus(() => {
        if (this.#receipt?.outcome === 'open') this.#panel.requestRefresh();
      }),
    );
  }

  #restore(state: unknown): boolean {
    if (!isReceiptState(state)) return false;
    this.#id = state.id;
    return true;
  }

  dispose(): void {
    clearTimeout(this.#entering);
    this.#panel.dispose();
  }

  /** Opens the line that has the focus, as the list does by itself; what it opens then takes the focus. */
  async #enter(): Promise<void> {
    clearTimeout(this.#entering);
    this.#entering = setTimeout(() => { this.#entering = undefined; }, enterMs);
    await vscode.commands.executeCommand('list.select');
  }

  #entered(): boolean {
    const entered = this.#entering !== undefined;
    clearTimeout(this.#entering);
    this.#entering = undefined;
    return entered;
  }

  /** @param stay the list keeps the focus, so that the arrow keys go on to the next line */
  #open(id: string, stay: boolean): void {
    if (this.#id !== id) this.#receipt = undefined;
    this.#id = id;
    if (this.#panel.open(stay)) void this.#refresh();
  }

  async #receive(message: FromReceiptPage): Promise<void> {
    switch (message.type) {
      case 'ready':
      case 'retry':
        await this.#refresh();
        return;
      case 'copyJson':
        if (this.#receipt !== undefined) await this.#copy(JSON.stringify(this.#receipt, null, 2), t('Copied as JSON'));
        return;
      case 'copyMarkdown':
        if (this.#receipt !== undefined) await this.#copy(receiptMarkdown(buildReceiptPage(this.#receipt, { locale: currentLanguage() })), t('Copied as Markdown'));
        return;
      case 'showConversation':
        await vscode.commands.executeCommand('waybill.showOnlyConversation', { request: this.#id });
        return;
      case 'setPrices':
        await vscode.commands.executeCommand('waybill.setPrices', { target: message.target });
        return;
      case 'copyFact': {
        const facts = this.#receipt === undefined ? [] : buildReceiptPage(this.#receipt, { locale: currentLanguage() }).facts;
        const fact = facts.find(({ label }) => label === message.label);
        if (fact !== undefined) await this.#copy(fact.value, t('Copied the ID: {0}', fact.label));
        return;
      }
    }
  }

  async #copy(text: string, what: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
    await this.#panel.post({ type: 'copied', what });
  }

  /** A finished receipt never changes; a running one is read again until it has ended. */
  async #refreshRunning(): Promise<void> {
    if (this.#receipt?.outcome === 'open') await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const id = this.#id;
    const message = await this.#read(id).catch((error: unknown): ToReceiptPage => ({
      type: 'failed', id, message: error instanceof Error ? error.message : t('The receipt could not be read.'),
    }));
    // Another receipt may have been opened while the server was reading.
    if (this.#id === id) await this.#panel.post(message);
  }

  async #read(id: string): Promise<ToReceiptPage> {
    const receipt = await this.#server.receipt(id);
    if (this.#id === id) this.#receipt = receipt ?? undefined;
    if (receipt === null) return { type: 'failed', id, message: t('There is no receipt of this request any more.') };
    if (this.#id === id) this.#panel.title = receiptTitle(receipt, Date.now(), { locale: currentLanguage() });
    return { type: 'page', page: buildReceiptPage(receipt, { locale: currentLanguage() }) };
  }
}

/** The id of a request, or of the line of a list that a menu was opened on. */
function requestId(argument: unknown): string | undefined {
  const request: unknown = typeof argument === 'object' && argument !== null && 'request' in argument ? argument.request : argument;
  const id: unknown = typeof request === 'object' && request !== null && 'id' in request ? request.id : request;
  return typeof id === 'string' && id !== '' ? id : undefined;
}
