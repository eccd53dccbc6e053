import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../../api/receipt.ts';
import type { Guard } from '../../../base/guarded.ts';
import type { UsedPage, UsedPosition } from '../../usedExchange.ts';
import { attemptFromRow, selectedAttemptColumns } from '../attemptColumns.ts';
import { allRows, readable } from '../readRows.ts';
import { exchangeColumns, usedExchangeFromRow } from '../rows.ts';
import { number, type Row } from '../rowValues.ts';

/** Pages through the exchanges of callers in a range in the order of their start, each with its attempts. */
export class UsedExchanges {
  readonly #exchanges: StatementSync;
  readonly #attempts: StatementSync;
  readonly #unreadable: Guard;

  constructor(database: DatabaseSync, unreadable: Guard) {
    this.#unreadable = unreadable;
    this.#exchanges = database.prepare(`SELECT ${exchangeColumns}, iif(json_valid(plan), json_extract(plan, '$.cache.conversation'), NULL) AS cache_conversation FROM exchanges INDEXED BY exchanges_by_time
      WHERE started_at >= :startedAt AND started_at < :to AND (started_at > :startedAt OR seq > :seq) AND outcome <> 'open' AND shadow IS NULL ORDER BY started_at, seq LIMIT :limit`);
    this.#attempts = database.prepare(`SELECT ${selectedAttemptColumns}, a.exchange_seq FROM attempts a WHERE a.exchange_seq IN (SELECT value FROM json_each(?)) ORDER BY a.exchange_seq, a.number`);
  }

  /** @param after absent: from the beginning of the range */
  read(range: TimeRange, after: UsedPosition | undefined, limit: number): UsedPage {
    const from = after ?? { startedAt: Math.ceil(range.from), seq: 0 };
    const rows = allRows(this.#exchanges, { startedAt: from.startedAt, seq: from.seq, to: range.to, limit });
    const attemptsOf = new Map<unknown, Row[]>();
    for (const row of allRows(this.#attempts, JSON.stringify(rows.map(({ seq }) => seq)))) {
      const known = attemptsOf.get(row['exchange_seq']);
      if (known === undefined) attemptsOf.set(row['exchange_seq'], [row]);
      else known.push(row);
    }
    const exchanges = readable(rows, (row) => {
      const own = attemptsOf.get(row['seq']) ?? [];
      const attempts = readable(own, attemptFromRow, this.#unreadable);
      return usedExchangeFromRow(row, attempts, own.length - attempts.length);
    }, this.#unreadable);
    const last = rows.at(-1);
    return { exchanges, ...(rows.length < limit || last === undefined ? {} : { next: { startedAt: number(last, 'started_at'), seq: number(last, 'seq') } }) };
  }
}
