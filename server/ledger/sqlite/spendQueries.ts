import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SpendReport, TimeRange } from '../../api/receipt.ts';
import type { Guard } from '../../base/guarded.ts';
import type { EndpointSpend, HedgeSpend, SpendStart } from '../spend.ts';
import { selectedAttemptColumns, usageColumnList } from '../rows/attemptColumns.ts';
import { costCertainty, figure } from '../rows/spendSums.ts';
import { spendFigures, spendReport } from '../rows/spendReport.ts';
import { allRows, readable } from './readRows.ts';
import { boundsOf, dayMs, slotMs, type Bounds } from '../rows/slotBounds.ts';
import { spentAttemptFromRow, spentColumns } from '../rows/rows.ts';
import type { Row } from '../rows/rowValues.ts';

/** Attempts folded into the roll-up in one transaction: a few milliseconds. */
const foldChunk = 1_000;
/** Fewer attempts than this are left as they are and summed by the query. */
const foldThreshold = 2_000;

const sumNames = [...spendFigures, ...usageColumnList];
const sumColumns = sumNames.join(', ');

/**
 * The sums of one attempt `a` of exchange `e`. An attempt whose process died may have cost anything; one that still
 * runs is not missed yet.
 */
export const attemptFigures = `coalesce(${figure('cost_micro_usd')}, 0) AS micro_usd,
  CASE WHEN a.cost_certainty = 'estimated' THEN coalesce(${figure('cost_micro_usd')}, 0) ELSE 0 END AS estimated_micro_usd,
  CASE WHEN ${costCertainty} = 'unknown' AND a.final = 1 THEN 1 ELSE 0 END AS unknown_attempts,
  a.last AS exchanges, CASE WHEN a.price_source IN ('subscription', 'free', 'simulated') THEN 1 ELSE 0 END AS covered_attempts`;
/** The same with tokens. */
export const attemptSums = `${attemptFigures}, ${usageColumnList.map((column) => `${figure(column)} AS ${column}`).join(', ')}`;
export const attemptGroups = `a.endpoint AS endpoint, a.model AS model, e.tool AS tool, coalesce(e.workspace, '') AS workspace`;
export const groupColumns = 'endpoint, model, tool, workspace';

/** What a fold adds up, in whole numbers. */
const columnSums = sumNames.map((column) => `sum(${column}) AS ${column}`).join(', ');
/** The same for readers, as floating point: exact to 2^53, and a slot with absurd figures of an earlier version cannot overflow. */
export const readableSum = (column: string): string => `sum(CAST(${column} AS REAL)) AS ${column}`;
export const readableSums = sumNames.map(readableSum).join(', ');
/** A sum stays an integer: one with an absurd figure of an earlier version would else be refused, and with it every later fold. */
const columnAdds = sumNames.map((name) => `${name} = min(coalesce(${name} + excluded.${name}, ${name}, excluded.${name}), ${2n ** 62n})`).join(', ');

/**
 * Attempts of :from <= start < :to that no whole slot of the roll-up holds: those it has not taken in (by seq),
 * those still running, and those in the two ends of the range that fill no slot.
 */
const looseAttempts = (columns: string): string => `
  SELECT ${columns} FROM attempts a NOT INDEXED JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.seq > :rolledUp AND a.final = 1 AND a.started_at >= :from AND a.started_at < :to
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_running JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.final = 0 AND a.started_at >= :from AND a.started_at < :to
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_by_time JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.started_at >= :from AND a.started_at < :headTo AND a.seq <= :rolledUp AND a.final = 1
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_by_time JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.started_at >= :tailFrom AND a.started_at < :to AND a.seq <= :rolledUp AND a.final = 1`;

/** The exchange `e` of an attempt has ended, or is one of a peer. */
const notRunningHere = `NOT (e.outcome = 'open' AND e.instance = :instance)`;

/** Spend of the range by group: whole UTC days, the quarters of an hour before and after them, and what is loose. */
const grouped = `(
  SELECT ${groupColumns}, ${sumColumns} FROM spend_slots WHERE level = 1 AND slot >= :firstDay AND slot < :endDay
  UNION ALL
  SELECT ${groupColumns}, ${sumColumns} FROM spend_slots WHERE level = 0 AND slot >= :firstSlot AND slot < :headSlotEnd
  UNION ALL
  SELECT ${groupColumns}, ${sumColumns} FROM spend_slots WHERE level = 0 AND slot >= :tailSlot AND slot < :endSlot
  UNION ALL ${looseAttempts(`${attemptGroups}, ${attemptSums}`)})`;

/** Spend of the range by quarter of an hour. */
const timed = `(
  SELECT slot, ${sumColumns} FROM spend_slots WHERE level = 2 AND slot >= :firstSlot AND slot < :endSlot
  UNION ALL ${looseAttempts(`a.started_at / ${slotMs} AS slot, ${attemptSums}`)})`;

