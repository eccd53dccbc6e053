/** A row as `node:sqlite` hands it out. */
export type Row = Record<string, null | number | bigint | string | NodeJS.NonSharedUint8Array>;

/** What is written into a column. */
export type ColumnValue = null | number | string;

export type RowValue = Row[string] | undefined;

/** A row that damage, or another program, left without what it must have. */
export class UnreadableRowError extends Error {
  readonly code = 'unreadable-row';
  constructor(column: string) {
    super(`A row of the ledger has no readable ${column}.`);
    this.name = 'UnreadableRowError';
  }
}

/** The largest moment that a date can hold; see the range of `Date`. */
const largestMoment = 8.64e15;

/** @throws UnreadableRowError */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new UnreadableRowError(column);
  return value;
}

/** @throws UnreadableRowError */
export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !(Math.abs(value) <= largestMoment)) throw new UnreadableRowError(column);
  return value;
}

/** Sets a field only where the column holds something of its kind: what is absent, or cannot be read, stays absent. */
export function put<Target extends object, Key extends keyof Target>(target: Target, key: Key, value: RowValue, kind: 'string' | 'number' = 'string'): void {
  if (typeof value === kind) target[key] = value as Target[Key];
}

export function putNumber<Target extends object, Key extends keyof Target>(target: Target, key: Key, value: RowValue): void {
  put(target, key, value, 'number');
}

/** JSON of a column; undefined where there is none, or it is broken. */
export function json(value: RowValue): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
