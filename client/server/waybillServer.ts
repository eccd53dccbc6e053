import type { ToolAccess, ToolAccessOrder, ToolAccessResult } from '../../server/api/access/tokenAccess.ts';
import type * as vscode from 'vscode';
import type { AgentToolAnswer, AgentToolParams } from '../../server/api/agents/agentToolMessages.ts';
import type {
  CatalogResult, ChatEvent, ChatParams, ChatResult, ConnectedToolsResult, ConnectToolResult, NoticeParams, ProbeParams, ProbeReport, ReceiptResult, RequestsParams, RequestsResult, RetryEndpointResult,
  SpendParams, SpendResult, TestEndpointParams, TestEndpointResult,
} from '../../server/api/messages.ts';
import type { ClearResponseCacheResult } from '../../server/api/cache/responseCache.ts';
import type { CanaryParams, CanaryResult } from '../../server/api/canary.ts';
import type { EndpointOrder, EndpointOrderResult } from '../../server/api/endpoints/pause.ts';
import type { ForgottenTitles, KeptTitles } from '../../server/api/ledger/keptTitles.ts';
import type { MigrationParams, MigrationResult } from '../../server/api/reports/migration.ts';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams } from '../../server/api/reports/dashboard.ts';
import type { IncidentParams, IncidentResult } from '../../server/api/reports/incidents.ts';
import type { CacheReportParams, CacheReportResult } from '../../server/api/reports/cacheReport.ts';
import type { CancelRequestResult, FindRequestsParams, FindRequestsResult, RunningRequest } from '../../server/api/reports/requestMessages.ts';
import type { SavingsParams, SavingsResult } from '../../server/api/reports/savings.ts';
import type { BudgetOrder, BudgetResult } from '../../server/api/budgets/budgetStatus.ts';
import type { ShadowParams, ShadowResult } from '../../server/api/shadow.ts';
import type { DryRunParams, DryRunResult } from '../../server/api/rules/dryRun.ts';
import type { RuleVersion, RuleVersionParams, RuleVersionResult } from '../../server/api/rules/rulesHistory.ts';
import type { ReconcileParams, ReconcileResult } from '../../server/api/bill.ts';
import type { StartDrillParams, StartDrillResult, StopDrillResult, ResilienceReportResult } from '../../server/api/drill.ts';
import type { TryRouteParams, TryRouteResult } from '../../server/api/routes/tryRoute.ts';
import type { ProposeRoutesParams, ProposeRoutesResult } from '../../server/api/firstRun/proposedRoutes.ts';
import type { StatusSnapshot } from '../../server/api/status.ts';

/** Where the server process is in its life. */
export type ServerState = 'starting' | 'running' | 'restarting' | 'failed' | 'stopped';

/**
 * The language server as the rest of the client sees it. Requests wait for a server that is starting or
 * restarting, and reject with one sentence when it failed.
 */
