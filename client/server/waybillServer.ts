import type * as vscode from 'vscode';
import type {
  CatalogResult, ChatEvent, ChatParams, ChatResult, ConnectedToolsResult, ConnectToolResult, NoticeParams, ProbeParams, ProbeReport, ReceiptResult, RequestsParams, RequestsResult, RetryEndpointResult,
  SpendParams, SpendResult, TestEndpointParams, TestEndpointResult,
} from '../../server/api/messages.ts';
import type { StartDrillParams, StartDrillResult, StopDrillResult, ResilienceReportResult } from '../../server/api/drill.ts';
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
  /** The latest state of endpoints, routes and money; undefined until the server first said. */
  readonly status: StatusSnapshot | undefined;
  readonly onDidChangeStatus: vscode.Event<StatusSnapshot>;
  readonly onDidReceiveNotice: vscode.Event<NoticeParams>;
  chat(params: ChatParams, onEvents: (events: ChatEvent[]) => void, token: vscode.CancellationToken): Promise<ChatResult>;
  testEndpoint(params: TestEndpointParams, token?: vscode.CancellationToken): Promise<TestEndpointResult>;
  /** Probes an endpoint, or all that are enabled, and says what was found. */
  probe(params: ProbeParams): Promise<ProbeReport>;
  spend(params: SpendParams): Promise<SpendResult>;
  requests(params: RequestsParams): Promise<RequestsResult>;
  receipt(id: string): Promise<ReceiptResult>;
  catalog(): Promise<CatalogResult>;
  /** Gives a tool a token of its own, or the one it has. */
  connectTool(tool: string): Promise<ConnectToolResult>;
  /** Revokes a tool's token. */
  disconnectTool(tool: string): Promise<void>;
  /** Tries to listen at the local endpoint again, and finds out who holds its port; the state then. */
  retryEndpoint(): Promise<RetryEndpointResult>;
  /** Begins a fire drill, or says why not. */
  startDrill(params: StartDrillParams): Promise<StartDrillResult>;
  /** Ends every fire drill; what became of them. */
  stopDrills(): Promise<StopDrillResult>;
  /** What each route survives. */
  resilienceReport(): Promise<ResilienceReportResult>;
  /** Names of the tools that have a token. */
  connectedTools(): Promise<ConnectedToolsResult>;
}
