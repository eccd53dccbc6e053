import * as vscode from 'vscode';
import { TreeElements } from '../../base/treeElements.ts';
import { treeItemOf } from '../shared/treeItem.ts';
import type { Configuration } from '../../settings/configuration.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { droppedTargets, type DraggedTarget } from './droppedTargets.ts';
import { routeLines, type RouteLine } from './routesTreeModel.ts';

/** What a model of the Providers view is dragged as. */
export const draggedModelType = 'application/vnd.code.tree.waybill.providers';
const draggedTargetType = 'application/vnd.code.tree.waybill.routes';

/** The Routes view: every route with its targets in order, what each can do now, its canary and policies, live. Targets are put into another order by dragging. */
export class RoutesTree implements vscode.TreeDataProvider<RouteLine>, vscode.TreeDragAndDropController<RouteLine>, vscode.Disposable {
  readonly dragMimeTypes = [draggedTargetType];
  readonly dropMimeTypes = [draggedTargetType, draggedModelType];
  readonly #server: WaybillServer;
  readonly #configuration: Configuration;
  readonly #changed = new vscode.EventEmitter<RouteLine | undefined>();
  readonly #subscriptions: vscode.Disposable[];
  readonly #elements = new TreeElements<RouteLine>();

  constructor(server: WaybillServer, configuration: Configuration) {
    this.#server = server;
    this.#configuration = configuration;
    const view = vscode.window.createTreeView('waybill.routes', { treeDataProvider: this, dragAndDropController: this, showCollapseAll: true });
    const draw = (): void => { this.#draw(); };
    this.#subscriptions = [server.onDidChangeStatus(draw), server.onDidChangeState(draw), configuration.onDidChange(draw), view.onDidChangeVisibility(draw), view, this.#changed];
    this.#draw();
  }

  get onDidChangeTreeData(): vscode.Event<RouteLine | undefined> { return this.#changed.event; }

  getChildren(line?: RouteLine): RouteLine[] {
    return line?.children ?? this.#elements.lines;
  }

  getTreeItem(line: RouteLine): vscode.TreeItem {
    return treeItemOf(line);
  }

  handleDrag(lines: readonly RouteLine[], transfer: vscode.DataTransfer): void {
    const [line] = lines;
    if (line?.target === undefined) return;
    const dragged: DraggedTarget = { route: line.route, target: line.target };
    transfer.set(draggedTargetType, new vscode.DataTransferItem(JSON.stringify(dragged)));
  }

  async handleDrop(onto: RouteLine | undefined, transfer: vscode.DataTransfer): Promise<void> {
    if (onto === undefined) return;
    const item = transfer.get(draggedTargetType) ?? transfer.get(draggedModelType);
    const text = await item?.asString();
    if (text !== undefined) await this.#configuration.changeRoutes(routes => droppedTargets(routes, text, onto));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #draw(): void {
    for (const line of this.#elements.update(routeLines(this.#configuration.settings.routes, this.#server.status, Date.now()))) this.#changed.fire(line);
  }
}
