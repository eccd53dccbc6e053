import { t } from '@vscode/l10n';
import type { ProtocolName } from './conversation.ts';
import type { RequestRole, WorkKind } from './purpose.ts';

/** Versions of Anthropic's API. The newer one refuses sampling parameters. */
export const anthropicVersions = ['2023-06-01', '2026-10-21'] as const;
export type AnthropicVersion = (typeof anthropicVersions)[number];

/** How an endpoint is paid for, each with what it means as the end of a sentence. */
export const endpointBillings = {
  usage: t('by what is used, at the prices of the model'),
  subscription: t('by a plan that covers its requests: each costs nothing more, and says so'),
  free: t('not at all: a free tier or a gift'),
} as const;
export type EndpointBilling = keyof typeof endpointBillings;

/** How an endpoint with several keys chooses among them, each with what it means as the end of a sentence. */
export const keyRotations = {
  failover: t('the first one that can be used, so that prompt caches stay warm'),
  'round-robin': t('each in turn'),
  'least-used': t('the one whose account had the fewest tokens of late'),
} as const;
export type KeyRotationName = keyof typeof keyRotations;

/** What the user writes: the same objects in `waybill.yaml` and in VS Code's settings. Validated by server/config. */
export interface EndpointSettings {
  provider: string;
  protocol?: ProtocolName | undefined;
  baseUrl?: string | undefined;
  region?: string | undefined;
  /** Vertex AI: the Google Cloud project. */
  project?: string | undefined;
  /** Vertex AI: where the models run. */
  location?: string | undefined;
  /** Amazon Bedrock: a profile of this machine's AWS configuration. */
  profile?: string | undefined;
  /** Azure: requests are made with a login of this machine at Microsoft Entra ID. */
  entra?: boolean | undefined;
  /** Azure: the Entra tenant. */
  tenant?: string | undefined;
  /** Azure: a dated version, such as `2024-10-21`. */
  apiVersion?: string | undefined;
  /** The Anthropic API version that is spoken. */
  anthropicVersion?: AnthropicVersion | undefined;
  enabled?: boolean | undefined;
  /** Headless only: `${VAR}` references. Never in VS Code's settings. */
  keys?: string[] | undefined;
  /** How one of several keys is chosen for a conversation. Default `failover`. */
  keyRotation?: KeyRotationName | undefined;
  /** Keys that share limits, by account: each by its name. */
  keyAccounts?: Record<string, string[]> | undefined;
  /** 1 is tried first. */
  priority?: number | undefined;
  /** Of endpoints with the same priority, the one with the larger weight comes first. */
  weight?: number | undefined;
  /** The address of a proxy for this endpoint alone, or `none`. */
  proxy?: string | undefined;
  /** Extra request headers. */
  headers?: Record<string, string> | undefined;
  /** How it is paid for. Default `usage`. */
  billing?: EndpointBilling | undefined;
  limits?: LimitSettings | undefined;
  timeouts?: TimeoutSettings | undefined;
  breaker?: BreakerSettings | undefined;
  probe?: { intervalMs?: number | undefined; enabled?: boolean | undefined } | undefined;
  /** By canonical model name. */
  models?: Record<string, ModelSettings> | undefined;
}
/** How this machine reaches the outside. VS Code's `http.*` settings of the user; headless, `systemCertificates` alone. */
export interface NetworkSettings {
  /** The address of a proxy, perhaps with user name and password. */
  proxy?: string | undefined;
  /** Hosts that are reached without it. */
  noProxy?: readonly string[] | undefined;
  /** false: certificates are not verified on the way through a proxy. */
  proxyStrictSSL?: boolean | undefined;
  /** The whole value of the header Proxy-Authorization. */
  proxyAuthorization?: string | undefined;
  /** `off`: neither this proxy nor the environment's is used. */
  proxySupport?: string | undefined;
  /** The system's certificate authorities are trusted besides Node's. Default true. */
  systemCertificates?: boolean | undefined;
}
/** Limits to stay under; the provider's own are learnt from its answers. */
export interface LimitSettings {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  concurrency?: number | undefined;
  /** The same for each key by itself. */
  perKey?: { requestsPerMinute?: number | undefined; tokensPerMinute?: number | undefined } | undefined;
}
export interface BreakerSettings {
  /** Failures in a row that open it. */
  failures?: number | undefined;
  /** Share of failed attempts, 0..1, that opens it. */
  failureRate?: number | undefined;
  /** Attempts in the sliding window before the share counts. */
  minimumAttempts?: number | undefined;
  /** The length of the sliding window over which the share is taken, in milliseconds. */
  windowMs?: number | undefined;
  openForMs?: number | undefined;
  /** It stays open for twice as long each time in a row, up to this. */
  maxOpenForMs?: number | undefined;
  halfOpenProbes?: number | undefined;
}
export interface TimeoutSettings {
  connectMs?: number | undefined;
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  idleMs?: number | undefined;
  totalMs?: number | undefined;
  /** The least an answer must bring, in tokens a second, over any idle period; 0: no such timer. */
  minTokensPerSecond?: number | undefined;
}
export interface ModelSettings {
  upstream?: string | undefined;
  contextWindow?: number | undefined;
  maxOutputTokens?: number | undefined;
  tools?: boolean | undefined;
  images?: boolean | undefined;
  thinking?: boolean | undefined;
  prices?: PriceSettings | undefined;
}
/** US dollars per million tokens. */
export interface PriceSettings {
  inputPerMTok: number;
  outputPerMTok: number;
  cacheReadPerMTok?: number | undefined;
  cacheWritePerMTok?: number | undefined;
  cacheWrite1hPerMTok?: number | undefined;
}
/** How a route can order its targets: each strategy by name, with what it does as the end of a sentence. */
export const routeStrategies = {
  priority: t('as they are listed'),
  weighted: t('each comes first in its share of the requests, by `weights`'),
  'round-robin': t('each comes first in turn'),
  'least-busy': t('the one with the fewest requests under way first, by `weights`'),
  fastest: t('the one first that has begun to answer soonest of late, given the requests under way there'),
  cheapest: t('the one first that is expected to cost least for the very request, its usual answer and cached prompt included'),
  sticky: t('a conversation always has the same one first, and conversations are spread by `weights`'),
} as const;
export type StrategyName = keyof typeof routeStrategies;

