import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TimeRange } from '../../../api/receipt.ts';
import type { RouteOutcomes } from '../../spend.ts';

/** A request that ends in a range began at most so long before it. */
const longestMs = 3_600_000;

/** How requests of callers ended, and how long they took. Reads each request that began in the range or in the hour before it. */
export class OutcomeQueries {
  readonly #database: DatabaseSync;
  /** By the bounds that were asked for; there are as many as tables of bounds. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  read({ from, to }: TimeRange, boundsMs: readonly number[]): RouteOutcomes[] {
    const found = new Map<string, RouteOutcomes>();
    const noCounts = (): number[] => new Array<number>(boundsMs.length + 1).fill(0);
    for (const row of this.#statementOf(boundsMs).all(Math.ceil(from) - longestMs, Math.ceil(to), from, to)) {
      const route = String(row['route']);
      const requests = Number(row['requests']);
      let outcomes = found.get(route);
      if (outcomes === undefined) found.set(route, outcomes = { route, requests: 0, failed: 0, totalCounts: noCounts(), firstTokenCounts: noCounts() });
      outcomes.requests += requests;
      if (Number(row['failed']) === 1) outcomes.failed += requests;
      const { totalCounts, firstTokenCounts } = outcomes;
      totalCounts[Number(row['total'])] = (totalCounts[Number(row['total'])] ?? 0) + requests;
      if (row['first_token'] !== null) firstTokenCounts[Number(row['first_token'])] = (firstTokenCounts[Number(row['first_token'])] ?? 0) + requests;
    }
    return [...found.values()];
  }

  #statementOf(boundsMs: readonly number[]): StatementSync {
    const key = boundsMs.join();
    let statement = this.#statements.get(key);
    if (statement === undefined) this.#statements.set(key, statement = this.#database.prepare(`
      SELECT coalesce(route, '') AS route, outcome = 'failed' AS failed, ${bucketOf('total_ms', boundsMs)} AS total, ${bucketOf('first_token_ms', boundsMs)} AS first_token, count(*) AS requests
      FROM exchanges INDEXED BY exchanges_by_time WHERE started_at >= ? AND started_at < ? AND started_at + total_ms >= ? AND started_at + total_ms < ? AND outcome <> 'open' AND shadow IS NULL
      GROUP BY 1, 2, 3, 4`));
    return statement;
  }
}

/** The place of the first bound that a column is not above. */
function bucketOf(column: string, boundsMs: readonly number[]): string {
  return `CASE WHEN ${column} IS NULL THEN NULL ${boundsMs.map((bound, index) => `WHEN ${column} <= ${String(bound)} THEN ${String(index)}`).join(' ')} ELSE ${String(boundsMs.length)} END`;
}
