import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import type { RequestPlace } from '../../../server/api/reports/requestMessages.ts';
import { messageOf } from '../../base/errors.ts';
import { TreeElements } from '../../base/treeElements.ts';
import type { ConversationTitles } from '../../chat/conversationTitles.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { RefreshThrottle } from '../shared/refreshThrottle.ts';
import { filterWords } from './filterModel.ts';
import type { FilterPart } from './filterModel.ts';
import { KeptSearch, type KeptFind } from './keptSearch.ts';
import { buildRequestItem } from './requestsItem.ts';

const pageSize = 50;
const refreshIntervalMs = 1000;
/** Requests that run and pass the filter, at most so many. */
const mostRunning = 50;

interface FoundPage { requests: RequestSummary[]; more: boolean }

/** A line of the view. `elapsed` makes a line that runs look different each second. */
export type RequestNode = { id: string; children: RequestNode[] } & (
  | { kind: 'request'; request: RequestSummary; title?: string | undefined; ofPeer?: boolean | undefined; elapsed?: number | undefined }
  | { kind: 'condition'; part: FilterPart; words: string }
  | { kind: 'none' }
  | { kind: 'more' }
  | { kind: 'failed'; message: string });

/**
 * The Requests view: what runs now, then the latest exchanges, newest first, live; a click opens the receipt. A filter looks
 * through the whole ledger, and each of its conditions is a line on top. Registers itself and its command `waybill.showRequests`.
 */
export class RequestsView implements vscode.TreeDataProvider<RequestNode>, vscode.Disposable {
  readonly #server: WaybillServer;
  readonly #titles: ConversationTitles;
  /** How often, so that what was read before is not shown again. */
  #titlesForgotten = 0;
  readonly #changed = new vscode.EventEmitter<RequestNode | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #throttle = new RefreshThrottle(() => this.#refresh(), refreshIntervalMs);
  readonly #view: vscode.TreeView<RequestNode>;
  readonly #subscriptions: vscode.Disposable[];
  #wantedCount = pageSize;
  #filter: RequestFilter = {};
  /** The state that is shown, as far as status tells it. */
  #shown: string | undefined;
  readonly #elements = new TreeElements<RequestNode>();
  /** Undefined until first asked for. */
  #firstRead: Promise<void> | undefined;
  /** A search that runs for a filter that was changed since is of no use. */
  #search = new vscode.CancellationTokenSource();
  readonly #page = new KeptSearch<FoundPage>(() => performance.now());
  readonly #running = new KeptSearch<ReadonlySet<string>>(() => performance.now());

