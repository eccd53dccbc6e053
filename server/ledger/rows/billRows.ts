import type { BilledAttempt, BilledModel } from '../spend.ts';
import type { Row } from './rowValues.ts';
import { dayMs } from './slotBounds.ts';

/** Attempts that may explain a difference of a bill, at most so many: the latest. */
export const mostBilledAttempts = 5_000;

/** A line of a bill from its row. `day` counts days since the epoch. */
export function billedModelFromRow(row: Row): BilledModel {
  return {
    day: dayOf(row), model: String(row['model']), upstreamModel: String(row['upstream_model']), requests: Number(row['requests']),
    microUsd: Number(row['micro_usd']), estimated: Number(row['estimated']), unknown: Number(row['unknown']), tokens: Number(row['tokens']), priceSources: typeof row['price_sources'] === 'string' ? row['price_sources'].split(',') : [],
  };
}

export function billedAttemptFromRow(row: Row): BilledAttempt {
  return {
    day: dayOf(row), exchangeId: String(row['exchange_id']), upstreamModel: String(row['upstream_model']), certainty: row['certainty'] as BilledAttempt['certainty'],
    unpriced: typeof row['unpriced'] === 'string' ? row['unpriced'].split(', ') : [], crossesMidnight: row['crosses'] === 1,
  };
}

function dayOf(row: Row): string {
  return new Date(Number(row['day']) * dayMs).toISOString().slice(0, 10);
}
