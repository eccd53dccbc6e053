import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RequestSummary } from '../../../api/receipt.ts';
import type { RequestFilter } from '../../../api/reports/requestFilter.ts';
import type { FoundRequests, RequestPlace, RunningRequest } from '../../../api/reports/requestMessages.ts';
import type { Guard } from '../../../base/guarded.ts';
import { attemptFromRow, selectedAttemptColumns } from '../../rows/attemptColumns.ts';
import { allRows, readable } from '../readRows.ts';
import { localExchangeColumns, summaryFromRow } from '../../rows/rows.ts';
import { number, type Row } from '../../rows/rowValues.ts';
import { requestConditions } from './requestConditions.ts';

/** Exchanges that one call looks through, so that requests are served between two calls. */
const scanned = 2_000;
/** The same where each one's texts are looked through, which takes longer. */
const scannedForText = 250;
/** Exchanges that run, at most so many: the latest. */
const mostRunning = 200;
const keptStatements = 16;

/** Finds exchanges by what is kept of them, newest first, and those that run. */
export class RequestSearch {
  readonly #database: DatabaseSync;
  readonly #instanceId: string;
  readonly #unreadable: Guard;
  readonly #border: StatementSync;
  readonly #attempts: StatementSync;
  readonly #running: StatementSync;
  /** By their text, the latest used last. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, instanceId: string, unreadable: Guard) {
    this.#database = database;
    this.#instanceId = instanceId;
    this.#unreadable = unreadable;
    // SQLite's own functions know upper and lower case of ASCII alone.
    database.function('holds_text', { deterministic: true }, (text, wanted) => (typeof text === 'string' && typeof wanted === 'string' && text.toLowerCase().includes(wanted) ? 1 : 0));
    this.#border = database.prepare(`SELECT started_at, seq FROM exchanges WHERE (started_at, seq) < (:startedAt, :seq) AND started_at >= :from
      ORDER BY started_at DESC, seq DESC LIMIT 1 OFFSET :skipped`);
    this.#attempts = database.prepare(`SELECT ${selectedAttemptColumns}, a.exchange_seq FROM attempts a WHERE a.exchange_seq IN (SELECT value FROM json_each(?)) ORDER BY a.exchange_seq, a.number`);
    this.#running = database.prepare(`SELECT ${localExchangeColumns}, instance FROM exchanges INDEXED BY exchanges_open WHERE outcome = 'open' ORDER BY started_at DESC, seq DESC LIMIT ${mostRunning}`);
  }

  /** Looks through the next exchanges behind a place. @param after absent: from the latest one */
  find(filter: RequestFilter, limit: number, after: RequestPlace = { startedAt: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER }): FoundRequests {
    const from = Math.ceil(filter.fromMs ?? 0);
    const begin = filter.toMs !== undefined && filter.toMs <= after.startedAt ? { startedAt: Math.ceil(filter.toMs), seq: 0 } : after;
    const [border] = allRows(this.#border, { startedAt: begin.startedAt, seq: begin.seq, from, skipped: (filter.text === undefined ? scanned : scannedForText) - 1 });
    const end = border === undefined ? { startedAt: from, seq: 0 } : placeOf(border);
    const { where, parameters } = requestConditions(filter);
    const rows = allRows(this.#statement(where), { ...parameters, startedAt: begin.startedAt, seq: begin.seq, endAt: end.startedAt, endSeq: end.seq, limit });
    const last = rows.at(-1);
    return { requests: this.#summaries(rows, row => row), next: rows.length >= limit && last !== undefined ? placeOf(last) : border === undefined ? undefined : end };
  }

  /** Exchanges that run, newest first. */
  running(): RunningRequest[] {
    return this.#summaries(allRows(this.#running), (summary, row) => ({ ...summary, ofPeer: row['instance'] !== this.#instanceId }));
  }

  #summaries<Result extends RequestSummary>(rows: readonly Row[], finish: (summary: RequestSummary, row: Row) => Result): Result[] {
    const attemptsOf = new Map<unknown, Row[]>();
    for (const row of allRows(this.#attempts, JSON.stringify(rows.map(({ seq }) => seq)))) {
      const known = attemptsOf.get(row['exchange_seq']);
      if (known === undefined) attemptsOf.set(row['exchange_seq'], [row]);
      else known.push(row);
    }
    return readable(rows, (row) => {
      const own = attemptsOf.get(row['seq']) ?? [];
      const attempts = readable(own, attemptFromRow, this.#unreadable);
      return finish(summaryFromRow(row, { attempts, unreadable: own.length - attempts.length }), row);
    }, this.#unreadable);
  }

  #statement(where: readonly string[]): StatementSync {
    const conditions = ['(e.started_at, e.seq) < (:startedAt, :seq)', '(e.started_at, e.seq) >= (:endAt, :endSeq)', ...where];
    const text = `SELECT ${localExchangeColumns} FROM exchanges e INDEXED BY exchanges_by_time WHERE ${conditions.join(' AND ')} ORDER BY e.started_at DESC, e.seq DESC LIMIT :limit`;
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.delete(text);
    this.#statements.set(text, statement);
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined && this.#statements.size > keptStatements) this.#statements.delete(oldest);
    return statement;
  }
}

function placeOf(row: Row): RequestPlace {
  return { startedAt: number(row, 'started_at'), seq: number(row, 'seq') };
}
