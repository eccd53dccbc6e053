import type { Requirements } from './routes/requirements.ts';
import type { BudgetPeriod, BudgetScope } from './budgets/budgetSettings.ts';
import type { ArmOfPlan } from './canary.ts';
import type { FailureClass } from './failure.ts';
import type { ProtocolName, TokenUsage } from './conversation.ts';
import type { Purpose } from './purpose.ts';
import type { CapScope, PriceSettings } from './settings.ts';
import type { ShadowOfReceipt } from './shadow.ts';

/** Who sent a request, as far as they said. */
export interface Caller {
  /** `vscode-chat`, `http`, a tool's name found from its user agent, or another extension's id. */
  tool: string;
  /** Workspace folder name (not its path). */
  workspace?: string | undefined;
  /** Branch of the workspace's repository, where the caller said it. */
  branch?: string | undefined;
  /** Conversation or session id the caller gave. */
  conversation?: string | undefined;
  /** What the request is for, where known: `chat`, `agent`, `utility`, `inline`, or a role of requestRoles. */
  purpose?: string | undefined;
  /** Id of the extension that asked through the editor, such as `github.copilot-chat`; absent where the editor did not say. */
  extension?: string | undefined;
  /** Id of the token that came with the request: the name of a connected tool, or the id of a token that was made for somebody. Absent: the endpoint's own token, or the editor. */
  token?: string | undefined;
  /** The person and the team that its token was made for. */
  user?: string | undefined;
  team?: string | undefined;
}

/** How sure a figure of money is. `unknown` has no figure at all. */
export type CostCertainty = 'exact' | 'estimated' | 'unknown';

/** The price an attempt was charged at: tier and time of day already chosen. US dollars. */
export interface PriceUsed extends PriceSettings {
  /** When reasoning tokens have a price of their own; else they are output. */
  reasoningPerMTok?: number | undefined;
  /** A fee for each request, beside the tokens. */
  perRequestUsd?: number | undefined;
  /** Sound and pictures, where they have a price of their own; else they are not priced. */
  audioInputPerMTok?: number | undefined;
  audioCacheReadPerMTok?: number | undefined;
  audioOutputPerMTok?: number | undefined;
  imageOutputPerMTok?: number | undefined;
}

export interface Cost {
  /** Millionths of a US dollar, rounded half up; absent when unknown. */
  microUsd?: number | undefined;
  certainty: CostCertainty;
  /** Of a sum that has a figure: how many of its parts are unknown and so not in it; absent when none is. */
  unknownParts?: number | undefined;
  /** Parts of the bill that have no known price and so are not in the figure, which is then a lower bound; absent: none. */
  unpriced?: readonly string[] | undefined;
  /** Where the price came from: `config`, `provider`, `provider list`, `subscription`, `free`, `local`, `genai-prices <version>`, `sandbox`, `simulated`; absent when unknown. */
  priceSource?: string | undefined;
  /** Of one attempt; absent in sums and where no price was applied. */
  priceUsed?: PriceUsed | undefined;
  /** The day or month of which the price is, such as `2026-09-23` or `2026-11`: when it was published or read. Of one attempt. */
  priceAsOf?: string | undefined;
}

