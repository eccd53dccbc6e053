import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attempt, Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { BatchWriter } from './batchWriter.ts';
import { CommitQueue } from './commitQueue.ts';
import { Instances, isAliveHere } from './instances.ts';
import type { IsAlive } from './instances.ts';
import type { ForeignAttempt, HealthEvent, Ledger } from './ledger.ts';
import { KeyNotes, type KeyNote } from './keyNotes.ts';
import { isBusy, openDatabase } from './openDatabase.ts';
import { attemptColumns, attemptFromRow, exchangeColumns, foreignAttemptFromRow, healthEventFromRow, receiptFromRow, summaryFromRow } from './rows.ts';
import { SpendQueries } from './spendQueries.ts';
import type { EndpointSpend } from './spendQueries.ts';

/** What a server needs of its ledger beyond the record itself: the past to warm up with, and today's money. */
export interface LedgerStore extends Ledger {
  /** Ended attempts of all processes that were still running at or after a moment, oldest first; of many the latest. */
  recentAttempts(sinceMs: number): ForeignAttempt[];
  /** Attempts that ended before a moment, at most a day ago, and whose provider asked for a wait that is not over `now`; oldest first. */
  waitingAttempts(endedBefore: number, now: number): ForeignAttempt[];
  /** Health events of all processes at or after a moment, oldest first. */
  recentHealth(sinceMs: number): HealthEvent[];
  /** The last word on every key and limit, oldest first. */
  keyNotes(): KeyNote[];
  /** The attempts of all processes that ended last, at most so many, oldest first, with whether they were streams or beaten. Constant time for a number of them. */
  latestAttempts(count: number): ForeignAttempt[];
  /** Spend by endpoint name; endpoints without attempts in the range are absent. */
  spendByEndpoint(range: TimeRange): Map<string, EndpointSpend>;
  /**
   * What second requests (role `hedge`) of exchanges that wanted a route cost since a moment, in micro-dollars, in all
   * processes; a cost that is unknown counts as the average of the others.
   */
  hedgeSpendSince(route: string, since: number): number;
}

export interface LedgerOptions {
  dataDir: string;
  clock: Clock;
  log: Log;
  /** Unique for each start of a server process. */
  instanceId: string;
  /** Decides about processes found in the ledger; for tests. */
  isAlive?: IsAlive | undefined;
}

/** How long a statement may wait for another window's commit while requests are served, and when they are not. */
const servingBusyTimeoutMs = 10;
const patientBusyTimeoutMs = 3_000;
/** Quiet time after which house-keeping runs, and the size of the write-ahead log beyond which it does not wait. */
const idleMs = 1_000;
const maximumWalBytes = 8_000_000;
const smallWalBytes = 1_000_000;
const commitsBetweenWalLooks = 32;
const healthKeptMs = 30 * 86_400_000;
const pruneEveryMs = 86_400_000;
const settleEveryMs = 60_000;
const foreignBound = 5_000;
/** More than health looks at for any endpoint; a busy quarter of an hour holds many times that. */
const warmUpBound = 2_000;
/** No attempt is assumed to run longer when looking back in time. */
const longestAttemptMs = 3_600_000;
/** Longer waits are not believed (see health/cooldown.ts). */
const longestWaitMs = 86_400_000;

/**
 * Opens the ledger in a folder (made if missing). Exchanges that dead processes left open are marked as interrupted.
 * @throws LedgerTooNewError when a newer version wrote it, or SQLite's error when the folder cannot be used
 */