  constructor(server: WaybillServer, titles: ConversationTitles) {
    this.#server = server;
    this.#titles = titles;
    this.#view = vscode.window.createTreeView('waybill.requests', { treeDataProvider: this, canSelectMany: true });
    this.#subscriptions = [
      this.#changed,
      this.#view,
      vscode.commands.registerCommand('waybill.showRequests', () => vscode.commands.executeCommand('waybill.requests.focus')),
      // Behind lines of the tree only, so they are in no menu and no palette.
      vscode.commands.registerCommand('waybill.requests.loadMore', () => this.#loadMore()),
      vscode.commands.registerCommand('waybill.requests.retry', () => this.#refresh()),
      server.onDidChangeStatus(() => this.#refreshWhenChanged()),
      server.onDidChangeState((state) => {
        if (state !== 'running') return;
        // Another process counts its revisions anew.
        this.#page.forget();
        this.#running.forget();
        if (this.#view.visible) this.#throttle.request();
      }),
      // The times of requests that run stood still while nobody saw them.
      this.#view.onDidChangeVisibility(({ visible }) => {
        if (visible) this.#throttle.request();
      }),
    ];
  }

  get filter(): RequestFilter {
    return this.#filter;
  }

  /** Shows only what passes a filter, from the first page on, and moves the focus into the view. An empty one shows everything. */
  async show(filter: RequestFilter): Promise<void> {
    this.#filter = filter;
    this.#wantedCount = pageSize;
    this.#search.cancel();
    this.#search.dispose();
    this.#search = new vscode.CancellationTokenSource();
    const words = this.#conditions().map(one => one.words);
    this.#view.description = words.join(' · ');
    void vscode.commands.executeCommand('setContext', 'waybill.requestsFiltered', words.length > 0);
    await vscode.commands.executeCommand('waybill.requests.focus');
    await vscode.window.withProgress({ location: { viewId: 'waybill.requests' } }, () => this.#refresh());
  }

  /** The ids of the requests that are selected, from top to bottom. */
  get selected(): string[] {
    return this.#view.selection.flatMap(node => (node.kind === 'request' ? [node.request.id] : []));
  }

  getTreeItem(node: RequestNode): vscode.TreeItem {
    switch (node.kind) {
      case 'request': return requestTreeItem(node);
      case 'condition': {
        const item = commandItem(node, node.words, 'filter-filled', { command: 'waybill.filterRequests', title: t('Filter Requests…') });
        item.contextValue = 'condition';
        item.tooltip = t('Only requests for which this holds are shown. Select to change the filter.');
        return item;
      }
      case 'none': {
        const item = commandItem(node, t('No request passes the filter'), 'info', { command: 'waybill.clearRequestFilter', title: t('Clear Filter of Requests') });
        item.description = t('Select to clear it');
        return item;
      }
      case 'more': return commandItem(node, t('Load more'), 'ellipsis', { command: 'waybill.requests.loadMore', title: t('Load more') });
      case 'failed': {
        const item = commandItem(node, t('The requests could not be read'), 'warning', { command: 'waybill.requests.retry', title: t('Try again') });
        item.description = t('Click to try again');
        item.tooltip = node.message;
        item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('problemsWarningIcon.foreground'));
        return item;
      }
    }
  }

  async getChildren(parent?: RequestNode): Promise<RequestNode[]> {
    if (parent !== undefined) return [];
    this.#firstRead ??= this.#read(this.#search.token).then((nodes) => {
      this.#elements.update(nodes);
      this.#followRunning(nodes);
    });
    await this.#firstRead;
    return this.#elements.lines;
  }

  dispose(): void {
    this.#throttle.dispose();
    this.#search.cancel();
    this.#search.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Titles were removed from the ledger, which changes no figure of its state. */
  titlesForgotten(): void {
    this.#titlesForgotten += 1;
    if (this.#view.visible) this.#throttle.request();
  }

  #refreshWhenChanged(): void {
    const now = this.#state();
    if (now !== undefined && now !== this.#shown && this.#view.visible) this.#throttle.request();
  }

  #state(): string | undefined {
    const status = this.#server.status;
    return status === undefined ? undefined : `${String(status.ledgerRevision)} ${String(status.running ?? 0)}`;
  }

  async #loadMore(): Promise<void> {
    this.#wantedCount += pageSize;
    await vscode.window.withProgress({ location: { viewId: 'waybill.requests' } }, () => this.#refresh());
  }

  async #refresh(): Promise<void> {
    const { token } = this.#search;
    const nodes = await this.#read(token);
    // The filter was changed while the server looked.
    if (token !== this.#search.token) return;
    for (const line of this.#elements.update(nodes)) this.#changed.fire(line);
    this.#followRunning(nodes);
  }

  /** Lines of requests that run are drawn anew each second, while they can be seen. */
  #followRunning(nodes: readonly RequestNode[]): void {
    if (this.#view.visible && nodes.some(node => node.kind === 'request' && node.elapsed !== undefined)) this.#throttle.request();
  }

  #conditions(): ReturnType<typeof filterWords> {
    return filterWords(this.#filter, { locale: currentLanguage() }, conversation => this.#titles.of(conversation) ?? this.#keptTitle(conversation));
  }

  async #read(token: vscode.CancellationToken): Promise<RequestNode[]> {
    const state = this.#state();
    const revision = this.#server.status?.ledgerRevision;
    const conditions = this.#conditions().map(({ part, words }): RequestNode => ({ id: `condition ${part}`, children: [], kind: 'condition', part, words }));
    try {
      const question = JSON.stringify([this.#filter, this.#wantedCount, this.#titlesForgotten]);
      const [running, { found, isOld }] = await Promise.all([
        this.#server.runningRequests(),
        this.#page.find(question, revision === undefined ? undefined : String(revision), () => this.#find(token), () => token.isCancellationRequested),
      ]);
      this.#shown = state;
      const filtered = conditions.length > 0;
      const passing = !filtered || running.length === 0 ? undefined : await this.#passing(running, token);
      if (this.#view.visible && (isOld || passing?.isOld === true)) this.#throttle.request();
      const now = Date.now();
      const live = running.filter(({ id }) => passing === undefined || passing.found.has(id)).map((request): RequestNode => ({
        id: request.id, children: [], kind: 'request', request, ofPeer: request.ofPeer, elapsed: Math.floor((now - request.startedAt) / 1000), ...this.#titleOf(request),
      }));
      const liveIds = new Set(live.map(({ id }) => id));
      const ended = found.requests.filter(({ id }) => !liveIds.has(id)).map((request): RequestNode => ({ id: request.id, children: [], kind: 'request', request, ...this.#titleOf(request) }));
      const none: RequestNode[] = filtered && live.length + ended.length === 0 ? [{ id: 'none', children: [], kind: 'none' }] : [];
      const more: RequestNode[] = found.more ? [{ id: 'more', children: [], kind: 'more' }] : [];
      return [...conditions, ...live, ...ended, ...none, ...more];
    } catch (error) {
      return [...conditions, { id: 'failed', children: [], kind: 'failed', message: messageOf(error) }];
    }
  }

  async #find(token: vscode.CancellationToken): Promise<FoundPage> {
    const requests: RequestSummary[] = [];
    let after: RequestPlace | undefined;
    do {
      const part = await this.#server.findRequests({ filter: this.#filter, limit: this.#wantedCount - requests.length, after }, token);
      if ('refused' in part) throw new Error(part.refused);
      requests.push(...part.requests);
      after = part.next;
    } while (after !== undefined && requests.length < this.#wantedCount && !token.isCancellationRequested);
    return { requests, more: after !== undefined };
  }

  /** The ids of those requests that run which pass the filter; all of them began since a moment. */
  async #passing(running: readonly RequestSummary[], token: vscode.CancellationToken): Promise<KeptFind<ReadonlySet<string>>> {
    const fromMs = Math.max(Math.min(...running.map(({ startedAt }) => startedAt)), this.#filter.fromMs ?? 0);
    const state = running.map(({ id, target, attempts, cost }) => [id, target, attempts, cost.microUsd]);
    const filter = this.#filter;
    return this.#running.find(JSON.stringify(filter), JSON.stringify(state), async () => {
      const found = await this.#server.findRequests({ filter: { ...filter, fromMs, outcome: filter.outcome ?? 'open' }, limit: mostRunning }, token);
      return new Set('refused' in found ? [] : found.requests.map(({ id }) => id));
    }, () => token.isCancellationRequested);
  }

  /** As a line that is shown has it. */
  #keptTitle(conversation: string): string | undefined {
    for (const node of this.#elements.lines) if (node.kind === 'request' && node.request.caller.conversation === conversation && node.title !== undefined) return node.title;
    return undefined;
  }

  #titleOf({ caller: { conversation }, title: kept }: RequestSummary): { title?: string } {
    const title = (conversation === undefined ? undefined : this.#titles.of(conversation)) ?? kept;
    return title === undefined ? {} : { title };
  }
}

function commandItem(node: RequestNode, label: string, icon: string, command: vscode.Command): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.id = node.id;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.command = command;
  return item;
}

function requestTreeItem({ request, title, ofPeer }: Extract<RequestNode, { kind: 'request' }>): vscode.TreeItem {
  const parts = buildRequestItem(request, Date.now(), { locale: currentLanguage() }, { title, ofPeer });
  const item = new vscode.TreeItem(parts.label);
  item.id = parts.id;
  item.description = parts.description;
  item.iconPath = new vscode.ThemeIcon(parts.icon.id, parts.icon.color === undefined ? undefined : new vscode.ThemeColor(parts.icon.color));
  item.tooltip = new vscode.MarkdownString(parts.tooltip);
  item.accessibilityInformation = { label: parts.spoken };
  item.contextValue = parts.contextValue;
  item.command = { command: 'waybill.openReceipt', title: t('Open Receipt'), arguments: [parts.id, 'list'] };
  return item;
}
