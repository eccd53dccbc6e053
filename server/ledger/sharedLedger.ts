import type { Receipt, SpendReport, TimeRange } from '../api/receipt.ts';
import type { GroupedSpend, GroupedSpendParams } from '../api/reports/groupedSpend.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { PostgresConfig } from '../config/ledger/ledgerConfig.ts';
import type { LedgerJournal } from './journal.ts';
import type { LedgerBill, SpentBy, SpentScope } from './spend.ts';

/** What is known of the way to the shared ledger. */
export interface SharedLedgerFigures {
  isUp: boolean;
  /** Exchanges that wait to be copied. */
  waiting: number;
  /** How long the first of them does, in milliseconds. */
  lagMs: number;
  batches: number;
  /** Exchanges that were copied. */
  exchanges: number;
  /** Exchanges that PostgreSQL refused for what is in them. */
  refused: number;
  /** Attempts to write or read that failed. */
  errors: number;
  /** What copying took, in milliseconds. */
  busyMs: number;
}

/**
 * The ledger that replicas share. What each records goes there from its journal, in the background; reads hold what this process handed in before,
 * and what the others have copied. Each read throws an error with one sentence where the shared ledger cannot be read now.
 */
export interface SharedLedgerStore {
  /** Copies what waits and keeps sums up to date, when it is time. Returns at once, and never throws. */
  tick(): void;
  spend(range: TimeRange): Promise<SpendReport>;
  /** See groupedSpend. */
  grouped(params: GroupedSpendParams): Promise<GroupedSpend>;
  spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]>;
  bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill>;
  receipt(id: string): Promise<Receipt | undefined>;
  figures(): SharedLedgerFigures;
  /** Copies what waits, for a bounded time, and ends. */
  close(): Promise<void>;
}

export interface SharedLedgerOptions {
  config: PostgresConfig;
  journal: LedgerJournal;
  clock: Clock;
  log: Log;
}
