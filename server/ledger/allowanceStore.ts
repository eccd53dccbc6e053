/** What was taken of an allowance, in millionths of a US dollar. */
export interface TakenOfAllowance {
  /** What ended requests cost, and what is reserved for those that run. */
  readonly used: number;
  /** What a person allowed on top. */
  readonly extra: number;
}

/** The operations of one transaction on allowances, by the names that they are counted under. */
export interface AllowanceTransaction {
  taken(key: string): TakenOfAllowance;
  /** Adds to what is used and allowed; negative amounts take back. */
  add(key: string, used: number, extra: number): void;
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
  close(): void;
}