export interface PlannedTarget {
  /** `endpoint/model` with the canonical model name. */
  target: string;
  endpoint: string;
  /** Canonical model name. */
  model: string;
  /** The name the provider knows it by. */
  upstreamModel: string;
}
export interface ExcludedTarget {
  target: string;
  /** One sentence a person can read. */
  reason: string;
}
/** What a request was taken for, and what followed for its plan. */
export interface PlannedPurpose extends Purpose {
  /** The entry of the route that held, such as `byKind.low-cost`; absent: none did. */
  entry?: string | undefined;
  /** The route or target that it led to, whose targets come first. */
  first?: string | undefined;
}
/** What a plan knew of the prompt caches that its conversation has left behind. */
export interface PlannedCache {
  /** The conversation, and what kind of errand of it where it is one: a digest. */
  conversation: string;
  /** A lower bound of the prompt. */
  estimatedTokens: number;
  /** Where the first target stands to those before: `stays` with the last one, `returns` to an earlier one, `switches` to a new one. */
  turn: CacheTurnKind;
  /** The last target could not be chosen. */
  forced?: true | undefined;
  /** It is an errand that the conversation comes back from, such as a summary of itself. */
  errand?: true | undefined;
  /** What caches had to do with it, as one sentence without its end; absent: nothing. */
  why?: string | undefined;
}
export type CacheTurnKind = 'first' | 'stays' | 'returns' | 'switches';
export interface Plan {
  /** The name the caller asked for. */
  requestedModel: string;
  kind: 'route' | 'model' | 'target';
  /** The route that was asked for, by its own name; absent for models and pinned targets. */
  route?: string | undefined;
  strategy: string;
  /** Why the first target comes first, as one sentence without its end; absent where the targets stand as they are listed. */
  why?: string | undefined;
  /** What the request was taken for, where its route goes by that. */
  purpose?: PlannedPurpose | undefined;
  targets: PlannedTarget[];
  /** Targets that are used only when all before them are out, each with what it is; absent: none. */
  standIns?: { target: string; why: string }[] | undefined;
  excluded: ExcludedTarget[];
  /** Which arm of the route's canary it went to; absent where none takes part. */
  canary?: ArmOfPlan | undefined;
  /** Headers of the caller that mean nothing, each with what is accepted, as a sentence without its end; absent: none. */
  ignored?: string[] | undefined;
  /** What it required of a target; absent in records of earlier versions. */
  requirements?: Requirements | undefined;
  /** Absent: caches were not looked at, because there was nothing to choose or the prompt is too short for one. */
  cache?: PlannedCache | undefined;
  /** The caps that held for it, with what was left of each before it; absent: none held. */
  caps?: PlannedCap[] | undefined;
  /** The budgets that held for it, and what each did; absent: none held. */
  budgets?: PlannedBudget[] | undefined;
  /** Targets that are the route's expensive last resort, in the order in which they stand last; absent: none serves such a request. */
  lastResort?: string[] | undefined;
  /** The trace that its spans belong to: 32 hex digits. Absent: it was not traced. */
  trace?: string | undefined;
}
/** A cap that held for a request. Money in millionths of a US dollar. */
export interface PlannedCap {
  scope: CapScope;
  /** Absent: it holds for everything. */
  route?: string | undefined;
  limitMicroUsd: number;
  /** Beside what was used and reserved; negative where more was used. */
  leftMicroUsd: number;
}

/** A budget that held for a request. Money in millionths of a US dollar. */
export interface PlannedBudget {
  name: string;
  period: BudgetPeriod;
  per: BudgetScope;
  /** Absent: it is for everything. */
  of?: string | undefined;
  limitMicroUsd: number;
  /** Before the request, beside what was spent, reserved and allowed; negative where more was spent. */
  leftMicroUsd: number;
  /** Milliseconds since the epoch. */
  resetsAt: number;
  /** What a person allowed on top; absent: nothing. */
  allowedMicroUsd?: number | undefined;
  /** A person lifted it. */
  lifted?: true | undefined;
  /**
   * `cheaper`: targets that cost less came first. `passed-over`: it left targets out. `stopped`: it left all out. `warned`: it is
   * used up and only warns. Absent: nothing.
   */
  did?: 'cheaper' | 'passed-over' | 'stopped' | 'warned' | undefined;
  /** A target may have served whose price is not known, so that the budget counts it only as far as its provider says. With `stopped`: no target that it left out has a known price, whatever is left of it. */
  unpriced?: true | undefined;
}

/**
 * `hedge`: asked beside another that took long to begin. `resume`: goes on from where another broke off.
 * `restart`: starts again in sight of the reader. `last-resort`: tried although its breaker was open, because nothing else was left.
 * `shadow`: a copy of a caller's request, whose answer is compared and shown to no caller.
 */
