import type { Condition } from './condition.ts';
import type { ConversationEvent, ConversationRequest, TokenUsage } from './conversation.ts';
import type { FailureClass } from './failure.ts';
import type { Caller, Cost, Receipt, RequestSummary, SpendReport, TimeRange } from './receipt.ts';
import type { EndpointSettings, PriceSettings, RouteSettings } from './settings.ts';
import type { ConfigProblem, HttpStatus, StatusSnapshot } from './status.ts';

/** What the client passes as `initializationOptions`. */
export interface InitializationOptions {
  /** Folder of the ledger, shared by all windows. */
  dataDir?: string | undefined;
  /** Other LSP editors: path of a headless YAML configuration. VS Code configures through `waybill/configure`. */
  configFile?: string | undefined;
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
  keys: Record<string, KeyMaterial[]>;
  http: { enabled: boolean; port: number };
}
export interface ConfigureResult { problems: ConfigProblem[] }
export const configureMethod = 'waybill/configure';

/** Client -> server, request: one chat turn; its events come as `waybill/chatEvents`. Cancelled by the request's token. */
export interface ChatParams {
  /** Chosen by the client, unique in this connection. */
  id: string;
  requestedModel: string;
  conversation: ConversationRequest;
  caller: Caller;
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
}
export const chatMethod = 'waybill/chat';

/**
 * What the editor gets of a running chat. `restart`: the answer so far broke off and starts again at another target; half
 * tool calls are void, text already shown stays, followed by this sentence.
 */
export type ChatEvent = ConversationEvent | { type: 'restart'; message: string };
/** Server -> client, notification: events of a running chat, in order. */
export interface ChatEventsParams { id: string; events: ChatEvent[] }
export const chatEventsMethod = 'waybill/chatEvents';

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
export const testEndpointMethod = 'waybill/testEndpoint';

/** Client -> server, request: probe the named endpoint (or all that are enabled) now; what that disproves is taken back. */
export interface ProbeParams { endpoint?: string | undefined }
/** What was found at each endpoint that was asked. */
export type ProbeReport = { endpoint: string; condition: Condition }[];
export const probeMethod = 'waybill/probe';

/** Client -> server, request: the state now (also sent as a notification when it changes). */
export const getStatusMethod = 'waybill/getStatus';
/** Server -> client, notification: the state changed. */
export const statusMethod = 'waybill/status';
export type StatusParams = StatusSnapshot;

/** Client -> server, request: spend in a range. */
export interface SpendParams { range: TimeRange }
export const spendMethod = 'waybill/spend';
export type SpendResult = SpendReport;

/** Client -> server, request: latest exchanges, newest first. */
export interface RequestsParams { limit: number; before?: number | undefined }
export const requestsMethod = 'waybill/requests';
export type RequestsResult = RequestSummary[];

/** Client -> server, request: one receipt; null when there is none of that id. */
export interface ReceiptParams { id: string }
export const receiptMethod = 'waybill/receipt';
export type ReceiptResult = Receipt | null;

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
  /** Prices the vendor publishes, for the user to check, change and store as their own; nothing applies them by itself. */
  pricePreset?: { source: string; url: string; caution: string; models: Record<string, PriceSettings> } | undefined;
  /** A short line for the picker. */
  description?: string | undefined;
}
/** Client -> server, request: the provider catalog. */
export const catalogMethod = 'waybill/catalog';
export type CatalogResult = ProviderOffer[];

/** Server -> client, notification: something a person has to see once, with an action. */
export interface NoticeParams {
  kind: 'key-rejected' | 'no-money' | 'certificate' | 'offline' | 'portal';
  /** Empty where it is the machine itself (`offline`, `portal`). */
  endpoint: string;
  /** One sentence with the next action. */
  message: string;
  /** Page that helps, such as the provider's billing page. */
  helpUrl?: string | undefined;
}
export const noticeMethod = 'waybill/notice';

/** Client -> server, request: a token of its own for a tool, so that its spend is a line of its own; the same one while it is connected. */
export interface ConnectToolParams {
  /** As the ledger names it, such as `claude-code`. */
  tool: string;
}
export interface ConnectToolResult {
  token: string;
  /** The local endpoint without a path: Waybill was found there just now. Absent while it is off. */
  url?: string | undefined;
}
/** Client -> server, request: try to listen at the local endpoint again, and find out who holds its port; the state then. */
export const retryEndpointMethod = 'waybill/retryEndpoint';
export type RetryEndpointResult = HttpStatus;

export const connectToolMethod = 'waybill/connectTool';

/** Client -> server, request: revokes a tool's token, at once in all windows. */
export interface DisconnectToolParams { tool: string }
export const disconnectToolMethod = 'waybill/disconnectTool';

/** Client -> server, request: names of the tools that have a token of their own. */
export const connectedToolsMethod = 'waybill/connectedTools';
export type ConnectedToolsResult = string[];
