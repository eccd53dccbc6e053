import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { dayMs, slotMs } from '../../rows/slotBounds.ts';
import { addedSums, attemptSums, comboColumns, comboNames, comboSql, conversationSql, mostSql, sumColumns, wholeSums } from './cellSql.ts';

/** Attempts folded in one transaction: one to three milliseconds. Sums of five times as many of the largest figures fit into 64 bits. */
const foldChunk = 200;
/** Fewer attempts than this are left as they are and summed by the query. */
const foldThreshold = 600;

const names = [...comboColumns, 'has_conversation'];
/** Adds what is staged to cells. */
const addCells = (level: number, slot: string, combo: string, conversation: string): string => `
  INSERT INTO spend_cells (level, slot, combo, conversation, ${sumColumns}, most_micro_usd)
  SELECT ${level}, ${slot} AS slot, ${combo} AS combo, ${conversation} AS conversation, ${wholeSums}, max(most_micro_usd) FROM temp.staged_sums WHERE true GROUP BY 2, 3, 4
  ON CONFLICT (level, slot, combo, conversation) DO UPDATE SET ${addedSums}, most_micro_usd = max(most_micro_usd, excluded.most_micro_usd)`;
const comboOfStaged = `(SELECT c.id FROM spend_combos c WHERE ${names.map((name) => `c.${name} = staged_sums.${name}`).join(' AND ')})`;

/**
 * Keeps the roll-up of the Spend dashboard up to date beside the attempts, in portions. Sums in it are never corrected, so that
 * attempts of exchanges that still run wait: their price, and what follows them, may come later.
 */
export class CellFold {
  readonly #database: DatabaseSync;
  readonly #foldedUp: StatementSync;
  readonly #highest: StatementSync;
  readonly #firstOpen: StatementSync;
  /** Made with the first portion: most processes never have one. */
  #portion: { stage: StatementSync; take: StatementSync[] } | undefined;
  readonly #setFoldedUp: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#foldedUp = database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'cells_rolled_up'`);
    this.#highest = database.prepare('SELECT CAST(max(seq) AS REAL) AS seq FROM attempts');
    this.#firstOpen = database.prepare(`SELECT CAST(min(a.seq) AS REAL) AS seq FROM exchanges e INDEXED BY exchanges_open JOIN attempts a ON a.exchange_seq = e.seq WHERE e.outcome = 'open'`);
    this.#setFoldedUp = database.prepare(`UPDATE counters SET value = ? WHERE name = 'cells_rolled_up'`);
  }

  /**
   * Takes one more portion of attempts in, when enough wait.
   * @returns whether more wait that can be taken in
   */
  fold(): boolean {
    if (this.#waiting() < foldThreshold) return false;
    this.#database.exec('BEGIN IMMEDIATE');
    let done: number;
    let highest: number;
    try {
      const from = Number(this.#foldedUp.get()?.['value'] ?? 0);
      highest = Number(this.#highest.get()?.['seq'] ?? 0);
      const open = this.#firstOpen.get()?.['seq'];
      if (typeof open === 'number') highest = Math.min(highest, open - 1);
      done = Math.min(from + foldChunk, highest);
      if (done <= from) {
        this.#database.exec('ROLLBACK');
        return false;
      }
      const { stage, take } = this.#portion ??= preparePortion(this.#database);
      stage.run(from, done);
      for (const statement of take) statement.run();
      this.#setFoldedUp.run(done);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#portion = undefined;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    return highest - done >= foldThreshold;
  }

  #waiting(): number {
    return Number(this.#highest.get()?.['seq'] ?? 0) - Number(this.#foldedUp.get()?.['value'] ?? 0);
  }
}

/**
 * The attempts of a portion are summed up where they are read: those of one slot, conversation and set of names become one staged row. The
 * columns that differ soonest come first, because each comparison of the grouping stops there.
 */
function preparePortion(database: DatabaseSync): { stage: StatementSync; take: StatementSync[] } {
  database.exec(`CREATE TEMP TABLE IF NOT EXISTS staged_sums (combo INTEGER, slot INTEGER, conversation TEXT, most_micro_usd INTEGER, ${comboNames}, ${sumColumns})`);
  const stage = database.prepare(`INSERT INTO temp.staged_sums (slot, conversation, ${comboNames}, ${sumColumns}, most_micro_usd)
    SELECT slot, conversation, ${comboNames}, ${wholeSums}, max(most_micro_usd)
    FROM (SELECT a.started_at / ${slotMs} AS slot, ${conversationSql}, ${comboSql}, ${attemptSums}, ${mostSql} AS most_micro_usd
      FROM attempts a NOT INDEXED JOIN exchanges e ON e.seq = a.exchange_seq WHERE a.seq > ? AND a.seq <= ? AND a.final = 1)
    GROUP BY slot, conversation, ${comboNames}`);
  const day = `slot / ${dayMs / slotMs}`;
  // Quarters of an hour and UTC days, UTC days of each conversation, and quarters of an hour of everything together.
  const take = [
    `INSERT INTO spend_combos (${comboNames}) SELECT DISTINCT ${comboNames} FROM temp.staged_sums WHERE true ON CONFLICT DO NOTHING`,
    `UPDATE temp.staged_sums SET combo = ${comboOfStaged}`,
    addCells(0, 'slot', 'combo', `''`),
    addCells(1, day, 'combo', `''`),
    addCells(2, day, 'combo', 'conversation'),
    addCells(3, 'slot', '0', `''`),
    'DELETE FROM temp.staged_sums',
  ].map((sql) => database.prepare(sql));
  return { stage, take };
}
