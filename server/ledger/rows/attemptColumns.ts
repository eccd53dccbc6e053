import type { TokenUsage } from '../../api/conversation.ts';
import type { Attempt, Cost } from '../../api/receipt.ts';
import { plausiblePrices } from '../../base/figures.ts';
import { storedFigure } from '../../pricing/money.ts';
import { json, number, text, type ColumnValue, type Row } from './rowValues.ts';
import { costCertainty, figure } from './spendSums.ts';

/** An attempt as it is written: with a cost that can be stored, and the text of its prices. */
export interface StoredAttempt { attempt: Attempt; cost: Cost; priceText: string | null }

/** One column of `attempts` that holds a part of an attempt's record. */
interface AttemptColumn {
  readonly name: string;
  /** How the column reads from a row `a`, where that is not as it stands. */
  readonly select?: string | undefined;
  write(stored: StoredAttempt): ColumnValue;
  /** Puts what a row holds into the record. A value that is absent, or not of the column's kind, leaves the field absent. @throws UnreadableRowError where a record cannot be without it */
  read(attempt: Attempt, row: Row): void;
}

/** A function of each column's own: one that took the field's name would cost a lookup by name for each value. */
type Write = AttemptColumn['write'];

type KeyOf<Kind> = { [Key in keyof Attempt]-?: Exclude<Attempt[Key], undefined> extends Kind ? Key : never }[keyof Attempt];

const figureOf = (column: string): string => `${figure(column)} AS ${column}`;

const requiredText = (name: string, key: KeyOf<string>, write: Write): AttemptColumn => ({
  name, write,
  read(attempt, row) { attempt[key] = text(row, name) as never; },
});
const optionalText = (name: string, key: KeyOf<string>, write: Write): AttemptColumn => ({
  name, write,
  read(attempt, row) { if (typeof row[name] === 'string') attempt[key] = row[name] as never; },
});
const requiredNumber = (name: string, key: KeyOf<number>, write: Write): AttemptColumn => ({
  name, write,
  read(attempt, row) { attempt[key] = number(row, name); },
});
const optionalNumber = (name: string, key: KeyOf<number>, write: Write): AttemptColumn => ({
  name, write,
  read(attempt, row) { if (typeof row[name] === 'number') attempt[key] = row[name]; },
});
const usageFigure = (name: string, bucket: keyof TokenUsage): AttemptColumn => ({
  name,
  select: figureOf(name),
  write: ({ attempt }) => storedFigure(attempt.usage[bucket]),
  read({ usage }, row) { if (typeof row[name] === 'number') usage[bucket] = row[name]; },
});

const ignored = (): void => {};

/** Where each bucket of usage stands, in rows of `attempts` and in sums of them. A bucket without a column does not compile. */
const usageColumnNames = {
  inputTokens: 'input_tokens', cacheReadTokens: 'cache_read_tokens', cacheWriteTokens: 'cache_write_tokens', cacheWrite1hTokens: 'cache_write_1h_tokens',
  outputTokens: 'output_tokens', reasoningTokens: 'reasoning_tokens', reportedCostMicroUsd: 'reported_micro_usd',
} as const satisfies Record<keyof TokenUsage, string>;
const usageColumns = (Object.entries(usageColumnNames) as [keyof TokenUsage, string][]);
/** The columns of usage, in the order of the buckets. */
export const usageColumnList: readonly string[] = Object.values(usageColumnNames);

/**
 * The columns that hold an attempt's record. The list drives the insert, the read and the list of columns; beside them a row
 * has `exchange_seq`, `final` and `last`, which place it. The columns of the cost are read together, by the first of them.
 */
