import * as vscode from 'vscode';
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
  /** The panel came into sight. */
  shown?(): void;
}

/** One panel of the editor area: its creation, its page, and messages both ways. At most one panel is open. */
export class EditorPanel<Message, Answer extends { type: string }> implements vscode.Disposable {
  readonly #options: EditorPanelOptions<Answer>;
  #panel: vscode.WebviewPanel | undefined;
  #pageIsReady = false;

  constructor(options: EditorPanelOptions<Answer>) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#panel !== undefined;
  }

  get isVisible(): boolean {
    return this.#panel?.visible === true;
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
    this.attach(vscode.window.createWebviewPanel(viewType, title, { viewColumn: vscode.ViewColumn.Active, preserveFocus: stay }, webviewOptions(extensionUri)));
    return false;
  }

  /** Takes over a panel that VS Code restored after a reload of the window. Where one is open already, the other is closed. */
  attach(panel: vscode.WebviewPanel): void {
    if (this.#panel !== undefined) {
      panel.dispose();
      return;
    }
    const { extensionUri, page, title, isAnswer, shown } = this.#options;
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
    if (shown !== undefined) {
      panel.onDidChangeViewState(() => {
        if (panel.visible) shown();
      });
    }
    panel.webview.html = webviewHtml(panel.webview, extensionUri, page, title);
  }

  /** Sends a message to the page; nothing where no page is ready, which asks by itself when it is. */
  async post(message: Message): Promise<void> {
    if (this.#panel !== undefined && this.#pageIsReady) await this.#panel.webview.postMessage(message);
  }

  dispose(): void {
    this.#panel?.dispose();
  }
}
