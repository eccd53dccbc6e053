import type { ForgottenTitles } from '../api/ledger/keptTitles.ts';
import type { Attempt, Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams, SpendFilter } from '../api/reports/dashboard.ts';
import type { RequestFilter } from '../api/reports/requestFilter.ts';
import type { FoundRequests, RequestPlace, RunningRequest } from '../api/reports/requestMessages.ts';
import type { Subscription } from '../base/emitter.ts';
import type { LedgerJournal } from './journal.ts';
import type { PeerNote } from './peerNotes.ts';
import type { LimitStore } from './limitStore.ts';
import type { LedgerBill, RouteOutcomes, SpendStart, SpentBy, SpentScope } from './spend.ts';
import type { UsedPage, UsedPosition } from './usedExchange.ts';

/** An attempt with what health and timers learn from it. */
export interface RecordedAttempt {
  /** Its place in the order of commits, which grows from one commit to the next. */
  position: number;
  attempt: Attempt;
  /** Milliseconds since the epoch. */
  endedAt: number;
  /** The caller asked for a stream; absent where the read leaves it out. */
  stream?: boolean | undefined;
  /** It was cancelled while its exchange went on: another attempt was faster. Absent where the read leaves it out. */
  beaten?: boolean | undefined;
  /** Who asked, as the ledger names tools. Absent where the read leaves it out. */
  tool?: string | undefined;
  /** How many answers the request asked for; absent: one, or the read leaves it out. */
  answers?: number | undefined;
}

/** An attempt that a peer recorded. A running one is published again each time its record changes. */
export interface PeerAttempt extends RecordedAttempt {
  exchangeId: string;
  /** It had not ended when it was recorded. */
  runs: boolean;
  /** The route of its exchange; absent for models, pinned targets, and rows of versions that did not record it. */
  route?: string | undefined;
  /** The name its exchange was asked for by. */
  requestedModel: string;
}

/** The outcome of a probe, shared between servers. */
export interface HealthEvent {
  endpoint: string;
  /** Milliseconds since the epoch. */
  at: number;
  ok: boolean;
  kind: 'probe';
  failureClass?: string | undefined;
  message?: string | undefined;
  latencyMs?: number | undefined;
}

/** A key that answered, as attempts name it. */
export interface UsedKey { endpoint: string; keyId: string; keyLast4: string }

/** Recorded exchanges in the order of their start, with their attempts. */
export interface ReceiptPage {
  receipts: Receipt[];
  /** Where the next page begins; undefined: this is the last one. */
  next: ReceiptPlace | undefined;
}
/** Behind an exchange, in the order of their start. */
export interface ReceiptPlace { startedAt: number; seq: number }

/** Appends to the durable record of exchanges. Calls are synchronous and never throw; what cannot be written now is kept and tried again. */
export interface LedgerWriter {
  /**
   * A new exchange. Becomes a row only if it still runs at the next commit, so that a crash leaves a trace.
   * @param latest called at that commit, so that attempts which began meanwhile are not missed; absent: `receipt` as it is
   */
  open(receipt: Receipt, latest?: () => Receipt): void;
  /** The exchange goes on: its attempts and usage so far replace what was recorded (long streams, once a second). */
  progress(receipt: Receipt): void;
  /** The exchange has ended; the receipt is final. */
  close(receipt: Receipt): void;
}

/**
 * Reads the durable record. Each read sees everything this process handed in before it. A read that is impossible now
 * is rejected with a LedgerUnavailableError.
 */