export function openLedger(options: LedgerOptions): LedgerStore {
  const { database, file } = openDatabase(options.dataDir, options.clock, options.log);
  try {
    return new SqliteLedger(database, file, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteLedger implements LedgerStore {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #instanceId: string;
  readonly #queue: CommitQueue;
  readonly #spend: SpendQueries;
  readonly #instances: Instances;
  readonly #keyNotes: KeyNotes;

  readonly #exchange: StatementSync;
  readonly #attemptsOf: StatementSync;
  readonly #recent: StatementSync;
  readonly #attemptsOfPage: StatementSync;
  readonly #recentAttempts: StatementSync;
  readonly #waitingAttempts: StatementSync;
  readonly #latestAttempts: StatementSync;
  readonly #recentHealth: StatementSync;
  readonly #foreignAttempts: StatementSync;
  readonly #foreignHealth: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #finished: StatementSync;

  #idleTimer: NodeJS.Timeout | undefined;
  #lastPrune = 0;
  #lastSettle: number;
  #commitsSinceWalLook = 0;
  #closed = false;

  #attemptWatermark: number;
  #healthWatermark: number;
  #polledVersion: number;
  /** None that there is: the first look always reads. */
  #notesVersion = -1;
  #revisionVersion: number;
  #finishedCount: number;

  constructor(database: DatabaseSync, file: string, options: LedgerOptions) {
    this.#database = database;
    this.#file = file;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#instanceId = options.instanceId;
    this.#instances = new Instances(database, options.instanceId, options.clock, options.log, options.isAlive ?? isAliveHere);
    this.#instances.register();
    this.#instances.settleDead();
    this.#lastSettle = options.clock.now();
    this.#keyNotes = new KeyNotes(database, options.instanceId);
    this.#queue = new CommitQueue({
      writer: new BatchWriter(database, options.instanceId, this.#keyNotes), file, clock: options.clock, log: options.log,
      onCommitted: (finished) => { this.#committed(finished); },
      onRecount: () => { this.#finishedCount = this.#readFinished(); },
    });
    this.#spend = new SpendQueries(database);

    this.#exchange = database.prepare(`SELECT ${exchangeColumns}, plan FROM exchanges WHERE id = ?`);
    this.#attemptsOf = database.prepare(`SELECT ${attemptColumns} FROM attempts a WHERE a.exchange_seq = ? ORDER BY a.number`);
    const page = 'FROM exchanges WHERE started_at < ? ORDER BY started_at DESC, seq DESC LIMIT ?';
    this.#recent = database.prepare(`SELECT ${exchangeColumns} ${page}`);
    this.#attemptsOfPage = database.prepare(`SELECT ${attemptColumns} FROM attempts a WHERE a.exchange_seq IN (SELECT seq ${page}) ORDER BY a.exchange_seq, a.number`);
    this.#recentAttempts = database.prepare(`SELECT ${attemptColumns} FROM attempts a WHERE a.started_at >= ? AND a.final = 1
      AND a.started_at + a.total_ms >= ? ORDER BY a.started_at + a.total_ms DESC, a.seq DESC LIMIT ${warmUpBound}`);
    this.#waitingAttempts = database.prepare(`SELECT ${attemptColumns} FROM attempts a WHERE a.retry_after_ms IS NOT NULL AND a.started_at >= ? AND a.final = 1
      AND a.started_at + a.total_ms < ? AND a.started_at + a.total_ms + a.retry_after_ms > ? ORDER BY a.started_at + a.total_ms LIMIT ${warmUpBound}`);
    const timingColumns = `${attemptColumns}, e.stream AS stream, e.outcome AS exchange_outcome`;
    this.#latestAttempts = database.prepare(`SELECT ${timingColumns} FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq
      WHERE a.final = 1 ORDER BY a.seq DESC LIMIT ?`);
    const healthColumns = 'endpoint, at, ok, kind, failure_class, message, latency_ms';
    this.#recentHealth = database.prepare(`SELECT ${healthColumns} FROM health_events WHERE at >= ? ORDER BY at, seq`);
    this.#foreignAttempts = database.prepare(`SELECT a.seq AS seq, e.instance AS instance, ${timingColumns} FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq
      WHERE a.seq > ? AND a.final = 1 ORDER BY a.seq LIMIT ${foreignBound}`);
    this.#foreignHealth = database.prepare(`SELECT seq, instance, ${healthColumns} FROM health_events WHERE seq > ? ORDER BY seq LIMIT ${foreignBound}`);
    this.#dataVersion = database.prepare('PRAGMA data_version');
    this.#finished = database.prepare(`SELECT value FROM counters WHERE name = 'finished'`);

    this.#polledVersion = this.#version();
    this.#revisionVersion = this.#polledVersion;
    this.#attemptWatermark = Number(database.prepare('SELECT max(seq) AS seq FROM attempts').get()?.['seq'] ?? 0);
    this.#healthWatermark = Number(database.prepare('SELECT max(seq) AS seq FROM health_events').get()?.['seq'] ?? 0);
    this.#finishedCount = this.#readFinished();
    this.#patience(servingBusyTimeoutMs);
    this.#idleSoon();
  }

  open(receipt: Receipt): void {
    this.#take(receipt, false);
  }

  progress(receipt: Receipt): void {
    const known = this.#queue.waiting(receipt.id);
    if (known === undefined || known.outcome === 'open') this.#take(receipt, false);
  }

  close(receipt: Receipt): void {
    this.#take(receipt, true);
  }

  recordHealth(event: HealthEvent): void {
    if (!this.#closed) this.#queue.takeHealth(event);
  }

  recordKeyNote(note: KeyNote): void {
    if (!this.#closed) this.#queue.takeKeyNote(note);
  }

  receipt(id: string): Receipt | undefined {
    this.flush();
    const unwritten = this.#queue.waiting(id);
    if (unwritten !== undefined) return structuredClone(unwritten);
    const row = this.#exchange.get(id);
    if (row === undefined) return undefined;
    return receiptFromRow(row, this.#attemptsOf.all(Number(row['seq'])).map(attemptFromRow));
  }

  recent(limit: number, before?: number): RequestSummary[] {
    this.flush();
    const bound = before ?? Number.MAX_SAFE_INTEGER;
    const attempts = new Map<unknown, Attempt[]>();
    for (const row of this.#attemptsOfPage.all(bound, limit)) {
      const list = attempts.get(row['exchange_seq']);
      if (list === undefined) attempts.set(row['exchange_seq'], [attemptFromRow(row)]);
      else list.push(attemptFromRow(row));
    }
    return this.#recent.all(bound, limit).map((row) => summaryFromRow(row, attempts.get(row['seq']) ?? []));
  }

  spend(range: TimeRange): SpendReport {
    this.#flushAndFold();
    return this.#spend.spend(range);
  }

  spendByEndpoint(range: TimeRange): Map<string, EndpointSpend> {
    this.#flushAndFold();
    return this.#spend.byEndpoint(range);
  }

  hedgeSpendSince(route: string, since: number): number {
    this.flush();
    return this.#spend.hedges(route, since);
  }

  recentAttempts(sinceMs: number): ForeignAttempt[] {
    this.flush();
    return this.#recentAttempts.all(Math.floor(sinceMs) - longestAttemptMs, sinceMs).reverse().map(foreignAttemptFromRow);
  }

  waitingAttempts(endedBefore: number, now: number): ForeignAttempt[] {
    this.flush();
    return this.#waitingAttempts.all(Math.floor(now) - longestWaitMs, endedBefore, now).map(foreignAttemptFromRow);
  }

  latestAttempts(count: number): ForeignAttempt[] {
    this.flush();
    return this.#latestAttempts.all(count).reverse().map(foreignAttemptFromRow);
  }

  recentHealth(sinceMs: number): HealthEvent[] {
    this.flush();
    return this.#recentHealth.all(sinceMs).map(healthEventFromRow);
  }

  keyNotes(): KeyNote[] {
    this.flush();
    return this.#keyNotes.all();
  }

  pollKeyNotes(): KeyNote[] {
    const version = this.#version();
    if (version === this.#notesVersion) return [];
    const { notes, more } = this.#keyNotes.poll();
    if (!more) this.#notesVersion = version;
    return notes;
  }

  pollForeign(): { attempts: ForeignAttempt[]; health: HealthEvent[] } {
    const attempts: ForeignAttempt[] = [];
    const health: HealthEvent[] = [];
    this.#settleSometimes();
    const version = this.#version();
    if (version === this.#polledVersion) return { attempts, health };
    const attemptRows = this.#foreignAttempts.all(this.#attemptWatermark);
    for (const row of attemptRows) {
      this.#attemptWatermark = Number(row['seq']);
      if (row['instance'] !== this.#instanceId) attempts.push(foreignAttemptFromRow(row));
    }
    const healthRows = this.#foreignHealth.all(this.#healthWatermark);
    for (const row of healthRows) {
      this.#healthWatermark = Number(row['seq']);
      if (row['instance'] !== this.#instanceId) health.push(healthEventFromRow(row));
    }
    // A full page may not be the last one: look again next time.
    if (attemptRows.length < foreignBound && healthRows.length < foreignBound) this.#polledVersion = version;
    return { attempts, health };
  }

  revision(): number {
    const version = this.#version();
    if (version !== this.#revisionVersion) {
      this.#revisionVersion = version;
      this.#finishedCount = this.#readFinished();
    }
    return this.#finishedCount + this.#queue.finished;
  }

  flush(): void {
    if (!this.#closed) this.#queue.flush();
  }

  shutdown(): void {
    if (this.#closed) return;
    this.#patience(patientBusyTimeoutMs);
    this.flush();
    const unwritten = this.#queue.size;
    if (unwritten > 0) this.#log.error(`${unwritten} exchanges could not be written to the ledger ${this.#file} before the end.`);
    this.#closed = true;
    this.#queue.stop();
    clearTimeout(this.#idleTimer);
    try {
      this.#instances.leave();
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      this.#log.warn(`The ledger ${this.#file} was closed without its last house-keeping: ${messageOf(error)}`);
    }
    this.#database.close();
  }

  /** Under traffic that never pauses, readers of spend keep the roll-up near the present, a portion each. */
  #flushAndFold(): void {
    this.flush();
    this.#housekeep(() => { this.#spend.fold(); });
  }

  #take(receipt: Receipt, final: boolean): void {
    if (this.#closed) {
      this.#log.error(`The exchange ${receipt.id} came after the ledger was closed and is not recorded.`);
      return;
    }
    this.#queue.take(receipt, final);
  }

  #committed(finished: number): void {
    this.#finishedCount += finished;
    this.#commitsSinceWalLook += 1;
    if (this.#commitsSinceWalLook >= commitsBetweenWalLooks) {
      this.#commitsSinceWalLook = 0;
      if (this.#walBytes() > maximumWalBytes) this.#checkpoint('TRUNCATE');
    }
    this.#idleSoon();
  }

  #idleSoon(): void {
    if (this.#idleTimer === undefined) this.#idleTimer = setTimeout(() => { this.#idle(); }, idleMs).unref();
    else this.#idleTimer.refresh();
  }

  #idle(): void {
    if (this.#closed) return;
    this.#housekeep(() => {
      const now = this.#clock.now();
      if (Math.abs(now - this.#lastPrune) >= pruneEveryMs) {
        this.#lastPrune = now;
        this.#database.prepare('DELETE FROM health_events WHERE at < ?').run(now - healthKeptMs);
        this.#keyNotes.prune(now);
      }
      if (this.#spend.fold()) this.#idleSoon();
      else this.#checkpoint(this.#walBytes() > smallWalBytes ? 'TRUNCATE' : 'PASSIVE');
    });
  }

  #settleSometimes(): void {
    const now = this.#clock.now();
    if (Math.abs(now - this.#lastSettle) < settleEveryMs) return;
    this.#lastSettle = now;
    this.#housekeep(() => { this.#instances.settleDead(); });
  }

  /** Work that may as well be done later: another window's lock only postpones it. */
  #housekeep(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isBusy(error)) this.#log.warn(`House-keeping of the ledger ${this.#file} failed: ${messageOf(error)}`);
    }
  }

  /** Moves what was committed into the main file. TRUNCATE also gives the log's space back, so that its size tells something. */
  #checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    this.#housekeep(() => { this.#database.exec(`PRAGMA wal_checkpoint(${mode})`); });
  }

  #walBytes(): number {
    return statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #version(): number {
    return Number(this.#dataVersion.get()?.['data_version'] ?? 0);
  }

  #readFinished(): number {
    return Number(this.#finished.get()?.['value'] ?? 0);
  }

  #patience(milliseconds: number): void {
    this.#database.exec(`PRAGMA busy_timeout = ${milliseconds}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
