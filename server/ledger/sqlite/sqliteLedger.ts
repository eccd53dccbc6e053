import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Receipt, RequestSummary, SpendReport, TimeRange } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { CommitQueue } from './commitQueue.ts';
import { isAliveHere } from './instances.ts';
import type { IsAlive } from './instances.ts';
import type { KeyNote } from './keyNotes.ts';
import type { ForeignAttempt, HealthEvent, Ledger } from '../ports.ts';
import { isBusy, isDamage, isEnvironmental, LedgerReplacedError, LedgerUnavailableError } from './ledgerErrors.ts';
import type { LedgerFile, UsedKey } from './ledgerFile.ts';
import { LedgerHolder } from './ledgerHolder.ts';
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
  /** Keys that answered among the latest attempts of all processes, each once. Constant time. */
  keysUsed(): UsedKey[];
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

/** How long the last commit of a process may wait for another one's lock. */
const lastBusyTimeoutMs = 1_000;
const lastHousekeepingTimeoutMs = 100;
/** Quiet time after which house-keeping runs, and the size of the write-ahead log beyond which it does not wait. */
const idleMs = 1_000;
const maximumWalBytes = 8_000_000;
const smallWalBytes = 1_000_000;
const commitsBetweenWalLooks = 32;
const pruneEveryMs = 86_400_000;
const settleEveryMs = 60_000;

/**
 * Opens the ledger in a folder (made if missing). Exchanges that dead processes left open are marked as interrupted.
 * A ledger that is locked is opened later, one that is damaged is mended or moved aside, with a log line each; what is
 * handed in meanwhile is kept. Readers then throw LedgerUnavailableError.
 * @throws LedgerTooNewError when a newer version wrote it, or SQLite's error when the folder cannot be used
 */
export function openLedger(options: LedgerOptions): LedgerStore {
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

class SqliteLedger implements LedgerStore {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue: CommitQueue;
  readonly #holder: LedgerHolder;
  readonly #housekeeping: Guard;

  #idleTimer: NodeJS.Timeout | undefined;
  #lastPrune = 0;
  #lastSettle: number;
  #commitsSinceWalLook = 0;
  #closed = false;

  #revisionVersion = -1;
  #finishedCount = 0;

  constructor(options: LedgerOptions, file: string) {
    const { clock, log, instanceId } = options;
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#lastSettle = clock.now();
    this.#housekeeping = new Guard(`RouterProcess-keeping of the ledger ${file}`, log);
    this.#holder = new LedgerHolder({ file, clock, log, instanceId, isAlive: options.isAlive ?? isAliveHere, opened: (opened) => { this.#opened(opened); } });
    this.#queue = new CommitQueue({
      writer: {
        openRows: () => (this.#holder.isOpen ? this.#holder.use(({ writer }) => writer.openRows) : 0),
        write: (batch, heartbeat) => { this.#holder.use(({ writer }) => { writer.write(batch, heartbeat); }); },
      },
      file, clock, log,
      onCommitted: (finished) => { this.#committed(finished); },
      onRecount: () => { this.#revisionVersion = -1; },
    });
  }

  start(): void {
    this.#holder.start();
    this.#idleSoon();
  }

  /** The start failed. */
  abandon(): void {
    this.#closed = true;
    this.#queue.stop();
    this.#holder.close();
  }

  #opened(file: LedgerFile): void {
    this.#revisionVersion = -1;
    try {
      file.instances.register();
      file.instances.settleDead();
    } catch (error) {
      // Entered with the first commit then; what dead processes left is looked at again in a minute.
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
    return this.#reading((file) => file.receipt(id));
  }

  recent(limit: number, before = Number.MAX_SAFE_INTEGER): RequestSummary[] {
    return this.#read((file) => file.recent(limit, before));
  }

  spend(range: TimeRange): SpendReport {
    this.#flushAndFold();
    return this.#reading(({ spend }) => spend.spend(range));
  }

  spendByEndpoint(range: TimeRange): Map<string, EndpointSpend> {
    this.#flushAndFold();
    return this.#reading(({ spend }) => spend.byEndpoint(range));
  }

  hedgeSpendSince(route: string, since: number): number {
    return this.#read(({ spend }) => spend.hedges(route, since));
  }

  recentAttempts(sinceMs: number): ForeignAttempt[] {
    return this.#read((file) => file.recentAttempts(sinceMs));
  }

  waitingAttempts(endedBefore: number, now: number): ForeignAttempt[] {
    return this.#read((file) => file.waitingAttempts(endedBefore, now));
  }

  latestAttempts(count: number): ForeignAttempt[] {
    return this.#read((file) => file.latestAttempts(count));
  }

  keysUsed(): UsedKey[] {
    return this.#read((file) => file.keysUsed());
  }

  recentHealth(sinceMs: number): HealthEvent[] {
    return this.#read((file) => file.recentHealth(sinceMs));
  }

  keyNotes(): KeyNote[] {
    return this.#read((file) => file.keyNotes());
  }

  #read<Result>(work: (file: LedgerFile) => Result): Result {
    this.flush();
    return this.#reading(work);
  }

  /** @throws LedgerUnavailableError where only now nothing can be read */
  #reading<Result>(work: (file: LedgerFile) => Result): Result {
    try {
      return this.#holder.use(work);
    } catch (error) {
      if (isBusy(error)) throw new LedgerUnavailableError(`The ledger ${this.#file} is locked by another program; try again in a moment.`);
      if (isDamage(error) || isEnvironmental(error)) throw new LedgerUnavailableError(`The ledger ${this.#file} cannot be read now (${messageOf(error)}); try again in a moment.`);
      throw error;
    }
  }

  pollKeyNotes(): KeyNote[] {
    this.#housekeep(() => { this.#holder.check(); });
    return this.#polled((file) => file.pollKeyNotes()) ?? [];
  }

  pollForeign(): { attempts: ForeignAttempt[]; health: HealthEvent[] } {
    this.#settleSometimes();
    return this.#polled((file) => file.pollForeign()) ?? { attempts: [], health: [] };
  }

  /** What others wrote may as well be read at the next poll. */
  #polled<Result>(work: (file: LedgerFile) => Result): Result | undefined {
    try {
      return this.#reading(work);
    } catch (error) {
      if (error instanceof LedgerUnavailableError) return undefined;
      throw error;
    }
  }

  revision(): number {
    this.#housekeep((file) => {
      const version = file.version();
      if (version === this.#revisionVersion) return;
      this.#finishedCount = file.finished();
      this.#revisionVersion = version;
    });
    return this.#finishedCount + this.#queue.finished;
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

  /** Under traffic that never pauses, readers of spend keep the roll-up near the present, a portion each. */
  #flushAndFold(): void {
    this.flush();
    this.#housekeep(({ spend }) => { spend.fold(); });
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
    this.#commitsSinceWalLook += 1;
    if (this.#commitsSinceWalLook >= commitsBetweenWalLooks) {
      this.#commitsSinceWalLook = 0;
      this.#housekeep((file) => { if (file.walBytes() > maximumWalBytes) file.checkpoint('TRUNCATE'); });
    }
    this.#idleSoon();
  }

  #idleSoon(): void {
    if (this.#idleTimer === undefined) this.#idleTimer = setTimeout(() => { this.#idle(); }, idleMs).unref();
    else this.#idleTimer.refresh();
  }

  /** Each part by itself: one that fails does not put the others off for good. */
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

  /** Work that may as well be done later: another window's lock only postpones it. */
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
