import * as vscode from 'vscode';
import { RefreshThrottle } from './refreshThrottle.ts';
import { webviewHtml, webviewOptions } from './webviewHtml.ts';
import type { WebviewPage } from './webviewPages.ts';

/** What one page of the editor area needs: `Message` goes to its script, `Answer` comes from it. */
export interface EditorPanelOptions<Answer> {
  extensionUri: vscode.Uri;
  viewType: string;
  /** Which page the script draws. */
  page: WebviewPage;
  title: string;
  isAnswer(message: unknown): message is Answer;
  /** Called with every message of the page. Messages go to the page after its `ready` only. */
  receive(answer: Answer): void;
  /** What the panel shows changes while it is open. `run` reads it anew, posts it and handles its own errors; it runs at most once in `everyMs`. */
  refresh?: { readonly everyMs: number; run(): Promise<void> };
  /** The panel survives a reload of the window. @param state what the page remembered @returns whether it can be shown again */
  restore?(state: unknown): boolean;
}

/** One panel of the editor area: its creation, its page, messages both ways, its refreshes and its return after a reload. At most one panel is open. */
export class EditorPanel<Message, Answer extends { type: string }> implements vscode.Disposable {
  readonly #options: EditorPanelOptions<Answer>;
  readonly #throttle: RefreshThrottle | undefined;
  readonly #owned: vscode.Disposable[] = [];
  #panel: vscode.WebviewPanel | undefined;
  #pageIsReady = false;

  constructor(options: EditorPanelOptions<Answer>) {
    this.#options = options;
    const { viewType, refresh, restore } = options;
    if (refresh !== undefined) this.#throttle = new RefreshThrottle(() => refresh.run(), refresh.everyMs);
    if (restore === undefined) return;
    this.#owned.push(vscode.window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (panel, state) => {
        if (this.#panel === undefined && restore(state)) this.#attach(panel);
        else panel.dispose();
        return Promise.resolve();
      },
    }));
  }

  /** Disposes these together with the panel's own parts. */
  own(...disposables: vscode.Disposable[]): void {
    this.#owned.push(...disposables);
  }

  get isOpen(): boolean {
    return this.#panel !== undefined;
  }

  set title(title: string) {
    if (this.#panel !== undefined) this.#panel.title = title;
  }

  /** Opens the panel, or shows the one that is open. @returns whether it was open before */
  open(stay = false): boolean {
    if (this.#panel !== undefined) {
      this.#panel.reveal(undefined, stay);
      return true;
    }
    const { viewType, title, extensionUri } = this.#options;
    this.#attach(vscode.window.createWebviewPanel(viewType, title, { viewColumn: vscode.ViewColumn.Active, preserveFocus: stay }, { ...webviewOptions(extensionUri), enableFindWidget: true }));
    return false;
  }

  /** Asks for a refresh where the panel is in sight; one that comes into sight is refreshed by itself. */
  requestRefresh(): void {
    if (this.#panel?.visible === true) this.#throttle?.request();
  }

  #attach(panel: vscode.WebviewPanel): void {
    const { extensionUri, page, title, isAnswer } = this.#options;
    this.#panel = panel;
    this.#pageIsReady = false;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'receipt.svg');
    panel.webview.options = webviewOptions(extensionUri);
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (!isAnswer(message)) return;
      if (message.type === 'ready') this.#pageIsReady = true;
      this.#options.receive(message);
    });
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = undefined;
    });
    panel.onDidChangeViewState(() => { this.requestRefresh(); });
    panel.webview.html = webviewHtml(panel.webview, extensionUri, page, title);
  }

  /** Sends a message to the page. A page that is not ready gets nothing, and asks by itself when it is. @returns whether a page got it */
  async post(message: Message): Promise<boolean> {
    return this.#panel !== undefined && this.#pageIsReady && await this.#panel.webview.postMessage(message);
  }

  dispose(): void {
    this.#throttle?.dispose();
    this.#panel?.dispose();
    for (const disposable of this.#owned.splice(0)) disposable.dispose();
  }
}
