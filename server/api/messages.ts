import type { BudgetPeriod, BudgetSettings } from './budgets/budgetSettings.ts';
import type { AlertKind, MonitoringSettings } from './monitoring/monitoringSettings.ts';
import type { ReconcileParams, ReconcileResult } from './bill.ts';
import type { Condition } from './condition.ts';
import type { ConversationEvent, ConversationRequest, TokenUsage } from './conversation.ts';
import type { FailureClass } from './failure.ts';
import type { ContinuedHistory } from './keptHistories.ts';
import type { Said } from './localization/said.ts';
import { notificationType, requestType, type NoParams } from './messageTypes.ts';
import type { Caller, Cost, Receipt, RequestSummary, SpendReport, TimeRange } from './receipt.ts';
import type { CapSettings, EndpointSettings, NetworkSettings, PriceSettings, RouteSettings, ToolModelSettings } from './settings.ts';
import type { ConfigProblem, HttpStatus, StatusSnapshot } from './status.ts';

/** What the client passes as `initializationOptions`. */
export interface InitializationOptions {
  /** Folder of the ledger, shared by all server processes of this user. */
  dataDir?: string | undefined;
  /** Other LSP editors: path of a headless YAML configuration. VS Code configures through `waybill/configure`. */
  configFile?: string | undefined;
  /** What tells the window from others, the same as long as it is open. */
  window?: string | undefined;
}

/** A key on its way from the secret store to the server. Only ever over this channel. */
export interface KeyMaterial {
  /** Stable id within the endpoint. */
  id: string;
  label: string;
  secret: string;
}

/** Client -> server, request: the whole configuration, at start and after each change. */
export interface ConfigureParams {
  endpoints: Record<string, EndpointSettings>;
  routes: Record<string, RouteSettings>;
  /** Names of the user's own for models, by alias. */
  aliases?: Record<string, string> | undefined;
  /** Models that may stand in for a model, by its name. */
  equivalents?: Record<string, string[]> | undefined;
  /** What tools get for names of models that they ask for by themselves, by tool. */
  tools?: Record<string, ToolModelSettings> | undefined;
  /** What requests may cost, whatever they ask for. */
  caps?: CapSettings | undefined;
  /** What may be spent in a period, by name. */
  budgets?: Record<string, BudgetSettings> | undefined;
  /** What is measured, and who may read it. */
  monitoring?: MonitoringSettings | undefined;
  /** Keep the first words of conversations in the ledger. */
  keepTitles?: boolean | undefined;
  keys: Record<string, KeyMaterial[]>;
  http: { enabled: boolean; port: number };
  /** The editor's own network settings, as far as the user wrote them. Its proxy may hold a password. */
  network?: NetworkSettings | undefined;
  /** A file of rules that the user chose, and the folders that are open: one in them is not used. */
  rulesFile?: { path: string; workspaceFolders: string[] } | undefined;
}
export interface ConfigureResult { problems: ConfigProblem[] }
export const configureRequest = requestType<ConfigureParams, ConfigureResult>('waybill/configure');

/** Client -> server, request: one chat turn; its events come as `waybill/chatEvents`. Cancelled by the request's token. */
export interface ChatParams {
  /** Chosen by the client, unique in this connection. */
  id: string;
  requestedModel: string;
  conversation: ConversationRequest;
  /** The part of an earlier chat that is left out of `conversation`. */
  continues?: ContinuedHistory | undefined;
  caller: Caller;
  /**
   * The client answers a notification that has `acknowledge` with `waybill/chatEventsHandled`; the server then keeps a
   * bounded amount of unacknowledged events on the way. Absent: events are sent as fast as they come.
   */
  flowControl?: boolean | undefined;
}
export interface ChatResult {
  exchangeId: string;
  outcome: 'ok' | 'failed' | 'cancelled';
  /** Present unless ok: one sentence with the next action. */
  error?: { failureClass: FailureClass; message: string } | undefined;
  target?: string | undefined;
  attempts: number;
  usage: TokenUsage;
  cost: Cost;
  /** The server does not have the chat that this one continues: it asked no provider, and the client sends the whole conversation. */
  resend?: true | undefined;
}
export const chatRequest = requestType<ChatParams, ChatResult>('waybill/chat');

/**
 * What a running chat sends to the editor. `restart`: the answer broke off and starts again at another target; incomplete
 * tool calls are void, text that is shown stays, followed by this sentence.
 */
export type ChatEvent = ConversationEvent | { type: 'restart'; message: string };
/** Server -> client, notification: events of a running chat, in order. */
export interface ChatEventsParams {
  id: string;
  events: ChatEvent[];
  /** Set where the server waits for an acknowledgement: the number to send back once these events are handled. */
  acknowledge?: number | undefined;
}
export const chatEventsNotification = notificationType<ChatEventsParams>('waybill/chatEvents');

/** Client -> server, notification: every event up to a notification with `acknowledge` was handled. Never sent after the end of the chat. */
export interface ChatEventsHandledParams {
  id: string;
  /** The number of the notification. */
  acknowledge: number;
}
export const chatEventsHandledNotification = notificationType<ChatEventsHandledParams>('waybill/chatEventsHandled');

/** Client -> server, request: try an endpoint with the cheapest call that proves the key. */
export interface TestEndpointParams {
  /** Name used in messages; need not exist yet. */
  name: string;
  settings: EndpointSettings;
  /** The key to try; absent: each configured key of the endpoint `name`. */
  secret?: string | undefined;
  /** Try only this configured key. */
  keyId?: string | undefined;
}
export interface TestEndpointResult {
  ok: boolean;
  failureClass?: FailureClass | undefined;
  /** One sentence: what was proved, or what is wrong and what to do. */
  message: string;
  latencyMs?: number | undefined;
  /** The base URL that answered, where it is not the one in `settings`: with or without `/v1`. */
  baseUrl?: string | undefined;
  /** Upstream model names, where the provider lists them. */
  models: string[];
}
export const testEndpointRequest = requestType<TestEndpointParams, TestEndpointResult>('waybill/testEndpoint');