const attemptColumns: readonly AttemptColumn[] = [
  requiredNumber('number', 'number', ({ attempt }) => attempt.number),
  requiredText('target', 'target', ({ attempt }) => attempt.target),
  requiredText('endpoint', 'endpoint', ({ attempt }) => attempt.endpoint),
  requiredText('model', 'model', ({ attempt }) => attempt.model),
  requiredText('upstream_model', 'upstreamModel', ({ attempt }) => attempt.upstreamModel),
  requiredText('protocol', 'protocol', ({ attempt }) => attempt.protocol),
  optionalText('key_label', 'keyLabel', ({ attempt }) => attempt.keyLabel ?? null),
  optionalText('key_last4', 'keyLast4', ({ attempt }) => attempt.keyLast4 ?? null),
  { ...requiredNumber('started_at', 'startedAt', ({ attempt }) => attempt.startedAt), write: ({ attempt }) => Math.round(attempt.startedAt) },
  optionalNumber('headers_ms', 'headersMs', ({ attempt }) => attempt.headersMs ?? null),
  optionalNumber('first_token_ms', 'firstTokenMs', ({ attempt }) => attempt.firstTokenMs ?? null),
  requiredNumber('total_ms', 'totalMs', ({ attempt }) => attempt.totalMs),
  optionalNumber('status', 'status', ({ attempt }) => attempt.status ?? null),
  requiredText('outcome', 'outcome', ({ attempt }) => attempt.outcome),
  optionalText('failure_class', 'failureClass', ({ attempt }) => attempt.failureClass ?? null),
  optionalText('message', 'message', ({ attempt }) => attempt.message ?? null),
  ...usageColumns.map(([bucket, name]) => usageFigure(name, bucket)),
  {
    name: 'usage_estimated',
    write: ({ attempt }) => (attempt.usageEstimated ? 1 : 0),
    read(attempt, row) { attempt.usageEstimated = row['usage_estimated'] === 1; },
  },
  {
    name: 'cost_micro_usd', select: figureOf('cost_micro_usd'),
    write: ({ cost }) => storedFigure(cost.microUsd),
    read(attempt, row) { attempt.cost = costFromRow(row); },
  },
  { name: 'cost_certainty', select: `${costCertainty} AS cost_certainty`, write: ({ cost }) => cost.certainty, read: ignored },
  { name: 'price_source', write: ({ cost }) => cost.priceSource ?? null, read: ignored },
  { name: 'price_used', write: ({ priceText }) => priceText, read: ignored },
  { name: 'cost_unpriced', write: ({ cost }) => cost.unpriced?.join(', ') ?? null, read: ignored },
  { name: 'price_as_of', write: ({ cost }) => cost.priceAsOf ?? null, read: ignored },
  optionalText('key_id', 'keyId', ({ attempt }) => attempt.keyId ?? null),
  optionalText('role', 'role', ({ attempt }) => attempt.role ?? null),
  optionalText('kind', 'kind', ({ attempt }) => attempt.kind ?? null),
  {
    name: 'drill',
    write: ({ attempt }) => (attempt.drill === true ? 1 : null),
    read(attempt, row) { if (row['drill'] === 1) attempt.drill = true; },
  },
  optionalNumber('connect_ms', 'connectMs', ({ attempt }) => attempt.connectMs ?? null),
  optionalNumber('longest_gap_ms', 'longestGapMs', ({ attempt }) => attempt.longestGapMs ?? null),
  optionalText('provider', 'provider', ({ attempt }) => attempt.provider ?? null),
  { ...optionalNumber('retry_after_ms', 'retryAfterMs', ({ attempt }) => attempt.retryAfterMs ?? null), select: figureOf('retry_after_ms'), write: ({ attempt }) => storedFigure(attempt.retryAfterMs) },
];

/** The names of the columns of the record, as an insert lists them. */
export const attemptColumnNames: readonly string[] = attemptColumns.map(({ name }) => name);
/** The columns as a query of attempts `a` lists them. */
export const selectedAttemptColumns = attemptColumns.map(({ name, select }) => select ?? `a.${name}`).join(', ');

/** Writes a record's values into `values` from an index on, in the order of `attemptColumnNames`. */
export function attemptValues(stored: StoredAttempt, values: ColumnValue[], from: number): void {
  for (let index = 0; index < attemptColumns.length; index += 1) values[from + index] = attemptColumns[index]?.write(stored) ?? null;
}

/** The record of an attempt from its row. @throws UnreadableRowError */
export function attemptFromRow(row: Row): Attempt {
  const attempt = { usage: {} } as Attempt;
  for (const column of attemptColumns) column.read(attempt, row);
  return attempt;
}

/** The buckets of usage in a row of `attempts`, or of sums with the same column names. */
export function usageFromRow(row: Row): TokenUsage {
  const usage: TokenUsage = {};
  for (const [bucket, name] of usageColumns) if (typeof row[name] === 'number') usage[bucket] = row[name];
  return usage;
}

function costFromRow(row: Row): Cost {
  const { cost_certainty: certainty, cost_micro_usd: microUsd, price_source: priceSource, price_used: priceUsed, cost_unpriced: unpriced, price_as_of: priceAsOf } = row;
  // A cost that is called known and has no figure is unknown.
  if ((certainty !== 'exact' && certainty !== 'estimated') || typeof microUsd !== 'number') return { certainty: 'unknown' };
  const cost: Cost = { certainty, microUsd };
  if (typeof priceSource === 'string') cost.priceSource = priceSource;
  if (typeof priceAsOf === 'string') cost.priceAsOf = priceAsOf;
  if (typeof unpriced === 'string') cost.unpriced = unpriced.split(', ');
  if (typeof priceUsed === 'string') cost.priceUsed = plausiblePrices(json(priceUsed));
  return cost;
}
