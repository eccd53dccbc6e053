import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../../api/receipt.ts';
import type { SpendFilter } from '../../../api/reports/dashboard.ts';
import type { Guard } from '../../../base/guarded.ts';
import type { UsedPage, UsedPosition } from '../../usedExchange.ts';
import { attemptFromRow, selectedAttemptColumns } from '../../rows/attemptColumns.ts';
import { allRows, readable } from '../readRows.ts';
import { exchangeColumns, usedExchangeFromRow } from '../../rows/rows.ts';
import { number, type Row } from '../../rows/rowValues.ts';
import { requestConditions } from './requestConditions.ts';

/** Pages through the exchanges of callers in a range in the order of their start, each with its attempts. */
export class UsedExchanges {
  readonly #database: DatabaseSync;
  readonly #exchanges: StatementSync;
  /** Of the filter that was used last. */
  #filtered: { text: string; statement: StatementSync } | undefined;
  readonly #attempts: StatementSync;
  readonly #unreadable: Guard;

  constructor(database: DatabaseSync, unreadable: Guard) {
    this.#database = database;
    this.#unreadable = unreadable;
    this.#exchanges = database.prepare(pageText(''));
    this.#attempts = database.prepare(`SELECT ${selectedAttemptColumns}, a.exchange_seq FROM attempts a WHERE a.exchange_seq IN (SELECT value FROM json_each(?)) ORDER BY a.exchange_seq, a.number`);
  }

  /** @param after absent: from the beginning of the range @param filter those that do not pass it are marked */
  read(range: TimeRange, after: UsedPosition | undefined, limit: number, filter: SpendFilter = {}): UsedPage {
    const from = after ?? { startedAt: Math.ceil(range.from), seq: 0 };
    const { where, parameters } = requestConditions(filter);
    const rows = allRows(this.#statement(where), { ...parameters, startedAt: from.startedAt, seq: from.seq, to: range.to, limit });
    const attemptsOf = new Map<unknown, Row[]>();
    for (const row of allRows(this.#attempts, JSON.stringify(rows.map(({ seq }) => seq)))) {
      const known = attemptsOf.get(row['exchange_seq']);
      if (known === undefined) attemptsOf.set(row['exchange_seq'], [row]);
      else known.push(row);
    }
    const exchanges = readable(rows, (row) => {
      const own = attemptsOf.get(row['seq']) ?? [];
      const attempts = readable(own, attemptFromRow, this.#unreadable);
      const exchange = usedExchangeFromRow(row, attempts, own.length - attempts.length);
      // A comparison with what is not recorded is null.
      return where.length === 0 || row['passes'] === 1 ? exchange : { ...exchange, leftOut: true as const };
    }, this.#unreadable);
    const last = rows.at(-1);
    return { exchanges, ...(rows.length < limit || last === undefined ? {} : { next: { startedAt: number(last, 'started_at'), seq: number(last, 'seq') } }) };
  }

  #statement(where: readonly string[]): StatementSync {
    if (where.length === 0) return this.#exchanges;
    const text = pageText(`, (${where.join(' AND ')}) AS passes`);
    if (this.#filtered?.text !== text) this.#filtered = { text, statement: this.#database.prepare(text) };
    return this.#filtered.statement;
  }
}

function pageText(moreColumns: string): string {
  return `SELECT ${exchangeColumns}, iif(json_valid(plan), json_extract(plan, '$.cache.conversation'), NULL) AS cache_conversation${moreColumns} FROM exchanges e INDEXED BY exchanges_by_time
    WHERE started_at >= :startedAt AND started_at < :to AND (started_at > :startedAt OR seq > :seq) AND outcome <> 'open' AND shadow IS NULL ORDER BY started_at, seq LIMIT :limit`;
}
