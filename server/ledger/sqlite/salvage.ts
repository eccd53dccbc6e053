import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { isBusy, isEnvironmental, isSqliteError } from './ledgerErrors.ts';

/** What was read out of a damaged ledger. */
export interface Salvaged {
  exchanges: number;
  attempts: number;
}

/** Rows copied at once. */
const chunkRows = 500;
const largestRowId = 2n ** 62n;

/**
 * Copies whatever can be read of a damaged ledger into a new, empty one: table by table along the row ids, around the parts
 * that cannot be read. Indexes and sums are rebuilt. Rows keep their ids, so that peers read on where they were.
 * Yields between portions of work. Both are connections of their own: one that met damage in a transaction writes no more.
 * @throws SQLite's error when the new file cannot be written, or the damaged one is locked
 */
export function* salvage(damaged: DatabaseSync, fresh: DatabaseSync): Generator<void, Salvaged> {
  damaged.exec('PRAGMA cell_size_check = ON');
  fresh.exec('BEGIN');
  const exchanges = yield* copyTable(damaged, fresh, 'exchanges');
  const attempts = yield* copyTable(damaged, fresh, 'attempts');
  yield* copyTable(damaged, fresh, 'health_events');
  yield* copyTable(damaged, fresh, 'key_notes');
  copyProcesses(damaged, fresh);
  adoptOrphans(fresh);
  keepIds(damaged, fresh);
  fresh.exec(`UPDATE counters SET value = (SELECT count(*) FROM exchanges WHERE outcome <> 'open') WHERE name = 'finished'; COMMIT`);
  return { exchanges, attempts };
}

/** Processes enter themselves again; a row that is kept spares their open exchanges a question. */
function copyProcesses(damaged: DatabaseSync, fresh: DatabaseSync): void {
  const columns = commonColumns(damaged, fresh, 'instances');
  if (columns.length === 0) return;
  const rows = attempted(() => damaged.prepare(`SELECT ${columns.join(', ')} FROM instances`).all()) ?? [];
  const insert = insertInto(fresh, 'instances', columns);
  for (const row of rows) attempted(() => insert.run(...Object.values(row)));
}

/** Ids of rows that were lost must not come back: other processes have read on past them. */
function keepIds(damaged: DatabaseSync, fresh: DatabaseSync): void {
  const rows = attempted(() => damaged.prepare('SELECT name, seq FROM sqlite_sequence').all()) ?? [];
  const update = fresh.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?');
  for (const { name, seq } of rows) attempted(() => update.run(seq ?? null, name ?? null));
}

/** An attempt whose exchange was lost still says what it cost: it gets an exchange that knows no more than that. */
function adoptOrphans(fresh: DatabaseSync): void {
  fresh.exec(`DELETE FROM attempts WHERE final = 0 AND exchange_seq NOT IN (SELECT seq FROM exchanges);
    UPDATE attempts SET last = 1 WHERE exchange_seq NOT IN (SELECT seq FROM exchanges)
      AND number = (SELECT max(b.number) FROM attempts b WHERE b.exchange_seq = attempts.exchange_seq);
    INSERT OR IGNORE INTO exchanges (seq, id, instance, face, protocol, stream, tool, wanted, started_at, total_ms, outcome, message, target, plan)
      SELECT exchange_seq, 'salvaged-' || exchange_seq, '', 'http', protocol, 0, '(lost)', target, started_at, total_ms,
        CASE outcome WHEN 'ok' THEN 'ok' WHEN 'failed' THEN 'failed' ELSE 'interrupted' END,
        'The record of this exchange was lost when the ledger was damaged; its attempts were saved.', target,
        json_object('requestedModel', target, 'kind', 'model', 'strategy', 'none', 'targets', json('[]'), 'excluded', json('[]'))
      FROM attempts WHERE last = 1 AND exchange_seq NOT IN (SELECT seq FROM exchanges)`);
}

