import type { Said } from './localization/said.ts';
import type { BudgetStatus } from './budgets/budgetStatus.ts';
import type { ResponseCacheStatus } from './cache/responseCache.ts';
import type { CanaryStatus } from './canary.ts';
import type { ShadowStatus } from './shadow.ts';
import type { DrillStatus } from './drill.ts';
import type { Condition, HealthState } from './condition.ts';
import type { FailureClass } from './failure.ts';
import type { ProtocolName } from './conversation.ts';
import type { SpendScope } from './receipt.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** In milliseconds. The rare ones are absent where too few requests were measured to know them. */
export interface LatencySummary {
  p50: number;
  p95?: number | undefined;
  p99?: number | undefined;
}

/** How long an endpoint was down since it is watched. Moments are milliseconds since the epoch. */
export interface Downtime {
  watchedSince: number;
  /** Of the times that are over, in milliseconds. */
  pastMs: number;
  /** Since when it is down now; absent while it is not. */
  downSince?: number | undefined;
  /** Of times that are over, in which it was not down, in milliseconds; times that are not known count neither way. */
  upMs?: number | undefined;
  /** Since when it is not down; absent while it is, or while that is not known. */
  upSince?: number | undefined;
}

/** Requests of five minutes, and those of them that failed. */
export interface HourSpan { requests: number; failures: number }

/** The hour up to the latest request, in twelve spans of five minutes, oldest first. @property until the end of the last span, in milliseconds since the epoch */
export interface LatestHour { until: number; spans: HourSpan[] }

/** What a provider said is left of a limit, less what was sent since: of several keys and models the least. */
export interface LimitLeft {
  kind: 'requests' | 'tokens' | 'inputTokens' | 'outputTokens';
  remaining: number;
  limit?: number | undefined;
  /** Milliseconds since the epoch. */
  resetAt?: number | undefined;
}

export interface KeyStatus {
  id: string;
  label: string;
  last4: string;
  state: 'ok' | 'unused' | 'rejected' | 'no-money' | 'cooling';
  /** Milliseconds since the epoch until which the key rests. */
  until?: number | undefined;
  /** What its state does not say: the limit it is at, the one model that is limited, or the models that it may not use. */
  reason?: string | undefined;
  /** Names of the other keys of its account, whose limits it shares. */
  sharesLimitsWith?: string[] | undefined;
}

/** The breaker of one model at an endpoint, while it is not closed. */
export interface ModelBreakerStatus {
  model: string;
  breaker: 'open' | 'half-open';
  /** When it next lets a request through; absent when it does now. */
  retryAt?: number | undefined;
  /** Why it opened, in a few words. */
  reason: string;
}

/** The machine's own link: no way to any provider, or a sign-in page of the network in the way. */
export interface NetworkStatus {
  kind: 'offline' | 'portal';
  /** Milliseconds since the epoch. */
  since: number;
}

export interface EndpointStatus {
  name: string;
  provider: string;
  providerName: string;
  baseUrl: string;
  region?: string | undefined;
  protocol: ProtocolName;
  enabled: boolean;
  /** What it can do now; what every view says of it. */
  condition: Condition;
  /** The condition as one of four states. */
  state: HealthState;
  /** Of the endpoint as a whole: open also when most of the models lately used there are kept away. */
  breaker: BreakerState;
  /** Models there whose own breaker is not closed; absent when there is none. */
  modelBreakers?: ModelBreakerStatus[] | undefined;
  /** It is `down` only because the machine itself is offline or behind a portal. */
  offline?: NetworkStatus['kind'] | undefined;
  /** When an open breaker next lets a probe through. */
  retryAt?: number | undefined;
  /** Over the last ten minutes, rounded to two digits; absent without data. */
  firstToken?: LatencySummary | undefined;
  total?: LatencySummary | undefined;
  /** 0..1 over the last ten minutes, in whole per cent; absent without data. */
  errorRate?: number | undefined;
  /** Since this server started watching; absent without data. */
  downtime?: Downtime | undefined;
  /** Absent where the latest request is more than an hour ago. */
  latestHour?: LatestHour | undefined;
  /** Absent where the provider reports none. */
  limitsLeft?: LimitLeft[] | undefined;
  /** Endpoints that answer in its place now, by its routes; absent while it is up, or where none does. */
  instead?: string[] | undefined;
  lastError?: { at: number; failureClass: FailureClass; message: string; status?: number | undefined } | undefined;
  lastCheckedAt?: number | undefined;
  keys: KeyStatus[];
  models: readonly string[];
  todayMicroUsd: number;
  todayEstimated: boolean;
  /** Attempts today whose cost is unknown. */
  todayUnknown: number;
  /** Parts of today's bill that have no price, so that the figure is a lower bound; absent: none. */
  todayUnpriced?: string[] | undefined;
}

