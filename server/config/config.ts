import type { ProtocolName } from '../api/conversation.ts';
import type { RequestRole, WorkKind } from '../api/purpose.ts';
import type { BudgetPeriod, BudgetScope } from '../api/budgets/budgetSettings.ts';
import type { CanaryAdvance, CapOutcome, CapScope, EndpointBilling, KeyRotationName, LimitSettings, ModelSettings, ShadowDraw, StrategyName, TargetTier, ToolModelSettings } from '../api/settings.ts';
import type { KeyMaterial } from '../api/messages.ts';
import type { ProtocolRule, Provider } from '../catalog/provider.ts';
import type { MonitoringConfig } from './monitoring/monitoringConfig.ts';
import type { SharedLedgerConfig } from './ledger/ledgerConfig.ts';
import type { StateConfig } from './state/stateConfig.ts';
import type { EndpointProxy, NetworkConfig } from './network.ts';

export interface Timeouts {
  connectMs: number;
  headersMs: number;
  /**
   * The same for plain answers, whose headers come when the whole answer is made: `headersMs` where the user set it,
   * else as long as the whole exchange may take.
   */
  bufferedHeadersMs: number;
  firstTokenMs: number;
  idleMs: number;
  totalMs: number;
  /** 0: no such timer. */
  minTokensPerSecond: number;
}

export interface BreakerConfig {
  failures: number;
  /** 0..1 */
  failureRate: number;
  minimumAttempts: number;
  windowMs: number;
  openForMs: number;
  maxOpenForMs: number;
  halfOpenProbes: number;
}

export interface AddressedRule extends ProtocolRule { baseUrl: string }

/** One endpoint with every default filled in and its provider resolved. */
export interface EndpointConfig {
  name: string;
  provider: Provider;
  protocol: ProtocolName;
  /** Without a trailing slash. */
  baseUrl: string;
  region?: string | undefined;
  /** Vertex AI: absent where the credential says it. */
  project?: string | undefined;
  location?: string | undefined;
  /** Amazon Bedrock: the region that requests are signed for. */
  awsRegion?: string | undefined;
  /** Amazon Bedrock: the profile of this machine's AWS configuration. */
  profile?: string | undefined;
  /** Azure: the Entra tenant to log in to. */
  tenant?: string | undefined;
  /** Azure: dated addresses are used. */
  apiVersion?: string | undefined;
  /** The provider's rules that can hold here, each with the address to use; absent where the protocol is fixed. */
  protocolRules?: readonly AddressedRule[] | undefined;
  enabled: boolean;
  priority: number;
  weight: number;
  /** Absent: the first key that can be used. */
  keyRotation?: Exclude<KeyRotationName, 'failover'> | undefined;
  /** Names of keys that share limits, by account; absent: only what answers say is known. */
  keyAccounts?: Readonly<Record<string, readonly string[]>> | undefined;
  /** It runs on this machine or on a private network, whatever its provider: it may load a model first, and read slowly. */
  local?: true | undefined;
  /** Absent: what holds for every endpoint. */
  proxy?: EndpointProxy | undefined;
  headers: Record<string, string>;
  /** How it is paid for; absent: by what is used. */
  billing?: EndpointBilling | undefined;
  limits: LimitSettings;
  timeouts: Timeouts;
  /** The part of `timeouts` the user wrote; what is learnt never touches it. */
  writtenTimeouts: Partial<Timeouts>;
  breaker: BreakerConfig;
  probe: { enabled: boolean; intervalMs: number };
  /** By canonical model name, as the user wrote it. */
  models: Record<string, ModelSettings>;
}

export interface RouteTarget { endpoint: string; model: string }

/** One entry of a route: a target, or another route of the configuration. */
export type RouteMember = { readonly weight: number; /** Absent: it is one of the main targets. */ readonly tier?: TargetTier | undefined } & (
  { readonly target: RouteTarget; readonly route?: undefined } | { readonly route: string; readonly target?: undefined }
);

/** Where a role or a kind of work goes: to another route, or to one target. */
export type PurposeTarget = { route: string; target?: undefined } | { route?: undefined; target: RouteTarget };
export interface PurposeMap {
  byRole: Partial<Record<RequestRole, PurposeTarget>>;
  byKind: Partial<Record<WorkKind, PurposeTarget>>;
}
export interface RouteConfig {
  name: string;
  strategy: StrategyName;
  /** Every target that the route leads to, each once, those of routes within it included. */
  targets: RouteTarget[];
  /** The entries as they are listed; absent where they are the targets, all of the same weight. Routes within it make no circle. */
  members?: readonly RouteMember[] | undefined;
  /** Models that stand in for its own; absent: what the configuration says of them. */
  equivalents?: readonly string[] | undefined;
  timeouts: Partial<Timeouts>;
  afterCommit: 'error' | 'resume';
  hedge: HedgeConfig;
  onRefusal: 'tell' | 'ask';
  /** Where roles and kinds of work go first; absent: the route does not ask what a request is for. */
  purposes?: PurposeMap | undefined;
  /** Absent: the route has none. */
  canary?: CanaryConfig | undefined;
  /** A canary is described, and left out for a mistake: what it came to is not over. */
  canaryIsWrong?: boolean | undefined;
  /** Absent: the defaults. */
  warmCache?: WarmCacheConfig | undefined;
  /** Absent: the route has none. */
  shadow?: ShadowConfig | undefined;
  /** Absent: no answers are kept. */
  responseCache?: ResponseCacheConfig | undefined;
  /** Absent: the route has none of its own. */
  caps?: CapConfig | undefined;
  /** Absent: the route has none. */
  lastResort?: { targets: RouteTarget[]; kinds: ReadonlySet<WorkKind> } | undefined;
}

