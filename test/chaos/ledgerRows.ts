import { DatabaseSync } from 'node:sqlite';

export interface LedgerAttempt {
  number: number;
  endpoint: string;
  outcome: string;
  role: string | undefined;
  failureClass: string | undefined;
  message: string | undefined;
  status: number | undefined;
  firstTokenMs: number | undefined;
  final: boolean;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  usageEstimated: boolean;
  microUsd: number | undefined;
  costCertainty: string;
}
export interface LedgerExchange {
  id: string;
  /** The conversation the caller named: the request's nonce. */
  nonce: string;
  outcome: string;
  failureClass: string | undefined;
  message: string | undefined;
  /** When it began, in milliseconds since the epoch, and how long it took. */
  startedAt: number;
  totalMs: number;
  attempts: LedgerAttempt[];
}
/** What the whole file sums up to. */
export interface LedgerTotals { microUsd: number; inputTokens: number; outputTokens: number; unknownAttempts: number; estimatedMicroUsd: number }

type Value = null | number | bigint | string | NodeJS.NonSharedUint8Array;

/** Reads the router's ledger file beside it, without its code. */
export function readLedger(file: string): { exchanges: LedgerExchange[]; totals: LedgerTotals } {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const exchanges = new Map<number, LedgerExchange>();
    for (const row of database.prepare('SELECT seq, id, conversation, outcome, failure_class, message, started_at, total_ms FROM exchanges').iterate()) {
      exchanges.set(Number(row['seq']), {
        id: String(row['id']), nonce: text(row['conversation']) ?? '', outcome: String(row['outcome']), failureClass: text(row['failure_class']), message: text(row['message']),
        startedAt: Number(row['started_at']), totalMs: Number(row['total_ms']), attempts: [],
      });
    }
    for (const row of database.prepare('SELECT * FROM attempts ORDER BY exchange_seq, number').iterate()) {
      exchanges.get(Number(row['exchange_seq']))?.attempts.push({
        number: Number(row['number']), endpoint: String(row['endpoint']), outcome: String(row['outcome']), role: text(row['role']), failureClass: text(row['failure_class']),
        message: text(row['message']), status: number(row['status']), firstTokenMs: number(row['first_token_ms']), final: row['final'] === 1,
        inputTokens: number(row['input_tokens']), outputTokens: number(row['output_tokens']), usageEstimated: row['usage_estimated'] === 1,
        microUsd: number(row['cost_micro_usd']), costCertainty: String(row['cost_certainty']),
      });
    }
    const sums = database.prepare(`SELECT coalesce(sum(cost_micro_usd), 0) AS cost, coalesce(sum(input_tokens), 0) AS input, coalesce(sum(output_tokens), 0) AS output,
      sum(cost_certainty = 'unknown') AS unknown, coalesce(sum(CASE WHEN cost_certainty = 'estimated' THEN cost_micro_usd END), 0) AS estimated FROM attempts`).get() ?? {};
    const totals = { microUsd: Number(sums['cost']), inputTokens: Number(sums['input']), outputTokens: Number(sums['output']), unknownAttempts: Number(sums['unknown']), estimatedMicroUsd: Number(sums['estimated']) };
    return { exchanges: [...exchanges.values()], totals };
  } finally {
    database.close();
  }
}

function text(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: Value | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
