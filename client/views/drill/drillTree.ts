import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import { TreeElements } from '../../base/treeElements.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { drillNodes, timeLeft } from './drillTreeModel.ts';
import type { DrillNode } from './drillTreeModel.ts';
import { summaryText } from '../../base/drillWording.ts';

const secondMs = 1000;

/**
 * The Fire Drill view, there only while a drill runs (context key `waybill.drill`): what fails and for how long still,
 * who answers for each route now, and how requests fared. When a drill is over, says so once.
 */
export class DrillTree implements vscode.TreeDataProvider<DrillNode>, vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #changed = new vscode.EventEmitter<DrillNode | undefined>();
  readonly #view: vscode.TreeView<DrillNode>;
  readonly #subscriptions: vscode.Disposable[];
  readonly #elements = new TreeElements<DrillNode>();
  #countdown: NodeJS.Timeout | undefined;
  #isContext: boolean | undefined;
  /** Ids of the drills that ran at the last status. */
  #running = new Set<string>();

  constructor(server: WaybillServer) {
    this.#server = server;
    this.#view = vscode.window.createTreeView('waybill.drill', { treeDataProvider: this });
    const update = (): void => { this.#update(); };
    this.#subscriptions = [server.onDidChangeStatus(update), server.onDidChangeState(update), this.#view.onDidChangeVisibility(update), this.#view, this.#changed];
    this.#update();
  }

  get onDidChangeTreeData(): vscode.Event<DrillNode | undefined> { return this.#changed.event; }

  getChildren(node?: DrillNode): DrillNode[] {
    return node?.children ?? this.#elements.lines;
  }

  getTreeItem(node: DrillNode): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, node.children.length === 0 ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Expanded);
    item.id = node.id;
    item.description = node.description;
    item.tooltip = node.tooltip;
    if (node.icon !== undefined) item.iconPath = new vscode.ThemeIcon(node.icon, node.color === undefined ? undefined : new vscode.ThemeColor(node.color));
    item.accessibilityInformation = { label: node.spoken };
    if (node.receipt !== undefined) item.command = { command: 'waybill.openReceipt', title: t('Open Receipt'), arguments: [node.receipt, 'list'] };
    return item;
  }

  dispose(): void {
    clearInterval(this.#countdown);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #update(): void {
    // What an ended process said last is no longer so.
    const drill = this.#server.state === 'running' ? this.#server.status?.drill : undefined;
    const running = drill?.running ?? [];
    this.#setContext(running.length > 0);
    for (const line of this.#elements.update(drillNodes(drill))) this.#changed.fire(line);
    this.#count();
    const last = drill?.last;
    const before = this.#running;
    this.#running = new Set(running.map(one => one.id));
    if (last !== undefined && before.has(last.id) && !this.#running.has(last.id)) void this.#tell(summaryText(last), last.ended === 'gone');
  }

  /** The time left is in the view's header: a tree that is drawn each second loses what is under the mouse. */
  #count(): void {
    clearInterval(this.#countdown);
    const show = (): void => { this.#view.description = timeLeft(this.#server.status?.drill, Date.now()); };
    show();
    if (this.#view.visible && this.#elements.lines.length > 0) this.#countdown = setInterval(show, secondMs);
  }

  #setContext(running: boolean): void {
    if (running === this.#isContext) return;
    this.#isContext = running;
    void vscode.commands.executeCommand('setContext', 'waybill.drill', running);
  }

  async #tell(summary: string, gone: boolean): Promise<void> {
    const report = t('Show Report');
    const pick = await vscode.window.showInformationMessage(gone ? t('Fire drill over, because what it was about was removed: {0}', summary) : t('Fire drill over: {0}', summary), report);
    if (pick === report) await vscode.commands.executeCommand('waybill.fireDrillReport');
  }
}
