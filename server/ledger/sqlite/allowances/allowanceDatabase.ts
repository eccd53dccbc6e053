import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import { processIdentity } from '../../../base/processIdentity.ts';
import { mostExtraMicroUsd, type AllowanceOutcome, type AllowanceStore, type AllowanceTransaction, type NamedTaken, type TakenOfAllowance } from '../../allowanceStore.ts';
import { heartbeatMs, instanceFromRow, isAliveHere } from '../instances.ts';
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
  /** What this server is known by to others that count here. */
  readonly #holder = randomUUID();
  #transactions = 0;

  constructor({ dataDir, clock, log }: AllowanceStoreOptions) {
    this.#database = new OnDemandDatabase({
      folder: join(dataDir, 'allowances'), name: 'used.db', busyTimeoutMs, disposable: false, clock, log,
      prepare: database => new Statements(database, clock, this.#holder),
      complaint: file => `What caps and budgets are used for cannot be kept in ${file} now; each server counts by itself. The file is begun anew or tried again every second.`,
    });
  }

  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> {
    // What was moved aside as damaged is no longer the file that peers count in.
    if (this.#database.replaced) this.#database.close();
    return this.#database.use((statements, database) => {
      statements.beatWhenHolding();
      if (this.#transactions++ % forgetEvery === 0) statements.forget();
      return atomically(database, () => work(statements));
    });
  }

  revision(): number | undefined {
    if (this.#database.replaced) this.#database.close();
    const outcome = this.#database.use(statements => statements.dataVersion());
    return outcome.done ? outcome.value : undefined;
  }

  beat(): void {
    this.#database.use(statements => { statements.beatWhenHolding(); });
  }

  close(): void {
    // A server that counted nothing opens and makes no file at its end.
    if (!this.#database.isOpen) return;
    this.#database.use((statements, database) => { atomically(database, () => { statements.leave(); }); });
    this.#database.close();
  }
}

class Statements implements AllowanceTransaction {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #holder: string;
  readonly #taken: StatementSync;
  readonly #add: StatementSync;
  readonly #hold: StatementSync;
  readonly #under: StatementSync;
  readonly #correct: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #lastTurn: StatementSync;
  readonly #turn: StatementSync;
  readonly #keepTurn: StatementSync;
  readonly #forgetUsed: StatementSync;
  readonly #forgetTurns: StatementSync;
  /** When this server last said that it lives; undefined: it holds nothing here. */
  #beatAt: number | undefined;

  constructor(database: DatabaseSync, clock: Clock, holder: string) {
    this.#database = database;
    this.#clock = clock;
    this.#holder = holder;
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    database.exec(`
      CREATE TABLE IF NOT EXISTS allowances (key TEXT PRIMARY KEY, used INTEGER NOT NULL, extra INTEGER NOT NULL, changed_at INTEGER NOT NULL, unknown INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS turns (conversation TEXT NOT NULL, question TEXT NOT NULL, turn TEXT NOT NULL, changed_at INTEGER NOT NULL, PRIMARY KEY (conversation, question)) STRICT, WITHOUT ROWID;
      /* What a server holds of \`used\` for requests that run there. */
      CREATE TABLE IF NOT EXISTS reserved (key TEXT NOT NULL, holder TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (key, holder)) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS holders (id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started_at INTEGER NOT NULL, heartbeat INTEGER NOT NULL, space TEXT, start TEXT) STRICT, WITHOUT ROWID;
    `);
    addUnknown(database);
    const reserved = '(SELECT coalesce(sum(amount), 0) FROM reserved WHERE key = allowances.key)';
    this.#taken = database.prepare(`SELECT used, extra, unknown, ${reserved} AS reserved FROM allowances WHERE key = ?`);
    this.#add = database.prepare(`INSERT INTO allowances (key, used, extra, changed_at, unknown) VALUES (:key, :used + :start, :extra, :now, :unknown)
      ON CONFLICT (key) DO UPDATE SET used = used + :used, extra = min(extra + :extra, ${mostExtraMicroUsd}), changed_at = :now, unknown = unknown + :unknown`);
    this.#hold = database.prepare(`INSERT INTO reserved (key, holder, amount) VALUES (?, ?, max(0, ?3))
      ON CONFLICT (key, holder) DO UPDATE SET amount = max(0, amount + ?3)`);
    this.#under = database.prepare(`SELECT key, used, extra, unknown, ${reserved} AS reserved FROM allowances WHERE key >= ? AND key < ? ORDER BY used DESC LIMIT ?`);
    this.#correct = database.prepare(`UPDATE allowances SET used = :known + unknown * :keeps, unknown = unknown * :keeps
      WHERE key = :key AND changed_at <= :since AND NOT EXISTS (SELECT 1 FROM reserved WHERE key = :key AND amount > 0)`);
    this.#dataVersion = database.prepare('PRAGMA data_version');
    this.#lastTurn = database.prepare('SELECT turn FROM turns WHERE conversation = ? ORDER BY changed_at DESC LIMIT 1');
    this.#turn = database.prepare('SELECT turn FROM turns WHERE conversation = ? AND question = ?');
    this.#keepTurn = database.prepare(`INSERT INTO turns (conversation, question, turn, changed_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (conversation, question) DO UPDATE SET turn = excluded.turn, changed_at = excluded.changed_at`);
    this.#forgetUsed = database.prepare('DELETE FROM allowances WHERE changed_at < ?');
    this.#forgetTurns = database.prepare('DELETE FROM turns WHERE changed_at < ?');
  }

  taken(key: string, start = 0): TakenOfAllowance {
    const row = this.#taken.get(key);
    return row === undefined ? { used: start, extra: 0, reserved: 0, unknown: 0 } : takenFromRow(row);
  }

  add(key: string, used: number, extra: number, reserved = 0, start = 0, unknown = 0): void {
    this.#add.run({ key, used, extra, start, unknown, now: this.#clock.now() });
    if (reserved === 0) return;
    if (this.#beatAt === undefined) this.#register();
    this.#hold.run(key, this.#holder, reserved);
  }

  under(prefix: string, most: number): NamedTaken[] {
    return this.#under.all(prefix, `${prefix}\uffff`, most).map(row => ({ key: String(row['key']), ...takenFromRow(row) }));
  }

  correct(key: string, known: number, unchangedSince: number, keepsUnknown = false): boolean {
    return Number(this.#correct.run({ known, key, since: unchangedSince, keeps: keepsUnknown ? 1 : 0 }).changes) > 0;
  }

  freeOrphans(): boolean {
    const now = this.#clock.now();
    const dead = this.#database.prepare('SELECT * FROM holders WHERE id <> ?').all(this.#holder).filter(row => !isAliveHere(instanceFromRow(row), now));
    for (const { id } of dead) this.#release(String(id));
    const lost = this.#database.prepare('DELETE FROM reserved WHERE holder NOT IN (SELECT id FROM holders)').run();
    return dead.length > 0 || Number(lost.changes) > 0;
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

  dataVersion(): number {
    return Number(this.#dataVersion.get()?.['data_version']);
  }

  /** Says that this server lives, where it holds something and said so long ago. */
  beatWhenHolding(): void {
    const now = this.#clock.now();
    if (this.#beatAt === undefined || Math.abs(now - this.#beatAt) < heartbeatMs) return;
    // A peer may have taken this server for dead while the machine slept.
    this.#register();
  }

  /** This server ends, with nothing under way. */
  leave(): void {
    if (this.#beatAt !== undefined) this.#release(this.#holder);
  }

  forget(): void {
    const before = this.#clock.now() - keptForMs;
    this.#forgetUsed.run(before);
    this.#forgetTurns.run(before);
    this.#database.exec('DELETE FROM reserved WHERE amount = 0');
  }

  #register(): void {
    const now = this.#clock.now();
    const { space, start } = processIdentity(process.pid) ?? {};
    this.#database.prepare('INSERT OR REPLACE INTO holders (id, host, pid, started_at, heartbeat, space, start) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(this.#holder, hostname(), process.pid, now, now, space ?? null, start ?? null);
    this.#beatAt = now;
  }

  #release(holder: string): void {
    this.#database.prepare('DELETE FROM reserved WHERE holder = ?').run(holder);
    this.#database.prepare('DELETE FROM holders WHERE id = ?').run(holder);
  }
}

function takenFromRow(row: Readonly<Record<string, unknown>>): TakenOfAllowance {
  return { used: Number(row['used']), extra: Number(row['extra']), reserved: Number(row['reserved']), unknown: Number(row['unknown']) };
}

/** Files of earlier versions have no column for it. */
function addUnknown(database: DatabaseSync): void {
  const isMissing = (): boolean => database.prepare(`SELECT 1 FROM pragma_table_info('allowances') WHERE name = 'unknown'`).get() === undefined;
  if (!isMissing()) return;
  atomically(database, () => { if (isMissing()) database.exec('ALTER TABLE allowances ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0'); });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
