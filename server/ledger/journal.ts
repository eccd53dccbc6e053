import type { TimeRange } from '../api/receipt.ts';
import type { GroupedSpendParams } from '../api/reports/groupedSpend.ts';
import type { GroupedRow } from './rows/groupedRows.ts';
import type { SpendRows } from './rows/spendReport.ts';
import type { LedgerBill, SpentBy, SpentScope } from './spend.ts';

/** A row as it is copied to a shared ledger, by column. */
export type ShippedRow = Readonly<Record<string, string | number | null>>;

/** Exchanges that have ended, with their attempts, as they are now. */
export interface JournalBatch {
  exchanges: readonly ShippedRow[];
  /** With the names of their exchange, and with what each adds to sums. */
  attempts: readonly ShippedRow[];
  /** To be handed back when the rows are copied. restarts: of the state that it was read for. */
  place: { readonly position: number; readonly everythingFrom: number; readonly restarts: number };
}

/** What this ledger and the shared one have to do with each other. */
export interface JournalState {
  /** What the shared ledger knows this one by. */
  replica: string;
  /** The shared ledger that it was copied to last; undefined: none. */
  store: string | undefined;
  /** In how many batches. */
  batches: number;
  /** How often copying began anew. */
  restarts: number;
}

/** What waits to be copied. */
export interface JournalBacklog {
  exchanges: number;
  /** When the first of them ended, in milliseconds since the epoch; undefined: nothing waits. */
  since: number | undefined;
}

/** An exchange that is not copied: it runs, or waits. */
export interface UnshippedExchange { seq: number; id: string }

/**
 * The ledger of one data folder as the source of a shared ledger. Rows stay in it; what is not copied yet is noted in the same
 * transactions that write the rows. Calls are synchronous, and throw LedgerUnavailableError or SQLite's error where nothing can be read or written now.
 */
export interface LedgerJournal {
  /** Whether what is to be copied is noted, because a server with a shared ledger has run on it. */
  isFollowed(): boolean;
  /** Begins to note what is to be copied, where that has not begun. Cheap where it has. */
  follow(): JournalState;
  /** Everything is to be copied (again), to the shared ledger of this id. @param batches that it has from here */
  restart(store: string, batches: number): void;
  /** What is to be copied next, to the shared ledger of a state; undefined: nothing. */
  next(limit: number, state: Pick<JournalState, 'restarts'>): JournalBatch | undefined;
  /**
   * A batch was copied. What changed in it meanwhile still waits, and all of it does where copying began anew after the state that the batch was read for.
   * @param batches that the shared ledger has from here, with this one
   */
  shipped(place: JournalBatch['place'], batches: number): void;
  /** Something waits to be copied. */
  waits(): boolean;
  backlog(): JournalBacklog;
  /** What is not copied, running exchanges of this data folder among it; undefined: more than so many. */
  unshipped(most: number): UnshippedExchange[] | undefined;
  /** What some exchanges add to the spend of a range. */
  spendOf(seqs: readonly number[], range: TimeRange): SpendRows;
  groupedOf(seqs: readonly number[], params: GroupedSpendParams): GroupedRow[];
  spentByOf(seqs: readonly number[], range: TimeRange, scope: SpentScope): SpentBy[];
  billOf(seqs: readonly number[], range: TimeRange, endpoints: readonly string[], offsetMs: number): LedgerBill;
}