/** Client -> server, request: probe the named endpoint (or all that are enabled) now; verdicts that a probe disproves are withdrawn. */
export interface ProbeParams { endpoint?: string | undefined }
/** The condition of each probed endpoint. */
export type ProbeReport = { endpoint: string; condition: Condition }[];
export const probeRequest = requestType<ProbeParams, ProbeReport>('waybill/probe');

/** Client -> server, request: the state now (also sent as a notification when it changes). */
export const getStatusRequest = requestType<NoParams, StatusSnapshot>('waybill/getStatus');
/** Server -> client, notification: the state changed. */
export const statusNotification = notificationType<StatusSnapshot>('waybill/status');

/** Client -> server, request: spend in a range. */
export interface SpendParams { range: TimeRange }
export type SpendResult = SpendReport;
export const spendRequest = requestType<SpendParams, SpendResult>('waybill/spend');

/** Client -> server, request: compares the ledger with what a provider charges. Cancelled by the request's token. */
export const reconcileRequest = requestType<ReconcileParams, ReconcileResult>('waybill/reconcile');

/** Client -> server, request: latest exchanges, newest first. */
export interface RequestsParams { limit: number; before?: number | undefined }
export type RequestsResult = RequestSummary[];
export const recentRequestsRequest = requestType<RequestsParams, RequestsResult>('waybill/requests');

/** Client -> server, request: one receipt; null when there is none of that id. */
export interface ReceiptParams { id: string }
export type ReceiptResult = Receipt | null;
export const receiptRequest = requestType<ReceiptParams, ReceiptResult>('waybill/receipt');

/** A provider kind, as "Add Provider…" offers it. */
export interface ProviderOffer {
  id: string;
  name: string;
  /** Default base URL; absent when the user must give one. */
  baseUrl?: string | undefined;
  /** What such a URL looks like, where the user must give one. */
  baseUrlExample?: string | undefined;
  keyRequired: boolean;
  /** What a key usually looks like, such as `sk-ant-…`. */
  keyHint?: string | undefined;
  /** Regular expression source a usual key matches; a surprising shape warns and is not refused. */
  keyPattern?: string | undefined;
  /** Page where keys are made. */
  keyUrl?: string | undefined;
  billingUrl?: string | undefined;
  regions?: { id: string; name: string; baseUrl: string }[] | undefined;
  /** Prices the vendor publishes, for the user to check, change and store; they apply only once stored. */
  pricePreset?: { source: string; url: string; caution: string; models: Record<string, PriceSettings> } | undefined;
  /** A short line for the picker. */
  description?: string | undefined;
  /** `description` with what it is made of. */
  said?: Said | undefined;
}
/** Client -> server, request: the provider catalog. */
export type CatalogResult = ProviderOffer[];
export const catalogRequest = requestType<NoParams, CatalogResult>('waybill/catalog');

/** An alert begins (`fired`) or is over. */
export interface AlertOfNotice { event: 'fired' | 'over'; when: AlertKind }

/** Server -> client, notification: a message to show to the user once, with an action. */
export interface NoticeParams {
  kind: 'key-rejected' | 'no-money' | 'certificate' | 'offline' | 'portal' | 'no-route' | 'canary-rolled-back' | 'alert' | 'budget-near' | 'budget-reached' | 'budget-unpriced';
  /** Empty where it is the machine itself (`offline`, `portal`), all endpoints (`no-route`), a budget or an alert. */
  endpoint: string;
  /** One sentence with the next action. */
  message: string;
  /** What it is made of; absent where a provider said it. */
  said?: Said | undefined;
  /** Page that helps, such as the provider's billing page. */
  helpUrl?: string | undefined;
  /** The route whose canary was rolled back. */
  route?: string | undefined;
  /** What an alert says, and what it is about. */
  alert?: AlertOfNotice | undefined;
  /** The budget, by the key of its status. */
  budget?: { key: string; period: BudgetPeriod } | undefined;
}
export const noticeNotification = notificationType<NoticeParams>('waybill/notice');

/** Client -> server, request: the tool's own token, made if it has none, so that its spend is a line of its own. */
export interface ConnectToolParams {
  /** As the ledger names it, such as `claude-code`. */
  tool: string;
}
export interface ConnectToolResult {
  token: string;
  /** The local endpoint without a path: Waybill was found there just now. Absent while it is off. */
  url?: string | undefined;
}
export const connectToolRequest = requestType<ConnectToolParams, ConnectToolResult>('waybill/connectTool');

/** Client -> server, request: try to listen at the local endpoint again, and find out who holds its port; the state then. */
export type RetryEndpointResult = HttpStatus;
export const retryEndpointRequest = requestType<NoParams, RetryEndpointResult>('waybill/retryEndpoint');

/** Client -> server, request: revokes a tool's token, at once in all server processes of this user. */
export interface DisconnectToolParams { tool: string }
export const disconnectToolRequest = requestType<DisconnectToolParams, null>('waybill/disconnectTool');

/** Client -> server, request: names of the tools that have a token of their own. */
export type ConnectedToolsResult = string[];
export const connectedToolsRequest = requestType<NoParams, ConnectedToolsResult>('waybill/connectedTools');
