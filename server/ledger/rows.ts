import type { Attempt, Cost, Plan, PriceUsed, Receipt, RequestSummary } from '../api/receipt.ts';
import type { TokenUsage } from '../api/conversation.ts';
import type { ForeignAttempt, HealthEvent } from './ledger.ts';
import { largestFigure } from './money.ts';
import { sumCost, sumUsage } from './sums.ts';

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
  + `a.usage_estimated, ${costCertainty} AS cost_certainty, a.price_source, a.price_used, a.key_id, a.role, a.kind, a.drill, a.connect_ms, a.longest_gap_ms, a.retry_after_ms`;

/** Sets a field only where the column holds something: what was absent stays absent. */
function put<Target extends object, Key extends keyof Target>(target: Target, key: Key, value: Row[string] | undefined): void {
  if (value !== null && value !== undefined) target[key] = value as Target[Key];
}

/** The token buckets of a row of `attempts` or of sums with the same column names. */
export function usageFromRow(row: Row): TokenUsage {
  const usage: TokenUsage = {};
  put(usage, 'inputTokens', row['input_tokens']);
  put(usage, 'cacheReadTokens', row['cache_read_tokens']);
  put(usage, 'cacheWriteTokens', row['cache_write_tokens']);
  put(usage, 'cacheWrite1hTokens', row['cache_write_1h_tokens']);
  put(usage, 'outputTokens', row['output_tokens']);
  put(usage, 'reasoningTokens', row['reasoning_tokens']);
  put(usage, 'reportedCostMicroUsd', row['reported_micro_usd']);
  return usage;
}

export function attemptFromRow(row: Row): Attempt {
  const cost: Cost = { certainty: row['cost_certainty'] as Cost['certainty'] };
  put(cost, 'microUsd', row['cost_micro_usd']);
  put(cost, 'priceSource', row['price_source']);
  if (typeof row['price_used'] === 'string') cost.priceUsed = JSON.parse(row['price_used']) as PriceUsed;
  const attempt: Attempt = {
    number: row['number'] as number,
    target: row['target'] as string,
    endpoint: row['endpoint'] as string,
    model: row['model'] as string,
    upstreamModel: row['upstream_model'] as string,
    protocol: row['protocol'] as Attempt['protocol'],
    startedAt: row['started_at'] as number,
    totalMs: row['total_ms'] as number,
    outcome: row['outcome'] as Attempt['outcome'],
    usage: usageFromRow(row),
    usageEstimated: row['usage_estimated'] === 1,
    cost,
  };
  put(attempt, 'keyLabel', row['key_label']);
  put(attempt, 'keyLast4', row['key_last4']);
  put(attempt, 'keyId', row['key_id']);
  put(attempt, 'role', row['role']);
  put(attempt, 'kind', row['kind']);
  if (row['drill'] === 1) attempt.drill = true;
  put(attempt, 'connectMs', row['connect_ms']);
  put(attempt, 'longestGapMs', row['longest_gap_ms']);
  put(attempt, 'retryAfterMs', row['retry_after_ms']);
  put(attempt, 'headersMs', row['headers_ms']);
  put(attempt, 'firstTokenMs', row['first_token_ms']);
  put(attempt, 'status', row['status']);
  put(attempt, 'failureClass', row['failure_class']);
  put(attempt, 'message', row['message']);
  return attempt;
}

export function foreignAttemptFromRow(row: Row): ForeignAttempt {
  const attempt = attemptFromRow(row);
  const foreign: ForeignAttempt = { attempt, endedAt: attempt.startedAt + attempt.totalMs };
  if (row['stream'] !== undefined) foreign.stream = row['stream'] === 1;
  const exchange = row['exchange_outcome'];
  if (exchange !== undefined) foreign.beaten = attempt.outcome === 'cancelled' && exchange !== 'cancelled' && exchange !== 'interrupted';
  return foreign;
}

export function healthEventFromRow(row: Row): HealthEvent {
  const event: HealthEvent = {
    endpoint: row['endpoint'] as string,
    at: row['at'] as number,
    ok: row['ok'] === 1,
    kind: row['kind'] as HealthEvent['kind'],
  };
  put(event, 'failureClass', row['failure_class']);
  put(event, 'message', row['message']);
  put(event, 'latencyMs', row['latency_ms']);
  return event;
}

function callerFromRow(row: Row): Receipt['caller'] {
  const caller: Receipt['caller'] = { tool: row['tool'] as string };
  put(caller, 'workspace', row['workspace']);
  put(caller, 'conversation', row['conversation']);
  put(caller, 'purpose', row['purpose']);
  return caller;
}

/** A receipt from its exchange row (with `plan`) and its attempts in order. */
export function receiptFromRow(row: Row, attempts: Attempt[]): Receipt {
  const receipt: Receipt = {
    id: row['id'] as string,
    face: row['face'] as Receipt['face'],
    protocol: row['protocol'] as Receipt['protocol'],
    stream: row['stream'] === 1,
    caller: callerFromRow(row),
    startedAt: row['started_at'] as number,
    totalMs: row['total_ms'] as number,
    outcome: row['outcome'] as Receipt['outcome'],
    plan: JSON.parse(row['plan'] as string) as Plan,
    attempts,
    usage: sumUsage(attempts),
    cost: sumCost(attempts),
  };
  put(receipt, 'firstTokenMs', row['first_token_ms']);
  put(receipt, 'failureClass', row['failure_class']);
  put(receipt, 'message', row['message']);
  put(receipt, 'target', row['target']);
  return receipt;
}

/** One line of the Requests view from its exchange row and its attempts. */
export function summaryFromRow(row: Row, attempts: readonly Attempt[]): RequestSummary {
  const summary: RequestSummary = {
    id: row['id'] as string,
    startedAt: row['started_at'] as number,
    wanted: row['wanted'] as string,
    attempts: attempts.length,
    failedAttempts: attempts.filter(attempt => attempt.outcome === 'failed').length,
    outcome: row['outcome'] as RequestSummary['outcome'],
    totalMs: row['total_ms'] as number,
    usage: sumUsage(attempts),
    cost: sumCost(attempts),
    caller: callerFromRow(row),
  };
  put(summary, 'target', row['target']);
  put(summary, 'failureClass', row['failure_class']);
  put(summary, 'firstTokenMs', row['first_token_ms']);
  return summary;
}
