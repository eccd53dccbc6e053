import { requestType } from '../messageTypes.ts';
import type { CachedSpend, RequestSummary, TimeRange } from '../receipt.ts';
import { readRequestFilter, type OptionalField, type RequestFilter } from './requestFilter.ts';

/** What spend can be grouped by. */
export const spendDimensionNames = ['model', 'provider', 'endpoint', 'route', 'tool', 'workspace', 'branch', 'conversation', 'purpose', 'kind', 'extension', 'token', 'user', 'team', 'part'] as const;
export type SpendDimension = (typeof spendDimensionNames)[number];

/** Which attempts are counted: those of which each field holds. A dimension in `notRecorded` has no value. */
export interface SpendFilter extends Pick<RequestFilter, SpendDimension> {
  notRecorded?: OptionalField[] | undefined;
}

/** Reads a filter from outside. What is no filter of spend is left out; one that cannot be read leaves out nothing. */
export function readSpendFilter(given: unknown): SpendFilter {
  const read = typeof given === 'object' && given !== null ? readRequestFilter({ ...given }) : {};
  if (typeof read === 'string') return {};
  const filter: SpendFilter = {};
  for (const name of spendDimensionNames) if (read[name] !== undefined) filter[name] = read[name] as never;
  if (read.notRecorded !== undefined) filter.notRecorded = read.notRecorded;
  return filter;
}

/** Sums over attempts. Money in micro-dollars. Sums over the groups of any dimension add up to the total. */
export interface SpendSum {
  attempts: number;
  /** Requests whose last attempt is one of these. */
  requests: number;
  /** Known cost, exact and estimated. */
  microUsd: number;
  /** The part of `microUsd` that is an estimate. */
  estimatedMicroUsd: number;
  /** Ended attempts whose cost is unknown; they are in no sum of money. */
  unknownAttempts: number;
  /** Attempts whose cost lacks a part that has no price. */
  unpricedAttempts: number;
  /** Attempts that a plan or a free tier covers. */
  coveredAttempts: number;
  /** Fresh prompt tokens. The buckets are disjoint. */
  inputTokens: number;
  cacheReadTokens: number;
  /** Both lifetimes of caches together. */
  cacheWriteTokens: number;
  outputTokens: number;
  /** Tokens of all buckets, of attempts whose cost is known. */
  pricedTokens: number;
  /** Attempts of which some tokens are not known: the sums of tokens are lower bounds. */
  tokenGaps: number;
  /** Attempts whose tokens are partly estimated. */
  estimatedUsage: number;
  /**
   * What reading prompts from providers' caches saved: tokens read, at the price of fresh ones less that of cached ones, less the
   * surcharge of writing. Negative where writing cost more than reading saved.
   */
  cacheSavedMicroUsd: number;
  /** Attempts that used a cache and whose prices are not known; they are not in what was saved. */
  cacheUnpricedAttempts: number;
}
export const spendSumNames = [
  'attempts', 'requests', 'microUsd', 'estimatedMicroUsd', 'unknownAttempts', 'unpricedAttempts', 'coveredAttempts', 'inputTokens', 'cacheReadTokens',
  'cacheWriteTokens', 'outputTokens', 'pricedTokens', 'tokenGaps', 'estimatedUsage', 'cacheSavedMicroUsd', 'cacheUnpricedAttempts',
] as const satisfies (keyof SpendSum)[];

/** @returns a sum of nothing */
export function emptySum(): SpendSum {
  return Object.fromEntries(spendSumNames.map((name) => [name, 0])) as unknown as SpendSum;
}

/** Adds a sum to another one in place. @param sign -1: takes it off */
export function addSum(sum: SpendSum, more: SpendSum, sign: 1 | -1 = 1): void {
  for (const name of spendSumNames) sum[name] += sign * more[name];
}

/** The sum of one value of a dimension. `name` is null where the value is not recorded. */
export interface SpendRow extends SpendSum { name: string | null }

/** The attempts of a span of time. */
export interface SpendStep extends Pick<SpendSum, 'microUsd' | 'estimatedMicroUsd' | 'unknownAttempts' | 'unpricedAttempts' | 'requests'> {
  /** Half-open, in milliseconds since the epoch. */
  from: number;
  to: number;
}

/** The groups of a dimension, the dearest first, and the others in one sum. */
export interface SpendGroups {
  dimension: SpendDimension;
  rows: SpendRow[];
  /** Absent: all groups are in `rows`. */
  rest?: { groups: number; sum: SpendSum } | undefined;
}

/** Two dimensions crossed. */
export interface SpendCross {
  dimension: SpendDimension;
  /** Values of the second dimension, the dearest first; null: not recorded. */
  columns: (string | null)[];
  /** Values that are not in `columns` have one more cell at the end of each line. */
  hasRest: boolean;
  /** A line for each row of the groups; a cell for each column. */
  lines: SpendSum[][];
}

export interface SpendDashboardParams {
  range: TimeRange;
  filter: SpendFilter;
  rows: SpendDimension;
  /** Absent, or the same as `rows`: nothing is crossed. */
  columns?: SpendDimension | undefined;
  /** The most rows; absent: 50. */
  limit?: number | undefined;
  /** Days before the range whose sums are wanted beside it, for a forecast. */
  historyFrom?: number | undefined;
}

/** What attempts that began in a range cost. */
export interface SpendDashboard {
  range: TimeRange;
  totals: SpendSum;
  /** Hours of a range of up to two days, days of one of up to 100 days, else months. Oldest first. */
  steps: SpendStep[];
  stepLength: 'hour' | 'day' | 'month';
  groups: SpendGroups;
  cross?: SpendCross | undefined;
  /** By what attempts were paid for. */
  parts: SpendRow[];
  /** Answers of the response cache; absent: none, or the filter is about attempts. */
  cached?: CachedSpend | undefined;
  /** Days from `historyFrom` to the start of the range, from the first that has an attempt. */
  history?: SpendStep[] | undefined;
}
/** Client -> server, request: sums for the Spend dashboard. */
export const spendDashboardRequest = requestType<SpendDashboardParams, SpendDashboard>('waybill/spendDashboard');

/** One of the dearest conversations. */
export interface DearConversation extends SpendSum {
  conversation: string;
  /** Where it cost most; null: not recorded. */
  tool: string;
  workspace: string | null;
  model: string;
  /** Its first words, where they are kept. */
  title?: string | undefined;
}
export interface DearestParams { range: TimeRange; filter: SpendFilter; /** The most of each. */ limit: number }
export interface DearestSpend {
  conversations: DearConversation[];
  /** By their whole cost, with attempts that the filter leaves out. Requests whose cost is unknown are not among them. */
  requests: RequestSummary[];
}
/** Client -> server, request: the conversations and requests that cost most. */
export const dearestSpendRequest = requestType<DearestParams, DearestSpend>('waybill/dearestSpend');

/** The longest list that a dashboard gives out, for files. */
export const mostSpendRows = 100_000;
