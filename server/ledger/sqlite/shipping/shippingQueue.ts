import { randomBytes } from 'node:crypto';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { JournalBacklog, JournalBatch, JournalState, ShippedRow, UnshippedExchange } from '../../journal.ts';
import { selectedAttemptColumns } from '../../rows/attemptColumns.ts';
import { exchangeColumns } from '../../rows/rows.ts';
import { atomically } from '../onDemand/onDemandDatabase.ts';
import { allRows } from '../readRows.ts';
import { attemptFigures } from '../spendQueries.ts';

/** An exchange's seq is of this file alone, and its id may be, too: see shippedId. */
const shippedColumns = exchangeColumns.replace('seq, id, ', '');

/*
 * A file has these tables once it is copied, and the others do without: each page of the schema is one whose damage costs everything.
 * shipping: exchanges that have ended and wait, by their seq, in the order of what happened to them last; triggers write it.
 * shipping_state, one row at most: replica: what the shared ledger knows this file by; store: the shared ledger that it was copied to
 * last, and in how many batches. Of the exchanges up to everything_to those up to everything_from are not to be copied (again).
 * restarts: how often everything_from was set back. A note of a batch that was read before counts for nothing.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS shipping (position INTEGER PRIMARY KEY AUTOINCREMENT, exchange_seq INTEGER NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS shipping_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    replica TEXT NOT NULL,
    store TEXT,
    batches INTEGER NOT NULL,
    everything_from INTEGER NOT NULL,
    everything_to INTEGER NOT NULL,
    restarts INTEGER NOT NULL DEFAULT 0
  ) STRICT;`;

/** Makes the triggers. The row of an exchange is written after those of its attempts, and again when one of them gets another price. */
const note = (event: string): string => `
  CREATE TRIGGER IF NOT EXISTS ship_on_${event} AFTER ${event} ON exchanges WHEN NEW.outcome <> 'open' BEGIN
    DELETE FROM shipping WHERE exchange_seq = NEW.seq;
    INSERT INTO shipping (exchange_seq) VALUES (NEW.seq);
  END;`;

interface Statements {
  state: StatementSync;
  queued: StatementSync;
  earlier: StatementSync;
  exchanges: StatementSync;
  attempts: StatementSync;
  remove: StatementSync;
  advance: StatementSync;
  counts: StatementSync;
  first: StatementSync;
  unshipped: StatementSync;
  unshippedEarlier: StatementSync;
}

/** What of one ledger file is to be copied to a shared ledger. */
export class ShippingQueue {
  readonly #database: DatabaseSync;
  #made: Statements | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  isFollowed(): boolean {
    return this.#state() !== undefined;
  }

  follow(): JournalState {
    const known = this.#state();
    if (known !== undefined) return known;
    // Rows of the time before count as not copied.
    atomically(this.#database, () => {
      this.#database.exec(note('insert') + note('update'));
      this.#database.prepare(`INSERT OR IGNORE INTO shipping_state (id, replica, batches, everything_from, everything_to) VALUES (1, ?, 0, 0, (SELECT coalesce(max(seq), 0) FROM exchanges))`)
        .run(randomBytes(8).toString('hex'));
    });
    return this.#state() ?? { replica: '', store: undefined, batches: 0, restarts: 0 };
  }

  restart(store: string, batches: number): void {
    this.#database.prepare('UPDATE shipping_state SET store = ?, batches = ?, everything_from = 0, everything_to = (SELECT coalesce(max(seq), 0) FROM exchanges), restarts = restarts + 1').run(store, batches);
  }

  next(limit: number, { restarts }: Pick<JournalState, 'restarts'>): JournalBatch | undefined {
    const { queued, earlier, exchanges, attempts } = this.#statements();
    return this.#reading(() => {
      const state = this.#row();
      if (state === undefined) return undefined;
      const waiting = queued.all(limit);
      const seqs = waiting.map((row) => Number(row['exchange_seq']));
      let everythingFrom = Number(state['everything_from']);
      if (seqs.length < limit && everythingFrom < Number(state['everything_to'])) {
        const more = earlier.all(everythingFrom, Number(state['everything_to']), limit - seqs.length).map((row) => Number(row['seq']));
        everythingFrom = more.length < limit - seqs.length ? Number(state['everything_to']) : more.at(-1) ?? everythingFrom;
        seqs.push(...more);
      }
      const place = { position: Number(waiting.at(-1)?.['position'] ?? 0), everythingFrom, restarts };
      if (seqs.length === 0 && everythingFrom === Number(state['everything_from'])) return undefined;
      const named = { seqs: JSON.stringify(seqs), replica: String(state['replica']) };
      return { exchanges: allRows(exchanges, named) as ShippedRow[], attempts: allRows(attempts, named) as ShippedRow[], place };
    });
  }

  shipped(place: JournalBatch['place'], batches: number): void {
    const { remove, advance } = this.#statements();
    atomically(this.#database, () => {
      if (Number(this.#row()?.['restarts']) !== place.restarts) return;
      remove.run(place.position);
      advance.run(batches, place.everythingFrom);
    });
  }

  waits(): boolean {
    const state = this.#row();
    return state !== undefined && (Number(state['everything_from']) < Number(state['everything_to']) || this.#statements().queued.all(1).length > 0);
  }

  backlog(): JournalBacklog {
    const { counts, first } = this.#statements();
    const state = this.#row();
    if (state === undefined) return { exchanges: 0, since: undefined };
    const earlier = Number(state['everything_to']) - Number(state['everything_from']);
    const exchanges = Number(counts.get()?.['count'] ?? 0) + earlier;
    const since = first.get(Number(state['everything_from']), Number(state['everything_to']))?.['ended'];
    return { exchanges, since: exchanges > 0 && typeof since === 'number' ? since : undefined };
  }

  unshipped(most: number): UnshippedExchange[] | undefined {
    const state = this.#row();
    const { unshipped, unshippedEarlier } = this.#statements();
    const [from, to] = [Number(state?.['everything_from'] ?? 0), Number(state?.['everything_to'] ?? 0)];
    const replica = String(state?.['replica'] ?? '');
    const found = new Map<number, string>();
    for (const rows of [unshipped.all({ replica, most: most + 1 }), from < to ? unshippedEarlier.all({ replica, from, to, most: most + 1 }) : []]) {
      for (const row of rows) found.set(Number(row['seq']), String(row['id']));
    }
    return found.size > most ? undefined : [...found].map(([seq, id]) => ({ seq, id }));
  }

  #state(): JournalState | undefined {
    const row = this.#row();
    if (row === undefined) return undefined;
    return { replica: String(row['replica']), store: typeof row['store'] === 'string' ? row['store'] : undefined, batches: Number(row['batches']), restarts: Number(row['restarts']) };
  }

  #row(): Record<string, SQLInputValue> | undefined {
    return this.#statements().state.get() as Record<string, SQLInputValue> | undefined;
  }

  #statements(): Statements {
    if (this.#made !== undefined) return this.#made;
    this.#database.exec(tables);
    // A file of an earlier version has the table without the column.
    if (this.#database.prepare(`SELECT 1 FROM pragma_table_info('shipping_state') WHERE name = 'restarts'`).get() === undefined) this.#database.exec('ALTER TABLE shipping_state ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0');
    return this.#made = prepared(this.#database);
  }

  /** Reads on one snapshot. */
  #reading<Result>(read: () => Result): Result {
    this.#database.exec('BEGIN');
    try {
      return read();
    } finally {
      if (this.#database.isTransaction) this.#database.exec('COMMIT');
    }
  }
}

