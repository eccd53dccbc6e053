import { mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ForgottenTitles } from '../../api/ledger/keptTitles.ts';
import type { Receipt, RequestSummary, SpendReport, TimeRange } from '../../api/receipt.ts';
import type { RequestFilter } from '../../api/reports/requestFilter.ts';
import type { FoundRequests, RequestPlace, RunningRequest } from '../../api/reports/requestMessages.ts';
import type { Clock } from '../../base/clock.ts';
import { Emitter, type Subscription } from '../../base/emitter.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { CommitQueue } from './commitQueue.ts';
import { isAliveHere } from './instances.ts';
import type { IsAlive } from './instances.ts';
import type { PeerNote } from '../peerNotes.ts';
import type { LimitStore } from '../limitStore.ts';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams, SpendFilter } from '../../api/reports/dashboard.ts';
import { DashboardThread } from './dashboard/dashboardThread.ts';
import type { HealthEvent, Ledger, LedgerBacklog, PeerFacts, ReceiptPage, ReceiptPlace, RecordedAttempt, UsedKey } from '../ports.ts';
import type { LedgerBill, RouteOutcomes, SpendStart, SpentBy, SpentScope } from '../spend.ts';
import type { UsedPage, UsedPosition } from '../usedExchange.ts';
import { isBusy, isDamage, isEnvironmental, LedgerReplacedError } from './ledgerErrors.ts';
import { LedgerUnavailableError } from '../ledgerUnavailable.ts';
import type { LedgerFile } from './ledgerFile.ts';
import { LedgerHolder } from './ledgerHolder.ts';
import type { LedgerJournal } from '../journal.ts';
import { SqliteJournal } from './shipping/sqliteJournal.ts';

export interface LedgerOptions {
  dataDir: string;
  clock: Clock;
  log: Log;
  /** Unique for each start of a server process. */
  instanceId: string;
  /** Where the servers of the folder count together; absent: each counts alone. */
  limits?: LimitStore | undefined;
  /** Decides about processes found in the ledger; for tests. */
  isAlive?: IsAlive | undefined;
}

/** How long the last commit of a process may wait for a peer's lock. */
const lastBusyTimeoutMs = 1_000;
const lastHousekeepingTimeoutMs = 100;
/** Quiet time after which housekeeping runs, and the size of the write-ahead log beyond which its space is given back then. */
const idleMs = 1_000;
const smallWalBytes = 1_000_000;
const pruneEveryMs = 86_400_000;
const settleEveryMs = 60_000;
/** Between two portions of the dashboard's roll-up, while more attempts wait. */
const betweenFoldsMs = 25;

/**
 * Opens the ledger in a folder (made if missing). Exchanges that dead processes left open are marked as interrupted.
 * A ledger that is locked is opened later, one that is damaged is mended or moved aside, with a log line each; what is
 * handed in meanwhile is kept. Readers then throw LedgerUnavailableError.
 * @throws LedgerTooNewError when a newer version wrote it, or SQLite's error when the folder cannot be used
 */
export function openLedger(options: LedgerOptions): Ledger {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const ledger = new SqliteLedger(options, join(options.dataDir, 'ledger.db'));
  try {
    ledger.start();
  } catch (error) {
    ledger.abandon();
    throw error;
  }
  return ledger;
}

class SqliteLedger implements Ledger {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue: CommitQueue;
  readonly #holder: LedgerHolder;
  readonly #dashboard: DashboardThread;
  readonly #housekeeping: Guard;
  readonly #facts: Emitter<PeerFacts>;
  readonly limits: LimitStore | undefined;
  readonly journal: LedgerJournal;

  #idleTimer: NodeJS.Timeout | undefined;
  #foldTimer: NodeJS.Timeout | undefined;
  #lastPrune = 0;
  #lastSettle: number;
  #closed = false;
  #wasOpen = false;
  /** Listeners have not learnt yet that the file was opened again. */
  #reopened = false;

  #revisionVersion = -1;
  #finishedCount = 0;

