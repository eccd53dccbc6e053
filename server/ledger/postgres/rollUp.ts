import { usageColumnList } from '../rows/attemptColumns.ts';
import { dayMs, slotMs } from '../rows/slotBounds.ts';
import type { Connections } from './connection.ts';
import { lockSql, rollUpLock } from './migrate.ts';

/** Quarters of an hour in one transaction, at most and at least. */
const largestPortion = 672;
const smallestPortion = 4;
/** Records that are deleted in one transaction. */
const deletedAtOnce = 2_000;
const slotsADay = dayMs / slotMs;

const cellNames = ['endpoint', 'model', 'tool', 'workspace', 'branch', 'route', 'extension', 'token', '"user"', 'team'] as const;
const sums = ['micro_usd', 'estimated_micro_usd', 'unknown_attempts', 'incomplete_attempts', 'covered_attempts', 'exchanges', 'attempts', ...usageColumnList];
const sumOf = (name: string): string => {
  switch (name) {
    case 'incomplete_attempts': return incompleteAttempts;
    case 'attempts': return 'count(*)';
    default: return `sum(${name})`;
  }
};
/** Attempts whose cost is unknown or a lower bound. */
const incompleteAttempts = `count(*) FILTER (WHERE cost_certainty = 'unknown' OR cost_unpriced IS NOT NULL)`;
export const nameOf = (name: string): string => `coalesce(${name}, '')`;

/**
 * Makes sums anew where something changed: of whole quarters of an hour, from their attempts, and of the days that hold them. So it does not matter in
 * which order records came, or how often. One server does it at a time.
 */
export class RollUp {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #keptMs: number | undefined;
  #portion = largestPortion;

  constructor(connections: Connections, schema: string, keptMs: number | undefined) {
    this.#connections = connections;
    this.#schema = schema;
    this.#keptMs = keptMs;
  }

  /**
   * One portion.
   * @param now milliseconds since the epoch
   * @returns whether there may be more to do
   */
  async run(now: number): Promise<boolean> {
    const schema = this.#schema;
    return this.#connections.run('write', async ({ all }) => {
      const [lock] = await all(`SELECT ${lockSql('pg_try_advisory_xact_lock', schema, rollUpLock)}::int AS taken`);
      if (lock?.['taken'] !== 1) return false;
      // Marks that are seen are of batches that are seen by what follows; a batch that comes meanwhile has marks of its own.
      const marks = await all(`DELETE FROM ${schema}.changed_slots WHERE slot IN (SELECT DISTINCT slot FROM ${schema}.changed_slots ORDER BY slot DESC LIMIT ${this.#portion}) RETURNING slot`);
      const oldest = this.#keptMs === undefined ? -Infinity : Math.ceil((now - this.#keptMs) / slotMs);
      // Of what is deleted the sums stay as they are.
      const slots = [...new Set(marks.map((row) => Number(row['slot'])))].filter((slot) => slot >= oldest).sort((a, b) => a - b);
      if (slots.length > 0) await this.#remake(all, slots);
      const deleted = this.#keptMs === undefined ? false : await this.#forget(all, oldest * slotMs);
      return deleted || new Set(marks.map((row) => row['slot'])).size >= this.#portion;
    });
  }

  /** A portion took too long: the next ones are smaller. */
  takeLess(): void {
    this.#portion = Math.max(smallestPortion, Math.floor(this.#portion / 4));
  }

  async #remake(all: (sql: string, values?: readonly number[][]) => Promise<unknown>, slots: number[]): Promise<void> {
    const schema = this.#schema;
    const names = cellNames.join(', ');
    const days = [...new Set(slots.map((slot) => Math.floor(slot / slotsADay)))];
    // One look into the index for each slot, whatever the planner knows of the tables.
    const ofSlot = (table: string): string => `(SELECT * FROM ${schema}.${table} WHERE started_at >= changed.slot * ${slotMs} AND started_at < (changed.slot + 1) * ${slotMs} OFFSET 0)`;
    await all(`DELETE FROM ${schema}.spend_cells WHERE level = 0 AND slot = ANY($1::bigint[])`, [slots]);
    await all(`INSERT INTO ${schema}.spend_cells (level, slot, ${names}, ${sums.join(', ')})
      SELECT 0, changed.slot, ${cellNames.map(nameOf).join(', ')}, ${sums.map(sumOf).join(', ')} FROM unnest($1::bigint[]) AS changed (slot) CROSS JOIN LATERAL ${ofSlot('attempts')} a GROUP BY changed.slot, ${cellNames.map(nameOf).join(', ')}`, [slots]);
    await all(`DELETE FROM ${schema}.spend_slots WHERE slot = ANY($1::bigint[])`, [slots]);
    await all(`INSERT INTO ${schema}.spend_slots (slot, micro_usd, estimated_micro_usd, unknown_attempts, covered_attempts, exchanges, started)
      SELECT changed.slot, coalesce(sum(c.micro_usd), 0), coalesce(sum(c.estimated_micro_usd), 0), coalesce(sum(c.unknown_attempts), 0), coalesce(sum(c.covered_attempts), 0), coalesce(sum(c.exchanges), 0),
        (SELECT count(*) FROM ${ofSlot('exchanges')} e WHERE e.shadow IS NULL)
      FROM unnest($1::bigint[]) AS changed (slot) LEFT JOIN ${schema}.spend_cells c ON c.level = 0 AND c.slot = changed.slot GROUP BY changed.slot`, [slots]);
    await all(`DELETE FROM ${schema}.spend_cells WHERE level = 1 AND slot = ANY($1::bigint[])`, [days]);
    await all(`INSERT INTO ${schema}.spend_cells (level, slot, ${names}, ${sums.join(', ')})
      SELECT 1, changed.day, ${names}, ${sums.map((name) => `sum(${name})`).join(', ')} FROM unnest($1::bigint[]) AS changed (day)
      JOIN ${schema}.spend_cells c ON c.level = 0 AND c.slot >= changed.day * ${slotsADay} AND c.slot < (changed.day + 1) * ${slotsADay} GROUP BY changed.day, ${names}`, [days]);
  }

  /** @returns whether more may be to be deleted */
  async #forget(all: (sql: string, values?: number[]) => Promise<unknown[]>, before: number): Promise<boolean> {
    const schema = this.#schema;
    const attempts = await all(`DELETE FROM ${schema}.attempts WHERE (exchange_id, number) IN (SELECT exchange_id, number FROM ${schema}.attempts WHERE started_at < $1 LIMIT ${deletedAtOnce}) RETURNING 1`, [before]);
    const exchanges = await all(`DELETE FROM ${schema}.exchanges WHERE id IN (SELECT id FROM ${schema}.exchanges WHERE started_at < $1 LIMIT ${deletedAtOnce}) RETURNING 1`, [before]);
    return attempts.length + exchanges.length >= deletedAtOnce;
  }
}
