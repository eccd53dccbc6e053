import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isBusy, isEnvironmental } from './ledgerErrors.ts';

/** What was read out of a damaged ledger. */
export interface Salvaged {
  exchanges: number;
  attempts: number;
}

/** Rows copied at once where nothing is damaged. */
const chunkRows = 500;
const largestRowId = 2n ** 62n;

/**
 * Copies whatever can be read of the attached database `damaged` into the new, empty ledger `main`: table by table along
 * the row ids, around the parts that cannot be read. Indexes and sums are made anew. Rows keep their ids, so that other
 * processes read on where they were. Yields between portions of work.
 * @throws SQLite's error when the new file cannot be written, or the damaged one is locked
 */
export function* salvage(database: DatabaseSync): Generator<void, Salvaged> {
  database.exec('PRAGMA cell_size_check = ON; BEGIN');
  const exchanges = yield* copyTable(database, 'exchanges');
  const attempts = yield* copyTable(database, 'attempts');
  yield* copyTable(database, 'health_events');
  yield* copyTable(database, 'key_notes');
  // Processes enter themselves again; a row that is kept spares their open exchanges a question.
  optional(() => { database.exec('INSERT OR IGNORE INTO main.instances SELECT * FROM damaged.instances'); });
  adoptOrphans(database);
  // Ids of attempts that were lost with the last page must not come back.
  optional(() => {
    database.exec(`UPDATE main.sqlite_sequence SET seq = max(seq, (SELECT old.seq FROM damaged.sqlite_sequence old WHERE old.name = main.sqlite_sequence.name))
      WHERE name IN (SELECT name FROM damaged.sqlite_sequence)`);
  });
  database.exec(`UPDATE main.counters SET value = (SELECT count(*) FROM main.exchanges WHERE outcome <> 'open') WHERE name = 'finished'; COMMIT`);
  return { exchanges, attempts };
}

/** An attempt whose exchange was lost still says what it cost: it gets an exchange that knows no more than that. */
function adoptOrphans(database: DatabaseSync): void {
  database.exec(`DELETE FROM main.attempts WHERE final = 0 AND exchange_seq NOT IN (SELECT seq FROM main.exchanges);
    UPDATE main.attempts SET last = 1 WHERE exchange_seq NOT IN (SELECT seq FROM main.exchanges)
      AND number = (SELECT max(number) FROM main.attempts b WHERE b.exchange_seq = main.attempts.exchange_seq);
    INSERT OR IGNORE INTO main.exchanges (seq, id, instance, face, protocol, stream, tool, wanted, started_at, total_ms, outcome, message, target, plan)
      SELECT exchange_seq, 'salvaged-' || exchange_seq, '', 'http', protocol, 0, '(lost)', target, started_at, total_ms,
        CASE outcome WHEN 'ok' THEN 'ok' WHEN 'failed' THEN 'failed' ELSE 'interrupted' END,
        'The record of this exchange was lost when the ledger was damaged; its attempts were saved.', target,
        json_object('wanted', target, 'kind', 'model', 'strategy', 'none', 'targets', json('[]'), 'excluded', json('[]'))
      FROM main.attempts WHERE last = 1 AND exchange_seq NOT IN (SELECT seq FROM main.exchanges)`);
}

/** @returns the number of rows that were saved; 0 where the table cannot be read at all */
function* copyTable(database: DatabaseSync, table: string): Generator<void, number> {
  const columns = commonColumns(database, table);
  if (columns === undefined) return 0;
  const copier = new TableCopier(database, table, columns);
  while (copier.step()) yield;
  return copier.saved;
}

function commonColumns(database: DatabaseSync, table: string): string | undefined {
  try {
    const names = (schema: string): string[] => database.prepare(`SELECT name FROM pragma_table_info('${table}', '${schema}')`).all().map((row) => String(row['name']));
    const old = new Set(names('damaged'));
    const common = names('main').filter((name) => old.has(name));
    return common.includes('seq') ? common.join(', ') : undefined;
  } catch (error) {
    skippable(error);
    return undefined;
  }
}

