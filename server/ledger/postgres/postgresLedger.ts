import type { Receipt, SpendReport, TimeRange } from '../../api/receipt.ts';
import type { GroupedSpend, GroupedSpendParams } from '../../api/reports/groupedSpend.ts';
import type { SharedLedgerFigures, SharedLedgerOptions, SharedLedgerStore } from '../sharedLedger.ts';
import type { LedgerBill, SpentBy, SpentScope } from '../spend.ts';
import { Connections, isSlow, SharedLedgerError } from './connection.ts';
import { migrate } from './migrate.ts';
import { RollUp } from './rollUp.ts';
import { SharedReads } from './sharedReads.ts';
import { Shipper } from './shipper.ts';

/** While nothing is recorded, the shared ledger learns so often that this replica lives, and this replica that the shared ledger does. */
const beatEveryMs = 30_000;
/** Sums are brought up to date so often. */
const rollUpEveryMs = 30_000;
const rollUpForMs = 1_000;
const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** A read waits so long until what was recorded before is copied, and the end of the server. */
const readPatienceMs = 2_000;
const endPatienceMs = 3_000;

/** The shared ledger in PostgreSQL; see SharedLedgerStore. */
export function openPostgresLedger(options: SharedLedgerOptions): SharedLedgerStore {
  return new PostgresLedger(options);
}

class PostgresLedger implements SharedLedgerStore {
  readonly #options: SharedLedgerOptions;
  readonly #connections: Connections;
  readonly #shipper: Shipper;
  readonly #rollUp: RollUp;
  readonly #reads: SharedReads;
  /** The schema is of this version, and this replica is known there. */
  #isReady = false;
  #isUp = false;
  #isClosed = false;
  /** What runs now. */
  #working: Promise<void> | undefined;
  #failures = 0;
  /** How often in a row it was there and did not take what is recorded. */
  #delays = 0;
  #delayedWhy: string | undefined;
  #rollUpWhy: string | undefined;
  #errors = 0;
  #busyMs = 0;
  #nextTryAt = -Infinity;
  #seenAt = -Infinity;
  #rolledUpAt = -Infinity;
  /** Why it is away, in one sentence; undefined: it is not, or was not asked yet. */
  #why: string | undefined;

  constructor(options: SharedLedgerOptions) {
    this.#options = options;
    const { config: { schema, name, keptMs }, journal, clock, log } = options;
    this.#connections = new Connections(options.config);
    this.#shipper = new Shipper({ journal, connections: this.#connections, schema, name, keptMs, clock, log });
    this.#rollUp = new RollUp(this.#connections, schema, keptMs);
    this.#reads = new SharedReads(this.#connections, schema, journal);
  }

  tick(): void {
    const now = this.#options.clock.now();
    if (this.#isClosed || this.#working !== undefined || now < this.#nextTryAt) return;
    if (this.#isReady && this.#failures === 0 && now - this.#seenAt < beatEveryMs && now - this.#rolledUpAt < rollUpEveryMs && !this.#waits()) return;
    void this.#work();
  }

  async spend(range: TimeRange): Promise<SpendReport> {
    return this.#read(() => this.#reads.spend(range));
  }

  async grouped(params: GroupedSpendParams): Promise<GroupedSpend> {
    return this.#read(() => this.#reads.grouped(params));
  }

  async spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    return this.#read(() => this.#reads.spentBy(range, scope));
  }

  async bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    return this.#read(() => this.#reads.bill(range, endpoints, offsetMs));
  }

  async receipt(id: string): Promise<Receipt | undefined> {
    return this.#read(() => this.#reads.receipt(id));
  }

