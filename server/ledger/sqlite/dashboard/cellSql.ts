import { spendSumNames, type SpendDimension, type SpendFilter, type SpendSum } from '../../../api/reports/dashboard.ts';
import { largestFigure } from '../../../pricing/money.ts';
import { attemptSumsIn, dimensionsIn, figure, sumsIn, type SpendSql } from '../../rows/spendSums.ts';

/** Dimensions that the cells of the roll-up are kept by, beside the conversation. '' stands for what is not recorded. */
export const comboColumns = ['provider', 'endpoint', 'model', 'route', 'tool', 'workspace', 'branch', 'purpose', 'kind', 'extension', 'token', 'user', 'team', 'part'] as const satisfies SpendDimension[];
export type ComboDimension = (typeof comboColumns)[number];

/** SQLite's own of what is added up. */
const spendSql: SpendSql = {
  attempts: 'attempts', exchangeColumn: 'exchange_seq', names: 'e', isShadow: 'e.shadow IS NOT NULL', isFinal: 'a.final = 1', isLast: 'a.last', hasPrices: 'json_valid(a.price_used)',
  price: (name) => `json_extract(a.price_used, '$.${name}')`,
  rounded: (amount) => `CAST(round(${amount}) AS INTEGER)`,
};
export const dimensionSql = dimensionsIn(spendSql);
/** What an attempt `a` of exchange `e` was paid for: see spendParts. */
export const partSql = dimensionSql.part;

/** 1 where the conversation of exchange `e` is recorded. */
const hasConversation = 'e.conversation IS NOT NULL AS has_conversation';
/** The dimensions of an attempt, under their own names. */
export const comboSql = `${comboColumns.map((name) => `coalesce(${dimensionSql[name]}, '') AS ${name}`).join(', ')}, ${hasConversation}`;
/** The names of a row of `spend_combos`, beside its id. */
export const comboNames = `${comboColumns.join(', ')}, has_conversation`;
export const conversationSql = `coalesce(e.conversation, '') AS conversation`;

/** The column of each sum, and what an attempt `a` of exchange `e` adds to it. */
const sums = sumsIn(spendSql);

/** The columns of all sums. */
export const sumColumns = spendSumNames.map((name) => sums[name].column).join(', ');
/** What an attempt adds to each of them. */
export const attemptSums = attemptSumsIn(spendSql);
export const wholeSums = spendSumNames.map((name) => `sum(${sums[name].column}) AS ${sums[name].column}`).join(', ');
/** As floating point: exact to 2^53, and absurd figures of earlier versions overflow nothing. */
export const readableSums = spendSumNames.map((name) => `sum(CAST(${sums[name].column} AS REAL)) AS ${sums[name].column}`).join(', ');
export const addedSums = spendSumNames.map((name) => `${sums[name].column} = min(max(${sums[name].column} + excluded.${sums[name].column}, ${-(2n ** 62n)}), ${2n ** 62n})`).join(', ');
const columnNames = spendSumNames.map((name) => [name, sums[name].column] as const);

/** The whole cost of the request that an attempt `a` belongs to: no cell hides a request that cost more. */
export const mostSql = `CASE WHEN a.last = 0 OR a.number > 1
  THEN (SELECT sum(coalesce(CASE WHEN s.cost_micro_usd BETWEEN 0 AND ${largestFigure} THEN s.cost_micro_usd END, 0)) FROM attempts s WHERE s.exchange_seq = a.exchange_seq)
  ELSE coalesce(${figure('cost_micro_usd')}, 0) END`;

/** Sums in the order of spendSumNames: adding thousands of them by name would take longer than reading them. */
export type Sums = Float64Array;

export function noSums(): Sums {
  return new Float64Array(columnNames.length);
}

/** Adds sums in place. */
export function addSums(to: Sums, more: Sums): void {
  for (let index = 0; index < to.length; index += 1) to[index] = (to[index] ?? 0) + (more[index] ?? 0);
}

/** The sums in a row. */
export function sumsFromRow(row: Record<string, unknown>): Sums {
  const sums = noSums();
  for (let index = 0; index < columnNames.length; index += 1) sums[index] = Number(row[columnNames[index]?.[1] ?? ''] ?? 0);
  return sums;
}

/** Sums by their names. */
export function namedSum(sums: Sums): SpendSum {
  const sum = {} as SpendSum;
  for (const [index, [name]] of columnNames.entries()) sum[name] = sums[index] ?? 0;
  return sum;
}

/** The sums in a row, by their names. */
export function sumFromRow(row: Record<string, unknown>): SpendSum {
  const sum = {} as SpendSum;
  for (const [name, column] of columnNames) sum[name] = Number(row[column] ?? 0);
  return sum;
}

/** A filter as conditions on an attempt `a` of exchange `e`, each with AND before it, and their parameters. */
export function filterSql(filter: SpendFilter): { sql: string; values: Record<string, string> } {
  const { notRecorded = [], ...fields } = filter;
  const values: Record<string, string> = {};
  let sql = '';
  for (const [name, value] of Object.entries(fields) as [SpendDimension, string | undefined][]) {
    if (value === undefined || !Object.hasOwn(dimensionSql, name)) continue;
    sql += ` AND ${dimensionSql[name]} = :f_${name}`;
    values[`f_${name}`] = value;
  }
  for (const name of notRecorded) sql += ` AND ${dimensionSql[name]} IS NULL`;
  return { sql, values };
}
