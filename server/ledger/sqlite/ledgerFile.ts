import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attempt, Receipt, RequestSummary, TimeRange } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { BatchWriter } from './batchWriter.ts';
import { Instances, type IsAlive } from './instances.ts';
import type { PeerNote } from '../peerNotes.ts';
import type { HealthEvent, PeerFacts, ReceiptPage, ReceiptPlace, RecordedAttempt, UsedKey } from '../ports.ts';
import { attemptFromRow, selectedAttemptColumns } from '../rows/attemptColumns.ts';
import { PeerNotes } from './peerNotes.ts';
import { LedgerReplacedError } from './ledgerErrors.ts';
import { openDatabase } from './openDatabase.ts';
import { allRows, lastSeq, readable } from './readRows.ts';
import {
  localExchangeColumns, healthEventFromRow, peerAttemptFromRow, receiptFromRow, recordedAttemptFromRow, spentColumns, summaryFromRow, type ReadAttempts,
} from '../rows/rows.ts';
import type { Row } from '../rows/rowValues.ts';
import { CellFold } from './dashboard/cellFold.ts';
import { BillQueries } from './billQueries.ts';
import { OutcomeQueries } from './used/outcomes.ts';
import { SpentByQueries } from './used/spentBy.ts';
import { SpendQueries } from './spendQueries.ts';
import { RequestSearch } from './used/requestSearch.ts';
import { ShippingFile } from './shipping/sqliteJournal.ts';
import { UsedExchanges } from './used/usedExchanges.ts';

export interface LedgerFileOptions {
  file: string;
  clock: Clock;
  log: Log;
  instanceId: string;
  isAlive: IsAlive;
  /** How long a lock of another process is waited for while the file is opened, in milliseconds; the event loop stands still. */
  openBusyTimeoutMs: number;
  /** The file this one follows in the same process: what was read of peers there is not read again. */
  before?: LedgerFile | undefined;
}

/** How long a statement may wait for a peer's commit while requests are served. */
const servingBusyTimeoutMs = 10;
const healthKeptMs = 30 * 86_400_000;
const peerBound = 5_000;
/** More than health looks at for any endpoint; a busy quarter of an hour holds many times that. */
const warmUpBound = 2_000;
/** So many of the latest attempts are looked through for keys that were used. */
const usedKeysBound = 20_000;
/** No attempt is assumed to run longer when looking back in time. */
const longestAttemptMs = 3_600_000;
/** Longer waits are not believed (see health/breaker/cooldown.ts). */
const longestWaitMs = 86_400_000;

const healthColumns = 'endpoint, at, ok, kind, failure_class, message, latency_ms';

/** One open ledger file with its prepared statements. It knows nothing of queues, and lets SQLite's errors through. */
export class LedgerFile {
  readonly writer: BatchWriter;
  readonly spend: SpendQueries;
  readonly bills: BillQueries;
  readonly cells: CellFold;
  readonly spentBy: SpentByQueries;
  readonly outcomes: OutcomeQueries;
  readonly used: UsedExchanges;
  readonly instances: Instances;
  readonly file: string;
  readonly #database: DatabaseSync;
  readonly #fileId: string | undefined;
  readonly #instanceId: string;
  readonly #notes: PeerNotes;
  #search: RequestSearch | undefined;
  #shipping: ShippingFile | undefined;
  /** Rows that cannot be read cost themselves and a log line. */
  readonly #unreadable: Guard;

  readonly #exchange: StatementSync;
  readonly #attemptsOf: StatementSync;
  readonly #recent: StatementSync;
  readonly #attemptsOfPage: StatementSync;
  readonly #receiptsIn: StatementSync;
  readonly #recentAttempts: StatementSync;
  readonly #waitingAttempts: StatementSync;
  readonly #latestAttempts: StatementSync;
  readonly #keysUsed: StatementSync;
  readonly #recentHealth: StatementSync;
  readonly #peerAttempts: StatementSync;
  readonly #peerHealth: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #finished: StatementSync;
  readonly #repricedCount: StatementSync;

