import type { SpendScope, TimeRange } from '../receipt.ts';
import { spendDimensionNames, type SpendDimension, type SpendFilter, type SpendRow, type SpendStep, type SpendSum } from './dashboard.ts';

/** What spend can be grouped by in a table; `day`: local days. */
export const spendGroupings = [...spendDimensionNames, 'day'] as const;
export type SpendGrouping = SpendDimension | 'day';

/** What is asked for: the attempts of a range that a filter leaves, by one field. */
export interface GroupedSpendParams { range: TimeRange; by: SpendGrouping; filter: SpendFilter }

/** Of a day the sums of money and requests are known. Money in micro-dollars. */
export type SpendOfDay = Omit<SpendStep, 'from' | 'to'> & { name: string };

/** What requests of a range cost, by one field: the dearest first, days in their order. The rows add up to the totals. */
export interface GroupedSpend {
  range: TimeRange;
  by: SpendGrouping;
  totals: SpendSum;
  rows: (SpendRow | SpendOfDay)[];
  /** Whose requests these are, where replicas share a ledger; absent: of the servers of one data folder, and there are no others. */
  scope?: SpendScope | undefined;
}
