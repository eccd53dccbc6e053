/** Requests and tokens counted in one second since the epoch. */
export interface UsedSecond { second: number; requests: number; tokens: number }

/** Another server that counts in the same store. */
export interface OtherMember {
  id: string;
  /** It admits from memory, without asking the store. */
  alone: boolean;
  /** False once its heartbeat is too old, or its process is gone. */
  alive: boolean;
}

/**
 * The operations of one transaction. A scope is an endpoint, or one key of an endpoint. Used requests and tokens are summed
 * up over all members; running requests are kept by member, and removed with it.
 */
export interface LimitTransaction {
  /** Requests and tokens of a scope in a second and those after it. */
  used(scope: string, sinceSecond: number): { requests: number; tokens: number };
  /** The same second by second, oldest first. */
  seconds(scope: string, sinceSecond: number): UsedSecond[];
  /** Adds to what a second holds; negative amounts take back. */
  add(scope: string, second: number, requests: number, tokens: number): void;
  /** Requests that other members run in a scope. */
  runningElsewhere(scope: string): number;
  /** Replaces the number of requests that this member runs in a scope. */
  setRunning(scope: string, running: number): void;
  others(now: number): OtherMember[];
  /** Whether a living other member admits from memory. */
  anotherIsAlone(now: number): boolean;
  /** Stores a heartbeat. @returns false when the store did not list this member, and so lists none of its running requests */
  beat(now: number, alone: boolean): boolean;
  /** Takes a member and its running requests out. Absent: this one. */
  remove(id?: string): void;
  /** Drops what was used before a second; what was used after another (a clock was set back) is moved into that one. */
  forget(beforeSecond: number, afterSecond: number): void;
}

/** `busy`: another server holds the store at this moment; otherwise it cannot be used at all. */
export type LimitOutcome<Value> = { done: true; value: Value } | { done: false; busy: boolean };

/** Where the servers of one data folder count together. */
export interface LimitStore {
  /** Changes when other contents took the place of the former ones, which are lost. */
  readonly generation: string;
  /** Runs work as one transaction. Waits for other servers for a few milliseconds at most, and never throws. */
  transact<Value>(work: (transaction: LimitTransaction) => Value): LimitOutcome<Value>;
  /** Looks whether another process replaced or removed the contents. */
  check(): void;
  close(): void;
}
