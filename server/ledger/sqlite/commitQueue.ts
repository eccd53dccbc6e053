import type { Receipt } from '../../api/receipt.ts';
import type { Clock } from '../../base/clock.ts';
import { TransientMap } from '../../base/collections/transientMap.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { Batch } from './batchWriter.ts';
import { heartbeatMs } from './instances.ts';
import { noteSubject, type PeerNote } from '../peerNotes.ts';
import type { HealthEvent } from '../ports.ts';
import { isBusy, isDamage, isEnvironmental, LedgerReplacedError } from './ledgerErrors.ts';
import { LedgerUnavailableError } from '../ledgerUnavailable.ts';

/**
 * Longest wait between handing something in and its commit, and the age at which an exchange that still runs gets a row:
 * most end before, and are written once. The promise to callers is 50 ms, which leaves as much for a busy machine.
 */
const commitDelayMs = 25;
/** Wait before a commit is tried again while another process holds the lock: at first, and at the longest. */
const busyRetryMs = 5;
const longestBusyRetryMs = 100;
/** A lock that is held for longer is logged. */
const logLockedAfterMs = 2_000;
/** Wait before a commit is tried again that the disk did not take, or for which there is no file now. */
const diskRetryMs = 1_000;
/** What is kept in memory while nothing can be written. */
const maximumPending = 20_000;

export interface CommitQueueOptions {
  writer: {
    /** How many exchanges of this process have a row that says they run. */
    openRows(): number;
    /** Commits the batch or, when it throws, nothing of it; see BatchWriter. */
    write(batch: Batch, heartbeat: number | undefined): void;
  };
  /** For log lines. */
  file: string;
  clock: Clock;
  log: Log;
  /** Called after each commit with the number of exchanges that ended in it. */
  onCommitted: (finished: number) => void;
  /** Called when the number of finished exchanges can only be known by reading it again. */
  onRecount: () => void;
}