/** What repair of a damaged file made up is numbered in that file alone. */
const shippedId = `CASE WHEN e.id LIKE 'salvaged-%' THEN e.id || '@' || :replica ELSE e.id END`;

function prepared(database: DatabaseSync): Statements {
  const ofExchange = ['tool', 'workspace', 'branch', 'route', 'conversation', 'extension', 'token', 'user', 'team', 'purpose', 'work_kind'].map((name) => `e.${name} AS ${name}`).join(', ');
  const chosen = 'IN (SELECT value FROM json_each(:seqs))';
  return {
    state: database.prepare(`SELECT replica, store, CAST(batches AS REAL) AS batches, CAST(everything_from AS REAL) AS everything_from, CAST(everything_to AS REAL) AS everything_to, CAST(restarts AS REAL) AS restarts FROM shipping_state`),
    queued: database.prepare('SELECT CAST(position AS REAL) AS position, CAST(exchange_seq AS REAL) AS exchange_seq FROM shipping ORDER BY position LIMIT ?'),
    earlier: database.prepare(`SELECT CAST(seq AS REAL) AS seq FROM exchanges WHERE seq > ? AND seq <= ? AND outcome <> 'open' ORDER BY seq LIMIT ?`),
    exchanges: database.prepare(`SELECT ${shippedId} AS id, ${shippedColumns}, plan, work_kind, :replica AS replica FROM exchanges e WHERE e.seq ${chosen} ORDER BY 1`),
    attempts: database.prepare(`SELECT ${selectedAttemptColumns}, ${shippedId} AS exchange_id, ${ofExchange}, ${attemptFigures}, CASE WHEN e.shadow IS NULL THEN 0 ELSE 1 END AS is_shadow
      FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq WHERE a.exchange_seq ${chosen} AND :replica <> '' ORDER BY exchange_id, a.number`),
    remove: database.prepare('DELETE FROM shipping WHERE position <= ?'),
    advance: database.prepare('UPDATE shipping_state SET batches = max(batches, ?), everything_from = max(everything_from, ?)'),
    counts: database.prepare('SELECT count(*) AS count FROM shipping'),
    first: database.prepare(`SELECT min(ended) AS ended FROM (
      SELECT started_at + total_ms AS ended FROM exchanges WHERE seq = (SELECT exchange_seq FROM shipping ORDER BY position LIMIT 1)
      UNION ALL SELECT started_at + total_ms FROM exchanges WHERE seq = (SELECT min(seq) FROM exchanges WHERE seq > ? AND seq <= ? AND outcome <> 'open'))`),
    unshipped: database.prepare(`SELECT CAST(e.seq AS REAL) AS seq, ${shippedId} AS id FROM exchanges e
      WHERE e.seq IN (SELECT exchange_seq FROM shipping UNION ALL SELECT seq FROM exchanges INDEXED BY exchanges_open WHERE outcome = 'open') LIMIT :most`),
    unshippedEarlier: database.prepare(`SELECT CAST(e.seq AS REAL) AS seq, ${shippedId} AS id FROM exchanges e WHERE e.seq > :from AND e.seq <= :to LIMIT :most`),
  };
}
