import type { Attempt, Receipt, SpendReport, SpendScope, TimeRange } from '../../api/receipt.ts';
import type { GroupedSpend, GroupedSpendParams } from '../../api/reports/groupedSpend.ts';
import type { LedgerJournal, UnshippedExchange } from '../journal.ts';
import { attemptFromRow, usageColumnList } from '../rows/attemptColumns.ts';
import { billedAttemptFromRow, billedModelFromRow, mostBilledAttempts } from '../rows/billRows.ts';
import { groupedFrom } from '../rows/groupedRows.ts';
import { receiptFromRow } from '../rows/rows.ts';
import { UnreadableRowError } from '../rows/rowValues.ts';
import { boundsOf, dayMs, slotMs, type Bounds } from '../rows/slotBounds.ts';
import { spendFigures, spendReport, type SpendRows } from '../rows/spendReport.ts';
import type { BilledModel, LedgerBill, SpentBy, SpentScope } from '../spend.ts';
import type { Connections, Row, Transaction } from './connection.ts';
import { deletedPart, readGrouped } from './groupedReads.ts';
import { nameOf } from './rollUp.ts';

/** More of this replica's own exchanges than this are not looked up beside the shared ledger: it catches up first. */
const mostUnshipped = 2_000;
/** The range of `Date`. */
const largestMoment = 8.64e15;
const slotsADay = dayMs / slotMs;

const groups = ['endpoint', 'model', 'tool', 'workspace'];

/** Sums over what all replicas copied, and what this one did not copy yet. */
export class SharedReads {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #journal: LedgerJournal;

  constructor(connections: Connections, schema: string, journal: LedgerJournal) {
    this.#connections = connections;
    this.#schema = schema;
    this.#journal = journal;
  }

  async spend(range: TimeRange): Promise<SpendReport> {
    const bounds = wholeBounds(range);
    const { read, own, unread } = await this.#whole(async (transaction) => ({ rows: await this.#spendRows(transaction, bounds), replicas: await this.#replicas(transaction) }));
    const local = own.length === 0 ? undefined : this.#journal.spendOf(own, range);
    const report = spendReport(range, local === undefined ? read.rows : joined(read.rows, local));
    report.scope = scopeOf(read.replicas, [unreadPart(unread)]);
    return report;
  }