/** A shadow as its route describes it; whether it runs is no part of the configuration. */
export interface ShadowConfig {
  target: RouteTarget;
  /** Per cent of the requests. */
  share: number;
  /** Per cent of the mirrored requests. */
  sameTargetShare: number;
  draw: ShadowDraw;
  /** Millionths of a US dollar a day. */
  budgetMicroUsd: number;
  atOnce: number;
  timeoutMs: number;
  maxBodyBytes: number;
  /** In lower case. */
  exceptWorkspaces: ReadonlySet<string>;
  minRequests: number;
  /** 0..1, both excluded. */
  agreement: number;
  latencyRatio: number;
  /** Absent: the cost is reported and not judged. */
  costRatio?: number | undefined;
}

export interface WarmCacheConfig {
  enabled: boolean;
  payBackTurns: number;
  higherKinds: 'at-once' | 'when-it-pays';
}

/** What holds for routes that say nothing, and for models that several endpoints serve. */
export const defaultWarmCache: WarmCacheConfig = { enabled: true, payBackTurns: 8, higherKinds: 'at-once' };

/** Which answers of a route are kept, and for how long. */
export interface ResponseCacheConfig {
  maxAgeMs: number;
  maxBytes: number;
  /** Requests at any temperature take part. */
  anyTemperature: boolean;
  includeTools: boolean;
  includeStored: boolean;
  includeTruncated: boolean;
  includeRefused: boolean;
  /** Replicas keep answers for each other, too. */
  replicas: boolean;
}

/** Caps that are set together. */
export interface CapConfig {
  /** In the order in which they are looked at, the smallest scope first. */
  limits: readonly { scope: CapScope; microUsd: number }[];
  whenReached: CapOutcome;
  /** Absent: nothing is said. */
  unpriced?: 'pass-over' | 'allow' | undefined;
}

/** What may be spent in a period, for everything or for each of something. */
export interface BudgetConfig {
  name: string;
  /** What it is counted under, which no other budget has. Absent: its name. */
  key?: string | undefined;
  limitMicroUsd: number;
  period: BudgetPeriod;
  per: BudgetScope;
  /** In lower case; absent: for every name. */
  only?: ReadonlySet<string> | undefined;
  /** It stops requests; otherwise it only warns. */
  isHard: boolean;
  /** 0..1, of the limit. */
  warnAt: number;
  /** 0..1, of the limit; absent: never. */
  cheaperAt?: number | undefined;
}

/** A canary as its route describes it; whether it runs is no part of the configuration. */
export interface CanaryConfig {
  targets: RouteTarget[];
  /** Per cent of conversations, rising to 100. */
  stages: number[];
  advance: CanaryAdvance;
  stageMs: number;
  stageRequests: number;
  minRequests: number;
  failuresInARow: number;
  gates: {
    /** 0..1, both excluded. */
    errorRate: number;
    successRate: number;
    p99FirstTokenMs?: number | undefined;
    p99TotalMs?: number | undefined;
    /** Absent: not judged, because limits in milliseconds were written. */
    p99Ratio?: number | undefined;
    costRatio?: number | undefined;
  };
}

export interface HedgeConfig {
  /** `inline`: only for inline completions. */
  when: 'always' | 'inline' | 'never';
  /** Absent: learnt. */
  afterMs?: number | undefined;
  /** Millionths of a US dollar a day. */
  dailyCapMicroUsd: number;
}

/** A validated configuration. What was wrong is left out of it and reported beside it. */
export interface Config {
  endpoints: ReadonlyMap<string, EndpointConfig>;
  routes: ReadonlyMap<string, RouteConfig>;
  /** Names of the user's own for models, in lower case; each leads straight to the name it stands for. */
  aliases?: ReadonlyMap<string, string> | undefined;
  /** Models that may stand in for a model, by its name as it is written; absent: none. */
  equivalents?: ReadonlyMap<string, readonly string[]> | undefined;
  /** What tools get for names of models that they ask for by themselves, by tool; absent: nothing is said. */
  tools?: ReadonlyMap<string, ToolModelSettings> | undefined;
  /** What requests of every route, model and target may cost; absent: there is no such cap. */
  caps?: CapConfig | undefined;
  /** Absent: there is none. */
  budgets?: readonly BudgetConfig[] | undefined;
  /** Absent: nothing is measured for others. */
  monitoring?: MonitoringConfig | undefined;
  /** Absent: servers share nothing beyond their data folder. */
  state?: StateConfig | undefined;
  /** Absent: each data folder has its own ledger alone. */
  ledger?: SharedLedgerConfig | undefined;
  /** The first words of conversations are kept with their requests. Absent: they are not. */
  keepTitles?: true | undefined;
  /** Absent: every endpoint without a proxy of its own is reached directly. */
  network?: NetworkConfig | undefined;
}

/** Credentials by endpoint name; apart from Config so that it can be shown and logged. */
export type KeyRing = ReadonlyMap<string, readonly KeyMaterial[]>;

export const emptyConfig: Config = { endpoints: new Map(), routes: new Map() };

/** The entries of a route, as they are listed. */
export function membersOf({ members, targets }: Pick<RouteConfig, 'members' | 'targets'>): readonly RouteMember[] {
  return members ?? targets.map(target => ({ target, weight: 1 }));
}
