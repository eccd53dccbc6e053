import * as vscode from 'vscode';
import type { Configuration } from '../configuration.ts';
import { count } from '../base/format.ts';
import type { SwitchyardServer } from '../switchyardServer.ts';
import { downCount, providerNodes, treeMessage } from './providersTreeModel.ts';
import type { TreeNode } from './providersTreeModel.ts';

/** While a breaker counts down, the tree is kept current this often. */
const countdownMs = 5_000;

/** The Providers view: every endpoint with its state, keys, models and last error, live. */
export class ProvidersTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #server: SwitchyardServer;
  readonly #configuration: Configuration;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<TreeNode>;
  readonly #subscriptions: vscode.Disposable[];
  #nodes: TreeNode[] = [];
  #drawn = '';
  #countdown: NodeJS.Timeout | undefined;

  constructor(server: SwitchyardServer, configuration: Configuration) {
    this.#server = server;
    this.#configuration = configuration;
    this.#view = vscode.window.createTreeView('switchyard.providers', { treeDataProvider: this, showCollapseAll: true });
    const draw = (): void => { this.#draw(); };
    this.#subscriptions = [
      server.onDidChangeStatus(draw), server.onDidChangeState(draw), configuration.onDidChange(draw),
      this.#view.onDidChangeVisibility(draw), this.#view, this.#changed,
    ];
    this.#draw();
  }

  get onDidChangeTreeData(): vscode.Event<undefined> { return this.#changed.event; }

  getChildren(node?: TreeNode): TreeNode[] {
    return node?.children ?? this.#nodes;
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, node.children.length === 0 ? vscode.TreeItemCollapsibleState.None
      : node.expanded ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
    item.id = node.id;
    item.description = node.description;
    item.tooltip = node.tooltip;
    item.iconPath = new vscode.ThemeIcon(node.icon, node.color === undefined ? undefined : new vscode.ThemeColor(node.color));
    item.contextValue = node.context;
    item.accessibilityInformation = { label: node.spoken };
    return item;
  }

  dispose(): void {
    clearTimeout(this.#countdown);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #draw(): void {
    clearTimeout(this.#countdown);
    const now = Date.now();
    const status = this.#server.status;
    const nodes = providerNodes(status, now);
    // Snapshots come often; a tree that is drawn again loses the hover under the mouse.
    const drawing = JSON.stringify(nodes);
    if (drawing !== this.#drawn) {
      this.#drawn = drawing;
      this.#nodes = nodes;
      this.#changed.fire(undefined);
    }
    // An empty message shows none.
    const message = treeMessage(this.#server.state, status, this.#configuration.problems) ?? '';
    if (this.#view.message !== message) this.#view.message = message;
    const down = downCount(status);
    this.#view.badge = down === 0 ? undefined : { value: down, tooltip: `${count(down, 'provider')} down` };
    if (this.#view.visible && status?.endpoints.some(endpoint => (endpoint.retryAt ?? 0) > now) === true) {
      this.#countdown = setTimeout(() => { this.#draw(); }, countdownMs);
    }
  }
}
