import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { AllowanceOutcome, AllowanceStore, AllowanceTransaction, TakenOfAllowance } from '../../allowanceStore.ts';
import { atomically, OnDemandDatabase } from '../onDemand/onDemandDatabase.ts';

export interface AllowanceStoreOptions { dataDir: string; clock: Clock; log: Log }

/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 50;
/** Longer than a month, so that nothing that is still counted is forgotten. */
const keptForMs = 40 * 86_400_000;
/** So many transactions lie between two looks for what can be forgotten. */
const forgetEvery = 5_000;

/**
 * What allowances are used for, in a database of their own, `allowances/used.db` in the data folder, opened when it is first
 * needed. What is committed survives the death of the process. A damaged file is moved aside, and counting begins anew.
 */
export function createAllowanceStore(options: AllowanceStoreOptions): AllowanceStore {
  return new AllowanceDatabase(options);
}

class AllowanceDatabase implements AllowanceStore {
  readonly #database: OnDemandDatabase<Statements>;
  #transactions = 0;

  constructor({ dataDir, clock, log }: AllowanceStoreOptions) {
    this.#database = new OnDemandDatabase({
      folder: join(dataDir, 'allowances'), name: 'used.db', busyTimeoutMs, disposable: false, clock, log,
      prepare: database => new Statements(database, clock),
      complaint: file => `What caps are used for cannot be kept in ${file} now; each server counts by itself. The file is begun anew or tried again every second.`,
    });
  }

  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> {
    // What was moved aside as damaged is no longer the file that peers count in.
    if (this.#database.replaced) this.#database.close();
    return this.#database.use((statements, database) => {
      if (this.#transactions++ % forgetEvery === 0) statements.forget();
      return atomically(database, () => work(statements));
    });
  }

  close(): void {
    this.#database.close();
  }
}

class Statements implements AllowanceTransaction {
  readonly #clock: Clock;
  readonly #taken: StatementSync;
  readonly #add: StatementSync;
  readonly #lastTurn: StatementSync;
  readonly #turn: StatementSync;
  readonly #keepTurn: StatementSync;
  readonly #forgetUsed: StatementSync;
  readonly #forgetTurns: StatementSync;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    database.exec(`
      CREATE TABLE IF NOT EXISTS allowances (key TEXT PRIMARY KEY, used INTEGER NOT NULL, extra INTEGER NOT NULL, changed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS turns (conversation TEXT NOT NULL, question TEXT NOT NULL, turn TEXT NOT NULL, changed_at INTEGER NOT NULL, PRIMARY KEY (conversation, question)) STRICT, WITHOUT ROWID;
    `);
    this.#taken = database.prepare('SELECT used, extra FROM allowances WHERE key = ?');
    this.#add = database.prepare(`INSERT INTO allowances (key, used, extra, changed_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET used = used + excluded.used, extra = extra + excluded.extra, changed_at = excluded.changed_at`);
    this.#lastTurn = database.prepare('SELECT turn FROM turns WHERE conversation = ? ORDER BY changed_at DESC LIMIT 1');
    this.#turn = database.prepare('SELECT turn FROM turns WHERE conversation = ? AND question = ?');
    this.#keepTurn = database.prepare(`INSERT INTO turns (conversation, question, turn, changed_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (conversation, question) DO UPDATE SET turn = excluded.turn, changed_at = excluded.changed_at`);
    this.#forgetUsed = database.prepare('DELETE FROM allowances WHERE changed_at < ?');
    this.#forgetTurns = database.prepare('DELETE FROM turns WHERE changed_at < ?');
  }

  taken(key: string): TakenOfAllowance {
    const row = this.#taken.get(key);
    return row === undefined ? nothingTaken : { used: Number(row['used']), extra: Number(row['extra']) };
  }

  add(key: string, used: number, extra: number): void {
    this.#add.run(key, used, extra, this.#clock.now());
  }

  lastTurn(conversation: string): string | undefined {
    return textOf(this.#lastTurn.get(conversation)?.['turn']);
  }

  turn(conversation: string, question: string): string | undefined {
    return textOf(this.#turn.get(conversation, question)?.['turn']);
  }

  keepTurn(conversation: string, question: string, turn: string): void {
    this.#keepTurn.run(conversation, question, turn, this.#clock.now());
  }

  forget(): void {
    const before = this.#clock.now() - keptForMs;
    this.#forgetUsed.run(before);
    this.#forgetTurns.run(before);
  }
}

const nothingTaken: TakenOfAllowance = { used: 0, extra: 0 };

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