class TableCopier {
  saved = 0;
  #last = -largestRowId;
  /** Rows that are still to be copied one by one, since a whole portion could not be. */
  #single = 0;
  readonly #endOfChunk: StatementSync;
  readonly #next: StatementSync;
  readonly #before: StatementSync;
  readonly #copy: StatementSync;

  constructor(database: DatabaseSync, table: string, columns: string) {
    const source = `damaged.${table} NOT INDEXED`;
    this.#endOfChunk = database.prepare(`SELECT max(seq) AS seq FROM (SELECT seq FROM ${source} WHERE seq > ? ORDER BY seq LIMIT ${chunkRows})`);
    this.#next = database.prepare(`SELECT seq FROM ${source} WHERE seq >= ? ORDER BY seq LIMIT 1`);
    this.#before = database.prepare(`SELECT seq FROM ${source} WHERE seq < ? ORDER BY seq DESC LIMIT 1`);
    this.#copy = database.prepare(`INSERT OR IGNORE INTO main.${table} (${columns}) SELECT ${columns} FROM ${source} WHERE seq > ? AND seq <= ?`);
    for (const statement of [this.#endOfChunk, this.#next, this.#before]) statement.setReadBigInts(true);
  }

  /** Copies one more portion. @returns whether there is more */
  step(): boolean {
    if (this.#single > 0) {
      this.#single -= 1;
      return this.#copyNext();
    }
    try {
      const end = seqOf(this.#endOfChunk.get(this.#last));
      if (end === undefined) return false;
      this.saved += Number(this.#copy.run(this.#last, end).changes);
      this.#last = end;
    } catch (error) {
      skippable(error);
      this.#single = chunkRows;
    }
    return true;
  }

  #copyNext(): boolean {
    let next: bigint | undefined;
    try {
      next = seqOf(this.#next.get(this.#last + 1n));
    } catch (error) {
      skippable(error);
      return this.#jump();
    }
    if (next === undefined) return false;
    this.#copyOne(next);
    this.#last = next;
    return true;
  }

  /** A row that cannot be read whole, or does not fit its columns, is the only one that is lost. */
  #copyOne(seq: bigint): void {
    try {
      this.saved += Number(this.#copy.run(seq - 1n, seq).changes);
    } catch (error) {
      skippable(error);
    }
  }

  /** What follows the last row cannot be read: rows beyond the damage are looked for at growing distance, then backwards up to it. */
  #jump(): boolean {
    const from = this.#last < 0n ? 0n : this.#last;
    let beyond: bigint | undefined;
    for (let step = 1n; from + step < largestRowId; step *= 2n) {
      try {
        beyond = seqOf(this.#next.get(from + step));
        break;
      } catch (error) {
        skippable(error);
      }
    }
    this.#copyBackwards(beyond ?? largestRowId);
    if (beyond === undefined) return false;
    this.#copyOne(beyond);
    this.#last = beyond;
    return true;
  }

  #copyBackwards(below: bigint): void {
    for (let seq = below; ;) {
      try {
        const before = seqOf(this.#before.get(seq));
        if (before === undefined || before <= this.#last) return;
        this.#copyOne(before);
        seq = before;
      } catch (error) {
        skippable(error);
        return;
      }
    }
  }
}

function seqOf(row: Record<string, unknown> | undefined): bigint | undefined {
  const seq = row?.['seq'];
  return typeof seq === 'bigint' ? seq : undefined;
}

function optional(work: () => void): void {
  try {
    work();
  } catch (error) {
    skippable(error);
  }
}

/** What is damaged is left out. @throws what is no damage: the new file cannot be written, or a lock is in the way */
function skippable(error: unknown): void {
  if (isBusy(error) || isEnvironmental(error)) throw error;
}
