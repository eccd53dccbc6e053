/** More is never allowed on top of an allowance, in millionths of a US dollar: sums stay numbers that are exact. */
export const mostExtraMicroUsd = 2e15;

/** What was taken of an allowance, in millionths of a US dollar. */
export interface TakenOfAllowance {
  /** What ended requests cost, and what is reserved for those that run. */
  readonly used: number;
  /** What a person allowed on top. */
  readonly extra: number;
  /** The part of `used` that is reserved by servers that live; of caps it is not told apart. */
  readonly reserved: number;
  /** The part of `used` that ended requests count for without that the ledger has it, because nobody knows what they cost, or not all of it; of caps it is not told apart. */
  readonly unknown: number;
}

/** What was taken of the allowance of a name. */
export interface NamedTaken extends TakenOfAllowance { readonly key: string }

/** The operations of one transaction on allowances, by the names that they are counted under. */
export interface AllowanceTransaction {
  /** @param start what counts as used of one that nothing is known of yet */
  taken(key: string, start?: number): TakenOfAllowance;
  /**
   * Adds to what is used and allowed, up to `mostExtraMicroUsd`; negative amounts take back.
   * @param reserved what this server holds more, or less, of `used` for requests that run @param start as for `taken` @param unknown the part of `used` that nobody knows
   */
  add(key: string, used: number, extra: number, reserved?: number, start?: number, unknown?: number): void;
  /** Those whose names begin so, of many the most used. @param most at most so many */
  under(prefix: string, most: number): NamedTaken[];
  /** What is known of what is used is another amount, where nothing is reserved of it and nothing changed it since a moment. @param unchangedSince milliseconds since the epoch @param keepsUnknown what nobody knows stays counted; else it is in the amount now @returns whether it is now */
  correct(key: string, known: number, unchangedSince: number, keepsUnknown?: boolean): boolean;
  /** What the ledger of this server has of one that it may not have counted yet. Absent: there are no other ledgers. */
  begin?(key: string, known: number): void;
  /** What dead servers reserved is no longer reserved; it stays used. @returns whether there was any */
  freeOrphans(): boolean;
  /** The turn of a conversation that is the last one, as text; undefined where none is known. */
  lastTurn(conversation: string): string | undefined;
  /** What is known of a question in a conversation, as text. */
  turn(conversation: string, question: string): string | undefined;
  /** Keeps it, and makes it the conversation's last one. */
  keepTurn(conversation: string, question: string, turn: string): void;
}

/** `busy`: another server holds the store at this moment; otherwise it cannot be used at all. */
export type AllowanceOutcome<Value> = { done: true; value: Value } | { done: false; busy: boolean };

/** Where the servers of one data folder count what allowances are used for. */
export interface AllowanceStore {
  /** Runs work as one transaction that no other server can come between. Never throws; the work must not. */
  transact<Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value>;
  /** Changes when another server wrote; undefined where that cannot be known. Never throws. */
  revision(): number | undefined;
  /** This server lives. To be called every few seconds. Never throws. */
  beat(): void;
  close(): void;
}
