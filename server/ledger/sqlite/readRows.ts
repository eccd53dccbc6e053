import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { Guard } from '../../base/guarded.ts';
import type { Row } from '../rows/rowValues.ts';

/** By position, or all of them by name. */
type Parameters = SQLInputValue[] | [named: Record<string, SQLInputValue>];

/**
 * All rows of a query. `node:sqlite` refuses a whole answer for one integer that no number can hold; such a value reads
 * as null instead.
 */
export function allRows(statement: StatementSync, ...parameters: Parameters): Row[] {
  try {
    return statement.all(...parameters as SQLInputValue[]);
  } catch (error) {
    if (!isOutOfRange(error)) throw error;
  }
  statement.setReadBigInts(true);
  try {
    return statement.all(...parameters as SQLInputValue[]).map(withNumbers);
  } finally {
    statement.setReadBigInts(false);
  }
}

/** The rows that can be read, in their order: one that cannot costs itself and a log line. */
export function readable<Result>(rows: readonly Row[], read: (row: Row) => Result, unreadable: Guard): Result[] {
  const results: Result[] = [];
  for (const row of rows) {
    try {
      results.push(read(row));
    } catch (error) {
      unreadable.failed(error);
    }
  }
  return results;
}

/** The last row id that was read; the given one where there is none. */
export function lastSeq(rows: readonly Row[], before: number): number {
  const seq = rows.at(-1)?.['seq'];
  return typeof seq === 'number' ? seq : before;
}

function withNumbers(row: Row): Row {
  const plain: Row = {};
  for (const [column, value] of Object.entries(row)) {
    plain[column] = typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : null;
  }
  return plain;
}

function isOutOfRange(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}
