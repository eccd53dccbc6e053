import * as vscode from 'vscode';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { TreeElements } from '../../base/treeElements.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { RefreshThrottle } from '../shared/refreshThrottle.ts';
import { buildRequestItem } from './requestsItem.ts';
import { collectRequests } from '../shared/requestsPaging.ts';

const pageSize = 50;
const refreshIntervalMs = 1000;

type RequestNode = { id: string; children: RequestNode[] } & (
  | { kind: 'request'; request: RequestSummary }
  | { kind: 'more' }
  | { kind: 'failed'; message: string });

/**
 * The Requests view: the latest exchanges, newest first, live; a click opens the receipt. Registers itself and
 * its command `waybill.showRequests`.
 */
export class RequestsView implements vscode.TreeDataProvider<RequestNode>, vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #changed = new vscode.EventEmitter<RequestNode | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #throttle = new RefreshThrottle(() => this.#refresh(), refreshIntervalMs);
  readonly #view: vscode.TreeView<RequestNode>;
  readonly #subscriptions: vscode.Disposable[];
  #wantedCount = pageSize;
  #shownRevision: number | undefined;
  readonly #elements = new TreeElements<RequestNode>();
  /** Undefined until first asked for. */
  #firstRead: Promise<void> | undefined;

  constructor(server: WaybillServer) {
    this.#server = server;
    this.#view = vscode.window.createTreeView('waybill.requests', { treeDataProvider: this });
    this.#subscriptions = [
      this.#changed,
      this.#view,
      vscode.commands.registerCommand('waybill.showRequests', () => vscode.commands.executeCommand('waybill.requests.focus')),
      // Behind lines of the tree only, so they are in no menu and no palette.
      vscode.commands.registerCommand('waybill.requests.loadMore', () => this.#loadMore()),
      vscode.commands.registerCommand('waybill.requests.retry', () => this.#refresh()),
      server.onDidChangeStatus(() => this.#refreshWhenChanged()),
      server.onDidChangeState((state) => {
        if (state === 'running' && this.#view.visible) this.#throttle.request();
      }),
      this.#view.onDidChangeVisibility(() => this.#refreshWhenChanged()),
    ];
  }

  getTreeItem(node: RequestNode): vscode.TreeItem {
    switch (node.kind) {
      case 'request': return requestTreeItem(node.request);
      case 'more': {
        const item = new vscode.TreeItem('Load more');
        item.id = node.id;
        item.iconPath = new vscode.ThemeIcon('ellipsis');
        item.command = { command: 'waybill.requests.loadMore', title: 'Load more' };
        return item;
      }
      case 'failed': {
        const item = new vscode.TreeItem('The requests could not be read');
        item.id = node.id;
        item.description = 'Click to try again';
        item.tooltip = node.message;
        item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('problemsWarningIcon.foreground'));
        item.command = { command: 'waybill.requests.retry', title: 'Try again' };
        return item;
      }
    }
  }

  async getChildren(parent?: RequestNode): Promise<RequestNode[]> {
    if (parent !== undefined) return [];
    this.#firstRead ??= this.#read().then((nodes) => { this.#elements.update(nodes); });
    await this.#firstRead;
    return this.#elements.lines;
  }

  dispose(): void {
    this.#throttle.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refreshWhenChanged(): void {
    const revision = this.#server.status?.ledgerRevision;
    if (revision !== undefined && revision !== this.#shownRevision && this.#view.visible) this.#throttle.request();
  }

  async #loadMore(): Promise<void> {
    this.#wantedCount += pageSize;
    await vscode.window.withProgress({ location: { viewId: 'waybill.requests' } }, () => this.#refresh());
  }

  async #refresh(): Promise<void> {
    for (const line of this.#elements.update(await this.#read())) this.#changed.fire(line);
  }

  async #read(): Promise<RequestNode[]> {
    const revision = this.#server.status?.ledgerRevision;
    try {
      // One more than is shown answers whether there is more in the same read.
      const { requests, more } = await collectRequests((params) => this.#server.requests(params), { limit: this.#wantedCount, pageSize: this.#wantedCount + 1 });
      this.#shownRevision = revision;
      const nodes = requests.map((request): RequestNode => ({ id: request.id, children: [], kind: 'request', request }));
      return more ? [...nodes, { id: 'more', children: [], kind: 'more' }] : nodes;
    } catch (error) {
      return [{ id: 'failed', children: [], kind: 'failed', message: error instanceof Error ? error.message : String(error) }];
    }
  }
}

function requestTreeItem(request: RequestSummary): vscode.TreeItem {
  const parts = buildRequestItem(request, Date.now(), { locale: vscode.env.language });
  const item = new vscode.TreeItem(parts.label);
  item.id = parts.id;
  item.description = parts.description;
  item.iconPath = new vscode.ThemeIcon(parts.icon.id, parts.icon.color === undefined ? undefined : new vscode.ThemeColor(parts.icon.color));
  item.tooltip = new vscode.MarkdownString(parts.tooltip);
  item.accessibilityInformation = { label: parts.spoken };
  item.contextValue = parts.contextValue;
  item.command = { command: 'waybill.openReceipt', title: 'Open Receipt', arguments: [parts.id, 'list'] };
  return item;
}
