import * as vscode from 'vscode';
import type { Configuration } from '../settings/configuration.ts';
import { StatusItemWriter } from './statusItem.ts';
import { statusBarCommands, statusBarContent } from './statusText.ts';
import type { WaybillServer } from '../server/waybillServer.ts';

/** The status bar item: health, spend or both, as the setting says. */
export class StatusBar implements vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #configuration: Configuration;
  readonly #item: vscode.StatusBarItem;
  readonly #writer: StatusItemWriter<vscode.StatusBarItem['tooltip'], vscode.ThemeColor>;
  readonly #subscriptions: vscode.Disposable[];

  constructor(server: WaybillServer, configuration: Configuration) {
    this.#server = server;
    this.#configuration = configuration;
    this.#item = vscode.window.createStatusBarItem('waybill.status', vscode.StatusBarAlignment.Left, 0);
    this.#item.name = 'Waybill';
    this.#writer = new StatusItemWriter(this.#item, { tooltip: trustedTooltip, errorBackground: () => new vscode.ThemeColor('statusBarItem.errorBackground') });
    const draw = (): void => { this.#draw(); };
    this.#subscriptions = [server.onDidChangeState(draw), server.onDidChangeStatus(draw), configuration.onDidChange(draw)];
    this.#draw();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#item.dispose();
  }

  #draw(): void {
    const { statusBar: choice, endpoints } = this.#configuration.settings;
    this.#writer.write(choice === 'off' ? undefined : statusBarContent({
      server: this.#server.state, status: this.#server.status, choice, now: Date.now(), configuredEndpoints: Object.keys(endpoints).length,
    }));
  }
}

function trustedTooltip(markdown: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString(markdown, true);
  tooltip.isTrusted = { enabledCommands: statusBarCommands };
  return tooltip;
}
