import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { JournalBatch, JournalState, LedgerJournal, ShippedRow } from '../journal.ts';
import { usageColumnList } from '../rows/attemptColumns.ts';
import { slotMs } from '../rows/slotBounds.ts';
import { isWrongData, SharedLedgerError, type Connections, type Transaction } from './connection.ts';
import { lockSql } from './migrate.ts';

/** Exchanges in one transaction: reading them from the journal takes a few milliseconds of the event loop. */
const batchSize = 200;

export interface ShipperOptions {
  journal: LedgerJournal;
  connections: Connections;
  schema: string;
  /** What people know this replica by. */
  name: string;
  /** Records are deleted after so long, and older ones not copied; undefined: none are. */
  keptMs: number | undefined;
  clock: Clock;
  log: Log;
}

export interface ShipperFigures {
  batches: number;
  exchanges: number;
  /** Exchanges that PostgreSQL refused for what is in them. */
  refused: number;
}

/** Copies what ended from the journal to PostgreSQL, in the order in which it was written. */
export class Shipper {
  readonly figures: ShipperFigures = { batches: 0, exchanges: 0, refused: 0 };
  readonly #options: ShipperOptions;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** This replica has its row, and what the shared ledger has of it is what the journal thinks it has. @param store the id of the shared ledger */
  async register(store: string): Promise<void> {
    const { journal, connections, schema, name, log } = this.#options;
    const state = journal.follow();
    const [row] = await connections.run('write', ({ all }) => all(`INSERT INTO ${schema}.replicas (id, name, batches) VALUES ($1, $2, 0) ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen = now() RETURNING batches`, [state.replica, name]));
    const batches = Number(row?.['batches'] ?? 0);
    if (state.store !== store) {
      journal.restart(store, batches);
      if (state.store !== undefined) log.warn('The shared ledger is another one than before: everything that this replica has is copied to it.');
    } else if (batches < state.batches) {
      journal.restart(store, batches);
      log.warn('The shared ledger has lost records of this replica, as after a restored backup: everything that this replica has is copied to it again.');
    }
  }

  /** The replica lives. */
  async beat(): Promise<void> {
    const { journal, connections, schema } = this.#options;
    const { replica } = journal.follow();
    await connections.run('write', ({ all }) => all(`UPDATE ${schema}.replicas SET last_seen = now() WHERE id = $1`, [replica]));
  }

  /**
   * Copies one batch.
   * @returns whether more may wait
   * @throws SharedLedgerError, or what the journal throws; nothing is lost then
   */
  async ship(): Promise<boolean> {
    const { journal } = this.#options;
    if (!journal.waits()) return false;
    try {
      return await this.#shipNext(batchSize, false);
    } catch (error) {
      if (!isWrongData(error)) throw error;
    }
    // One of them holds something that PostgreSQL refuses: it is found, and the others go on.
    for (let count = 0; count < batchSize && journal.waits(); count += 1) await this.#shipOne();
    return journal.waits();
  }