  figures(): SharedLedgerFigures {
    const backlog = this.#tried(() => this.#options.journal.backlog()) ?? { exchanges: 0, since: undefined };
    return {
      isUp: this.#isUp, waiting: backlog.exchanges, lagMs: backlog.since === undefined ? 0 : Math.max(0, this.#options.clock.now() - backlog.since),
      ...this.#shipper.figures, errors: this.#errors, busyMs: Math.round(this.#busyMs),
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    // Where it is away, nothing is waited for: the journal keeps what is not copied.
    if (this.#failures === 0) await within(endPatienceMs, (this.#working ?? Promise.resolve()).then(() => (this.#waits() ? this.#work() : undefined)));
    this.#isClosed = true;
    await within(endPatienceMs, this.#connections.close());
  }

  /** @throws SharedLedgerError, or what the journal throws */
  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new SharedLedgerError('The shared ledger is closed.', true);
    const now = this.#options.clock.now();
    // After the last failure nobody waits for another try; at the start the first one decides.
    if (this.#failures > 0 && now < this.#nextTryAt && this.#working === undefined) throw new SharedLedgerError(this.#why ?? 'The shared ledger does not answer.', true);
    if (!this.#isReady || this.#working !== undefined || this.#waits()) await within(readPatienceMs, this.#caughtUp());
    if (!this.#isReady || this.#failures > 0) throw new SharedLedgerError(this.#why ?? 'The shared ledger does not answer.', true);
    try {
      return await read();
    } catch (error) {
      this.#errors += 1;
      if (error instanceof SharedLedgerError && error.away) this.#failed(error);
      throw error;
    }
  }

  /** What was recorded before the call is copied, or that failed. */
  async #caughtUp(): Promise<void> {
    await this.#working;
    if (!this.#isReady || (this.#waits() && this.#options.clock.now() >= this.#nextTryAt)) await this.#work();
  }

  #work(): Promise<void> {
    return this.#working ??= this.#round().then(() => { this.#succeeded(); }, (error: unknown) => {
      this.#errors += 1;
      if (this.#isReady && isSlow(error)) this.#delayed(error);
      else this.#failed(error);
    }).finally(() => { this.#working = undefined; });
  }

  async #round(): Promise<void> {
    const { clock, config: { schema } } = this.#options;
    if (!this.#isReady) {
      await this.#shipper.register(await migrate(this.#connections, schema));
      this.#isReady = true;
      this.#seenAt = clock.now();
    }
    const started = performance.now();
    let shipped = false;
    try {
      while (!this.#isClosed && await this.#shipper.ship()) shipped = true;
    } finally {
      this.#busyMs += performance.now() - started;
    }
    const now = clock.now();
    if (shipped) this.#seenAt = now;
    else if (now - this.#seenAt >= beatEveryMs) {
      await this.#shipper.beat();
      this.#seenAt = now;
    }
    if (this.#isClosed || now - this.#rolledUpAt < rollUpEveryMs) return;
    // A second a round, so that what is recorded meanwhile does not wait for all of it.
    const until = performance.now() + rollUpForMs;
    let more = true;
    try {
      while (more && performance.now() < until) more = await this.#rollUp.run(now);
      this.#rollUpWhy = undefined;
    } catch (error) {
      if (!isSlow(error)) throw error;
      // Sums are right without it: what it did not reach is read from the records.
      this.#errors += 1;
      this.#rollUp.takeLess();
      more = false;
      const why = messageOf(error);
      if (this.#rollUpWhy !== why) this.#options.log.warn(`The sums of the shared ledger were not brought up to date: ${why} Reports are right, and slower, until that succeeds in smaller portions.`);
      this.#rollUpWhy = why;
    }
    if (!more) this.#rolledUpAt = now;
  }

  #succeeded(): void {
    const { log, config: { host, port } } = this.#options;
    if (!this.#isUp && this.#why !== undefined) log.info(`The shared ledger at ${host}:${port} can be written again; what waited is copied.`);
    this.#isUp = true;
    this.#failures = this.#delays = 0;
    this.#nextTryAt = -Infinity;
    this.#why = this.#delayedWhy = undefined;
  }

  /** It is there, and is asked again later. Reads go on, with what waits here. */
  #delayed(error: unknown): void {
    const { log, clock } = this.#options;
    const why = messageOf(error);
    if (this.#delayedWhy !== why) log.warn(`The shared ledger did not take what is recorded in time: ${why} It is tried again.`);
    this.#delayedWhy = why;
    this.#nextTryAt = clock.now() + waitAfter(this.#delays);
    this.#delays += 1;
  }

  #failed(error: unknown): void {
    const { log, clock } = this.#options;
    const why = messageOf(error);
    if (this.#why !== why) log.warn(`The shared ledger cannot be used now: ${why} What is recorded waits in the local ledger.`);
    this.#why = why;
    this.#isUp = false;
    // What is there again may be another database than before.
    this.#isReady = false;
    this.#nextTryAt = clock.now() + waitAfter(this.#failures);
    this.#failures += 1;
  }

  /** Where the journal cannot be read now, something may wait. */
  #waits(): boolean {
    return this.#tried(() => this.#options.journal.waits()) ?? true;
  }

  #tried<Result>(read: () => Result): Result | undefined {
    try {
      return read();
    } catch {
      return undefined;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @param failures in a row before this one */
function waitAfter(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures, 10));
}

/** Resolves with the work, or after a time without it. Never rejects. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work.catch(() => undefined), new Promise<void>((resolve) => { timer = setTimeout(resolve, ms); })]);
  clearTimeout(timer);
}