  constructor(options: LedgerOptions, file: string) {
    const { clock, log, instanceId } = options;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.limits = options.limits;
    this.journal = new SqliteJournal(work => this.#read(({ shipping }) => work(shipping)));
    this.#dashboard = new DashboardThread(file);
    this.#facts = new Emitter('A listener to facts of peers', log);
    this.#lastSettle = clock.now();
    this.#housekeeping = new Guard(`House-keeping of the ledger ${file}`, log);
    this.#holder = new LedgerHolder({ file, clock, log, instanceId, isAlive: options.isAlive ?? isAliveHere, opened: (opened) => { this.#opened(opened); } });
    this.#queue = new CommitQueue({
      writer: {
        openRows: () => (this.#holder.isOpen ? this.#holder.use(({ writer }) => writer.openRows) : 0),
        write: (batch, heartbeat) => { this.#holder.use(({ writer }) => { writer.write(batch, heartbeat); }); },
      },
      file, clock, log,
      onCommitted: (finished) => { this.#committed(finished); },
      onRecount: () => {
        this.#revisionVersion = -1;
        this.#housekeep((opened) => { this.#countFinished(opened); });
      },
    });
  }

  start(): void {
    this.#holder.start();
    this.#idleSoon();
    this.#foldSoon(idleMs);
  }

  /** The start failed. */
  abandon(): void {
    this.#closed = true;
    this.#queue.stop();
    this.#holder.close();
  }

  #opened(file: LedgerFile): void {
    this.#revisionVersion = -1;
    this.#reopened ||= this.#wasOpen;
    this.#wasOpen = true;
    try {
      file.instances.register();
      file.instances.settleDead();
      this.#countFinished(file);
    } catch (error) {
      // This process is then registered with the first commit; what dead processes left is looked at again in a minute.
      if (isBusy(error)) this.#queue.locked();
      else this.#housekeeping.failed(error);
    }
    this.#queue.retry();
  }

  open(receipt: Receipt, latest?: () => Receipt): void {
    this.#take(receipt, false, latest);
  }

  progress(receipt: Receipt): void {
    const known = this.#queue.waiting(receipt.id);
    if (known === undefined || known.outcome === 'open') this.#take(receipt, false);
  }

  close(receipt: Receipt): void {
    this.#take(receipt, true);
  }

  publishProbe(event: HealthEvent): void {
    if (!this.#closed) this.#queue.takeHealth(event);
  }

  publishNote(note: PeerNote): void {
    if (!this.#closed) this.#queue.takeNote(note);
  }

  async receipt(id: string): Promise<Receipt | undefined> {
    this.flush();
    const unwritten = this.#queue.waiting(id);
    if (unwritten !== undefined) return structuredClone(unwritten);
    return this.#reading((file) => file.receipt(id));
  }

  async recent(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<RequestSummary[]> {
    return this.#read((file) => file.recent(limit, before));
  }

  async find(filter: RequestFilter, limit: number, after?: RequestPlace): Promise<FoundRequests> {
    return this.#read(({ search }) => search.find(filter, limit, after));
  }

  async running(): Promise<RunningRequest[]> {
    return this.#read(({ search }) => search.running());
  }

  async receiptsIn(range: TimeRange, limit: number, after?: ReceiptPlace): Promise<ReceiptPage> {
    return this.#read((file) => file.receiptsIn(range, limit, after));
  }

  async spend(range: TimeRange): Promise<SpendReport> {
    this.flush();
    // Under traffic that never pauses, readers keep the roll-up near the present, a portion each.
    this.#housekeep(({ spend }) => { spend.fold(); });
    return this.#reading(({ spend }) => spend.spend(range));
  }

  async dashboard(params: SpendDashboardParams): Promise<SpendDashboard> {
    this.flush();
    return this.#dashboard.dashboard(params);
  }

  async dearest(params: DearestParams): Promise<DearestSpend> {
    this.flush();
    return this.#dashboard.dearest(params);
  }

  async keptTitles(): Promise<number> {
    this.flush();
    return this.#dashboard.countTitles();
  }

  async forgetTitles(): Promise<ForgottenTitles> {
    this.flush();
    // What waits here would be written afterwards, with its titles.
    if (this.#queue.size > 0) throw new LedgerUnavailableError(`The ledger ${this.#file} cannot be written now; try again in a moment.`);
    const count = await this.#dashboard.forgetTitles();
    return { count, damagedCopies: readdirSync(dirname(this.#file)).filter(name => name.startsWith(`${basename(this.#file)}.damaged-`) && !/-(?:wal|shm)$/.test(name)) };
  }

  async spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    this.flush();
    return this.#reading(({ spentBy }) => spentBy.read(range, scope));
  }

  async outcomes(range: TimeRange, boundsMs: readonly number[]): Promise<RouteOutcomes[]> {
    this.flush();
    return this.#reading(({ outcomes }) => outcomes.read(range, boundsMs));
  }

  async spendStart(range: TimeRange): Promise<SpendStart> {
    this.flush();
    if (this.#queue.size > 0) throw new LedgerUnavailableError(`The ledger ${this.#file} cannot be written now; try again in a moment.`);
    return this.#reading(({ spend }) => spend.start(range));
  }

  async bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    this.flush();
    return this.#reading(({ bills }) => bills.read(range, endpoints, offsetMs));
  }

  async used(range: TimeRange, after: UsedPosition | undefined, limit: number, filter?: SpendFilter): Promise<UsedPage> {
    return this.#read(({ used }) => used.read(range, after, limit, filter));
  }

  async recentAttempts(sinceMs: number): Promise<RecordedAttempt[]> {
    return this.#read((file) => file.recentAttempts(sinceMs));
  }

  async waitingAttempts(endedBefore: number, now: number): Promise<RecordedAttempt[]> {
    return this.#read((file) => file.waitingAttempts(endedBefore, now));
  }

  async latestAttempts(count: number): Promise<RecordedAttempt[]> {
    return this.#read((file) => file.latestAttempts(count));
  }

  async keysUsed(): Promise<UsedKey[]> {
    return this.#read((file) => file.keysUsed());
  }

  async recentHealth(sinceMs: number): Promise<HealthEvent[]> {
    return this.#read((file) => file.recentHealth(sinceMs));
  }

  async notes(): Promise<PeerNote[]> {
    return this.#read((file) => file.notes());
  }

  #read<Result>(work: (file: LedgerFile) => Result): Result {
    this.flush();
    return this.#reading(work);
  }

  /** @throws LedgerUnavailableError where nothing can be read now, but later */
  #reading<Result>(work: (file: LedgerFile) => Result): Result {
    try {
      return this.#holder.use(work);
    } catch (error) {
      if (isBusy(error)) throw new LedgerUnavailableError(`The ledger ${this.#file} is locked by another program; try again in a moment.`);
      if (isDamage(error) || isEnvironmental(error)) throw new LedgerUnavailableError(`The ledger ${this.#file} cannot be read now (${messageOf(error)}); try again in a moment.`);
      throw error;
    }
  }

  subscribe(listener: (facts: PeerFacts) => void): Subscription {
    return this.#facts.subscribe(listener);
  }

  poll(): void {
    this.#housekeep(() => { this.#holder.check(); });
    this.#settleSometimes();
    const notes = this.#polled((file) => file.pollNotes()) ?? [];
    const found = this.#polled((file) => file.pollPeers()) ?? { attempts: [], probes: [], repriced: false };
    this.#housekeep((file) => { this.#countFinished(file); });
    const reopened = this.#reopened;
    this.#reopened = false;
    if (reopened || found.repriced || found.attempts.length > 0 || found.probes.length > 0 || notes.length > 0) this.#facts.emit({ ...found, notes, reopened });
  }

  /** What cannot be read now is read at the next poll. */
  #polled<Result>(work: (file: LedgerFile) => Result): Result | undefined {
    try {
      return this.#reading(work);
    } catch (error) {
      if (error instanceof LedgerUnavailableError) return undefined;
      throw error;
    }
  }

  #countFinished(file: LedgerFile): void {
    const version = file.version();
    if (version === this.#revisionVersion) return;
    this.#finishedCount = file.finished();
    this.#revisionVersion = version;
  }

  revision(): number {
    return this.#finishedCount + this.#queue.finished;
  }

  backlog(): LedgerBacklog {
    return { waiting: this.#queue.finished, lagMs: this.#queue.lagMs };
  }

  get isOpen(): boolean {
    return this.#holder.isOpen;
  }

  flush(): void {
    if (!this.#closed) this.#queue.flush();
  }

  shutdown(): void {
    if (this.#closed) return;
    if (this.#queue.size > 0) this.#holder.tryNow(lastBusyTimeoutMs);
    this.#whileOpen((file) => { file.setBusyTimeout(lastBusyTimeoutMs); });
    this.flush();
    const unwritten = this.#queue.size;
    if (unwritten > 0) this.#log.error(`${unwritten} exchanges could not be written to the ledger ${this.#file} before the end.`);
    this.#closed = true;
    this.#queue.stop();
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#foldTimer);
    this.#dashboard.close();
    this.#whileOpen((file) => {
      file.setBusyTimeout(lastHousekeepingTimeoutMs);
      file.instances.leave();
      file.checkpoint('PASSIVE');
    });
    this.#holder.close();
  }

  #whileOpen(work: (file: LedgerFile) => void): void {
    try {
      if (this.#holder.isOpen) this.#holder.use(work);
    } catch (error) {
      this.#log.warn(`The ledger ${this.#file} was closed without its last house-keeping: ${messageOf(error)}`);
    }
  }

  #take(receipt: Receipt, final: boolean, latest?: () => Receipt): void {
    if (this.#closed) {
      this.#log.error(`The exchange ${receipt.id} came after the ledger was closed and is not recorded.`);
      return;
    }
    this.#queue.take(receipt, final, latest);
  }

  #committed(finished: number): void {
    this.#finishedCount += finished;
    this.#idleSoon();
    this.#foldSoon(idleMs);
  }

  /** Brings the dashboard's roll-up up to date in portions, also while requests come without a pause. */
  #foldSoon(delayMs: number): void {
    if (this.#closed) return;
    this.#foldTimer ??= setTimeout(() => {
      this.#foldTimer = undefined;
      let more = false;
      this.#housekeep(({ cells }) => { more = cells.fold(); });
      if (more) this.#foldSoon(betweenFoldsMs);
    }, delayMs).unref();
  }

  #idleSoon(): void {
    if (this.#idleTimer === undefined) this.#idleTimer = setTimeout(() => { this.#idle(); }, idleMs).unref();
    else this.#idleTimer.refresh();
  }

  /** Each part is tried by itself: one that fails does not keep the others from being done. */
  #idle(): void {
    if (this.#closed) return;
    this.#housekeep((file) => {
      const now = this.#clock.now();
      if (Math.abs(now - this.#lastPrune) < pruneEveryMs) return;
      this.#lastPrune = now;
      file.prune(now);
    });
    let more = false;
    this.#housekeep(({ spend }) => { more = spend.fold(); });
    if (more) this.#idleSoon();
    else this.#housekeep((file) => { file.checkpoint(file.walBytes() > smallWalBytes ? 'TRUNCATE' : 'PASSIVE'); });
  }

  #settleSometimes(): void {
    const now = this.#clock.now();
    if (Math.abs(now - this.#lastSettle) < settleEveryMs) return;
    this.#lastSettle = now;
    this.#housekeep(({ instances }) => { instances.settleDead(); });
  }

  /** Work that can wait: a peer's lock only postpones it. */
  #housekeep(work: (file: LedgerFile) => void): void {
    try {
      this.#holder.use(work);
    } catch (error) {
      const passes = isBusy(error) || isDamage(error) || error instanceof LedgerUnavailableError || error instanceof LedgerReplacedError;
      if (!passes) this.#housekeeping.failed(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