/** Facts of a model that do not change with its health; what is not known is absent. */
export interface LastingFacts {
  /** Prompt and answer together, in tokens. */
  contextWindow?: number | undefined;
  /** The longest prompt that leaves room for an answer, in tokens; an assumption where the window is not known. */
  maxInputTokens: number;
  maxOutputTokens?: number | undefined;
  thinking?: boolean | undefined;
}

/** A name a caller may ask for, as the model picker shows it. */
export interface OfferedModel {
  /** Stable for ever: `route:<name>` or `model:<canonical name>`. */
  id: string;
  /** What a request asks for: the route's or model's name. */
  requestedModel: string;
  kind: 'route' | 'model';
  name: string;
  /** Targets in order of preference, `endpoint/model`. */
  targets: string[];
  state: HealthState;
  /** What its targets together can do now. */
  condition: Condition;
  /** A few words for the picker's row, such as `via openai` or `1/2 up · via openai`. */
  detail: string;
  /** What `detail` is made of. */
  said?: Said | undefined;
  /** What each target that is not well can do now, for the hover card. */
  warning?: string | undefined;
  /** What `warning` is made of. */
  saidWarning?: Said | undefined;
  maxInputTokens: number;
  maxOutputTokens: number;
  imageInput: boolean;
  toolCalling: boolean;
  thinking: boolean;
  /** Of its first target, whether that is up or not: what a tool can be told for good. */
  lasting?: LastingFacts | undefined;
  /** Such as `$3 in / $15 out per 1M`; absent when unknown. */
  pricing?: string | undefined;
}

/** A target that a route names. */
export interface TargetStatus {
  /** What it can do now. */
  condition: Condition;
  /** Prompt and answer together, in tokens; absent: not known. */
  contextWindow?: number | undefined;
  /** Such as `$3 in / $15 out per 1M`; absent: not known. */
  pricing?: string | undefined;
}

export interface HttpStatus {
  /** `held-by-peer`: by a peer, as it has proved; `held-by-another-program`: by anything else. */
  state: 'off' | 'starting' | 'listening' | 'held-by-peer' | 'held-by-another-program' | 'failed';
  /** Absent unless Waybill answers there: this server or a peer. */
  url?: string | undefined;
  tokenFile?: string | undefined;
  message?: string | undefined;
}

/** A place in a text as the Language Server Protocol counts it: lines and UTF-16 units from 0. */
export interface TextPosition { line: number; character: number }
export interface TextRange { start: TextPosition; end: TextPosition }

/** Something wrong in the configuration: one sentence, and where. */
export interface ConfigProblem {
  message: string;
  /** What the message is made of, where an editor can show it in its language. */
  said?: Said | undefined;
  /** Dotted path such as `endpoints.openai.baseUrl`. */
  path?: string | undefined;
  file?: string | undefined;
  /** From 1. */
  line?: number | undefined;
  /** Of a file: the very name or value. */
  range?: TextRange | undefined;
  /** A cap is not as it was meant, so that money may be spent that should not: it is said first and louder. */
  money?: true | undefined;
  /** An environment variable is not set here, which says nothing about other machines. */
  ofEnvironment?: boolean | undefined;
}

/** The whole state the editor draws from; sent as a whole, throttled. */
export interface StatusSnapshot {
  at: number;
  endpoints: EndpointStatus[];
  /** Absent while nothing is known to be wrong with the machine's own link, and where all endpoints are local. */
  link?: NetworkStatus | undefined;
  offered: readonly OfferedModel[];
  /** Targets that routes name, their canaries and purposes included, by name as it is written there; absent where there is no route. */
  targets?: Readonly<Record<string, TargetStatus>> | undefined;
  /** No route or model can serve at all, though endpoints exist. */
  nothingCanServe: boolean;
  todayMicroUsd: number;
  todayEstimated: boolean;
  todayUnknown: number;
  /** Parts of today's bill that have no price, so that the figure is a lower bound; absent: none. */
  todayUnpriced?: string[] | undefined;
  /** Whose spend of today this is, here and at the endpoints, where replicas share a ledger and the status was asked for over HTTP; absent: that of the servers of one data folder. */
  todayScope?: SpendScope | undefined;
  /** Grows with each finished exchange, of this server or a peer. */
  ledgerRevision: number;
  /** Requests that run now, of this server and its peers; those of less than a second may be missing. Absent: none. */
  running?: number | undefined;
  http: HttpStatus;
  problems: ConfigProblem[];
  /** Fire drills; absent before the first one of this server. */
  drill?: DrillStatus | undefined;
  /** Of routes that have one; absent where none has. */
  canaries?: CanaryStatus[] | undefined;
  /** The same for shadows. */
  shadows?: ShadowStatus[] | undefined;
  /** Of routes that keep answers, by this server; absent where none does. */
  responseCaches?: ResponseCacheStatus[] | undefined;
  /** Those most used first, at most twenty of each that is for many; absent where there is none. */
  budgets?: BudgetStatus[] | undefined;
}