  /** What is in no sum, and PostgreSQL refuses, is left out before the request is. */
  async #shipOne(): Promise<void> {
    try {
      await this.#shipNext(1, false);
    } catch (error) {
      if (!isWrongData(error)) throw error;
      await this.#shipNext(1, true, messageOf(error));
    }
  }

  /** @param refusal why the request is copied with what sums need alone */
  async #shipNext(limit: number, leaveOut: boolean, refusal?: string): Promise<boolean> {
    const { journal, connections, schema, log } = this.#options;
    let batch: JournalBatch | undefined;
    let state: JournalState | undefined;
    let batches = 0;
    try {
      await connections.run('write', async (transaction) => {
        const { replica } = journal.follow();
        // Two servers of one data folder copy one after another: what is read before the lock could be older than what the other one copied.
        const [lock] = await transaction.all(`SELECT ${lockSql('pg_try_advisory_xact_lock', schema, `replica ${replica}`)}::int AS taken`);
        if (lock?.['taken'] !== 1) return;
        state = journal.follow();
        const [there] = await transaction.all(`SELECT (SELECT id FROM ${schema}.ledger) AS store, (SELECT batches FROM ${schema}.replicas WHERE id = $1) AS batches`, [replica]);
        // A standby may have taken over without a sign on the connection. The next round compares, and copies what is lost.
        if (there?.['store'] !== state.store || Number(there?.['batches'] ?? 0) < state.batches) throw new SharedLedgerError('The shared ledger is not as it was at the last copy.', true);
        batch = journal.next(limit, state);
        if (batch !== undefined && refusal !== undefined) batch = { ...batch, exchanges: batch.exchanges.map(summedAlone), attempts: batch.attempts.map(summedAlone) };
        if (batch !== undefined) batches = await this.#write(transaction, batch, state);
      });
    } catch (error) {
      if (!leaveOut || batch === undefined || state === undefined || !isWrongData(error)) throw error;
      log.error(`The shared ledger refuses the request ${String(batch.exchanges[0]?.['id'])}, which stays in the local ledger alone: ${messageOf(error)}`);
      this.figures.refused += batch.exchanges.length;
      journal.shipped(batch.place, state.batches);
      return true;
    }
    if (batch === undefined || state === undefined) return false;
    if (refusal !== undefined) log.warn(`The shared ledger refuses figures of the request ${String(batch.exchanges[0]?.['id'])}, which is copied without those that are in no sum: ${refusal}`);
    journal.shipped(batch.place, batches);
    this.figures.batches += 1;
    this.figures.exchanges += batch.exchanges.length;
    return true;
  }

  /** @returns the batches that the shared ledger has of this replica, with this one: also those whose note was lost */
  async #write({ all }: Transaction, batch: JournalBatch, { replica }: JournalState): Promise<number> {
    const { schema, name, keptMs, clock } = this.#options;
    const oldest = keptMs === undefined ? -Infinity : clock.now() - keptMs;
    const [exchanges, attempts] = [batch.exchanges, batch.attempts].map((rows) => rows.filter((row) => Number(row['started_at']) >= oldest)) as [ShippedRow[], ShippedRow[]];
    if (exchanges.length > 0) await all(upsert(schema, 'exchanges', ['id'], exchanges[0], ''), [jsonOf(exchanges)]);
    // A price that is known is not taken back by a row of the time before it.
    const known = `NOT (excluded.cost_certainty = 'unknown' AND old.cost_certainty <> 'unknown')`;
    if (attempts.length > 0) await all(upsert(schema, 'attempts', ['exchange_id', 'number'], attempts[0], ` AND ${known}`), [jsonOf(attempts)]);
    const slots = [...new Set([...exchanges, ...attempts].map((row) => Math.floor(Number(row['started_at']) / slotMs)))].sort((a, b) => a - b);
    if (slots.length > 0) await all(`INSERT INTO ${schema}.changed_slots (slot) SELECT unnest($1::bigint[])`, [slots]);
    const [row] = await all(`INSERT INTO ${schema}.replicas AS old (id, name, batches) VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE SET batches = old.batches + 1, last_seen = now() RETURNING batches`, [replica, name]);
    return Number(row?.['batches']);
  }
}

/** Figures that sums, limits of time and rows need. */
const neededFigures: ReadonlySet<string> = new Set(['started_at', 'number', 'total_ms', 'saved_micro_usd', 'is_shadow', 'micro_usd', 'estimated_micro_usd', 'unknown_attempts', 'exchanges', 'covered_attempts', 'cost_micro_usd', ...usageColumnList]);

/** A row without figures that are in no sum. */
function summedAlone(row: ShippedRow): ShippedRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'number' && !neededFigures.has(name) ? null : value]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const quoted = (name: string): string => `"${name}"`;

/** Writes rows that come as JSON in the order of their keys, and leaves those alone that are the same. */
function upsert(schema: string, table: string, keys: readonly string[], row: ShippedRow | undefined, where: string): string {
  const columns = Object.keys(row ?? {});
  const others = columns.filter((name) => !keys.includes(name)).map(quoted);
  const list = columns.map(quoted).join(', ');
  return `INSERT INTO ${schema}.${table} AS old (${list}) SELECT ${list} FROM json_populate_recordset(NULL::${schema}.${table}, $1::json)
    ON CONFLICT (${keys.map(quoted).join(', ')}) DO UPDATE SET (${others.join(', ')}) = ROW(${others.map((name) => `excluded.${name}`).join(', ')})
    WHERE (${others.map((name) => `old.${name}`).join(', ')}) IS DISTINCT FROM (${others.map((name) => `excluded.${name}`).join(', ')})${where}`;
}

/** Texts that PostgreSQL cannot hold: the character NUL, and halves of pairs. */
const unstorable = /\\u0000|\\ud[89a-f]/i;

/** Rows as JSON without what PostgreSQL refuses in texts. */
function jsonOf(rows: readonly ShippedRow[]): string {
  const json = JSON.stringify(rows);
  if (!unstorable.test(json)) return json;
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value));
}
