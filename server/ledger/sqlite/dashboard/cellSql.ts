import { spendSumNames, type SpendDimension, type SpendFilter, type SpendSum } from '../../../api/reports/dashboard.ts';
import { largestFigure } from '../../../pricing/money.ts';
import { costCertainty, figure } from '../../rows/attemptColumns.ts';

/** Dimensions that the cells of the roll-up are kept by, beside the conversation. '' stands for what is not recorded. */
export const comboColumns = ['provider', 'endpoint', 'model', 'route', 'tool', 'workspace', 'branch', 'purpose', 'kind', 'extension', 'token', 'user', 'team', 'part'] as const satisfies SpendDimension[];
export type ComboDimension = (typeof comboColumns)[number];

/** What an attempt `a` of exchange `e` was paid for: see spendParts. */
export const partSql = `CASE WHEN e.shadow IS NOT NULL THEN 'shadow'
  WHEN a.outcome = 'failed' THEN CASE WHEN (SELECT n.target FROM attempts n WHERE n.exchange_seq = a.exchange_seq AND n.number = a.number + 1) = a.target THEN 'retry' ELSE 'failover' END
  WHEN a.outcome = 'cancelled' AND e.outcome NOT IN ('cancelled', 'interrupted', 'open') THEN 'hedge'
  WHEN a.role IN ('resume', 'restart') THEN 'resume' ELSE 'answer' END`;

const dimensionSql: Record<SpendDimension, string> = {
  provider: 'a.provider', endpoint: 'a.endpoint', model: 'a.model', route: 'e.route', tool: 'e.tool', workspace: 'e.workspace', branch: 'e.branch',
  purpose: 'e.purpose', kind: 'e.work_kind', extension: 'e.extension', token: 'e.token', user: 'e.user', team: 'e.team', part: partSql, conversation: 'e.conversation',
};

/** 1 where the conversation of exchange `e` is recorded. */
const hasConversation = 'e.conversation IS NOT NULL AS has_conversation';
/** The dimensions of an attempt, under their own names. */
export const comboSql = `${comboColumns.map((name) => `coalesce(${dimensionSql[name]}, '') AS ${name}`).join(', ')}, ${hasConversation}`;
/** The names of a row of `spend_combos`, beside its id. */
export const comboNames = `${comboColumns.join(', ')}, has_conversation`;
export const conversationSql = `coalesce(e.conversation, '') AS conversation`;

const tokens = (...columns: string[]): string => columns.map((column) => `coalesce(${figure(column)}, 0)`).join(' + ');
const allTokens = tokens('input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens');
const used = `(${['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens'].map((column) => `${figure(column)} IS NOT NULL`).join(' OR ')})`;
const cacheTokens = `(${tokens('cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens')}) > 0`;
const covered = `a.price_source IN ('subscription', 'free', 'local', 'simulated')`;
const priced = `${costCertainty} <> 'unknown' AND a.price_used IS NOT NULL AND json_valid(a.price_used)`;
const price = (name: string): string => `json_extract(a.price_used, '$.${name}')`;
const input = price('inputPerMTok');
const write = `coalesce(${price('cacheWritePerMTok')}, ${input})`;
/** A price is in dollars for a million tokens, so tokens times price are micro-dollars. Prices stand in for each other as in pricing/money.ts. */
const cacheSaved = `CAST(round(coalesce(${tokens('cache_read_tokens')} * (${input} - coalesce(${price('cacheReadPerMTok')}, ${input}))
  - (${tokens('cache_write_tokens')}) * (${write} - ${input}) - (${tokens('cache_write_1h_tokens')}) * (coalesce(${price('cacheWrite1hPerMTok')}, ${write}) - ${input}), 0)) AS INTEGER)`;

/** The column of each sum, and what an attempt `a` of exchange `e` adds to it. */
const sums: Record<keyof SpendSum, { column: string; sql: string }> = {
  attempts: { column: 'attempts', sql: '1' },
  requests: { column: 'requests', sql: 'a.last' },
  microUsd: { column: 'micro_usd', sql: `coalesce(${figure('cost_micro_usd')}, 0)` },
  estimatedMicroUsd: { column: 'estimated_micro_usd', sql: `CASE WHEN a.cost_certainty = 'estimated' THEN coalesce(${figure('cost_micro_usd')}, 0) ELSE 0 END` },
  unknownAttempts: { column: 'unknown_attempts', sql: `CASE WHEN ${costCertainty} = 'unknown' AND a.final = 1 THEN 1 ELSE 0 END` },
  unpricedAttempts: { column: 'unpriced_attempts', sql: `CASE WHEN a.cost_unpriced IS NOT NULL AND a.final = 1 THEN 1 ELSE 0 END` },
  coveredAttempts: { column: 'covered_attempts', sql: `CASE WHEN a.price_source IN ('subscription', 'free', 'simulated') THEN 1 ELSE 0 END` },
  inputTokens: { column: 'input_tokens', sql: tokens('input_tokens') },
  cacheReadTokens: { column: 'cache_read_tokens', sql: tokens('cache_read_tokens') },
  cacheWriteTokens: { column: 'cache_write_tokens', sql: tokens('cache_write_tokens', 'cache_write_1h_tokens') },
  outputTokens: { column: 'output_tokens', sql: tokens('output_tokens') },
  pricedTokens: { column: 'priced_tokens', sql: `CASE WHEN ${costCertainty} = 'unknown' THEN 0 ELSE ${allTokens} END` },
  tokenGaps: {
    column: 'token_gaps',
    sql: `CASE WHEN a.final = 1 AND CASE WHEN ${used} THEN ${figure('input_tokens')} IS NULL OR ${figure('output_tokens')} IS NULL ELSE ${costCertainty} = 'unknown' END THEN 1 ELSE 0 END`,
  },
  estimatedUsage: { column: 'estimated_usage', sql: 'a.usage_estimated' },
  cacheSavedMicroUsd: { column: 'cache_saved_micro_usd', sql: `CASE WHEN ${cacheTokens} AND ${priced} AND NOT coalesce(${covered}, 0) THEN ${cacheSaved} ELSE 0 END` },
  cacheUnpricedAttempts: { column: 'cache_unpriced_attempts', sql: `CASE WHEN ${cacheTokens} AND NOT (${priced}) AND NOT coalesce(${covered}, 0) THEN 1 ELSE 0 END` },
};

/** The columns of all sums. */
export const sumColumns = spendSumNames.map((name) => sums[name].column).join(', ');
/** What an attempt adds to each of them. */
export const attemptSums = spendSumNames.map((name) => `${sums[name].sql} AS ${sums[name].column}`).join(', ');
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
