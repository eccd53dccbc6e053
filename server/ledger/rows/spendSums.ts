import type { SpendDimension, SpendSum } from '../../api/reports/dashboard.ts';
import { spendSumNames } from '../../api/reports/dashboard.ts';
import { largestFigure } from '../../pricing/money.ts';

/** What stores write differently where they add up attempts `a` of exchanges `e`. Each is an expression of SQL. */
export interface SpendSql {
  /** The table of attempts, and the column in which each of them names its exchange. */
  readonly attempts: string;
  readonly exchangeColumn: string;
  /** Whose columns have the names of the exchange. */
  readonly names: 'a' | 'e';
  readonly isShadow: string;
  /** The attempt has ended. */
  readonly isFinal: string;
  /** 1 for the last attempt of a request, else 0. */
  readonly isLast: string;
  /** The prices of an attempt can be read. */
  readonly hasPrices: string;
  /** A price in dollars for a million tokens. */
  price(name: string): string;
  /** The whole number that is next to an amount, away from 0 where two are. */
  rounded(amount: string): string;
}

/** A figure of an attempt `a`. Earlier versions wrote figures that no number here can hold: those read as unknown. */
export const figure = (column: string): string => `CASE WHEN a.${column} BETWEEN 0 AND ${largestFigure} THEN a.${column} END`;
/** How certain the cost of an attempt `a` is, where its figure may have to be left out. */
export const costCertainty = `CASE WHEN a.cost_micro_usd NOT BETWEEN 0 AND ${largestFigure} THEN 'unknown' ELSE a.cost_certainty END`;

/** What each value of a dimension is read from. */
export function dimensionsIn({ attempts, exchangeColumn, names, isShadow }: SpendSql): Record<SpendDimension, string> {
  // See spendParts.
  const part = `CASE WHEN ${isShadow} THEN 'shadow'
  WHEN a.outcome = 'failed' THEN CASE WHEN (SELECT n.target FROM ${attempts} n WHERE n.${exchangeColumn} = a.${exchangeColumn} AND n.number = a.number + 1) = a.target THEN 'retry' ELSE 'failover' END
  WHEN a.outcome = 'cancelled' AND e.outcome NOT IN ('cancelled', 'interrupted', 'open') THEN 'hedge'
  WHEN a.role IN ('resume', 'restart') THEN 'resume' ELSE 'answer' END`;
  return {
    provider: 'a.provider', endpoint: 'a.endpoint', model: 'a.model', route: `${names}.route`, tool: `${names}.tool`, workspace: `${names}.workspace`, branch: `${names}.branch`, purpose: `${names}.purpose`,
    kind: `${names}.work_kind`, extension: `${names}.extension`, token: `${names}.token`, user: `${names}."user"`, team: `${names}.team`, part, conversation: `${names}.conversation`,
  };
}

const tokens = (...columns: string[]): string => columns.map((column) => `coalesce(${figure(column)}, 0)`).join(' + ');
const allTokens = tokens('input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens');
const used = `(${['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens'].map((column) => `${figure(column)} IS NOT NULL`).join(' OR ')})`;
const cacheTokens = `(${tokens('cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens')}) > 0`;
const covered = `coalesce(a.price_source IN ('subscription', 'free', 'local', 'simulated'), FALSE)`;

/** The column of each sum, and what an attempt `a` of exchange `e` adds to it. */
export function sumsIn({ isFinal, isLast, hasPrices, price, rounded }: SpendSql): Record<keyof SpendSum, { column: string; sql: string }> {
  const priced = `${costCertainty} <> 'unknown' AND a.price_used IS NOT NULL AND ${hasPrices}`;
  const input = price('inputPerMTok');
  const write = `coalesce(${price('cacheWritePerMTok')}, ${input})`;
  // A price is in dollars for a million tokens, so tokens times price are micro-dollars. Prices stand in for each other as in pricing/money.ts.
  const cacheSaved = rounded(`coalesce(${tokens('cache_read_tokens')} * (${input} - coalesce(${price('cacheReadPerMTok')}, ${input}))
  - (${tokens('cache_write_tokens')}) * (${write} - ${input}) - (${tokens('cache_write_1h_tokens')}) * (coalesce(${price('cacheWrite1hPerMTok')}, ${write}) - ${input}), 0)`);
  return {
    attempts: { column: 'attempts', sql: '1' },
    requests: { column: 'requests', sql: isLast },
    microUsd: { column: 'micro_usd', sql: `coalesce(${figure('cost_micro_usd')}, 0)` },
    estimatedMicroUsd: { column: 'estimated_micro_usd', sql: `CASE WHEN a.cost_certainty = 'estimated' THEN coalesce(${figure('cost_micro_usd')}, 0) ELSE 0 END` },
    unknownAttempts: { column: 'unknown_attempts', sql: `CASE WHEN ${costCertainty} = 'unknown' AND ${isFinal} THEN 1 ELSE 0 END` },
    unpricedAttempts: { column: 'unpriced_attempts', sql: `CASE WHEN a.cost_unpriced IS NOT NULL AND ${isFinal} THEN 1 ELSE 0 END` },
    coveredAttempts: { column: 'covered_attempts', sql: `CASE WHEN a.price_source IN ('subscription', 'free', 'simulated') THEN 1 ELSE 0 END` },
    inputTokens: { column: 'input_tokens', sql: tokens('input_tokens') },
    cacheReadTokens: { column: 'cache_read_tokens', sql: tokens('cache_read_tokens') },
    cacheWriteTokens: { column: 'cache_write_tokens', sql: tokens('cache_write_tokens', 'cache_write_1h_tokens') },
    outputTokens: { column: 'output_tokens', sql: tokens('output_tokens') },
    pricedTokens: { column: 'priced_tokens', sql: `CASE WHEN ${costCertainty} = 'unknown' THEN 0 ELSE ${allTokens} END` },
    tokenGaps: {
      column: 'token_gaps',
      sql: `CASE WHEN ${isFinal} AND CASE WHEN ${used} THEN ${figure('input_tokens')} IS NULL OR ${figure('output_tokens')} IS NULL ELSE ${costCertainty} = 'unknown' END THEN 1 ELSE 0 END`,
    },
    estimatedUsage: { column: 'estimated_usage', sql: 'a.usage_estimated' },
    cacheSavedMicroUsd: { column: 'cache_saved_micro_usd', sql: `CASE WHEN ${cacheTokens} AND ${priced} AND NOT ${covered} THEN ${cacheSaved} ELSE 0 END` },
    cacheUnpricedAttempts: { column: 'cache_unpriced_attempts', sql: `CASE WHEN ${cacheTokens} AND NOT (${priced}) AND NOT ${covered} THEN 1 ELSE 0 END` },
  };
}

/** What an attempt adds to each sum, under the name of its column. */
export function attemptSumsIn(sql: SpendSql): string {
  const sums = sumsIn(sql);
  return spendSumNames.map((name) => `${sums[name].sql} AS ${sums[name].column}`).join(', ');
}