  /** See groupedSpend. */
  async grouped(params: GroupedSpendParams): Promise<GroupedSpend> {
    const bounds = wholeBounds(params.range);
    const { read, own, unread } = await this.#whole(async (transaction) => ({
      rows: await readGrouped(transaction, this.#schema, params, bounds), deleted: await deletedPart(transaction, this.#schema, bounds), replicas: await this.#replicas(transaction),
    }));
    const local = own.length === 0 ? [] : this.#journal.groupedOf(own, params);
    return { ...groupedFrom(params, [...read.rows, ...local]), scope: scopeOf(read.replicas, [unreadPart(unread), read.deleted]) };
  }

  async spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    const bounds = wholeBounds(range);
    const { read, own } = await this.#whole(({ all }) => this.#spentByRows(all, bounds, scope));
    const sums = new Map<string, SpentBy>();
    for (const one of [...read, ...(own.length === 0 ? [] : this.#journal.spentByOf(own, range, scope))]) {
      const known = sums.get(one.name);
      if (known === undefined) sums.set(one.name, { ...one });
      else {
        known.microUsd += one.microUsd;
        known.unknown += one.unknown;
      }
    }
    return [...sums.values()];
  }

  /** See LedgerReader.bill. Reads each attempt of the range at these endpoints. */
  async bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    const { from, to } = wholeBounds(range);
    const offset = Math.round(offsetMs);
    const tokens = ['input_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'output_tokens'];
    const of = `FROM ${this.#schema}.attempts a WHERE a.started_at >= $1 AND a.started_at < $2 AND a.endpoint = ANY($3::text[])`;
    const day = `(a.started_at + ${offset}) / ${dayMs}`;
    const crosses = `${day} <> floor((a.started_at + a.total_ms + ${offset}) / ${dayMs})`;
    const { read, own } = await this.#whole(async ({ all }) => ({
      models: await all(`SELECT ${day} AS day, a.model, a.upstream_model, string_agg(DISTINCT a.price_source, ',') AS price_sources,
          sum(CASE WHEN coalesce(${tokens.join(', ')}) IS NOT NULL OR a.cost_certainty = 'unknown' THEN 1 ELSE 0 END)::float8 AS requests, sum(a.micro_usd)::float8 AS micro_usd,
          sum(CASE WHEN a.cost_certainty = 'estimated' THEN 1 ELSE 0 END)::float8 AS estimated, sum(CASE WHEN a.cost_certainty = 'unknown' OR a.cost_unpriced IS NOT NULL THEN 1 ELSE 0 END)::float8 AS "unknown",
          sum(${tokens.map((name) => `coalesce(${name}, 0)`).join(' + ')})::float8 AS tokens ${of} GROUP BY 1, 2, 3`, [from, to, endpoints]),
      attempts: await all(`SELECT ${day} AS day, a.exchange_id, a.upstream_model, a.cost_certainty AS certainty, a.cost_unpriced AS unpriced, (${crosses})::int AS crosses
        ${of} AND (a.cost_certainty <> 'exact' OR ${crosses}) ORDER BY a.started_at DESC LIMIT ${mostBilledAttempts}`, [from, to, endpoints]),
    }));
    const local = own.length === 0 ? undefined : this.#journal.billOf(own, range, endpoints, offsetMs);
    return {
      models: billedModels([...read.models.map(billedModelFromRow), ...local?.models ?? []]),
      attempts: [...local?.attempts ?? [], ...read.attempts.map(billedAttemptFromRow)].slice(0, mostBilledAttempts),
    };
  }

  async receipt(id: string): Promise<Receipt | undefined> {
    const { exchange, attempts } = await this.#connections.run('report', async ({ all }) => ({
      exchange: (await all(`SELECT * FROM ${this.#schema}.exchanges WHERE id = $1`, [id]))[0],
      attempts: await all(`SELECT * FROM ${this.#schema}.attempts WHERE exchange_id = $1 ORDER BY number`, [id]),
    }));
    if (exchange === undefined) return undefined;
    const read: Attempt[] = attempts.flatMap((row) => readable(() => attemptFromRow(row)) ?? []);
    return readable(() => receiptFromRow(exchange, { attempts: read, unreadable: attempts.length - read.length }));
  }

  /**
   * What the shared ledger says on one snapshot, and the exchanges of this data folder that are not in it. Those that are not copied are listed before, and
   * looked up on the snapshot, so that none is counted twice or not at all, whatever is copied meanwhile.
   */
  async #whole<Read>(read: (transaction: Transaction) => Promise<Read>): Promise<{ read: Read; own: number[]; unread: number }> {
    const unshipped: UnshippedExchange[] | undefined = this.#journal.unshipped(mostUnshipped);
    return this.#connections.run('report', async (transaction) => {
      const result = await read(transaction);
      if (unshipped === undefined) return { read: result, own: [], unread: this.#journal.backlog().exchanges };
      const ids = unshipped.map(({ id }) => id);
      const there = ids.length === 0 ? [] : await transaction.all(`SELECT id FROM ${this.#schema}.exchanges WHERE id = ANY($1::text[])`, [ids]);
      const known = new Set(there.map((row) => row['id']));
      return { read: result, own: unshipped.filter(({ id }) => !known.has(id)).map(({ seq }) => seq), unread: 0 };
    });
  }

  async #replicas({ all }: Transaction): Promise<number> {
    return Number((await all(`SELECT count(*) AS count FROM ${this.#schema}.replicas`))[0]?.['count'] ?? 0);
  }

  async #spendRows({ all }: Transaction, bounds: Bounds): Promise<SpendRows> {
    const schema = this.#schema;
    const { from, to, firstSlot, endSlot } = bounds;
    const inRange = `started_at >= ${from} AND started_at < ${to}`;
    const sums = [...spendFigures, ...usageColumnList];
    const added = (columns: readonly string[]): string => columns.map((name) => `sum(${name})::float8 AS ${name}`).join(', ');
    const attemptNames = groups.map((name) => `${nameOf(`a.${name}`)} AS ${name}`).join(', ');
    const ofAttempts = sums.map((name) => `a.${name}`).join(', ');
    const [exchanges] = await all(`${this.#changed(bounds)} SELECT
      coalesce((SELECT sum(started) FROM ${schema}.spend_slots WHERE slot >= ${firstSlot} AND slot < ${endSlot} AND slot NOT IN (SELECT slot FROM changed)), 0)::float8
      + (SELECT count(*) FROM (${this.#loose('exchanges', '1', bounds, 'AND a.shadow IS NULL')}) AS loose) AS count`);
    return {
      groups: await all(`${this.#changed(bounds)} SELECT ${groups.join(', ')}, ${added(sums)} FROM (${this.#cells([...groups, ...sums].join(', '), bounds)}
        UNION ALL ${this.#loose('attempts', `${attemptNames}, ${ofAttempts}`, bounds)}) AS found GROUP BY ${groups.join(', ')}`),
      slots: await all(`${this.#changed(bounds)} SELECT slot, ${added(spendFigures)} FROM (
        SELECT slot, ${spendFigures.join(', ')} FROM ${schema}.spend_slots WHERE slot >= ${firstSlot} AND slot < ${endSlot} AND slot NOT IN (SELECT slot FROM changed)
        UNION ALL ${this.#loose('attempts', `a.started_at / ${slotMs} AS slot, ${spendFigures.map((name) => `a.${name}`).join(', ')}`, bounds)}) AS found GROUP BY slot`),
      unpriced: await all(`SELECT ${attemptNames}, a.started_at / ${slotMs} AS slot, a.cost_unpriced AS parts, count(*) AS count FROM ${schema}.attempts a
        WHERE a.cost_unpriced IS NOT NULL AND ${inRange} GROUP BY 1, 2, 3, 4, 5, 6`),
      exchanges: Number(exchanges?.['count'] ?? 0),
      cached: await all(`SELECT count(*) AS count, sum(saved_micro_usd)::float8 AS saved_micro_usd, count(*) FILTER (WHERE saved_micro_usd IS NULL) AS unknown,
        sum(CASE WHEN cache_facts LIKE '%"savedEstimated":true%' THEN saved_micro_usd ELSE 0 END)::float8 AS estimated
        FROM ${schema}.exchanges WHERE cache IN ('hit', 'shared') AND ${inRange}`),
    };
  }

  async #spentByRows(all: Transaction['all'], bounds: Bounds, scope: SpentScope): Promise<SpentBy[]> {
    const incomplete = `CASE WHEN a.cost_certainty = 'unknown' OR a.cost_unpriced IS NOT NULL THEN 1 ELSE 0 END AS incomplete_attempts`;
    if (scope === 'conversation') {
      const rows = await all(`SELECT tool, conversation, sum(micro_usd)::float8 AS micro_usd, sum(incomplete_attempts)::float8 AS unknown FROM (
        SELECT a.tool, a.conversation, a.micro_usd, ${incomplete} FROM ${this.#schema}.attempts a WHERE a.conversation IS NOT NULL AND a.started_at >= ${bounds.from} AND a.started_at < ${bounds.to}) AS found GROUP BY tool, conversation`);
      return rows.map((row) => spentBy(JSON.stringify([row['tool'], row['conversation']]), row));
    }
    const rows = await all(`${this.#changed(bounds)} SELECT name, sum(micro_usd)::float8 AS micro_usd, sum(incomplete_attempts)::float8 AS unknown FROM (
      ${this.#cells(`${scope} AS name, micro_usd, incomplete_attempts`, bounds)} UNION ALL ${this.#loose('attempts', `a.${scope} AS name, a.micro_usd, ${incomplete}`, bounds)}) AS found
      WHERE name <> '' GROUP BY name`);
    return rows.map((row) => spentBy(String(row['name']), row));
  }

  /** The quarters of an hour whose sums do not hold. */
  #changed({ from, to }: Bounds): string {
    return `WITH changed AS MATERIALIZED (SELECT DISTINCT slot FROM ${this.#schema}.changed_slots WHERE slot >= ${Math.floor(from / slotMs)} AND slot <= ${Math.floor(to / slotMs)}),
      changed_days AS MATERIALIZED (SELECT DISTINCT slot / ${slotsADay} AS day FROM changed)`;
  }

  /** The sums of whole days and quarters of an hour that hold. */
  #cells(columns: string, { firstSlot, endSlot, firstDay, endDay, headSlotEnd, tailSlot }: Bounds): string {
    const of = `SELECT ${columns} FROM ${this.#schema}.spend_cells WHERE`;
    return `${of} level = 1 AND slot >= ${firstDay} AND slot < ${endDay} AND slot NOT IN (SELECT day FROM changed_days)
      UNION ALL ${of} level = 0 AND slot >= ${firstSlot} AND slot < ${headSlotEnd} AND slot NOT IN (SELECT slot FROM changed)
      UNION ALL ${of} level = 0 AND slot >= ${tailSlot} AND slot < ${endSlot} AND slot NOT IN (SELECT slot FROM changed)
      UNION ALL SELECT ${columns} FROM changed_days JOIN ${this.#schema}.spend_cells ON level = 0 AND slot >= day * ${slotsADay} AND slot < (day + 1) * ${slotsADay}
        WHERE day >= ${firstDay} AND day < ${endDay} AND slot NOT IN (SELECT slot FROM changed)`;
  }

  /** Records `a` of the range that are in no such sum: those of changed quarters of an hour, and those of the two ends. */
  #loose(table: 'attempts' | 'exchanges', columns: string, { from, to, firstSlot, endSlot, headTo, tailFrom }: Bounds, where = ''): string {
    const of = `SELECT ${columns} FROM ${this.#schema}.${table} a`;
    return `${of} WHERE a.started_at >= ${from} AND a.started_at < ${headTo} ${where}
      UNION ALL ${of} WHERE a.started_at >= ${tailFrom} AND a.started_at < ${to} ${where}
      UNION ALL SELECT ${columns} FROM changed CROSS JOIN LATERAL (SELECT * FROM ${this.#schema}.${table} WHERE started_at >= changed.slot * ${slotMs} AND started_at < (changed.slot + 1) * ${slotMs} OFFSET 0) a
        WHERE changed.slot >= ${firstSlot} AND changed.slot < ${endSlot} ${where}`;
  }
}