export interface WaybillServer {
  readonly state: ServerState;
  readonly onDidChangeState: vscode.Event<ServerState>;
  /** The latest state of endpoints, routes and money; undefined until the first status. */
  readonly status: StatusSnapshot | undefined;
  readonly onDidChangeStatus: vscode.Event<StatusSnapshot>;
  readonly onDidReceiveNotice: vscode.Event<NoticeParams>;
  chat(params: ChatParams, onEvents: (events: ChatEvent[]) => void, token: vscode.CancellationToken): Promise<ChatResult>;
  testEndpoint(params: TestEndpointParams, token?: vscode.CancellationToken): Promise<TestEndpointResult>;
  /** Probes an endpoint, or all enabled ones; resolves to their conditions. */
  probe(params: ProbeParams): Promise<ProbeReport>;
  /** Pauses, resumes, probes or resets an endpoint, or returns why not. */
  endpoint(params: EndpointOrder): Promise<EndpointOrderResult>;
  spend(params: SpendParams): Promise<SpendResult>;
  /** Sums for the Spend dashboard. */
  spendDashboard(params: SpendDashboardParams): Promise<SpendDashboard>;
  /** The conversations and requests that cost most. */
  dearestSpend(params: DearestParams): Promise<DearestSpend>;
  /** Compares the ledger with what a provider charges. */
  reconcile(params: ReconcileParams, token?: vscode.CancellationToken): Promise<ReconcileResult>;
  requests(params: RequestsParams): Promise<RequestsResult>;
  /** A page of the requests of the whole ledger that pass a filter, or why the filter cannot be read. */
  findRequests(params: FindRequestsParams, token?: vscode.CancellationToken): Promise<FindRequestsResult>;
  /** What runs now, in all windows, newest first. */
  runningRequests(): Promise<RunningRequest[]>;
  /** Ends a request that runs here, or says why not. */
  cancelRequest(id: string): Promise<CancelRequestResult>;
  receipt(id: string): Promise<ReceiptResult>;
  catalog(): Promise<CatalogResult>;
  /** Gives a tool a token of its own, or the one it has. */
  connectTool(tool: string): Promise<ConnectToolResult>;
  /** Revokes a tool's token. */
  disconnectTool(tool: string): Promise<void>;
  /** Tries to listen at the local endpoint again, and finds out who holds its port; the state then. */
  retryEndpoint(): Promise<RetryEndpointResult>;
  /** Starts a fire drill, or returns why not. */
  startDrill(params: StartDrillParams): Promise<StartDrillResult>;
  /** Ends every fire drill; resolves to their summaries. */
  stopDrills(): Promise<StopDrillResult>;
  /** What each route survives. */
  resilienceReport(): Promise<ResilienceReportResult>;
  /** When endpoints failed, who answered instead, and what that cost. */
  incidents(params: IncidentParams, token?: vscode.CancellationToken): Promise<IncidentResult>;
  /** What prompt caches held. */
  cacheReport(params: CacheReportParams, token?: vscode.CancellationToken): Promise<CacheReportResult>;
  /** What requests cost beside what they would have cost at a baseline. */
  savings(params: SavingsParams, token?: vscode.CancellationToken): Promise<SavingsResult>;
  /** Allows more of a budget, lifts it, or takes that back; or returns why not. */
  budget(order: BudgetOrder): Promise<BudgetResult>;
  /** Does something with the shadow of a route, or returns why not. */
  shadow(params: ShadowParams): Promise<ShadowResult>;
  /** What was used, what it would cost elsewhere, and how to move there. */
  migration(params: MigrationParams, token?: vscode.CancellationToken): Promise<MigrationResult>;
  /** How many requests have the first words of their conversation in the ledger. */
  keptTitles(): Promise<KeptTitles>;
  /** Removes those words from the ledger and from its file, or returns why not. */
  forgetTitles(): Promise<ForgottenTitles | { refused: string }>;
  /** Forgets the answers that a route keeps, or all routes. */
  clearResponseCache(route: string | undefined): Promise<ClearResponseCacheResult>;
  /** Does something with the canary of a route, or returns why not. */
  canary(params: CanaryParams): Promise<CanaryResult>;
  /** What would have become of recorded requests with other rules, or why that cannot be found out. */
  dryRun(params: DryRunParams, token?: vscode.CancellationToken): Promise<DryRunResult>;
  /** The versions of the rules that are kept, newest first. */
  ruleVersions(): Promise<RuleVersion[]>;
  /** A version, what is there now, and what a return to it writes; or why it cannot be read. */
  ruleVersion(params: RuleVersionParams): Promise<RuleVersionResult>;
  /** Where a request would go now; nothing is sent. */
  tryRoute(params: TryRouteParams): Promise<TryRouteResult>;
  /** Routes that endpoints could make; nothing is written. */
  proposeRoutes(params: ProposeRoutesParams): Promise<ProposeRoutesResult>;
  /** What tools may do, of those whose access was ever set. */
  toolAccess(): Promise<ToolAccess[]>;
  /** Changes what a connected tool may do, or ends its token. */
  changeToolAccess(order: ToolAccessOrder): Promise<ToolAccessResult>;
  /** Runs a tool for an agent of the editor. */
  agentTool(params: AgentToolParams, token?: vscode.CancellationToken): Promise<AgentToolAnswer>;
  /** Names of the tools that have a token. */
  connectedTools(): Promise<ConnectedToolsResult>;
}