export interface LedgerReader {
  receipt(id: string): Promise<Receipt | undefined>;
  /** The latest exchanges, newest first. @param before only those that started before this moment */
  recent(limit: number, before?: number): Promise<RequestSummary[]>;
  /** Looks through the exchanges behind a place for those that pass a query, at most so many, newest first. @param after where the part before ended */
  find(filter: RequestFilter, limit: number, after?: RequestPlace): Promise<FoundRequests>;
  /** The exchanges of all servers that have not ended, newest first; of many the latest. */
  running(): Promise<RunningRequest[]>;
  /** Exchanges that started in a range, oldest first. @param after where the page before ended */
  receiptsIn(range: TimeRange, limit: number, after?: ReceiptPlace): Promise<ReceiptPage>;
  spend(range: TimeRange): Promise<SpendReport>;
  /** Sums for the Spend dashboard; see SpendDashboard. */
  dashboard(params: SpendDashboardParams): Promise<SpendDashboard>;
  /** The conversations and requests that cost most. */
  dearest(params: DearestParams): Promise<DearestSpend>;
  /** Ended attempts by something that not every request has, by the start of each; those without it are left out. Reads each attempt of the range. */
  spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]>;
  /** How requests of callers ended in a range, by route, with their times between bounds in milliseconds, which rise. Those that ran for more than an hour may be left out. */
  outcomes(range: TimeRange, boundsMs: readonly number[]): Promise<RouteOutcomes[]>;
  /** See SpendStart. */
  spendStart(range: TimeRange): Promise<SpendStart>;
  /** What providers may have charged for at some endpoints, by the start of each attempt. @param offsetMs of the days to UTC */
  bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill>;
  /**
   * A page of the exchanges that started in a range and have ended, in the order of their start. @param after where the page before ended
   * @param filter those that do not pass it are in the page too, and marked
   */
  used(range: TimeRange, after: UsedPosition | undefined, limit: number, filter?: SpendFilter): Promise<UsedPage>;
  /** Ended attempts of all servers that still ran at or after a moment, oldest first; of many the latest. */
  recentAttempts(sinceMs: number): Promise<RecordedAttempt[]>;
  /** Attempts that ended before a moment, at most a day ago, and whose provider asked for a wait that is not over `now`; oldest first. */
  waitingAttempts(endedBefore: number, now: number): Promise<RecordedAttempt[]>;
  /** The attempts of all servers that ended last, at most so many, oldest first, with `stream`, `beaten`, `tool` and `answers`. Constant time for a number of them. */
  latestAttempts(count: number): Promise<RecordedAttempt[]>;
  /** Keys that answered among the latest attempts of all servers, each once. Constant time. */
  keysUsed(): Promise<UsedKey[]>;
  /** Probes of all servers at or after a moment, oldest first. */
  recentHealth(sinceMs: number): Promise<HealthEvent[]>;
  /** The latest note on every key, limit and refused part, oldest first. */
  notes(): Promise<PeerNote[]>;
}

/** What peers made known since the last delivery. */
export interface PeerFacts {
  attempts: readonly PeerAttempt[];
  probes: readonly HealthEvent[];
  notes: readonly PeerNote[];
  /** Some attempt got its price after it had been published as ended, which nothing else here shows. */
  repriced: boolean;
  /** The store was opened since the last delivery: it may hold other attempts than before, and positions may have started over. */
  reopened: boolean;
}

/** Ended exchanges that wait to be written, and for how long the oldest one does, in milliseconds. */
export interface LedgerBacklog { waiting: number; lagMs: number }

/** What the servers of one data folder share. */
export interface SharedState {
  /** Makes the outcome of a probe known to peers. Never throws. */
  publishProbe(event: HealthEvent): void;
  /** Makes a fact known to peers and to the next start; a later note on the same subject replaces it. Never throws. */
  publishNote(note: PeerNote): void;
  /** Calls back with what peers publish, and with the attempts they record, from now on. What a listener throws is logged and reaches nothing else. */
  subscribe(listener: (facts: PeerFacts) => void): Subscription;
  /** Delivers what peers made known since the last call. Cheap when that is nothing. */
  poll(): void;
  /** Grows with each finished exchange of any server, those of peers as of the last poll; for change detection. */
  revision(): number;
  /** The store can be used now; while it cannot, reads are rejected and what is handed in is kept. */
  readonly isOpen: boolean;
  /** What of this process waits to be written. */
  backlog(): LedgerBacklog;
  /** Counters and running requests of limits that servers share; undefined where each server counts alone. */
  readonly limits: LimitStore | undefined;
}

/** The first words of conversations that are kept with their requests. Both reject with a LedgerUnavailableError where it is impossible now. */
export interface TitleStore {
  /** How many requests have a title. */
  keptTitles(): Promise<number>;
  /** Removes every title, and its bytes from the file. */
  forgetTitles(): Promise<ForgottenTitles>;
}

/** The ledger of one data folder behind all its ports, and the end of its life. */
export interface Ledger extends LedgerWriter, LedgerReader, SharedState, TitleStore {
  /** What can be copied to a shared ledger; undefined: nothing. */
  readonly journal: LedgerJournal | undefined;
  /** Commits what is queued now. */
  flush(): void;
  shutdown(): void;
}