export type AttemptRole = 'hedge' | 'resume' | 'restart' | 'last-resort' | 'shadow';

/** `fast`: inline completions and other small, short answers. `complex`: reasoning, or a large prompt. */
export type RequestKind = 'fast' | 'normal' | 'complex';

/**
 * What the response cache of a route made of a request. `hit`: a kept answer. `shared`: the answer of a call that ran for an equal
 * request. `miss`: nothing was kept, and a provider was asked. `refresh`: the caller wanted a new answer. `bypass`: it takes no part.
 */
export type CacheState = 'hit' | 'shared' | 'miss' | 'refresh' | 'bypass';
export interface CacheUse {
  state: CacheState;
  /** Why it takes no part, as a sentence without its end. */
  why?: string | undefined;
  /** The exchange that paid for the answer. */
  of?: string | undefined;
  /** Another replica kept it; absent: this server's memory. */
  from?: 'replicas' | undefined;
  /** How old the answer was, in milliseconds. */
  ageMs?: number | undefined;
  /** What the answer had cost, in millionths of a US dollar; absent where that is unknown. */
  savedMicroUsd?: number | undefined;
  /** That figure is an estimate. */
  savedEstimated?: true | undefined;
}

export interface Attempt {
  /** 1, 2, 3 … within the exchange. */
  number: number;
  target: string;
  endpoint: string;
  /** Id of the provider that the endpoint was configured for; absent: not recorded. */
  provider?: string | undefined;
  model: string;
  upstreamModel: string;
  /** The model that the answer names; absent: it names none, or the record was read from the ledger, which does not keep it. */
  answeredModel?: string | undefined;
  protocol: ProtocolName;
  /** Label of the key used (never the key). */
  keyLabel?: string | undefined;
  /** Last four characters of the key used. */
  keyLast4?: string | undefined;
  /** Stable id of the key in its endpoint's pool, the same in all servers of a data folder; no secret. */
  keyId?: string | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Why it was made, where it was not simply the next of the plan. */
  role?: AttemptRole | undefined;
  /** What kind of work the request was; each kind has timers of its own. */
  kind?: RequestKind | undefined;
  /** A fire drill made it fail; nothing was wrong with the provider. */
  drill?: boolean | undefined;
  /** Time a new connection took, in milliseconds; absent where a kept one was used. */
  connectMs?: number | undefined;
  /** How long the provider asked to be left alone, in milliseconds from the end of the attempt. */
  retryAfterMs?: number | undefined;
  /** The longest silence after the first token, in milliseconds. */
  longestGapMs?: number | undefined;
  /** Since startedAt, in milliseconds; absent when the moment was not reached. */
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  totalMs: number;
  status?: number | undefined;
  outcome: 'ok' | 'failed' | 'cancelled' | 'interrupted';
  /** Beside `ok` only `content-policy`: the model answered that it declines. */
  failureClass?: FailureClass | undefined;
  /** One sentence; for failed attempts. */
  message?: string | undefined;
  usage: TokenUsage;
  /** Some bucket of usage was not reported and is an estimate. */
  usageEstimated: boolean;
  cost: Cost;
}

/** The record of one exchange: what was asked, why it went where it went, and what it cost. */
export interface Receipt {
  id: string;
  inbound: 'lsp' | 'http';
  /** The caller's protocol; `editor` for VS Code's own chat. */
  protocol: ProtocolName | 'editor';
  stream: boolean;
  caller: Caller;
  startedAt: number;
  /** Since startedAt, in milliseconds. */
  firstTokenMs?: number | undefined;
  totalMs: number;
  /** `open` while it runs; `interrupted` when its server died. */
  outcome: 'ok' | 'failed' | 'cancelled' | 'interrupted' | 'open';
  /** Beside `ok` only `content-policy`: the model answered that it declines. */
  failureClass?: FailureClass | undefined;
  message?: string | undefined;
  /** The first words of its conversation, at most 60 characters; absent where they are not kept. */
  title?: string | undefined;
  /** What the request used of its model, as bits; see requestFeatures. Absent: not recorded. */
  features?: number | undefined;
  /** The target that answered. */
  target?: string | undefined;
  plan: Plan;
  /** Absent: the route keeps no answers. */
  cache?: CacheUse | undefined;
  attempts: Attempt[];
  /** Sums over all attempts. */
  usage: TokenUsage;
  cost: Cost;
  /** It is a copy that a shadow sent; absent for requests of callers. */
  shadow?: ShadowOfReceipt | undefined;
}

