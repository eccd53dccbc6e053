import type * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { changeToolAccessRequest, toolAccessRequest, type ToolAccess, type ToolAccessOrder, type ToolAccessResult } from '../../server/api/access/tokenAccess.ts';
import {
  catalogRequest, chatEventsHandledNotification, chatRequest, configureRequest, connectedToolsRequest, connectToolRequest, disconnectToolRequest, getStatusRequest, probeRequest,
  receiptRequest, recentRequestsRequest, reconcileRequest, retryEndpointRequest, spendRequest, testEndpointRequest,
} from '../../server/api/messages.ts';
import type {
  CatalogResult, ChatEvent, ChatEventsParams, ChatParams, ChatResult, ConfigureParams, ConnectedToolsResult, ConnectToolResult, NoticeParams, ProbeParams, ProbeReport, ReceiptResult,
  RequestsParams, RequestsResult, RetryEndpointResult, SpendParams, SpendResult, TestEndpointParams, TestEndpointResult,
} from '../../server/api/messages.ts';
import type { ReconcileParams, ReconcileResult } from '../../server/api/bill.ts';
import { KeptHistories } from '../../server/api/keptHistories.ts';
import type { SentConversation } from '../../server/api/keptHistories.ts';
import type { RequestType } from '../../server/api/messageTypes.ts';
import { dryRunRequest, type DryRunParams, type DryRunResult } from '../../server/api/rules/dryRun.ts';
import { ruleVersionRequest, ruleVersionsRequest, type RuleVersion, type RuleVersionParams, type RuleVersionResult } from '../../server/api/rules/rulesHistory.ts';
import { proposeRoutesRequest, type ProposeRoutesParams, type ProposeRoutesResult } from '../../server/api/firstRun/proposedRoutes.ts';
import { tryRouteRequest, type TryRouteParams, type TryRouteResult } from '../../server/api/routes/tryRoute.ts';
import { agentToolRequest, type AgentToolAnswer, type AgentToolParams } from '../../server/api/agents/agentToolMessages.ts';
import { forgetTitlesRequest, keptTitlesRequest, type ForgottenTitles, type KeptTitles } from '../../server/api/ledger/keptTitles.ts';
import { clearResponseCacheRequest, type ClearResponseCacheResult } from '../../server/api/cache/responseCache.ts';
import { canaryRequest, type CanaryParams, type CanaryResult } from '../../server/api/canary.ts';
import { endpointRequest, type EndpointOrder, type EndpointOrderResult } from '../../server/api/endpoints/pause.ts';
import type { MigrationParams, MigrationResult } from '../../server/api/reports/migration.ts';
import { dearestSpendRequest, spendDashboardRequest, type DearestParams, type DearestSpend, type SpendDashboard, type SpendDashboardParams } from '../../server/api/reports/dashboard.ts';
import type { IncidentParams, IncidentResult } from '../../server/api/reports/incidents.ts';
import type { CacheReportParams, CacheReportResult } from '../../server/api/reports/cacheReport.ts';
import { cacheReportRequest, incidentsRequest, migrationRequest, savingsRequest } from '../../server/api/reports/reportMessages.ts';
import {
  cancelRequestRequest, findRequestsRequest, runningRequestsRequest, type CancelRequestResult, type FindRequestsParams, type FindRequestsResult, type RunningRequest,
} from '../../server/api/reports/requestMessages.ts';
import type { SavingsParams, SavingsResult } from '../../server/api/reports/savings.ts';
import { budgetRequest, type BudgetOrder, type BudgetResult } from '../../server/api/budgets/budgetStatus.ts';
import { shadowRequest, type ShadowParams, type ShadowResult } from '../../server/api/shadow.ts';
import { startDrillRequest, stopDrillRequest, resilienceReportRequest } from '../../server/api/drill.ts';
import type { StartDrillParams, StartDrillResult, StopDrillResult, ResilienceReportResult } from '../../server/api/drill.ts';
import type { ConfigProblem, StatusSnapshot } from '../../server/api/status.ts';
import { Emitter } from '../base/emitter.ts';
import { UserError, messageOf } from '../base/errors.ts';
import type { ConnectServer, Log, ServerConnection, Timers } from './connection.ts';
import { Gate } from './gate.ts';
import { RestartBudget, defaultRestartBudget } from './restartBudget.ts';
import type { ServerState, WaybillServer } from './waybillServer.ts';

