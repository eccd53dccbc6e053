import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../api/receipt.ts';
import type { LedgerBill } from '../spend.ts';
import { costCertainty, figure } from '../rows/spendSums.ts';
import { billedAttemptFromRow, billedModelFromRow, mostBilledAttempts } from '../rows/billRows.ts';
import { dayMs } from '../rows/slotBounds.ts';

const tokens = ['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens'].map(figure);
const anyTokens = tokens.map(token => `${token} IS NOT NULL`).join(' OR ');
const ofEndpoints = 'a.started_at >= :from AND a.started_at < :to AND a.final = 1 AND a.endpoint IN (SELECT value FROM json_each(:endpoints))';
const dayColumn = `CAST((a.started_at + CAST(:offset AS INTEGER)) / ${dayMs} AS REAL) AS day`;

/** What a provider may have charged for, read from each attempt of a range. */
export class BillQueries {
  readonly #models: StatementSync;
  readonly #attempts: StatementSync;

  /** @param of where attempts `a` are read @param where a condition with AND before it */
  constructor(database: DatabaseSync, of = 'attempts a INDEXED BY attempts_by_time', where = '') {
    this.#models = database.prepare(`SELECT ${dayColumn}, a.model AS model, a.upstream_model AS upstream_model, group_concat(DISTINCT a.price_source) AS price_sources,
        sum(CASE WHEN ${anyTokens} OR ${costCertainty} = 'unknown' THEN 1 ELSE 0 END) AS requests,
        sum(CAST(coalesce(${figure('cost_micro_usd')}, 0) AS REAL)) AS micro_usd,
        sum(CASE WHEN ${costCertainty} = 'estimated' THEN 1 ELSE 0 END) AS estimated,
        sum(CASE WHEN ${costCertainty} = 'unknown' OR a.cost_unpriced IS NOT NULL THEN 1 ELSE 0 END) AS "unknown",
        sum(CAST(${tokens.map(token => `coalesce(${token}, 0)`).join(' + ')} AS REAL)) AS tokens
      FROM ${of} WHERE ${ofEndpoints}${where} GROUP BY day, model, upstream_model`);
    this.#attempts = database.prepare(`SELECT ${dayColumn}, e.id AS exchange_id, a.upstream_model AS upstream_model, ${costCertainty} AS certainty, a.cost_unpriced AS unpriced,
        (a.started_at + CAST(:offset AS INTEGER)) / ${dayMs} <> CAST(a.started_at + a.total_ms + CAST(:offset AS INTEGER) AS INTEGER) / ${dayMs} AS crosses
      FROM ${of} JOIN exchanges e ON e.seq = a.exchange_seq
      WHERE ${ofEndpoints}${where} AND (${costCertainty} <> 'exact' OR crosses) ORDER BY a.started_at DESC LIMIT ${mostBilledAttempts}`);
  }

  /** @param offsetMs of the days to UTC @param more values that the condition names */
  read(range: TimeRange, endpoints: readonly string[], offsetMs: number, more: Readonly<Record<string, string>> = {}): LedgerBill {
    const named = { ...more, from: range.from, to: range.to, offset: offsetMs, endpoints: JSON.stringify(endpoints) };
    return { models: this.#models.all(named).map(billedModelFromRow), attempts: this.#attempts.all(named).map(billedAttemptFromRow) };
  }
}