/** Targets of a route that wait, each with when they are used, as the end of a sentence. */
export const targetTiers = {
  'backup': t('only when no other target can answer'),
  'last-resort': t('only when no backup and no equivalent model can answer either'),
} as const;
export type TargetTier = keyof typeof targetTiers;

/** What a tool gets for the names of models that it asks for by itself: a route, a model or a target. */
export interface ToolModelSettings {
  opus?: string | undefined;
  sonnet?: string | undefined;
  haiku?: string | undefined;
  subagents?: string | undefined;
}

export interface RouteSettings {
  strategy?: StrategyName | undefined;
  /** `endpoint/model`, or the name of another route. */
  targets: string[];
  /** By target, as it is written in `targets`. */
  weights?: Record<string, number> | undefined;
  /** Targets that wait behind the others, as they are written in `targets`. */
  tiers?: Record<string, TargetTier> | undefined;
  /** Canonical names of models that stand in for those of the route. Absent: what `equivalents` of the configuration says of them. */
  equivalents?: string[] | undefined;
  timeouts?: TimeoutSettings | undefined;
  /** What becomes of a stream over HTTP that broke after its first words: the protocol's error event, or the next target goes on from there. */
  afterCommit?: 'error' | 'resume' | undefined;
  /** A second target is asked when the first takes unusually long to begin; the first to begin wins. */
  hedge?: HedgeSettings | undefined;
  /** Where requests of a role go first: a route or a target. */
  byRole?: Partial<Record<RequestRole, string | undefined>> | undefined;
  /** Where a kind of work goes first, unless its role says it: a route or a target. */
  byKind?: Partial<Record<WorkKind, string | undefined>> | undefined;
  /** What follows a refusal for content policy: the caller gets it as it is, or the editor asks whether the next target may be tried. */
  onRefusal?: 'tell' | 'ask' | undefined;
  /** Targets that take the route over in measured stages, once the canary is started. */
  canary?: CanarySettings | undefined;
  /** When a conversation leaves a target whose cache holds its prompt. */
  warmCache?: WarmCacheSettings | undefined;
  /** A target that gets a share of the requests too, beside the caller's own, once the shadow is started. */
  shadow?: ShadowSettings | undefined;
  /** Answers are kept for requests that are the same to the last field. */
  responseCache?: ResponseCacheSettings | undefined;
  /** What requests of the route may cost. */
  caps?: CapSettings | undefined;
  /** Expensive targets that are tried after all others, and only for some kinds of work. */
  lastResort?: LastResortSettings | undefined;
}
/** What is drawn for a shadow: whole conversations, or each request by itself. */
export const shadowDraws = ['conversation', 'request'] as const;
export type ShadowDraw = (typeof shadowDraws)[number];
export interface ShadowSettings {
  /** `endpoint/model`. */
  target: string;
  /** Per cent of the requests. */
  share?: number | undefined;
  /** Per cent of the mirrored requests that also go to the route's own target once more. */
  sameTargetShare?: number | undefined;
  draw?: ShadowDraw | undefined;
  /** US dollars a day. */
  budgetUsd?: number | undefined;
  /** Mirrored requests that may be under way in one server. */
  atOnce?: number | undefined;
  timeoutSeconds?: number | undefined;
  /** The largest body that is kept for a shadow, in KiB. */
  maxBodyKiB?: number | undefined;
  /** Names of workspaces whose requests are never mirrored. */
  exceptWorkspaces?: string[] | undefined;
  /** Pairs of answers before a verdict. */
  minRequests?: number | undefined;
  /** The least agreement, relative to the route's own target asked twice, 0..1. */
  agreement?: number | undefined;
  /** How many times the time of the route's own target. */
  latencyRatio?: number | undefined;
  /** How many times the cost at the route's own target. */
  costRatio?: number | undefined;
}
export interface WarmCacheSettings {
  /** Absent: on. */
  enabled?: boolean | undefined;
  /** Within how many turns leaving must have paid for itself. */
  payBackTurns?: number | undefined;
  /** A higher kind of work (`byKind`) leads away from a warm cache at once, or only when that pays. */
  higherKinds?: 'at-once' | 'when-it-pays' | undefined;
}
/** Which requests a response cache takes by themselves: those at temperature 0, or all. */
export const cachedTemperatures = ['zero', 'any'] as const;
export interface ResponseCacheSettings {
  enabled?: boolean | undefined;
  maxAgeMs?: number | undefined;
  /** Of all answers that are kept for the route. */
  maxBytes?: number | undefined;
  temperatures?: (typeof cachedTemperatures)[number] | undefined;
  includeTools?: boolean | undefined;
  includeStored?: boolean | undefined;
  includeTruncated?: boolean | undefined;
  includeRefused?: boolean | undefined;
  /** Replicas keep answers for each other, in the store that they share. */
  replicas?: boolean | undefined;
}

