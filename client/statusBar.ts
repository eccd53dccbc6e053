import * as vscode from 'vscode';
import type { Configuration } from './configuration.ts';
import { statusBarCommands, statusBarContent } from './statusText.ts';
import type { SwitchyardServer } from './switchyardServer.ts';

/** While a breaker counts down, the tooltip is kept current this often. */
const countdownMs = 5_000;

/** The status bar item: health, spend or both, as the setting says. */
export class StatusBar implements vscode.Disposable {
  readonly #server: SwitchyardServer;
  readonly #configuration: Configuration;
  readonly #item: vscode.StatusBarItem;
  readonly #subscriptions: vscode.Disposable[];
  #countdown: NodeJS.Timeout | undefined;

  constructor(server: SwitchyardServer, configuration: Configuration) {
    this.#server = server;
    this.#configuration = configuration;
    this.#item = vscode.window.createStatusBarItem('switchyard.status', vscode.StatusBarAlignment.Left, 0);
    this.#item.name = 'Switchyard';
    const draw = (): void => { this.#draw(); };
    this.#subscriptions = [server.onDidChangeState(draw), server.onDidChangeStatus(draw), configuration.onDidChange(draw)];
    this.#draw();
  }

  dispose(): void {
    clearTimeout(this.#countdown);
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#item.dispose();
  }

  #draw(): void {
    clearTimeout(this.#countdown);
    const settings = this.#configuration.settings;
    const choice = settings.statusBar;
    if (choice === 'off') {
      this.#item.hide();
      return;
    }
    const now = Date.now();
    const content = statusBarContent({
      server: this.#server.state, status: this.#server.status, choice, now, configuredEndpoints: Object.keys(settings.endpoints).length,
    });
    const tooltip = new vscode.MarkdownString(content.tooltip, true);
    tooltip.isTrusted = { enabledCommands: statusBarCommands };
    this.#item.text = content.text;
    this.#item.tooltip = tooltip;
    this.#item.command = content.command;
    this.#item.accessibilityInformation = { label: content.spoken };
    this.#item.backgroundColor = content.background === 'error' ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.#item.show();
    const { status } = this.#server;
    if (status?.endpoints.some(endpoint => (endpoint.retryAt ?? 0) > now) === true || (status?.drill?.running.length ?? 0) > 0) {
      this.#countdown = setTimeout(() => { this.#draw(); }, countdownMs);
    }
  }
}