/** One line of the Requests view. */
export interface RequestSummary {
  id: string;
  startedAt: number;
  requestedModel: string;
  target?: string | undefined;
  attempts: number;
  /** Of these, how many failed; the others answered, were cancelled, or were beaten by a faster one. */
  failedAttempts: number;
  outcome: Receipt['outcome'];
  failureClass?: FailureClass | undefined;
  totalMs: number;
  firstTokenMs?: number | undefined;
  usage: TokenUsage;
  cost: Cost;
  caller: Caller;
  /** As of the receipt. */
  title?: string | undefined;
  /** As of the receipt. */
  shadow?: ShadowOfReceipt | undefined;
  /** Absent: the route keeps no answers. */
  cache?: CacheUse | undefined;
}

/** Half-open time range in milliseconds since the epoch. */
export interface TimeRange { from: number; to: number }

export interface SpendTotals {
  /** Sum of known (exact and estimated) cost. */
  microUsd: number;
  /** The part of `microUsd` that is an estimate. */
  estimatedMicroUsd: number;
  /** Ended attempts whose cost is unknown; not in any sum. */
  unknownAttempts: number;
  /** Attempts whose cost is in the sum without a part that has no price: the sum is a lower bound. Absent: none. */
  unpricedAttempts?: number | undefined;
  /** Those parts, in words, the most frequent first. Absent: none. */
  unpriced?: string[] | undefined;
  /** Attempts that cost nothing because a plan or a free tier covers them, or because they were simulated. Absent: none. */
  coveredAttempts?: number | undefined;
  exchanges: number;
  usage: TokenUsage;
  /** Buckets of `usage` that some of those who used tokens did not report: their sums are lower bounds. Absent where there is none. */
  incompleteUsage?: (keyof TokenUsage)[] | undefined;
}
/** What a local day cost; days without spend are all 0. */
export interface SpendDay extends Omit<SpendTotals, 'usage' | 'incompleteUsage'> {
  /** `2026-11-20`. */
  day: string;
}
export interface SpendGroup extends SpendTotals { name: string }
export interface SpendReport {
  range: TimeRange;
  totals: SpendTotals;
  byEndpoint: SpendGroup[];
  byModel: SpendGroup[];
  byTool: SpendGroup[];
  byWorkspace: SpendGroup[];
  /** One bar a local day, oldest first. */
  byDay: SpendDay[];
  /** Requests that the response cache answered, and what that saved; absent: none. */
  cached?: CachedSpend | undefined;
  /** Whose requests these are, where replicas share a ledger; absent: of the servers of one data folder, and there are no others. */
  scope?: SpendScope | undefined;
}
/** Whose requests a sum is about, where replicas share a ledger. */
export interface SpendScope {
  /** `own`: of this replica alone, because the shared ledger cannot be read now. */
  replicas: 'all' | 'own';
  /** How many replicas there are, those that have ended among them. */
  count?: number | undefined;
  /** What is missing and why, in a sentence. */
  message?: string | undefined;
}
export interface CachedSpend {
  exchanges: number;
  /** What the answers had cost, as far as that is known. */
  savedMicroUsd: number;
  /** The part of it that is an estimate. */
  estimatedMicroUsd: number;
  /** Of the requests, how many answers have no known cost. */
  unknown: number;
}