export interface ServerProcessOptions {
  connect: ConnectServer;
  /** Reads the whole configuration with its keys, as it is now. */
  readConfiguration: () => Promise<ConfigureParams>;
  log: Log;
  timers: Timers;
  budget?: RestartBudget;
}

export const serverStoppedMessage =
  t("Waybill's server stopped while it worked on this. It is being restarted: send the request again.");
const serverFailedMessage =
  t('Waybill\'s server is not running. Run "Waybill: Restart Server", or "Waybill: Show Log" to see why it stopped.');

/** A running chat: who takes its events, and where acknowledgements go. */
interface RunningChat { onEvents: (events: ChatEvent[]) => void; connection: ServerConnection; token: vscode.CancellationToken }

/** JSON-RPC codes of a lost connection; all others are answers of the server. */
const connectionLostCodes: ReadonlySet<number> = new Set([-32099, -32098, -32097, -32096]);
const requestCancelledCode = -32800;

/**
 * The server's whole life: started in the background, configured before any request may go, restarted after
 * a crash within a budget. One run is one `ServerConnection`; requests wait at the gate until the current run
 * has accepted its configuration.
 */
export class ServerProcess implements WaybillServer {
  readonly #options: ServerProcessOptions;
  readonly #budget: RestartBudget;
  readonly #stateChanged = new Emitter<ServerState>();
  readonly #statusChanged = new Emitter<StatusSnapshot>();
  readonly #noticeReceived = new Emitter<NoticeParams>();
  readonly #configured = new Emitter<ConfigProblem[]>();
  readonly #gate = new Gate<ServerConnection>();
  readonly #chats = new Map<string, RunningChat>();
  /** The conversations that a run of the server has. */
  readonly #histories = new WeakMap<ServerConnection, KeptHistories>();
  #state: ServerState = 'stopped';
  #status: StatusSnapshot | undefined;
  /** Counts runs, so that messages of an earlier run are ignored. */
  #run = 0;
  #connection: ServerConnection | undefined;
  #cancelRestart: (() => void) | undefined;
  /** Grows when the configuration changed; a run is configured when it was sent the latest. */
  #wantedRevision = 0;
  #configuring: Promise<void> | undefined;
  #disposed = false;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#budget = options.budget ?? new RestartBudget(defaultRestartBudget);
  }

  get state(): ServerState { return this.#state; }
  get status(): StatusSnapshot | undefined { return this.#status; }
  get onDidChangeState(): vscode.Event<ServerState> { return this.#stateChanged.event; }
  get onDidChangeStatus(): vscode.Event<StatusSnapshot> { return this.#statusChanged.event; }
  get onDidReceiveNotice(): vscode.Event<NoticeParams> { return this.#noticeReceived.event; }
  /** The server applied a configuration; the problems it found in it. */
  get onDidConfigure(): vscode.Event<ConfigProblem[]> { return this.#configured.event; }

  /** Starts the server unless it runs or is about to. Returns at once. */
  start(): void {
    if (!this.#disposed && (this.#state === 'stopped' || this.#state === 'failed')) this.#launch('starting');
  }

  /** Ends the running server, if any, and starts a new one with a fresh restart budget. */
  async restart(): Promise<void> {
    await this.stop();
    this.#budget.reset();
    this.#launch('starting');
  }

  /** Ends the server and waits for it. Requests that wait are rejected. */
  async stop(): Promise<void> {
    this.#run++;
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#gate.close(new UserError(serverFailedMessage));
    this.#setState('stopped');
    await connection?.stop();
  }

  /** The settings or keys changed: sends them to a running server. One that is starting reads the newest by itself. */
  async configure(): Promise<void> {
    this.#wantedRevision++;
    const connection = this.#connection;
    if (this.#state !== 'running' || connection === undefined) return;
    try {
      await this.#sendConfiguration(connection);
    } catch (error) {
      this.#options.log.error(`The configuration could not be sent: ${messageOf(error)}`);
    }
  }

  async chat(params: ChatParams, onEvents: (events: ChatEvent[]) => void, token: vscode.CancellationToken): Promise<ChatResult> {
    const cancelled: ChatResult = { exchangeId: '', outcome: 'cancelled', attempts: 0, usage: {}, cost: { certainty: 'unknown' } };
    const connection = await this.#open(token);
    if (connection === undefined) return cancelled;
    this.#chats.set(params.id, { onEvents, connection, token });
    try {
      const sent = this.#shortened(params, connection);
      const result = await connection.sendRequest(chatRequest, { ...params, ...sent, flowControl: true }, token);
      return result.resend === true ? await connection.sendRequest(chatRequest, { ...params, flowControl: true }, token) : result;
    } catch (error) {
      if (token.isCancellationRequested) return cancelled;
      throw this.#explain(error, connection);
    } finally {
      this.#chats.delete(params.id);
    }
  }

  async testEndpoint(params: TestEndpointParams, token?: vscode.CancellationToken): Promise<TestEndpointResult> {
    return this.#request(testEndpointRequest, params, token);
  }

  async probe(params: ProbeParams): Promise<ProbeReport> { return this.#request(probeRequest, params); }
  async spendDashboard(params: SpendDashboardParams): Promise<SpendDashboard> { return this.#request(spendDashboardRequest, params); }
  async dearestSpend(params: DearestParams): Promise<DearestSpend> { return this.#request(dearestSpendRequest, params); }
  async endpoint(params: EndpointOrder): Promise<EndpointOrderResult> { return this.#request(endpointRequest, params); }
  async spend(params: SpendParams): Promise<SpendResult> { return this.#request(spendRequest, params); }
  async reconcile(params: ReconcileParams, token?: vscode.CancellationToken): Promise<ReconcileResult> { return this.#request(reconcileRequest, params, token); }
  async requests(params: RequestsParams): Promise<RequestsResult> { return this.#request(recentRequestsRequest, params); }
  async findRequests(params: FindRequestsParams, token?: vscode.CancellationToken): Promise<FindRequestsResult> { return this.#request(findRequestsRequest, params, token); }
  async runningRequests(): Promise<RunningRequest[]> { return this.#request(runningRequestsRequest, {}); }
  async cancelRequest(id: string): Promise<CancelRequestResult> { return this.#request(cancelRequestRequest, { id }); }
  async receipt(id: string): Promise<ReceiptResult> { return this.#request(receiptRequest, { id }); }
  async catalog(): Promise<CatalogResult> { return this.#request(catalogRequest, {}); }
  async connectTool(tool: string): Promise<ConnectToolResult> { return this.#request(connectToolRequest, { tool }); }
  async disconnectTool(tool: string): Promise<void> { await this.#request(disconnectToolRequest, { tool }); }
  async retryEndpoint(): Promise<RetryEndpointResult> { return this.#request(retryEndpointRequest, {}); }
  async incidents(params: IncidentParams, token?: vscode.CancellationToken): Promise<IncidentResult> { return this.#request(incidentsRequest, params, token); }
  async cacheReport(params: CacheReportParams, token?: vscode.CancellationToken): Promise<CacheReportResult> { return this.#request(cacheReportRequest, params, token); }
  async savings(params: SavingsParams, token?: vscode.CancellationToken): Promise<SavingsResult> { return this.#request(savingsRequest, params, token); }
  async budget(order: BudgetOrder): Promise<BudgetResult> { return this.#request(budgetRequest, order); }
  async shadow(params: ShadowParams): Promise<ShadowResult> { return this.#request(shadowRequest, params); }
  async dryRun(params: DryRunParams, token?: vscode.CancellationToken): Promise<DryRunResult> { return this.#request(dryRunRequest, params, token); }
  async ruleVersions(): Promise<RuleVersion[]> { return this.#request(ruleVersionsRequest, {}); }
  async ruleVersion(params: RuleVersionParams): Promise<RuleVersionResult> { return this.#request(ruleVersionRequest, params); }
  async migration(params: MigrationParams, token?: vscode.CancellationToken): Promise<MigrationResult> { return this.#request(migrationRequest, params, token); }
  async tryRoute(params: TryRouteParams): Promise<TryRouteResult> { return this.#request(tryRouteRequest, params); }
  async proposeRoutes(params: ProposeRoutesParams): Promise<ProposeRoutesResult> { return this.#request(proposeRoutesRequest, params); }
  async clearResponseCache(route: string | undefined): Promise<ClearResponseCacheResult> { return this.#request(clearResponseCacheRequest, route === undefined ? {} : { route }); }
  async keptTitles(): Promise<KeptTitles> { return this.#request(keptTitlesRequest, {}); }
  async forgetTitles(): Promise<ForgottenTitles | { refused: string }> { return this.#request(forgetTitlesRequest, {}); }
  async canary(params: CanaryParams): Promise<CanaryResult> { return this.#request(canaryRequest, params); }
  async startDrill(params: StartDrillParams): Promise<StartDrillResult> { return this.#request(startDrillRequest, params); }
  async stopDrills(): Promise<StopDrillResult> { return this.#request(stopDrillRequest, {}); }
  async resilienceReport(): Promise<ResilienceReportResult> { return this.#request(resilienceReportRequest, {}); }
  async toolAccess(): Promise<ToolAccess[]> { return this.#request(toolAccessRequest, {}); }
  async changeToolAccess(order: ToolAccessOrder): Promise<ToolAccessResult> { return this.#request(changeToolAccessRequest, order); }
  async agentTool(params: AgentToolParams, token?: vscode.CancellationToken): Promise<AgentToolAnswer> { return this.#request(agentToolRequest, params, token); }
  async connectedTools(): Promise<ConnectedToolsResult> { return this.#request(connectedToolsRequest, {}); }

  /** Ends the server without waiting for it and forgets all listeners. */
  dispose(): void {
    this.#disposed = true;
    void this.stop();
    for (const emitter of [this.#stateChanged, this.#statusChanged, this.#noticeReceived, this.#configured]) emitter.dispose();
  }

  async #request<Params, Result>(type: RequestType<Params, Result>, params: Params, token?: vscode.CancellationToken): Promise<Result> {
    const connection = await this.#open(token);
    if (connection === undefined) throw new UserError(t('Cancelled.'));
    try {
      return await connection.sendRequest(type, params, token);
    } catch (error) {
      throw this.#explain(error, connection);
    }
  }

  /** The configured connection, waited for; undefined when the token is cancelled first. */
  async #open(token?: vscode.CancellationToken): Promise<ServerConnection | undefined> {
    if (this.#state === 'stopped') this.start();
    if (token?.isCancellationRequested === true) return undefined;
    let subscription: vscode.Disposable | undefined;
    const cancelled = new Promise<undefined>(resolve => {
      subscription = token?.onCancellationRequested(() => { resolve(undefined); });
    });
    try {
      return await Promise.race([this.#gate.wait(), cancelled]);
    } finally {
      subscription?.dispose();
    }
  }

  /** Leaves out of a chat what this run of the server has of its conversation. */
  #shortened({ id, conversation }: ChatParams, connection: ServerConnection): SentConversation {
    const histories = this.#histories.get(connection) ?? new KeptHistories();
    this.#histories.set(connection, histories);
    const sent = histories.shorten(conversation);
    histories.keep(id, conversation, sent.continues?.id);
    return sent;
  }

  #explain(error: unknown, connection: ServerConnection): Error {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    const lost = this.#connection !== connection || (typeof code === 'number' && connectionLostCodes.has(code));
    if (lost) return new UserError(this.#state === 'failed' ? serverFailedMessage : serverStoppedMessage, { cause: error });
    if (code === requestCancelledCode) return new UserError(t('Cancelled.'), { cause: error });
    return new UserError(messageOf(error), { cause: error });
  }

  #launch(state: 'starting' | 'restarting'): void {
    const run = ++this.#run;
    this.#gate.reset();
    this.#setState(state);
    this.#options.connect({
      onClosed: () => { this.#crashed(run, 'its process ended'); },
      onStatus: status => { if (run === this.#run) this.#setStatus(status); },
      onNotice: notice => { if (run === this.#run) this.#noticeReceived.fire(notice); },
      onChatEvents: params => { if (run === this.#run) this.#deliver(params); },
    }).then(async connection => {
      if (run !== this.#run) {
        await connection.stop();
        return;
      }
      this.#connection = connection;
      let status: StatusSnapshot;
      let configured: number;
      do {
        configured = this.#wantedRevision;
        await this.#sendConfiguration(connection);
        status = await connection.sendRequest(getStatusRequest, {});
      } while (configured !== this.#wantedRevision);
      if (run !== this.#run) return;
      this.#setStatus(status);
      this.#setState('running');
      this.#gate.open(connection);
      this.#options.log.info(`The server runs${connection.processId === undefined ? '' : ` as process ${String(connection.processId)}`}.`);
    }).catch((error: unknown) => { this.#crashed(run, messageOf(error)); });
  }

  /** Hands events to their chat, then acknowledges them: a slow reader slows the provider down. A cancelled chat needs none. */
  #deliver({ id, events, acknowledge }: ChatEventsParams): void {
    const chat = this.#chats.get(id);
    if (chat === undefined) return;
    try {
      chat.onEvents(events);
    } finally {
      if (acknowledge !== undefined && !chat.token.isCancellationRequested) chat.connection.sendNotification(chatEventsHandledNotification, { id, acknowledge });
    }
  }

  /** Sends configurations until the newest one was sent; calls that come meanwhile join the same work. */
  async #sendConfiguration(connection: ServerConnection): Promise<void> {
    const running = this.#configuring;
    if (running !== undefined && this.#connection === connection && this.#state === 'running') return running;
    const work = (async () => {
      let sent: number;
      do {
        sent = this.#wantedRevision;
        const result = await connection.sendRequest(configureRequest, await this.#options.readConfiguration());
        if (this.#connection === connection) this.#configured.fire(result.problems);
      } while (this.#wantedRevision !== sent);
    })();
    this.#configuring = work;
    try {
      await work;
    } finally {
      if (this.#configuring === work) this.#configuring = undefined;
    }
  }

  #crashed(run: number, reason: string): void {
    if (run !== this.#run) return;
    this.#run++;
    const connection = this.#connection;
    this.#connection = undefined;
    void connection?.stop();
    const decision = this.#budget.crash(this.#options.timers.now());
    if (!decision.restart) {
      this.#options.log.error(`The server stopped (${reason}) too often and is not started again.`);
      this.#gate.close(new UserError(serverFailedMessage));
      this.#setState('failed');
      return;
    }
    this.#options.log.warn(`The server stopped (${reason}); it is started again in ${String(decision.delayMs)} ms.`);
    this.#gate.reset();
    this.#setState('restarting');
    this.#cancelRestart = this.#options.timers.after(decision.delayMs, () => {
      this.#cancelRestart = undefined;
      this.#launch('restarting');
    });
  }

  #setState(state: ServerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#stateChanged.fire(state);
  }

  #setStatus(status: StatusSnapshot): void {
    this.#status = status;
    this.#statusChanged.fire(status);
  }
}
