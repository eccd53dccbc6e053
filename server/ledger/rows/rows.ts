import type { Attempt, CacheState, CacheUse, Cost, Plan, Receipt, RequestSummary } from '../../api/receipt.ts';
import type { ShadowOfReceipt } from '../../api/shadow.ts';
import { isObject } from '../../base/json.ts';
import { sumCost, sumUsage } from '../../pricing/sums.ts';
import type { HealthEvent, PeerAttempt, RecordedAttempt } from '../ports.ts';
import type { SpentAttempt } from '../spend.ts';
import type { UsedExchange } from '../usedExchange.ts';
import { attemptFromRow } from './attemptColumns.ts';
import { json, number, put, putNumber, text, type Row } from './rowValues.ts';

export const exchangeColumns = 'seq, id, face, protocol, stream, tool, workspace, conversation, purpose, wanted, route, started_at, first_token_ms, '
  + 'total_ms, outcome, failure_class, message, target, branch, extension, features, shadow, cache, cache_facts, CAST(saved_micro_usd AS REAL) AS saved_micro_usd, token, user, team';
/** Those and what only the ledger of a machine has: text of a prompt is not copied to a ledger that replicas share. */
export const localExchangeColumns = `${exchangeColumns}, title`;

/** An attempt with what is learnt from it; see RecordedAttempt. @throws UnreadableRowError */
export function recordedAttemptFromRow(row: Row): RecordedAttempt {
  const attempt = attemptFromRow(row);
  const recorded: RecordedAttempt = { position: number(row, 'seq'), attempt, endedAt: attempt.startedAt + attempt.totalMs };
  if (row['stream'] !== undefined) recorded.stream = row['stream'] === 1;
  const exchange = row['exchange_outcome'];
  if (exchange !== undefined) recorded.beaten = attempt.outcome === 'cancelled' && exchange !== 'cancelled' && exchange !== 'interrupted';
  put(recorded, 'tool', row['tool']);
  putNumber(recorded, 'answers', row['answers']);
  return recorded;
}

/** The columns of an attempt's exchange `e` that its cost is counted by, beside those of the attempt `a`. */
export const spentColumns = 'e.id AS exchange_id, e.route AS route, e.wanted AS wanted, a.final AS final';

/** An attempt of a peer from its row with `spentColumns`. @throws UnreadableRowError */
export function peerAttemptFromRow(row: Row): PeerAttempt {
  return { ...recordedAttemptFromRow(row), ...spentFrom(row) };
}

/** An attempt as its cost is counted, from its row with `spentColumns`. @throws UnreadableRowError */
export function spentAttemptFromRow(row: Row): SpentAttempt {
  return { attempt: attemptFromRow(row), ...spentFrom(row) };
}

function spentFrom(row: Row): Omit<SpentAttempt, 'attempt'> {
  const spent: Omit<SpentAttempt, 'attempt'> = { exchangeId: text(row, 'exchange_id'), runs: row['final'] === 0, requestedModel: text(row, 'wanted') };
  put(spent, 'route', row['route']);
  return spent;
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
  put(caller, 'branch', row['branch']);
  put(caller, 'conversation', row['conversation']);
  put(caller, 'purpose', row['purpose']);
  put(caller, 'extension', row['extension']);
  put(caller, 'token', row['token']);
  put(caller, 'user', row['user']);
  put(caller, 'team', row['team']);
  return caller;
}

function planFromRow(row: Row): Plan {
  const plan = json(row['plan']);
  if (isObject(plan) && Array.isArray(plan['targets']) && Array.isArray(plan['excluded'])) {
    // Earlier versions stored the name in the plan under another key; the column has it in every version.
    return { ...plan as unknown as Plan, requestedModel: text(row, 'wanted') };
  }
  return { requestedModel: text(row, 'wanted'), kind: 'model', strategy: 'none', targets: [], excluded: [] };
}

/** A mark that cannot be read still marks the row. */
function shadowFromRow(row: Row): ShadowOfReceipt | undefined {
  if (row['shadow'] === null || row['shadow'] === undefined) return undefined;
  const mark = json(row['shadow']);
  const { of, route, arm } = isObject(mark) ? mark : {};
  return { of: typeof of === 'string' ? of : '', route: typeof route === 'string' ? route : '', arm: arm === 'repeat' ? 'repeat' : 'shadow' };
}

const cacheStates: ReadonlySet<unknown> = new Set<CacheState>(['hit', 'shared', 'miss', 'refresh', 'bypass']);

function putCache(receipt: { cache?: CacheUse | undefined }, row: Row): void {
  const state = row['cache'];
  if (!cacheStates.has(state)) return;
  const facts = json(row['cache_facts']);
  receipt.cache = { ...(isObject(facts) ? facts : {}), state: state as CacheState };
  putNumber(receipt.cache, 'savedMicroUsd', row['saved_micro_usd']);
}

/** The attempts of an exchange that could be read, and how many could not. */
export interface ReadAttempts { attempts: Attempt[]; unreadable: number }

/** Where an attempt cannot be read, the sum of those that can is at best an estimate. */
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
  put(receipt, 'title', row['title']);
  putNumber(receipt, 'features', row['features']);
  const shadow = shadowFromRow(row);
  if (shadow !== undefined) receipt.shadow = shadow;
  putCache(receipt, row);
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
  put(summary, 'title', row['title']);
  put(summary, 'failureClass', row['failure_class']);
  putNumber(summary, 'firstTokenMs', row['first_token_ms']);
  const shadow = shadowFromRow(row);
  if (shadow !== undefined) summary.shadow = shadow;
  putCache(summary, row);
  return summary;
}

/** An exchange as reports over what was used read it. @throws UnreadableRowError */
export function usedExchangeFromRow(row: Row, attempts: Attempt[], unreadable: number): UsedExchange {
  const used: UsedExchange = {
    id: text(row, 'id'), protocol: text(row, 'protocol') as UsedExchange['protocol'], stream: row['stream'] === 1, caller: callerFromRow(row),
    startedAt: number(row, 'started_at'), totalMs: number(row, 'total_ms'), outcome: text(row, 'outcome') as UsedExchange['outcome'],
    requestedModel: text(row, 'wanted'), attempts, unreadable,
  };
  put(used, 'route', row['route']);
  put(used, 'target', row['target']);
  putNumber(used, 'features', row['features']);
  put(used, 'cacheConversation', row['cache_conversation']);
  putCache(used, row);
  return used;
}
