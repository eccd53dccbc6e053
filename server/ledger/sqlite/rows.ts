import type { Attempt, Cost, Plan, Receipt, RequestSummary } from '../../api/receipt.ts';
import type { TokenUsage } from '../../api/conversation.ts';
import { plausiblePrices } from '../../base/figures.ts';
import { isObject } from '../../base/json.ts';
import type { ForeignAttempt, HealthEvent } from '../ports.ts';
import { largestFigure } from '../../pricing/money.ts';
import { sumCost, sumUsage } from '../../pricing/sums.ts';

/** A row as `node:sqlite` hands it out. */
export type Row = Record<string, null | number | bigint | string | NodeJS.NonSharedUint8Array>;

export const exchangeColumns = 'seq, id, face, protocol, stream, tool, workspace, conversation, purpose, wanted, started_at, first_token_ms, '
  + 'total_ms, outcome, failure_class, message, target';

/** A figure of an attempt `a`. Earlier versions wrote figures that no number here can hold: those read as unknown. */
export const figure = (column: string): string => `CASE WHEN a.${column} BETWEEN 0 AND ${largestFigure} THEN a.${column} END`;
/** How certain the cost of an attempt `a` is, where its figure may have to be left out. */
export const costCertainty = `CASE WHEN a.cost_micro_usd NOT BETWEEN 0 AND ${largestFigure} THEN 'unknown' ELSE a.cost_certainty END`;
const figures = (...columns: string[]): string => columns.map((column) => `${figure(column)} AS ${column}`).join(', ');

export const attemptColumns = 'a.exchange_seq, a.number, a.target, a.endpoint, a.model, a.upstream_model, a.protocol, a.key_label, a.key_last4, '
  + 'a.started_at, a.headers_ms, a.first_token_ms, a.total_ms, a.status, a.outcome, a.failure_class, a.message, '
  + `${figures('input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens', 'reasoning_tokens', 'reported_micro_usd', 'cost_micro_usd')}, `
  + `a.usage_estimated, ${costCertainty} AS cost_certainty, a.price_source, a.price_used, a.key_id, a.role, a.kind, a.drill, a.connect_ms, a.longest_gap_ms, ${figure('retry_after_ms')} AS retry_after_ms`;

/** A row that damage, or another program, left without what it must have. */
export class UnreadableRowError extends Error {
  readonly code = 'unreadable-row';
  constructor(column: string) {
    super(`A row of the ledger has no readable ${column}.`);
    this.name = 'UnreadableRowError';
  }
}

type Value = Row[string] | undefined;

/** The largest moment that a date can hold; see the range of `Date`. */
const largestMoment = 8.64e15;

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new UnreadableRowError(column);
  return value;
}

function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !(Math.abs(value) <= largestMoment)) throw new UnreadableRowError(column);
  return value;
}

/** Sets a field only where the column holds something of its kind: what was absent, or cannot be read, stays absent. */
function put<Target extends object, Key extends keyof Target>(target: Target, key: Key, value: Value, kind: 'string' | 'number' = 'string'): void {
  if (typeof value === kind) target[key] = value as Target[Key];
}

function putNumber<Target extends object, Key extends keyof Target>(target: Target, key: Key, value: Value): void {
  put(target, key, value, 'number');
}

/** JSON of a column; undefined where there is none, or it is broken. */
function json(value: Value): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** The token buckets of a row of `attempts` or of sums with the same column names. */
export function usageFromRow(row: Row): TokenUsage {
  const usage: TokenUsage = {};
  putNumber(usage, 'inputTokens', row['input_tokens']);
  putNumber(usage, 'cacheReadTokens', row['cache_read_tokens']);
  putNumber(usage, 'cacheWriteTokens', row['cache_write_tokens']);
  putNumber(usage, 'cacheWrite1hTokens', row['cache_write_1h_tokens']);
  putNumber(usage, 'outputTokens', row['output_tokens']);
  putNumber(usage, 'reasoningTokens', row['reasoning_tokens']);
  putNumber(usage, 'reportedCostMicroUsd', row['reported_micro_usd']);
  return usage;
}

function costFromRow(row: Row): Cost {
  const certainty = row['cost_certainty'];
  const microUsd = row['cost_micro_usd'];
  // What is called known and has no figure is unknown.
  if ((certainty !== 'exact' && certainty !== 'estimated') || typeof microUsd !== 'number') return { certainty: 'unknown' };
  const cost: Cost = { certainty, microUsd };
  put(cost, 'priceSource', row['price_source']);
  if (typeof row['price_used'] === 'string') cost.priceUsed = plausiblePrices(json(row['price_used']));
  return cost;
}