function wholeBounds({ from, to }: TimeRange): Bounds {
  const within = (moment: number): number => Math.max(-largestMoment, Math.min(largestMoment, moment));
  return boundsOf({ from: within(from), to: within(to) }, 0);
}

function scopeOf(count: number, missing: readonly (string | undefined)[]): SpendScope {
  const message = missing.filter((part) => part !== undefined).join(' ');
  return { replicas: 'all', count, ...(message === '' ? {} : { message }) };
}

/** @param unread requests that are neither in the shared ledger nor looked up beside it */
function unreadPart(unread: number): string | undefined {
  return unread === 0 ? undefined : `${unread} requests of this replica are not in the shared ledger yet, nor in these sums.`;
}

/** Rows of two sources, one after the other. */
function joined(one: SpendRows, other: SpendRows): SpendRows {
  return {
    groups: [...one.groups, ...other.groups], slots: [...one.slots, ...other.slots], unpriced: [...one.unpriced, ...other.unpriced],
    exchanges: one.exchanges + other.exchanges, cached: [...one.cached, ...other.cached],
  };
}

function spentBy(name: string, row: Row): SpentBy {
  return { name, microUsd: Number(row['micro_usd']), unknown: Number(row['unknown']) };
}

/** One line for each model and day. */
function billedModels(models: readonly BilledModel[]): BilledModel[] {
  const lines = new Map<string, BilledModel>();
  for (const model of models) {
    const key = JSON.stringify([model.day, model.model, model.upstreamModel]);
    const known = lines.get(key);
    lines.set(key, known === undefined ? model : {
      ...known, requests: known.requests + model.requests, microUsd: known.microUsd + model.microUsd, estimated: known.estimated + model.estimated, unknown: known.unknown + model.unknown, tokens: known.tokens + model.tokens,
      priceSources: [...new Set([...known.priceSources, ...model.priceSources])],
    });
  }
  return [...lines.values()];
}

/** What cannot be read is left out, as by the journal. */
function readable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRowError) return undefined;
    throw error;
  }
}