/**
 * What was handed in and is not committed yet. A timer commits everything together; what cannot be written now
 * (a peer has the lock, the disk is full) stays and is tried again.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  /** By exchange id, in the order they came; the latest receipt of each. */
  readonly #receipts = new TransientMap<Receipt>();
  /** Exchanges that just began, by id; not worth a row yet. */
  readonly #young = new TransientMap<{ receipt: Receipt; latest: (() => Receipt) | undefined; since: number }>();
  #health: HealthEvent[] = [];
  /** By subject; the latest note on each. */
  #notes = new Map<string, PeerNote>();
  #finished = 0;
  /** Since when an exchange that ended waits, in milliseconds since the epoch. */
  #finishedSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #lastHeartbeat: number;
  /** What keeps commits from succeeding; it was logged. */
  #trouble: 'locked' | 'disk' | undefined;
  #busySince: number | undefined;
  #busyRetryMs = busyRetryMs;
  #dropped = 0;
  readonly #guard: Guard;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#guard = new Guard(`The writing of the ledger ${options.file}`, options.log);
    this.#lastHeartbeat = options.clock.now();
  }

  /** Exchanges that wait for a commit. */
  get size(): number {
    return this.#receipts.size + this.#young.size;
  }

  /** Exchanges that ended and wait for a commit. */
  get finished(): number {
    return this.#finished;
  }

  /** How long the oldest exchange that ended waits for its commit, in milliseconds. */
  get lagMs(): number {
    return this.#finishedSince === undefined ? 0 : Math.max(0, this.#options.clock.now() - this.#finishedSince);
  }

  /** The latest receipt of an exchange that waits; undefined when it does not. */
  waiting(id: string): Receipt | undefined {
    return this.#receipts.get(id) ?? this.#young.get(id)?.receipt;
  }

  /**
   * Takes a receipt; a final one counts as a finished exchange.
   * @param latest what is to be written of a new exchange once it is worth a row
   */
  take(receipt: Receipt, final: boolean, latest?: () => Receipt): void {
    const { id } = receipt;
    if (final) {
      this.#young.delete(id);
      this.#receipts.set(id, receipt);
      this.#finished += 1;
      this.#finishedSince ??= this.#options.clock.now();
    } else if (this.#receipts.has(id)) {
      this.#receipts.set(id, receipt);
    } else {
      this.#young.set(id, { receipt, latest, since: this.#young.get(id)?.since ?? performance.now() });
    }
    this.#commitSoon(commitDelayMs);
  }

  takeHealth(event: HealthEvent): void {
    this.#health.push(event);
    if (this.#health.length > maximumPending) this.#health.shift();
    this.#commitSoon(commitDelayMs);
  }

  takeNote(note: PeerNote): void {
    this.#notes.set(noteSubject(note), note);
    this.#commitSoon(commitDelayMs);
  }

  /** Commits what waits. Never throws: what fails stays or is logged. */
  flush(): void {
    this.#grown(0);
    this.#commit();
  }

  /** Exchanges that have run for so long are to have a row. */
  #grown(ageMs: number): void {
    const before = performance.now() - ageMs;
    for (const [id, { receipt, latest, since }] of this.#young) {
      // They stand in the order in which they began.
      if (since > before) return;
      this.#young.delete(id);
      this.#receipts.set(id, latest === undefined ? receipt : this.#guard.run(latest) ?? receipt);
    }
  }

  #commit(): void {
    if (this.#receipts.size === 0 && this.#health.length === 0 && this.#notes.size === 0) return;
    const now = this.#options.clock.now();
    const heartbeat = Math.abs(now - this.#lastHeartbeat) >= heartbeatMs ? now : undefined;
    try {
      this.#options.writer.write({ receipts: this.#receipts, health: this.#health, notes: this.#notes }, heartbeat);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#guard.run(() => { this.#committed(heartbeat); });
  }

  /** The lock of another program was met outside of a commit. */
  locked(): void {
    this.#report('locked');
  }

  /** The ledger can be used again: what waits is committed soon, whatever the next try is set to. */
  retry(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.size > 0 || this.#health.length > 0 || this.#notes.size > 0) this.#commitSoon(busyRetryMs);
  }

  /** Stops all timers. */
  stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeatTimer);
  }

  #commitSoon(delayMs: number): void {
    // Not unref'd: what was handed in keeps the process alive for the few milliseconds it needs.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // A little early is better than a whole round late.
      this.#grown(commitDelayMs - 5);
      this.#guard.run(() => { this.#commit(); });
      if (this.#young.size > 0) this.#commitSoon(commitDelayMs);
    }, delayMs);
  }

  #committed(heartbeat: number | undefined): void {
    const finished = this.#finished;
    this.#finished = 0;
    this.#finishedSince = undefined;
    this.#receipts.clear();
    if (this.#health.length > 0) this.#health = [];
    this.#notes.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (heartbeat !== undefined) this.#lastHeartbeat = heartbeat;
    this.#busySince = undefined;
    this.#busyRetryMs = busyRetryMs;
    this.#reportMended();
    if (this.#options.writer.openRows() > 0) this.#beatWhileOpen();
    this.#options.onCommitted(finished);
  }

  #reportMended(): void {
    if (this.#trouble === undefined && this.#dropped === 0) return;
    const lost = this.#dropped > 0 ? `; ${this.#dropped} exchanges were lost meanwhile` : '';
    this.#options.log.info(`The ledger ${this.#options.file} can be written again${lost}.`);
    this.#trouble = undefined;
    this.#dropped = 0;
  }

  #failed(error: unknown): void {
    if (isBusy(error)) {
      this.#busySince ??= performance.now();
      if (performance.now() - this.#busySince >= logLockedAfterMs) this.#report('locked');
      this.#later(this.#busyRetryMs);
      this.#busyRetryMs = Math.min(this.#busyRetryMs * 2, longestBusyRetryMs);
    } else if (isGone(error)) {
      // The holder of the file logs the trouble, and calls `retry` when the file can be used again.
      this.#later(diskRetryMs);
    } else if (isEnvironmental(error)) {
      this.#report('disk', error);
      this.#later(diskRetryMs);
    } else {
      this.#commitOneByOne();
    }
  }

  /** Keeps what waits, up to a bound, for another try. */
  #later(delayMs: number): void {
    for (const [id, { outcome }] of this.#receipts) {
      if (this.#receipts.size <= maximumPending) break;
      this.#receipts.delete(id);
      if (outcome !== 'open') this.#finished -= 1;
      this.#dropped += 1;
    }
    this.#commitSoon(delayMs);
  }

  #report(trouble: 'locked' | 'disk', cause?: unknown): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    const { file, log } = this.#options;
    if (trouble === 'locked') log.warn(`The ledger ${file} is locked by another program; requests are served, and their records are kept until it is free.`);
    else log.error(`The ledger ${file} cannot be written; the latest exchanges are kept in memory and tried again.`, cause);
  }

  /** Something in the batch cannot be stored at all: find it, leave it out with a log line, keep the rest. */
  #commitOneByOne(): void {
    const items: { what: string; receipts: Receipt[]; health: HealthEvent[]; notes: Map<string, PeerNote> }[] = [];
    const none = new Map<string, PeerNote>();
    for (const [id, receipt] of this.#receipts) items.push({ what: `The exchange ${id}`, receipts: [receipt], health: [], notes: none });
    for (const event of this.#health) items.push({ what: `A health event of ${event.endpoint}`, receipts: [], health: [event], notes: none });
    for (const [subject, note] of this.#notes) items.push({ what: `A note about ${note.endpoint}`, receipts: [], health: [], notes: new Map([[subject, note]]) });
    this.#receipts.clear();
    this.#health = [];
    this.#notes.clear();
    let paused = false;
    for (const { what, receipts, health, notes } of items) {
      try {
        if (!paused) this.#options.writer.write({ receipts, health, notes }, undefined);
      } catch (error) {
        paused = isEnvironmental(error) || isBusy(error) || isGone(error);
        if (!paused) this.#options.log.error(`${what} cannot be stored in the ledger and is left out.`, error);
      }
      if (paused) {
        for (const receipt of receipts) this.#receipts.set(receipt.id, receipt);
        this.#health.push(...health);
        for (const [subject, note] of notes) this.#notes.set(subject, note);
      }
    }
    this.#finished = [...this.#receipts.values()].filter((receipt) => receipt.outcome !== 'open').length;
    if (this.#finished === 0) this.#finishedSince = undefined;
    this.#options.onRecount();
    if (this.#receipts.size > 0 || this.#health.length > 0 || this.#notes.size > 0) this.#commitSoon(busyRetryMs);
  }

  /** A heartbeat while rows say that an exchange of this process runs; other machines judge the process by it. */
  #beatWhileOpen(): void {
    this.#heartbeatTimer ??= setInterval(() => {
      const { writer, clock, log, file } = this.#options;
      if (writer.openRows() === 0) {
        clearInterval(this.#heartbeatTimer);
        this.#heartbeatTimer = undefined;
        return;
      }
      const now = clock.now();
      if (Math.abs(now - this.#lastHeartbeat) < heartbeatMs) return;
      try {
        writer.write({ receipts: [], health: [], notes: new Map() }, now);
        this.#lastHeartbeat = now;
      } catch (error) {
        // Tried again with the next batch or in five seconds.
        log.debug(`No sign of life could be written to the ledger ${file}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }, heartbeatMs).unref();
  }
}

/** There is no file to write to now, or it is about to be replaced; the records are fine. */
function isGone(error: unknown): boolean {
  return error instanceof LedgerUnavailableError || error instanceof LedgerReplacedError || isDamage(error);
}
