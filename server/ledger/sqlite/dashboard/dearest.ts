import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attempt, RequestSummary } from '../../../api/receipt.ts';
import { addSum, emptySum, type DearConversation, type DearestParams, type DearestSpend } from '../../../api/reports/dashboard.ts';
import type { Guard } from '../../../base/guarded.ts';
import { attemptFromRow, selectedAttemptColumns } from '../../rows/attemptColumns.ts';
import { allRows, readable } from '../readRows.ts';
import { localExchangeColumns, summaryFromRow } from '../../rows/rows.ts';
import { filterSql, mostSql, sumFromRow } from './cellSql.ts';
import type { DashboardQueries } from './dashboardQueries.ts';
import { boundsOf, slotMs } from '../../rows/slotBounds.ts';

/** Finds what cost most. The cells hold the most that a request cost in each, so that only the slots with the highest are read. */
export class DearestQueries {
  readonly #database: DatabaseSync;
  readonly #dashboard: DashboardQueries;
  readonly #unreadable: Guard;

  constructor(database: DatabaseSync, dashboard: DashboardQueries, unreadable: Guard) {
    this.#database = database;
    this.#dashboard = dashboard;
    this.#unreadable = unreadable;
  }

  /** See DearestSpend. */
  read(params: DearestParams): DearestSpend {
    return { conversations: this.#conversations(params), requests: this.#requests(params) };
  }

  #conversations({ range, filter, limit }: DearestParams): DearConversation[] {
    const found = new Map<string, DearConversation & { most: number }>();
    for (const row of this.#dashboard.dearConversations(range, filter, limit)) {
      const name = String(row['conversation']);
      const sum = sumFromRow(row);
      const place = { tool: String(row['tool']), workspace: row['workspace'] === '' ? null : String(row['workspace']), model: String(row['model']), most: sum.microUsd };
      const known = found.get(name);
      if (known === undefined) found.set(name, { conversation: name, ...emptySum(), ...place });
      else if (sum.microUsd > known.most) Object.assign(known, place);
      const conversation = found.get(name);
      if (conversation !== undefined) addSum(conversation, sum);
    }
    const title = this.#prepared('SELECT title FROM exchanges INDEXED BY exchanges_of_conversation WHERE conversation = ? AND title IS NOT NULL ORDER BY started_at, seq LIMIT 1');
    return [...found.values()].sort((a, b) => b.microUsd - a.microUsd).map(({ most: _most, ...conversation }) => {
      const kept = title.get(conversation.conversation)?.['title'];
      return typeof kept === 'string' ? { ...conversation, title: kept } : conversation;
    });
  }

  #requests({ range, filter, limit }: DearestParams): RequestSummary[] {
    const rolledUp = Number(this.#database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'cells_rolled_up'`).get()?.['value'] ?? 0);
    const bounds = boundsOf(range, rolledUp);
    const { sql, values } = filterSql(filter);
    const costs = new Map<number, number>();
    const take = (from: string, where: string, more: Record<string, number>): void => {
      const statement = this.#database.prepare(`SELECT CAST(a.exchange_seq AS REAL) AS exchange, CAST(max(${mostSql}) AS REAL) AS most FROM ${from} WHERE ${where}${sql} GROUP BY a.exchange_seq ORDER BY most DESC LIMIT :limit`);
      statement.setAllowUnknownNamedParameters(true);
      for (const row of statement.all({ ...bounds, ...values, ...more, limit })) costs.set(Number(row['exchange']), Math.max(costs.get(Number(row['exchange'])) ?? 0, Number(row['most'])));
    };
    const byTime = 'attempts a INDEXED BY attempts_by_time JOIN exchanges e ON e.seq = a.exchange_seq';
    const inRange = 'a.started_at >= :from AND a.started_at < :to';
    if (filter.conversation !== undefined) {
      take('exchanges e INDEXED BY exchanges_of_conversation JOIN attempts a ON a.exchange_seq = e.seq', `e.conversation = :f_conversation AND ${inRange}`, {});
    } else {
      take('attempts a NOT INDEXED JOIN exchanges e ON e.seq = a.exchange_seq', `a.seq > :rolledUp AND ${inRange}`, {});
      take(byTime, 'a.started_at >= :from AND a.started_at < :headTo', {});
      take(byTime, 'a.started_at >= :tailFrom AND a.started_at < :to', {});
      const read = new Set<number>();
      for (const { slot, most } of this.#dashboard.dearSlots(range, filter)) {
        // What follows costs no more than this.
        if (most === 0 || [...costs.values()].filter((cost) => cost >= most).length >= limit) break;
        if (read.has(slot)) continue;
        read.add(slot);
        take(byTime, 'a.started_at >= :slotFrom AND a.started_at < :slotTo', { slotFrom: slot * slotMs, slotTo: (slot + 1) * slotMs });
      }
    }
    const seqs = [...costs].filter(([, cost]) => cost > 0).sort(([, a], [, b]) => b - a).slice(0, limit).map(([seq]) => seq);
    return this.#summaries(seqs).sort((a, b) => (b.cost.microUsd ?? 0) - (a.cost.microUsd ?? 0));
  }

  #summaries(seqs: readonly number[]): RequestSummary[] {
    const list = JSON.stringify(seqs);
    const exchanges = this.#prepared(`SELECT ${localExchangeColumns} FROM exchanges WHERE seq IN (SELECT value FROM json_each(?))`);
    const attempts = this.#prepared(`SELECT ${selectedAttemptColumns} FROM attempts a WHERE a.exchange_seq = ? ORDER BY a.number`);
    return readable(allRows(exchanges, list), (row) => {
      const rows = allRows(attempts, row['seq'] ?? null);
      const read: Attempt[] = readable(rows, attemptFromRow, this.#unreadable);
      return summaryFromRow(row, { attempts: read, unreadable: rows.length - read.length });
    }, this.#unreadable);
  }

  #prepared(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }
}