/** @throws UnreadableRowError */
export function attemptFromRow(row: Row): Attempt {
  const attempt: Attempt = {
    number: number(row, 'number'),
    target: text(row, 'target'),
    endpoint: text(row, 'endpoint'),
    model: text(row, 'model'),
    upstreamModel: text(row, 'upstream_model'),
    protocol: text(row, 'protocol') as Attempt['protocol'],
    startedAt: number(row, 'started_at'),
    totalMs: number(row, 'total_ms'),
    outcome: text(row, 'outcome') as Attempt['outcome'],
    usage: usageFromRow(row),
    usageEstimated: row['usage_estimated'] === 1,
    cost: costFromRow(row),
  };
  put(attempt, 'keyLabel', row['key_label']);
  put(attempt, 'keyLast4', row['key_last4']);
  put(attempt, 'keyId', row['key_id']);
  put(attempt, 'role', row['role']);
  put(attempt, 'kind', row['kind']);
  if (row['drill'] === 1) attempt.drill = true;
  putNumber(attempt, 'connectMs', row['connect_ms']);
  putNumber(attempt, 'longestGapMs', row['longest_gap_ms']);
  putNumber(attempt, 'retryAfterMs', row['retry_after_ms']);
  putNumber(attempt, 'headersMs', row['headers_ms']);
  putNumber(attempt, 'firstTokenMs', row['first_token_ms']);
  putNumber(attempt, 'status', row['status']);
  put(attempt, 'failureClass', row['failure_class']);
  put(attempt, 'message', row['message']);
  return attempt;
}

/** @throws UnreadableRowError */
export function foreignAttemptFromRow(row: Row): ForeignAttempt {
  const attempt = attemptFromRow(row);
  const foreign: ForeignAttempt = { attempt, endedAt: attempt.startedAt + attempt.totalMs };
  if (row['stream'] !== undefined) foreign.stream = row['stream'] === 1;
  const exchange = row['exchange_outcome'];
  if (exchange !== undefined) foreign.beaten = attempt.outcome === 'cancelled' && exchange !== 'cancelled' && exchange !== 'interrupted';
  return foreign;
}

/** @throws UnreadableRowError */
export function healthEventFromRow(row: Row): HealthEvent {
  const event: HealthEvent = {
    endpoint: text(row, 'endpoint'),
    at: number(row, 'at'),
    ok: row['ok'] === 1,
    kind: text(row, 'kind') as HealthEvent['kind'],
  };
  put(event, 'failureClass', row['failure_class']);
  put(event, 'message', row['message']);
  putNumber(event, 'latencyMs', row['latency_ms']);
  return event;
}

function callerFromRow(row: Row): Receipt['caller'] {
  const caller: Receipt['caller'] = { tool: text(row, 'tool') };
  put(caller, 'workspace', row['workspace']);
  put(caller, 'conversation', row['conversation']);
  put(caller, 'purpose', row['purpose']);
  return caller;
}

function planFromRow(row: Row): Plan {
  const plan = json(row['plan']);
  if (isObject(plan) && Array.isArray(plan['targets']) && Array.isArray(plan['excluded'])) return plan as unknown as Plan;
  return { requestedModel: text(row, 'wanted'), kind: 'model', strategy: 'none', targets: [], excluded: [] };
}

/** The attempts of an exchange that could be read, and how many could not. */
export interface ReadAttempts { attempts: Attempt[]; unreadable: number }

/** Beside an attempt that cannot be read, what is known of the others is at best an estimate. */
function costOf({ attempts, unreadable }: ReadAttempts): Cost {
  const cost = sumCost(attempts);
  if (unreadable === 0 || cost.certainty === 'unknown') return cost;
  return attempts.length === 0 ? { certainty: 'unknown' } : { ...cost, certainty: 'estimated' };
}

/** A receipt from its exchange row (with `plan`) and its attempts in order. @throws UnreadableRowError */
export function receiptFromRow(row: Row, read: ReadAttempts): Receipt {
  const { attempts } = read;
  const receipt: Receipt = {
    id: text(row, 'id'),
    inbound: text(row, 'face') as Receipt['inbound'],
    protocol: text(row, 'protocol') as Receipt['protocol'],
    stream: row['stream'] === 1,
    caller: callerFromRow(row),
    startedAt: number(row, 'started_at'),
    totalMs: number(row, 'total_ms'),
    outcome: text(row, 'outcome') as Receipt['outcome'],
    plan: planFromRow(row),
    attempts,
    usage: sumUsage(attempts),
    cost: costOf(read),
  };
  putNumber(receipt, 'firstTokenMs', row['first_token_ms']);
  put(receipt, 'failureClass', row['failure_class']);
  put(receipt, 'message', row['message']);
  put(receipt, 'target', row['target']);
  return receipt;
}

/** One line of the Requests view from its exchange row and its attempts. @throws UnreadableRowError */
export function summaryFromRow(row: Row, read: ReadAttempts): RequestSummary {
  const { attempts } = read;
  const summary: RequestSummary = {
    id: text(row, 'id'),
    startedAt: number(row, 'started_at'),
    requestedModel: text(row, 'wanted'),
    attempts: attempts.length,
    failedAttempts: attempts.filter(attempt => attempt.outcome === 'failed').length,
    outcome: text(row, 'outcome') as RequestSummary['outcome'],
    totalMs: number(row, 'total_ms'),
    usage: sumUsage(attempts),
    cost: costOf(read),
    caller: callerFromRow(row),
  };
  put(summary, 'target', row['target']);
  put(summary, 'failureClass', row['failure_class']);
  putNumber(summary, 'firstTokenMs', row['first_token_ms']);
  return summary;
}