/** @returns the number of rows that were saved; 0 where the table cannot be read at all */
function* copyTable(damaged: DatabaseSync, fresh: DatabaseSync, table: string): Generator<void, number> {
  const columns = commonColumns(damaged, fresh, table);
  if (!columns.includes('seq')) return 0;
  const copier = new TableCopier(damaged, fresh, table, columns);
  while (copier.step()) yield;
  return copier.saved;
}

/** The columns that both files have: the damaged one may be of an earlier version. */
function commonColumns(damaged: DatabaseSync, fresh: DatabaseSync, table: string): string[] {
  const names = (database: DatabaseSync): string[] => database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all().map((row) => String(row['name']));
  const old = attempted(() => names(damaged)) ?? [];
  return names(fresh).filter((name) => old.includes(name));
}

function insertInto(fresh: DatabaseSync, table: string, columns: readonly string[]): StatementSync {
  return fresh.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`);
}

class TableCopier {
  saved = 0;
  #last = -largestRowId;
  readonly #forwards: StatementSync;
  readonly #backwards: StatementSync;
  readonly #next: StatementSync;
  readonly #one: StatementSync;
  readonly #insert: StatementSync;

  constructor(damaged: DatabaseSync, fresh: DatabaseSync, table: string, columns: readonly string[]) {
    const rows = `SELECT ${columns.join(', ')} FROM ${table} NOT INDEXED`;
    this.#forwards = damaged.prepare(`${rows} WHERE seq > ? ORDER BY seq LIMIT ${chunkRows}`);
    this.#backwards = damaged.prepare(`${rows} WHERE seq < ? AND seq > ? ORDER BY seq DESC`);
    this.#next = damaged.prepare(`SELECT seq FROM ${table} NOT INDEXED WHERE seq >= ? ORDER BY seq LIMIT 1`);
    this.#one = damaged.prepare(`${rows} WHERE seq = ?`);
    for (const statement of [this.#forwards, this.#backwards, this.#next, this.#one]) statement.setReadBigInts(true);
    this.#insert = insertInto(fresh, table, columns);
  }

  /** Copies one more portion. @returns whether there is more */
  step(): boolean {
    const { read, damaged } = this.#copy(this.#forwards, this.#last);
    return damaged ? this.#jump() : read === chunkRows;
  }

  /** Copies rows up to the first that cannot be read. One that does not fit its columns is the only one that is lost. */
  #copy(rows: StatementSync, ...bounds: SQLInputValue[]): { read: number; damaged: boolean } {
    let read = 0;
    try {
      for (const row of rows.iterate(...bounds)) {
        read += 1;
        attempted(() => { this.saved += Number(this.#insert.run(...Object.values(row)).changes); });
        if (rows === this.#forwards && typeof row['seq'] === 'bigint') this.#last = row['seq'];
      }
      return { read, damaged: false };
    } catch (error) {
      skippable(error);
      return { read, damaged: true };
    }
  }

  /** What follows the last row cannot be read: rows beyond the damage are looked for at growing distance, then backwards up to it. */
  #jump(): boolean {
    const from = this.#last < 0n ? 0n : this.#last;
    for (let step = 1n; from + step < largestRowId; step *= 2n) {
      const beyond = attempted(() => ({ seq: this.#next.get(from + step)?.['seq'] }));
      if (beyond === undefined) continue;
      const { seq } = beyond;
      if (typeof seq !== 'bigint') break;
      this.#copy(this.#backwards, seq, this.#last);
      this.#copy(this.#one, seq);
      this.#last = seq;
      return true;
    }
    this.#copy(this.#backwards, largestRowId, this.#last);
    return false;
  }
}

/** @returns undefined where damage, or a row that does not fit, is in the way */
function attempted<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    skippable(error);
    return undefined;
  }
}

/** What is damaged is left out. @throws what is no damage: the new file cannot be written, or a lock is in the way */
function skippable(error: unknown): void {
  if (!isSqliteError(error) || isBusy(error) || isEnvironmental(error)) throw error;
}