  #attemptWatermark: number;
  #healthWatermark: number;
  #repriced: number;
  #polledVersion: number;
  /** None that there is: the first look always reads. */
  #notesVersion = -1;

  /** @throws LedgerTooNewError, LedgerReplacedError, or SQLite's error */
  constructor(options: LedgerFileOptions) {
    const { file, instanceId, clock, log, before } = options;
    this.file = file;
    this.#instanceId = instanceId;
    this.#unreadable = new Guard(`The reading of a row of the ledger ${file}`, log);
    const idBefore = fileIdOf(file);
    const database = openDatabase(file, options.openBusyTimeoutMs);
    this.#database = database;
    try {
      this.#fileId = idBefore ?? fileIdOf(file);
      this.instances = new Instances(database, instanceId, clock, log, options.isAlive, this.#unreadable);
      const highest = (table: string): number => Number(database.prepare(`SELECT CAST(max(seq) AS REAL) AS seq FROM ${table}`).get()?.['seq'] ?? 0);
      // In a file that was started over, the rows of peers count from the first one.
      const follow = (known: number | undefined, table: string): number => (known === undefined ? highest(table) : known <= highest(table) ? known : 0);
      this.#notes = new PeerNotes(database, instanceId, this.#unreadable, before === undefined ? undefined : follow(before.#notes.watermark, 'key_notes'));
      this.writer = new BatchWriter(database, instanceId, this.#notes, this.instances, () => { this.verify(); });
      this.spend = new SpendQueries(database, instanceId, this.#unreadable);
      this.bills = new BillQueries(database);
      this.cells = new CellFold(database);
      this.spentBy = new SpentByQueries(database);
      this.outcomes = new OutcomeQueries(database);
      this.used = new UsedExchanges(database, this.#unreadable);

      this.#exchange = database.prepare(`SELECT ${localExchangeColumns}, plan FROM exchanges WHERE id = ?`);
      this.#attemptsOf = database.prepare(`SELECT ${selectedAttemptColumns}, a.exchange_seq FROM attempts a WHERE a.exchange_seq = ? ORDER BY a.number`);
      const page = 'FROM exchanges WHERE started_at < ? ORDER BY started_at DESC, seq DESC LIMIT ?';
      this.#recent = database.prepare(`SELECT ${localExchangeColumns} ${page}`);
      this.#attemptsOfPage = database.prepare(`SELECT ${selectedAttemptColumns}, a.exchange_seq FROM attempts a WHERE a.exchange_seq IN (SELECT seq ${page}) ORDER BY a.exchange_seq, a.number`);
      this.#receiptsIn = database.prepare(`SELECT ${localExchangeColumns}, plan FROM exchanges WHERE (started_at, seq) > (?, ?) AND started_at < ? ORDER BY started_at, seq LIMIT ?`);
      this.#recentAttempts = database.prepare(`SELECT a.seq, ${selectedAttemptColumns} FROM attempts a WHERE a.started_at >= ? AND a.final = 1
        AND a.started_at + a.total_ms >= ? ORDER BY a.started_at + a.total_ms DESC, a.seq DESC LIMIT ${warmUpBound}`);
      this.#waitingAttempts = database.prepare(`SELECT a.seq, ${selectedAttemptColumns} FROM attempts a WHERE a.retry_after_ms IS NOT NULL AND a.started_at >= ? AND a.final = 1
        AND a.started_at + a.total_ms < ? AND a.started_at + a.total_ms + a.retry_after_ms > ? ORDER BY a.started_at + a.total_ms LIMIT ${warmUpBound}`);
      const timingColumns = `a.seq AS seq, ${selectedAttemptColumns}, e.stream AS stream, e.outcome AS exchange_outcome`;
      this.#latestAttempts = database.prepare(`SELECT ${timingColumns}, e.tool AS tool, CASE WHEN json_valid(e.plan) THEN json_extract(e.plan, '$.requirements.answers') END AS answers FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq
        WHERE a.final = 1 ORDER BY a.seq DESC LIMIT ?`);
      this.#keysUsed = database.prepare(`SELECT DISTINCT endpoint, key_id, key_last4 FROM (SELECT endpoint, key_id, key_last4, outcome FROM attempts ORDER BY seq DESC LIMIT ${usedKeysBound})
        WHERE outcome = 'ok' AND key_id IS NOT NULL`);
      this.#recentHealth = database.prepare(`SELECT ${healthColumns} FROM health_events WHERE at >= ? ORDER BY at, seq`);
      this.#peerAttempts = database.prepare(`SELECT e.instance AS instance, ${timingColumns}, ${spentColumns} FROM attempts a JOIN exchanges e ON e.seq = a.exchange_seq
        WHERE a.seq > ? ORDER BY a.seq LIMIT ${peerBound}`);
      this.#peerHealth = database.prepare(`SELECT seq, instance, ${healthColumns} FROM health_events WHERE seq > ? ORDER BY seq LIMIT ${peerBound}`);
      this.#dataVersion = database.prepare('PRAGMA data_version');
      this.#finished = database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'finished'`);

      this.#repricedCount = database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'repriced'`);

      this.#attemptWatermark = follow(before === undefined ? undefined : before.#attemptWatermark, 'attempts');
      this.#healthWatermark = follow(before === undefined ? undefined : before.#healthWatermark, 'health_events');
      this.#repriced = before === undefined ? this.#readRepriced() : -1;
      this.#polledVersion = before === undefined ? this.version() : -1;
      this.finished();
      this.setBusyTimeout(servingBusyTimeoutMs);
      // It was replaced while it was opened.
      this.verify();
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** @throws LedgerReplacedError when the path leads to another file by now, or to none */
  verify(): void {
    if (this.#fileId !== fileIdOf(this.file)) throw new LedgerReplacedError(this.file);
  }

  receipt(id: string): Receipt | undefined {
    const [row] = allRows(this.#exchange, id);
    if (row === undefined) return undefined;
    const rows = allRows(this.#attemptsOf, row['seq'] ?? null);
    return readable([row], () => receiptFromRow(row, this.#attemptsIn(rows)), this.#unreadable)[0];
  }

  receiptsIn({ from, to }: TimeRange, limit: number, after: ReceiptPlace = { startedAt: Math.ceil(from) - 1, seq: Number.MAX_SAFE_INTEGER }): ReceiptPage {
    const rows = allRows(this.#receiptsIn, after.startedAt, after.seq, to, limit);
    const last = rows.at(-1);
    return {
      receipts: readable(rows, row => receiptFromRow(row, this.#attemptsIn(allRows(this.#attemptsOf, row['seq'] ?? null))), this.#unreadable),
      next: last === undefined || rows.length < limit ? undefined : { startedAt: Number(last['started_at']), seq: Number(last['seq']) },
    };
  }

  recent(limit: number, before: number): RequestSummary[] {
    const rowsOf = new Map<unknown, Row[]>();
    for (const row of allRows(this.#attemptsOfPage, before, limit)) {
      const rows = rowsOf.get(row['exchange_seq']);
      if (rows === undefined) rowsOf.set(row['exchange_seq'], [row]);
      else rows.push(row);
    }
    return readable(allRows(this.#recent, before, limit), (row) => summaryFromRow(row, this.#attemptsIn(rowsOf.get(row['seq']) ?? [])), this.#unreadable);
  }

  /** Made when something is looked for. */
  get search(): RequestSearch {
    return this.#search ??= new RequestSearch(this.#database, this.#instanceId, this.#unreadable);
  }

  /** Made where a shared ledger is configured. */
  get shipping(): ShippingFile {
    return this.#shipping ??= new ShippingFile(this.#database);
  }

  #attemptsIn(rows: readonly Row[]): ReadAttempts {
    const attempts: Attempt[] = readable(rows, attemptFromRow, this.#unreadable);
    return { attempts, unreadable: rows.length - attempts.length };
  }

  recentAttempts(sinceMs: number): RecordedAttempt[] {
    return this.#recorded(allRows(this.#recentAttempts, Math.floor(sinceMs) - longestAttemptMs, sinceMs).reverse());
  }

  waitingAttempts(endedBefore: number, now: number): RecordedAttempt[] {
    return this.#recorded(allRows(this.#waitingAttempts, Math.floor(now) - longestWaitMs, endedBefore, now));
  }

  latestAttempts(count: number): RecordedAttempt[] {
    return this.#recorded(allRows(this.#latestAttempts, count).reverse());
  }

  keysUsed(): UsedKey[] {
    return allRows(this.#keysUsed).map((row) => ({ endpoint: String(row['endpoint']), keyId: String(row['key_id']), keyLast4: String(row['key_last4'] ?? '') }));
  }

  recentHealth(sinceMs: number): HealthEvent[] {
    return readable(allRows(this.#recentHealth, sinceMs), healthEventFromRow, this.#unreadable);
  }

  #recorded(rows: readonly Row[]): RecordedAttempt[] {
    return readable(rows, recordedAttemptFromRow, this.#unreadable);
  }

  notes(): PeerNote[] {
    return this.#notes.all();
  }

  pollNotes(): PeerNote[] {
    const version = this.version();
    if (version === this.#notesVersion) return [];
    const { notes, more } = this.#notes.poll();
    if (!more) this.#notesVersion = version;
    return notes;
  }

  /** What peers recorded since the last call. */
  pollPeers(): Pick<PeerFacts, 'attempts' | 'probes' | 'repriced'> {
    const version = this.version();
    if (version === this.#polledVersion) return { attempts: [], probes: [], repriced: false };
    const repriced = this.#readRepriced();
    const ofPeers = (row: Row): boolean => row['instance'] !== this.#instanceId;
    const attemptRows = allRows(this.#peerAttempts, this.#attemptWatermark);
    const healthRows = allRows(this.#peerHealth, this.#healthWatermark);
    this.#attemptWatermark = lastSeq(attemptRows, this.#attemptWatermark);
    this.#healthWatermark = lastSeq(healthRows, this.#healthWatermark);
    // A full page may not be the last one: look again next time.
    if (attemptRows.length < peerBound && healthRows.length < peerBound) this.#polledVersion = version;
    const changed = repriced !== this.#repriced;
    this.#repriced = repriced;
    return {
      attempts: readable(attemptRows.filter(ofPeers), peerAttemptFromRow, this.#unreadable),
      probes: readable(healthRows.filter(ofPeers), healthEventFromRow, this.#unreadable), repriced: changed,
    };
  }

  #readRepriced(): number {
    return Number(this.#repricedCount.get()?.['value'] ?? 0);
  }

  /** Changes when another process, or another connection of this one, committed something. */
  version(): number {
    return Number(this.#dataVersion.get()?.['data_version'] ?? 0);
  }

  /** Exchanges that have ended, in all processes. */
  finished(): number {
    return Number(this.#finished.get()?.['value'] ?? 0);
  }

  /** Forgets what no longer matters. */
  prune(now: number): void {
    this.#database.prepare('DELETE FROM health_events WHERE at < ?').run(now - healthKeptMs);
    this.#notes.prune(now);
  }

  /** Moves what was committed into the main file. TRUNCATE also gives the log's space back. */
  checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    this.#database.exec(`PRAGMA wal_checkpoint(${mode})`);
  }

  /** The size of the write-ahead log. */
  walBytes(): number {
    return statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  setBusyTimeout(milliseconds: number): void {
    this.#database.exec(`PRAGMA busy_timeout = ${milliseconds}`);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** What distinguishes a file from one that takes its place under the same name. */
function fileIdOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