/** What follows when a target costs more than a cap leaves: each way by name, with what it does as the end of a sentence. */
export const capOutcomes = {
  degrade: 'it is passed over, and a cheaper target that fits serves',
  stop: 'the request ends with an error that says so',
  ask: 'VS Code\'s chat asks whether to allow $1 more, and the turn waits; other callers get the error',
} as const;
export type CapOutcome = keyof typeof capOutcomes;
/** What a cap holds for: each scope by name, with what it is. */
export const capScopes = {
  request: 'one request, with all attempts to answer it',
  turn: 'one message of the user, with the tool calls that follow',
  conversation: 'one conversation',
  session: 'one session of a tool, or a window of the editor',
} as const;
export type CapScope = keyof typeof capScopes;
/** Caps in US dollars. */
export interface CapSettings {
  requestUsd?: number | undefined;
  turnUsd?: number | undefined;
  conversationUsd?: number | undefined;
  sessionUsd?: number | undefined;
  whenReached?: CapOutcome | undefined;
  /** What becomes of targets without a known price. */
  unpriced?: 'pass-over' | 'allow' | undefined;
}
export interface LastResortSettings {
  /** `endpoint/model`. */
  targets: string[];
  kinds: WorkKind[];
}
/** When a canary goes to its next stage: after a time, after a number of requests, or when a person says so. */
export const canaryAdvances = ['time', 'requests', 'manual'] as const;
export type CanaryAdvance = (typeof canaryAdvances)[number];
export interface CanarySettings {
  /** `endpoint/model`. */
  targets: string[];
  /** Per cent of conversations, rising to 100. */
  stages?: number[] | undefined;
  advance?: CanaryAdvance | undefined;
  stageMinutes?: number | undefined;
  /** Of both arms. */
  stageRequests?: number | undefined;
  /** Of each arm in a stage, before it can be promoted. */
  minRequests?: number | undefined;
  /** Failures of the canary in a row that roll it back. */
  failuresInARow?: number | undefined;
  gates?: CanaryGateSettings | undefined;
}
export interface CanaryGateSettings {
  /** The largest share of failed requests, 0..1. */
  errorRate?: number | undefined;
  /** The smallest share of answered requests, 0..1. */
  successRate?: number | undefined;
  p99FirstTokenMs?: number | undefined;
  p99TotalMs?: number | undefined;
  /** How many times the baseline's p99. */
  p99Ratio?: number | undefined;
  /** How many times the baseline's cost per 1,000 tokens. */
  costRatio?: number | undefined;
}
export interface HedgeSettings {
  /** Absent: only inline completions. */
  enabled?: boolean | undefined;
  /** How long to wait for the first token, in milliseconds; absent: learnt (the 95th percentile of the target's own). */
  afterMs?: number | undefined;
  /** US dollars that second requests of this route may cost a day. */
  dailyCapUsd?: number | undefined;
}