const foldLevels = [
  { level: 0, slot: `a.started_at / ${slotMs}`, groups: attemptGroups },
  { level: 1, slot: `a.started_at / ${dayMs}`, groups: attemptGroups },
  { level: 2, slot: `a.started_at / ${slotMs}`, groups: `'' AS endpoint, '' AS model, '' AS tool, '' AS workspace` },
] as const;

/** Answers what was spent, from a roll-up that is kept beside the attempts and brought up to date when it is read. */
export class SpendQueries {
  readonly #database: DatabaseSync;
  readonly #rolledUp: StatementSync;
  readonly #highest: StatementSync;
  readonly #firstOpen: StatementSync;
  readonly #byGroup: StatementSync;
  readonly #bySlot: StatementSync;
  readonly #exchanges: StatementSync;
  readonly #unpriced: StatementSync;
  readonly #cached: StatementSync;
  readonly #startByEndpoint: StatementSync;
  readonly #startHedges: StatementSync;
  readonly #startRunning: StatementSync;
  readonly #instanceId: string;
  readonly #unreadable: Guard;
  readonly #folds: StatementSync[];
  readonly #setRolledUp: StatementSync;

  /** @param instanceId of this process, whose running exchanges a start leaves out */
  constructor(database: DatabaseSync, instanceId: string, unreadable: Guard) {
    this.#database = database;
    this.#instanceId = instanceId;
    this.#unreadable = unreadable;
    this.#rolledUp = database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'rolled_up'`);
    this.#highest = database.prepare('SELECT CAST(max(seq) AS REAL) AS seq FROM attempts');
    this.#firstOpen = database.prepare(`SELECT CAST(min(a.seq) AS REAL) AS seq FROM exchanges e INDEXED BY exchanges_open JOIN attempts a ON a.exchange_seq = e.seq
      WHERE e.outcome = 'open' AND a.final = 1`);
    this.#byGroup = database.prepare(`SELECT ${groupColumns}, ${readableSums} FROM ${grouped} GROUP BY ${groupColumns}`);
    this.#bySlot = database.prepare(`SELECT CAST(slot AS REAL) AS slot, ${spendFigures.map(readableSum).join(', ')} FROM ${timed} GROUP BY slot`);
    // Both take the same bounds; each uses those it needs.
    for (const statement of [this.#byGroup, this.#bySlot]) statement.setAllowUnknownNamedParameters(true);
    this.#exchanges = database.prepare('SELECT count(*) AS count FROM exchanges WHERE started_at >= ? AND started_at < ? AND shadow IS NULL');
    this.#unpriced = database.prepare(`SELECT ${attemptGroups}, CAST(a.started_at / ${slotMs} AS REAL) AS slot, a.cost_unpriced AS parts, count(*) AS count
      FROM attempts a INDEXED BY attempts_unpriced JOIN exchanges e ON e.seq = a.exchange_seq
      WHERE a.started_at >= :from AND a.started_at < :to AND a.cost_unpriced IS NOT NULL AND a.final = 1 GROUP BY ${groupColumns}, slot, parts`);
    this.#cached = database.prepare(`SELECT count(*) AS count, ${readableSum('saved_micro_usd')}, sum(saved_micro_usd IS NULL) AS unknown,
      sum(CASE WHEN cache_facts LIKE '%"savedEstimated":true%' THEN CAST(saved_micro_usd AS REAL) ELSE 0 END) AS estimated
      FROM exchanges INDEXED BY exchanges_saved WHERE cache IN ('hit', 'shared') AND outcome <> 'open' AND started_at >= ? AND started_at < ?`);
    const attemptsOf = (index: string): string => `FROM attempts a INDEXED BY ${index} JOIN exchanges e ON e.seq = a.exchange_seq WHERE a.started_at >= :from AND a.started_at < :to`;
    this.#startByEndpoint = database.prepare(`SELECT endpoint, ${['micro_usd', 'estimated_micro_usd', 'unknown_attempts'].map(readableSum).join(', ')} FROM (
      SELECT a.endpoint AS endpoint, ${attemptSums} ${attemptsOf('attempts_by_time')} AND a.final = 1 AND ${notRunningHere}) GROUP BY endpoint`);
    this.#startHedges = database.prepare(`SELECT route, name, ${readableSum('micro_usd')}, sum(known) AS known, count(*) AS count FROM (
      SELECT e.route AS route, CASE WHEN e.route IS NULL THEN e.wanted END AS name, coalesce(${figure('cost_micro_usd')}, 0) AS micro_usd,
        CASE WHEN ${costCertainty} = 'unknown' THEN 0 ELSE 1 END AS known
      ${attemptsOf('attempts_of_role')} AND a.role = 'hedge' AND a.final = 1 AND ${notRunningHere}) GROUP BY route, name`);
    this.#startRunning = database.prepare(`SELECT ${selectedAttemptColumns}, ${spentColumns} ${attemptsOf('attempts_running')} AND a.final = 0 AND e.instance <> :instance`);
    this.#folds = foldLevels.map(({ level, slot, groups }) => database.prepare(`
      INSERT INTO spend_slots (level, slot, ${groupColumns}, ${sumColumns})
      SELECT ${level}, slot, ${groupColumns}, ${columnSums} FROM (
        SELECT ${slot} AS slot, ${groups}, ${attemptSums} FROM attempts a NOT INDEXED JOIN exchanges e ON e.seq = a.exchange_seq
        WHERE a.seq > ? AND a.seq <= ? AND a.final = 1)
      WHERE true GROUP BY slot, ${groupColumns}
      ON CONFLICT (level, slot, ${groupColumns}) DO UPDATE SET ${columnAdds}`));
    this.#setRolledUp = database.prepare(`UPDATE counters SET value = ? WHERE name = 'rolled_up'`);
  }

  /**
   * Takes one more portion of attempts into the roll-up, when enough wait.
   * @returns whether more wait
   */
  fold(): boolean {
    if (this.#waiting() < foldThreshold) return false;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const from = Number(this.#rolledUp.get()?.['value'] ?? 0);
      // A sum that was rolled up is never corrected: what may still get its price, or be the last attempt of its exchange, stays outside.
      const open = this.#firstOpen.get()?.['seq'];
      const to = Math.min(from + foldChunk, Number(this.#highest.get()?.['seq'] ?? 0), typeof open === 'number' ? open - 1 : Infinity);
      if (to <= from) {
        this.#database.exec('ROLLBACK');
        return false;
      }
      for (const fold of this.#folds) fold.run(from, to);
      this.#setRolledUp.run(to);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    return this.#waiting() >= foldThreshold;
  }

  /**
   * Everything spent in a range, by the start of each attempt. Failed attempts that cost something count. An
   * exchange is counted once: in the totals by its own start, in a group where its last attempt was. What a shadow sent is spent, and is no exchange.
   */
  spend(range: TimeRange): SpendReport {
    return this.#reading(range, (bounds) => this.#report(range, bounds));
  }

  /** See SpendStart. Reads each attempt of the range: meant for a day at most. */
  start(range: TimeRange): SpendStart {
    return this.#reading(range, ({ from, to }) => {
      const all = { from, to, instance: this.#instanceId };
      const byEndpoint = new Map<string, EndpointSpend>();
      for (const row of this.#startByEndpoint.all(all)) {
        byEndpoint.set(String(row['endpoint']), {
          microUsd: Number(row['micro_usd']), estimatedMicroUsd: Number(row['estimated_micro_usd']), unknown: Number(row['unknown_attempts']),
        });
      }
      for (const row of this.#unpriced.all({ from, to })) {
        const spend = byEndpoint.get(String(row['endpoint']));
        if (spend !== undefined) spend.unpriced = [...new Set([...spend.unpriced ?? [], ...String(row['parts']).split(', ')])];
      }
      return {
        position: Number(this.#highest.get()?.['seq'] ?? 0), byEndpoint, hedges: this.#startHedges.all(all).map(hedgeSpendFromRow),
        running: readable(allRows(this.#startRunning, all), spentAttemptFromRow, this.#unreadable),
      };
    });
  }

  #waiting(): number {
    return Number(this.#highest.get()?.['seq'] ?? 0) - Number(this.#rolledUp.get()?.['value'] ?? 0);
  }

  /** Runs queries on one snapshot, so that the roll-up and the attempts fit together. */
  #reading<Result>(range: TimeRange, read: (bounds: Bounds) => Result): Result {
    this.#database.exec('BEGIN');
    try {
      return read(boundsOf(range, Number(this.#rolledUp.get()?.['value'] ?? 0)));
    } finally {
      if (this.#database.isTransaction) this.#database.exec('COMMIT');
    }
  }

  #report(range: TimeRange, bounds: Bounds): SpendReport {
    const cached = this.#cached.get(bounds.from, bounds.to);
    return spendReport(range, {
      groups: this.#byGroup.all(bounds), slots: this.#bySlot.all(bounds), unpriced: this.#unpriced.all({ from: bounds.from, to: bounds.to }),
      exchanges: Number(this.#exchanges.get(bounds.from, bounds.to)?.['count'] ?? 0), cached: cached === undefined ? [] : [cached],
    });
  }
}

function hedgeSpendFromRow(row: Row): HedgeSpend {
  const spend: HedgeSpend = { microUsd: Number(row['micro_usd']), known: Number(row['known']), count: Number(row['count']) };
  if (typeof row['route'] === 'string') spend.route = row['route'];
  if (typeof row['name'] === 'string') spend.requestedModel = row['name'];
  return spend;
}
