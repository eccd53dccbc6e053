import type { Attempt, Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { KeyNote } from './sqlite/keyNotes.ts';

/** An attempt another server process (another window) recorded; feeds this process's health and spend. */
export interface ForeignAttempt {
  attempt: Attempt;
  endedAt: number;
  /** The caller wanted a stream; absent where it was not asked for. */
  stream?: boolean | undefined;
  /** It was cancelled while its exchange went on: another attempt was faster. Absent where it was not asked for. */
  beaten?: boolean | undefined;
}

/** A breaker or probe outcome shared between windows. */
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

/**
 * The durable record of exchanges. Writes are queued and committed together off the request's path, at the
 * latest about 30 ms after they were handed in; reads see everything handed in before them.
 */
export interface Ledger {
  /**
   * A new exchange. Becomes a row only if it still runs at the next commit, so that a crash leaves a trace.
   * @param latest asked for it then: attempts that began meanwhile are not to be missed. Absent: `receipt` as it is
   */
  open(receipt: Receipt, latest?: () => Receipt): void;
  /** The exchange goes on: its attempts and usage so far replace what was known (long streams, once a second). */
  progress(receipt: Receipt): void;
  /** The exchange has ended; the receipt is final. */
  close(receipt: Receipt): void;
  recordHealth(event: HealthEvent): void;
  /** Something was found out about a key, or about what is left of its limits; later words replace earlier ones. */
  recordKeyNote(note: KeyNote): void;
  receipt(id: string): Receipt | undefined;
  recent(limit: number, before?: number): RequestSummary[];
  spend(range: TimeRange): SpendReport;
  /** Attempts and health events other processes committed since the last call. Cheap when nothing changed. */
  pollForeign(): { attempts: ForeignAttempt[]; health: HealthEvent[] };
  /** Notes about keys other processes committed since the last call. Cheap when nothing changed. */
  pollKeyNotes(): KeyNote[];
  /** Grows with each finished exchange of any process; for change detection. */
  revision(): number;
  /** It can be read now; while it cannot, readers throw LedgerUnavailableError and what is handed in is kept. */
  readonly isOpen: boolean;
  /** Commits what is queued now. */
  flush(): void;
  shutdown(): void;
}
