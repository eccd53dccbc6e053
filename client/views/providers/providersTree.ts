import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { count } from '../../base/format.ts';
import { TreeElements } from '../../base/treeElements.ts';
import { treeItemOf } from '../shared/treeItem.ts';
import type { Configuration } from '../../settings/configuration.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { downCount, providerNodes, treeMessage } from './providersTreeModel.ts';
import type { TreeNode } from './treeNode.ts';

/** The Providers view: every endpoint with its state, keys, models and last error, live. */
export class ProvidersTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #configuration: Configuration;
  readonly #changed = new vscode.EventEmitter<TreeNode | undefined>();
  readonly #view: vscode.TreeView<TreeNode>;
  readonly #subscriptions: vscode.Disposable[];
  readonly #elements = new TreeElements<TreeNode>();
  #down = 0;

  constructor(server: WaybillServer, configuration: Configuration) {
    this.#server = server;
    this.#configuration = configuration;
    this.#view = vscode.window.createTreeView('waybill.providers', { treeDataProvider: this, showCollapseAll: true });
    const draw = (): void => { this.#draw(); };
    this.#subscriptions = [
      server.onDidChangeStatus(draw), server.onDidChangeState(draw), configuration.onDidChange(draw),
      this.#view.onDidChangeVisibility(draw), this.#view, this.#changed,
    ];
    this.#draw();
  }

  get onDidChangeTreeData(): vscode.Event<TreeNode | undefined> { return this.#changed.event; }

  getChildren(node?: TreeNode): TreeNode[] {
    return node?.children ?? this.#elements.lines;
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    return treeItemOf(node);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #draw(): void {
    const status = this.#server.status;
    for (const line of this.#elements.update(providerNodes(status, Date.now()))) this.#changed.fire(line);
    // An empty message shows none.
    const message = treeMessage(this.#server.state, status, this.#configuration.problems) ?? '';
    if (this.#view.message !== message) this.#view.message = message;
    const down = downCount(status);
    if (down === this.#down) return;
    this.#down = down;
    this.#view.badge = down === 0 ? undefined : { value: down, tooltip: t('{0} cannot answer now', count(down, 'provider')) };
  }
}
