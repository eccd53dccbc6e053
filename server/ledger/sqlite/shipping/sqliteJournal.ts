import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../../api/receipt.ts';
import type { GroupedSpendParams } from '../../../api/reports/groupedSpend.ts';
import type { JournalBacklog, JournalBatch, JournalState, LedgerJournal, UnshippedExchange } from '../../journal.ts';
import type { GroupedRow } from '../../rows/groupedRows.ts';
import { spendFigures, type SpendRows } from '../../rows/spendReport.ts';
import { slotMs } from '../../rows/slotBounds.ts';
import type { LedgerBill, SpentBy, SpentScope } from '../../spend.ts';
import { BillQueries } from '../billQueries.ts';
import { attemptSums as dashboardSums, dimensionSql, filterSql, readableSums as readableDashboardSums, sumFromRow } from '../dashboard/cellSql.ts';
import { attemptGroups, attemptSums, groupColumns, readableSum, readableSums } from '../spendQueries.ts';
import { spentByFromRow, spentBySql } from '../used/spentBy.ts';
import { ShippingQueue } from './shippingQueue.ts';

const chosen = 'IN (SELECT value FROM json_each(:seqs))';

/** What a ledger file has for a shared ledger. Statements are made when they are first asked. */
export class ShippingFile {
  readonly queue: ShippingQueue;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #bills: BillQueries | undefined;

  constructor(database: DatabaseSync) {
    this.queue = new ShippingQueue(database);
    this.#database = database;
  }

  spendOf(seqs: readonly number[], range: TimeRange): SpendRows {
    const named = { seqs: JSON.stringify(seqs), from: Math.ceil(range.from), to: Math.ceil(range.to) };
    const attempts = `FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq WHERE a.exchange_seq ${chosen} AND a.started_at >= :from AND a.started_at < :to`;
    const exchanges = `FROM exchanges WHERE seq ${chosen} AND started_at >= :from AND started_at < :to`;
    return {
      groups: this.#prepared(`SELECT ${groupColumns}, ${readableSums} FROM (SELECT ${attemptGroups}, ${attemptSums} ${attempts}) GROUP BY ${groupColumns}`).all(named),
      slots: this.#prepared(`SELECT CAST(slot AS REAL) AS slot, ${spendFigures.map(readableSum).join(', ')}
        FROM (SELECT a.started_at / ${slotMs} AS slot, ${attemptSums} ${attempts}) GROUP BY slot`).all(named),
      unpriced: this.#prepared(`SELECT ${attemptGroups}, CAST(a.started_at / ${slotMs} AS REAL) AS slot, a.cost_unpriced AS parts, count(*) AS count ${attempts}
        AND a.cost_unpriced IS NOT NULL AND a.final = 1 GROUP BY ${groupColumns}, slot, parts`).all(named),
      exchanges: Number(this.#prepared(`SELECT count(*) AS count ${exchanges} AND shadow IS NULL`).get(named)?.['count'] ?? 0),
      cached: this.#prepared(`SELECT count(*) AS count, ${readableSum('saved_micro_usd')}, sum(saved_micro_usd IS NULL) AS unknown,
        sum(CASE WHEN cache_facts LIKE '%"savedEstimated":true%' THEN CAST(saved_micro_usd AS REAL) ELSE 0 END) AS estimated ${exchanges} AND cache IN ('hit', 'shared') AND outcome <> 'open'`).all(named),
    };
  }

  groupedOf(seqs: readonly number[], { range, by, filter }: GroupedSpendParams): GroupedRow[] {
    const { sql, values } = filterSql(filter);
    const name = by === 'day' ? `CAST(a.started_at / ${slotMs} AS REAL)` : dimensionSql[by];
    const rows = this.#prepared(`SELECT name, ${readableDashboardSums} FROM (SELECT ${name} AS name, ${dashboardSums} FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq
      WHERE a.exchange_seq ${chosen} AND a.started_at >= :from AND a.started_at < :to${sql}) GROUP BY name`).all({ seqs: JSON.stringify(seqs), from: Math.ceil(range.from), to: Math.ceil(range.to), ...values });
    return rows.map((row) => ({ name: row['name'] as string | number | null, sum: sumFromRow(row) }));
  }

  spentByOf(seqs: readonly number[], { from, to }: TimeRange, scope: SpentScope): SpentBy[] {
    const statement = this.#prepared(spentBySql(scope, 'attempts a', ' AND a.exchange_seq IN (SELECT value FROM json_each(?))'));
    return statement.all(Math.ceil(from), Math.ceil(to), JSON.stringify(seqs)).map(spentByFromRow);
  }

  billOf(seqs: readonly number[], range: TimeRange, endpoints: readonly string[], offsetMs: number): LedgerBill {
    this.#bills ??= new BillQueries(this.#database, 'attempts a', ` AND a.exchange_seq ${chosen}`);
    return this.#bills.read(range, endpoints, offsetMs, { seqs: JSON.stringify(seqs) });
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}

/** The journal of a ledger that is opened, mended and replaced; see LedgerJournal. */
export class SqliteJournal implements LedgerJournal {
  readonly #use: <Result>(work: (file: ShippingFile) => Result) => Result;

  /** @param use works on the file that is open, after what was handed in is written. @throws LedgerUnavailableError where there is none */
  constructor(use: <Result>(work: (file: ShippingFile) => Result) => Result) {
    this.#use = use;
  }

  isFollowed(): boolean {
    return this.#use(({ queue }) => queue.isFollowed());
  }

  follow(): JournalState {
    return this.#use(({ queue }) => queue.follow());
  }

  restart(store: string, batches: number): void {
    this.#use(({ queue }) => { queue.restart(store, batches); });
  }

  next(limit: number, state: Pick<JournalState, 'restarts'>): JournalBatch | undefined {
    return this.#use(({ queue }) => queue.next(limit, state));
  }

  shipped(place: JournalBatch['place'], batches: number): void {
    this.#use(({ queue }) => { queue.shipped(place, batches); });
  }

  waits(): boolean {
    return this.#use(({ queue }) => queue.waits());
  }

  backlog(): JournalBacklog {
    return this.#use(({ queue }) => queue.backlog());
  }

  unshipped(most: number): UnshippedExchange[] | undefined {
    return this.#use(({ queue }) => queue.unshipped(most));
  }

  spendOf(seqs: readonly number[], range: TimeRange): SpendRows {
    return this.#use(file => file.spendOf(seqs, range));
  }

  groupedOf(seqs: readonly number[], params: GroupedSpendParams): GroupedRow[] {
    return this.#use(file => file.groupedOf(seqs, params));
  }

  spentByOf(seqs: readonly number[], range: TimeRange, scope: SpentScope): SpentBy[] {
    return this.#use(file => file.spentByOf(seqs, range, scope));
  }

  billOf(seqs: readonly number[], range: TimeRange, endpoints: readonly string[], offsetMs: number): LedgerBill {
    return this.#use(file => file.billOf(seqs, range, endpoints, offsetMs));
  }
}
