import { spendSumNames, type SpendDimension, type SpendFilter, type SpendSum } from '../../api/reports/dashboard.ts';
import type { GroupedSpendParams } from '../../api/reports/groupedSpend.ts';
import { localDay } from '../../base/localDay.ts';
import type { GroupedRow } from '../rows/groupedRows.ts';
import { slotMs } from '../rows/slotBounds.ts';
import { attemptSumsIn, dimensionsIn, sumsIn, type SpendSql } from '../rows/spendSums.ts';
import type { Row, Transaction } from './connection.ts';

function spendSql(schema: string): SpendSql {
  return {
    attempts: `${schema}.attempts`, exchangeColumn: 'exchange_id', names: 'a', isShadow: 'a.is_shadow = 1', isFinal: 'TRUE', isLast: 'a.exchanges', hasPrices: `a.price_used LIKE '{%'`,
    price: (name) => `(a.price_used::jsonb ->> '${name}')::float8`,
    // round() would take halves to the even number.
    rounded: (amount) => `(sign(${amount}) * floor(abs(${amount}) + 0.5))`,
  };
}

/** The sums of what replicas copied, by one field. Reads each attempt of the range. @param bounds whole milliseconds since the epoch */
export async function readGrouped({ all }: Pick<Transaction, 'all'>, schema: string, { by, filter }: Omit<GroupedSpendParams, 'range'>, bounds: { from: number; to: number }): Promise<GroupedRow[]> {
  const sql = spendSql(schema);
  const sums = sumsIn(sql);
  const dimensions = dimensionsIn(sql);
  const { conditions, values } = conditionsOf(filter, dimensions);
  const name = by === 'day' ? `a.started_at / ${slotMs}` : dimensions[by];
  const columns = spendSumNames.map((one) => `sum(${sums[one].column})::float8 AS ${sums[one].column}`).join(', ');
  const rows = await all(`SELECT name, ${columns} FROM (SELECT ${name} AS name, ${attemptSumsIn(sql)} FROM ${schema}.attempts a LEFT JOIN ${schema}.exchanges e ON e.id = a.exchange_id
    WHERE a.started_at >= ${bounds.from} AND a.started_at < ${bounds.to}${conditions}) AS found GROUP BY name`, values);
  return rows.map((row) => ({ name: by === 'day' ? Number(row['name']) : row['name'] as string | null, sum: sumOf(row, sums) }));
}

/** Why requests of the range are missing in such sums, where their records are deleted (`retentionDays`). */
export async function deletedPart({ all }: Pick<Transaction, 'all'>, schema: string, bounds: { from: number; to: number }): Promise<string | undefined> {
  const [found] = await all(`SELECT (SELECT min(slot) FROM ${schema}.spend_slots WHERE slot >= ${Math.floor(bounds.from / slotMs)} AND (exchanges > 0 OR started > 0)) AS summed,
    (SELECT min(started_at) FROM ${schema}.attempts) AS recorded, (SELECT min(started_at) FROM ${schema}.exchanges) AS began`);
  const summed = found?.['summed'];
  const kept = [found?.['recorded'], found?.['began']].filter((moment) => moment !== null && moment !== undefined).map(Number);
  if (summed === null || summed === undefined) return undefined;
  const end = (Number(summed) + 1) * slotMs;
  const first = Math.min(Infinity, ...kept);
  if (end > first || Number(summed) * slotMs >= bounds.to) return undefined;
  const before = first === Infinity ? '' : ` from before ${localDay(first)}`;
  return `Records${before} are deleted from the shared ledger, and not in these sums; sums without a field have them.`;
}

function conditionsOf({ notRecorded = [], ...fields }: SpendFilter, dimensions: Record<SpendDimension, string>): { conditions: string; values: string[] } {
  const values: string[] = [];
  let conditions = '';
  for (const [name, value] of Object.entries(fields) as [SpendDimension, string | undefined][]) {
    if (value === undefined || !Object.hasOwn(dimensions, name)) continue;
    values.push(value);
    conditions += ` AND ${dimensions[name]} = $${String(values.length)}`;
  }
  for (const name of notRecorded) conditions += ` AND ${dimensions[name]} IS NULL`;
  return { conditions, values };
}

function sumOf(row: Row, sums: Record<keyof SpendSum, { column: string }>): SpendSum {
  const sum = {} as SpendSum;
  for (const name of spendSumNames) sum[name] = Number(row[sums[name].column] ?? 0);
  return sum;
}
