import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../../api/receipt.ts';
import type { SpentBy, SpentScope } from '../../spend.ts';
import { costCertainty, figure } from '../../rows/spendSums.ts';
import type { Row } from '../../rows/rowValues.ts';

const columns: Readonly<Record<SpentScope, string>> = {
  branch: 'e.branch',
  route: 'e.route',
  conversation: `CASE WHEN e.conversation IS NOT NULL THEN json_array(e.tool, e.conversation) END`,
  extension: 'e.extension',
  token: 'e.token',
};

/** What was spent in a range by things that the roll-up of spend does not know. Reads each attempt of the range. */
export class SpentByQueries {
  readonly #database: DatabaseSync;
  /** Prepared when they are first asked. */
  readonly #statements = new Map<SpentScope, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  read({ from, to }: TimeRange, scope: SpentScope): SpentBy[] {
    return this.#statementOf(scope).all(Math.ceil(from), Math.ceil(to)).map(spentByFromRow);
  }

  #statementOf(scope: SpentScope): StatementSync {
    let statement = this.#statements.get(scope);
    if (statement === undefined) this.#statements.set(scope, statement = this.#database.prepare(spentBySql(scope, 'attempts a INDEXED BY attempts_by_time', '')));
    return statement;
  }
}

/** @param of where attempts `a` are read @param where a condition with AND before it */
export function spentBySql(scope: SpentScope, of: string, where: string): string {
  return `SELECT name, sum(micro_usd) AS micro_usd, sum(unknown) AS unknown FROM (
      SELECT ${columns[scope]} AS name, CAST(coalesce(${figure('cost_micro_usd')}, 0) AS REAL) AS micro_usd, CASE WHEN ${costCertainty} = 'unknown' OR a.cost_unpriced IS NOT NULL THEN 1 ELSE 0 END AS unknown
      FROM ${of} JOIN exchanges e ON e.seq = a.exchange_seq WHERE a.started_at >= ? AND a.started_at < ? AND a.final = 1${where})
    WHERE name IS NOT NULL GROUP BY name`;
}

export function spentByFromRow(row: Row): SpentBy {
  return { name: String(row['name']), microUsd: Number(row['micro_usd']), unknown: Number(row['unknown']) };
}
