import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { CachedSpend, TimeRange } from '../../../api/receipt.ts';
import {
  addSum, emptySum, type SpendCross, type SpendDashboard, type SpendDashboardParams, type SpendDimension, type SpendFilter, type SpendGroups, type SpendRow, type SpendStep, type SpendSum,
} from '../../../api/reports/dashboard.ts';
import { boundsOf, dayMs, slotMs } from '../../rows/slotBounds.ts';
import {
  addSums, attemptSums, comboColumns, comboNames, comboSql, conversationSql, filterSql, namedSum, noSums, readableSums, sumColumns, sumFromRow, sumsFromRow, type ComboDimension, type Sums,
} from './cellSql.ts';
import { stepsOf } from './timeSteps.ts';

type Row = Record<string, unknown>;
type Names = Record<ComboDimension, string>;
/** A set of names with its sum. `id` is absent where no cell has it yet. */
interface Combo { id?: number | undefined; names: Names; hasConversation: boolean }
interface Entry { combo: Combo; sum: Sums }
/** What a conversation cost; attempts whose cost is not known come beside it. */
interface ConversationCost { name: string; microUsd: number; unknown: number }

const usualRows = 50;
/** A wider table is read by nobody. */
const mostColumns = 12;
const stepSums = ['micro_usd', 'estimated_micro_usd', 'unknown_attempts', 'unpriced_attempts', 'requests'];
const readableStepSums = stepSums.map((column) => `sum(CAST(${column} AS REAL)) AS ${column}`).join(', ');

/** Attempts of the range that no whole slot of cells holds: see looseAttempts. @param edges those in the two ends of the range as well */
const loose = (columns: string, where: string): string => `
  SELECT ${columns} FROM attempts a NOT INDEXED JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.seq > :rolledUp AND a.final = 1 AND a.started_at >= :from AND a.started_at < :to${where}
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_running JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.final = 0 AND a.started_at >= :from AND a.started_at < :to${where}
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_by_time JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.started_at >= :from AND a.started_at < :headTo AND a.seq <= :rolledUp AND a.final = 1${where}
  UNION ALL
  SELECT ${columns} FROM attempts a INDEXED BY attempts_by_time JOIN exchanges e ON e.seq = a.exchange_seq
    WHERE a.started_at >= :tailFrom AND a.started_at < :to AND a.seq <= :rolledUp AND a.final = 1${where}`;
/** All attempts of one conversation in the range. */
const ofConversation = (columns: string, where: string): string => `
  SELECT ${columns} FROM exchanges e INDEXED BY exchanges_of_conversation JOIN attempts a ON a.exchange_seq = e.seq
    WHERE e.conversation = :f_conversation AND a.started_at >= :from AND a.started_at < :to${where}`;

/** Sums for the Spend dashboard from a ledger, each question on one snapshot. Reads only, and belongs into a thread of its own. */
export class DashboardQueries {
  readonly #database: DatabaseSync;
  /** By id. */
  readonly #combos = new Map<number, Combo>();
  #lastCombo = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** See SpendDashboard. */
  dashboard(params: SpendDashboardParams): SpendDashboard {
    return this.#snapshot(() => {
      const { range, filter, rows, columns, historyFrom } = params;
      const limit = Math.max(1, params.limit ?? usualRows);
      const entries = this.#entries(range, filter);
      const totals = totalOf(entries);
      const groups = rows === 'conversation' ? this.#conversations(range, filter, totals, limit) : groupsOf(entries, rows, totals, limit);
      const { steps, length } = this.#steps(range, filter);
      return {
        range, totals, steps, stepLength: length, groups,
        ...(columns === undefined || columns === rows ? {} : { cross: this.#cross(range, filter, entries, groups, columns) }),
        parts: groupsOf(entries, 'part', totals, usualRows).rows,
        ...this.#cached(range, filter),
        ...(historyFrom === undefined ? {} : { history: this.#history({ from: historyFrom, to: range.from }, filter) }),
      };
    });
  }

  #snapshot<Result>(read: () => Result): Result {
    this.#database.exec('BEGIN');
    try {
      return read();
    } finally {
      if (this.#database.isTransaction) this.#database.exec('COMMIT');
    }
  }

  #all(sql: string, values: Record<string, SQLInputValue>): Row[] {
    const statement = this.#database.prepare(sql);
    statement.setAllowUnknownNamedParameters(true);
    return statement.all(values);
  }

  #rolledUp(): number {
    return Number(this.#database.prepare(`SELECT CAST(value AS REAL) AS value FROM counters WHERE name = 'cells_rolled_up'`).get()?.['value'] ?? 0);
  }

  /** The combos that a filter leaves, with the names of those that are new. */
  #chosen(filter: SpendFilter): Combo[] {
    for (const row of this.#database.prepare(`SELECT id, ${comboNames} FROM spend_combos WHERE id > ? ORDER BY id`).all(this.#lastCombo)) {
      const combo = comboFromRow(row);
      this.#lastCombo = Number(row['id']);
      this.#combos.set(this.#lastCombo, { ...combo, id: this.#lastCombo });
    }
    return [...this.#combos.values()].filter((combo) => passes(combo, filter));
  }

  /** What a filter leaves of the cells, as a condition with AND before it. */
  #cellCondition(filter: SpendFilter): string {
    const chosen = this.#chosen(filter);
    // An empty list is a constant to SQLite, with which it uses no index; no combo has the id -1.
    return chosen.length === this.#combos.size ? '' : ` AND combo IN (${chosen.length === 0 ? '-1' : chosen.map(({ id }) => String(id)).join(',')})`;
  }

  /** The sums of the range by combo. */
  #entries(range: TimeRange, filter: SpendFilter): Entry[] {
    const bounds = boundsOf(range, this.#rolledUp());
    const { sql, values } = filterSql(filter);
    const all = { ...bounds, ...values };
    const entries: Entry[] = [];
    const grouped = (source: string): string => `SELECT ${comboNames}, ${readableSums} FROM (${source}) GROUP BY ${comboNames}`;
    if (filter.conversation !== undefined) {
      for (const row of this.#all(grouped(ofConversation(`${comboSql}, ${attemptSums}`, sql)), all)) entries.push({ combo: comboFromRow(row), sum: sumsFromRow(row) });
      return entries;
    }
    const condition = this.#cellCondition(filter);
    const cells = (level: number, first: string, end: string): string => `SELECT combo, ${sumColumns} FROM spend_cells WHERE level = ${level} AND slot >= :${first} AND slot < :${end}${condition}`;
    const source = [cells(1, 'firstDay', 'endDay'), cells(0, 'firstSlot', 'headSlotEnd'), cells(0, 'tailSlot', 'endSlot')].join(' UNION ALL ');
    for (const row of this.#all(`SELECT combo, ${readableSums} FROM (${source}) GROUP BY combo`, all)) {
      const combo = this.#combos.get(Number(row['combo']));
      if (combo !== undefined) entries.push({ combo, sum: sumsFromRow(row) });
    }
    for (const row of this.#all(grouped(loose(`${comboSql}, ${attemptSums}`, sql)), all)) entries.push({ combo: comboFromRow(row), sum: sumsFromRow(row) });
    return entries;
  }

  /** The range by quarters of an hour. */
  #slots(range: TimeRange, filter: SpendFilter): Row[] {
    const bounds = boundsOf(range, this.#rolledUp());
    const { sql, values } = filterSql(filter);
    const raw = `a.started_at / ${slotMs} AS slot, ${attemptSums}`;
    const source = filter.conversation !== undefined ? ofConversation(raw, sql)
      : `SELECT slot, ${sumColumns} FROM spend_cells WHERE level = ${sql === '' ? 3 : 0} AND slot >= :firstSlot AND slot < :endSlot${this.#cellCondition(filter)} UNION ALL ${loose(raw, sql)}`;
    return this.#all(`SELECT CAST(slot AS REAL) AS slot, ${readableStepSums} FROM (${source}) GROUP BY slot`, { ...bounds, ...values });
  }

  #steps(range: TimeRange, filter: SpendFilter): { steps: SpendStep[]; length: SpendDashboard['stepLength'] } {
    const { length, borders } = stepsOf(range);
    return { length, steps: intoSteps(borders, range, this.#slots(range, filter)) };
  }

  #history(range: TimeRange, filter: SpendFilter): SpendStep[] {
    const first = this.#database.prepare('SELECT CAST(min(started_at) AS REAL) AS at FROM attempts').get()?.['at'];
    if (typeof first !== 'number') return [];
    const { borders } = stepsOf(range, 'day');
    return intoSteps(borders, range, this.#slots(range, filter)).filter(({ to }) => to > first);
  }

  #cross(range: TimeRange, filter: SpendFilter, entries: readonly Entry[], groups: SpendGroups, dimension: SpendDimension): SpendCross {
    if (dimension === 'conversation' || groups.dimension === 'conversation') return this.#crossConversations(range, filter, entries, groups, dimension);
    const columns = groupsOf(entries, dimension, emptySum(), mostColumns);
    const names = columns.rows.map(({ name }) => name);
    const lineOf = new Map(groups.rows.map(({ name }, index) => [name, index]));
    const cross = new Cross(dimension, names, columns.rest !== undefined, groups.rows.length);
    for (const { combo, sum } of entries) cross.add(lineOf.get(nameIn(combo, groups.dimension)), nameIn(combo, dimension), sum);
    return cross.named();
  }

  /** Of the many conversations only those that are shown are read by their other names. */
  #crossConversations(range: TimeRange, filter: SpendFilter, entries: readonly Entry[], groups: SpendGroups, dimension: SpendDimension): SpendCross {
    const ofRows = groups.dimension === 'conversation';
    const other = ofRows ? dimension : groups.dimension;
    const total = totalOf(entries);
    const columns = ofRows ? groupsOf(entries, dimension, total, mostColumns) : this.#conversations(range, filter, total, mostColumns);
    const conversations = (ofRows ? groups : columns).rows.map(({ name }) => name);
    const cross = new Cross(dimension, columns.rows.map(({ name }) => name), columns.rest !== undefined, groups.rows.length);
    const lineOf = new Map(groups.rows.map(({ name }, index) => [name, index]));
    /** Of rows that are no conversations: what their shown conversations leave of them. */
    const lefts = groups.rows.map((row) => sumOf(row));
    for (const row of this.#conversationRows(range, filter, conversations.map((name) => name ?? ''), true)) {
      const conversation = row['conversation'] === '' ? null : String(row['conversation']);
      const name = nameOf(row[other]);
      const line = lineOf.get(ofRows ? conversation : name);
      cross.add(line, ofRows ? name : conversation, sumsFromRow(row));
      const left = line === undefined ? undefined : lefts[line];
      if (left !== undefined) addSum(left, sumFromRow(row), -1);
    }
    const named = cross.named();
    if (!ofRows && named.hasRest) for (const [line, left] of lefts.entries()) addSum(named.lines[line]?.at(-1) ?? emptySum(), left);
    return named;
  }

  #conversations(range: TimeRange, filter: SpendFilter, totals: SpendSum, limit: number): SpendGroups {
    const { names, count } = this.#dearestConversations(range, filter, limit);
    const shown = this.#conversationRows(range, filter, names, false).map((row): SpendRow => ({ name: row['conversation'] === '' ? null : String(row['conversation']), ...sumFromRow(row) }));
    return withRest('conversation', shown, totals, count);
  }

  /** The cells of conversations. They stand in the index by conversation, with what the dearest are found by. */
  #conversationCells(filter: SpendFilter, columns: string, join = ''): string {
    return `SELECT ${columns} FROM spend_cells INDEXED BY spend_cells_of_conversation${join} WHERE level = 2 AND slot >= :firstDay AND slot < :endDay${this.#cellCondition(filter)}`;
  }

  /** The conversations that cost most, '' where it is not recorded, and how many there are. */
  #dearestConversations(range: TimeRange, filter: SpendFilter, limit: number): { names: string[]; count: number } {
    const { sql, values } = filterSql(filter);
    const all = { ...this.#dayBounds(range), ...values };
    const cost = 'sum(CAST(micro_usd AS REAL)) AS micro_usd, sum(CAST(unknown_attempts AS REAL)) AS unknown_attempts';
    const raw = `${conversationSql}, ${attemptSums}`;
    const found = new Map<string, ConversationCost>();
    const add = (rows: readonly Row[]): void => {
      for (const row of rows) {
        const name = String(row['conversation']);
        const { microUsd = 0, unknown = 0 } = found.get(name) ?? {};
        found.set(name, { name, microUsd: microUsd + Number(row['micro_usd']), unknown: unknown + Number(row['unknown_attempts']) });
      }
    };
    add(this.#all(`SELECT conversation, ${cost} FROM (${filter.conversation === undefined ? loose(raw, sql) : ofConversation(raw, sql)}) GROUP BY conversation`, all));
    let count = found.size;
    if (filter.conversation === undefined) {
      const looseNames = JSON.stringify([...found.keys()]);
      const cells = this.#conversationCells(filter, `conversation, ${cost}`);
      // Whichever of the dearest are in no loose attempt are among so many of the cells, however those with loose attempts stand there.
      const dearest = this.#all(`${cells} GROUP BY conversation ORDER BY micro_usd DESC, unknown_attempts DESC, conversation LIMIT :most`, { ...all, most: limit + found.size });
      const [counted] = this.#all(this.#conversationCells(filter, 'count(DISTINCT conversation) AS count'), all);
      const ofLoose = found.size === 0 ? [] : this.#all(`${cells} AND conversation IN (SELECT value FROM json_each(:loose)) GROUP BY conversation`, { ...all, loose: looseNames });
      count += Number(counted?.['count'] ?? 0) - ofLoose.length;
      add(dearest.filter((row) => !found.has(String(row['conversation']))));
      add(ofLoose);
    }
    const names = [...found.values()].sort((a, b) => b.microUsd - a.microUsd || b.unknown - a.unknown || (a.name < b.name ? -1 : 1)).slice(0, limit).map(({ name }) => name);
    return { names, count };
  }

  /** Sums of some conversations, the dearest first. @param byNames apart by their other names */
  #conversationRows(range: TimeRange, filter: SpendFilter, only: readonly string[], byNames: boolean): Row[] {
    const group = byNames ? `conversation, ${comboNames}` : 'conversation';
    const { sql, values } = filterSql(filter);
    const raw = `${conversationSql}, ${byNames ? `${comboSql}, ` : ''}${attemptSums}`;
    const isOnly = 'conversation IN (SELECT value FROM json_each(:only))';
    const source = filter.conversation !== undefined ? ofConversation(raw, sql)
      : `${this.#conversationCells(filter, `${group}, ${sumColumns}`, byNames ? ' CROSS JOIN spend_combos c ON c.id = combo' : '')} AND ${isOnly} UNION ALL ${loose(raw, sql)}`;
    return this.#all(`SELECT ${group}, ${readableSums} FROM (${source}) WHERE ${isOnly}
      GROUP BY ${group} ORDER BY micro_usd DESC, unknown_attempts DESC, conversation`, { ...this.#dayBounds(range), ...values, only: JSON.stringify(only) });
  }

  /** Conversations are in whole days only: the ends of the range are read from the attempts. */
  #dayBounds(range: TimeRange): Record<string, number> {
    const bounds = boundsOf(range, this.#rolledUp());
    if (bounds.endDay <= bounds.firstDay) return { ...bounds, headTo: bounds.to, tailFrom: bounds.to };
    return { ...bounds, headTo: bounds.firstDay * dayMs, tailFrom: bounds.endDay * dayMs };
  }

  /** Sums by conversation and names, of the conversations that cost most. */
  dearConversations(range: TimeRange, filter: SpendFilter, limit: number): Row[] {
    return this.#snapshot(() => {
      const names = this.#dearestConversations(range, filter, limit + 1).names.filter((name) => name !== '').slice(0, limit);
      return names.length === 0 ? [] : this.#conversationRows(range, filter, names, true);
    });
  }

  /** Slots with the most that a request in them cost, the dearest first, by the cells that a filter leaves. A slot comes once for each of its cells. */
  *dearSlots(range: TimeRange, filter: SpendFilter): Generator<{ slot: number; most: number }> {
    const { firstSlot, endSlot } = boundsOf(range, 0);
    const statement = this.#database.prepare(`SELECT CAST(slot AS REAL) AS slot, CAST(most_micro_usd AS REAL) AS most FROM spend_cells WHERE level = 0 AND slot >= ? AND slot < ?${this.#cellCondition(filter)} ORDER BY most_micro_usd DESC`);
    for (const row of statement.iterate(firstSlot ?? 0, endSlot ?? 0)) yield { slot: Number(row['slot']), most: Number(row['most']) };
  }

  #cached(range: TimeRange, filter: SpendFilter): { cached?: CachedSpend } {
    // A kept answer has no attempt, so that nothing is known of what an attempt would say.
    const { endpoint, provider, model, part, notRecorded, ...ofRequests } = filter;
    if (endpoint !== undefined || provider !== undefined || model !== undefined || part !== undefined || notRecorded?.includes('provider') === true) return {};
    const { sql, values } = filterSql({ ...ofRequests, notRecorded });
    const [row] = this.#all(`SELECT count(*) AS count, sum(CAST(saved_micro_usd AS REAL)) AS saved, sum(saved_micro_usd IS NULL) AS unknown,
      sum(CASE WHEN cache_facts LIKE '%"savedEstimated":true%' THEN CAST(saved_micro_usd AS REAL) ELSE 0 END) AS estimated
      FROM exchanges e INDEXED BY exchanges_saved WHERE e.cache IN ('hit', 'shared') AND e.outcome <> 'open' AND e.started_at >= :from AND e.started_at < :to${sql}`, { from: Math.ceil(range.from), to: Math.ceil(range.to), ...values });
    const exchanges = Number(row?.['count'] ?? 0);
    if (exchanges === 0) return {};
    return { cached: { exchanges, savedMicroUsd: Number(row?.['saved'] ?? 0), estimatedMicroUsd: Number(row?.['estimated'] ?? 0), unknown: Number(row?.['unknown'] ?? 0) } };
  }
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function nameIn({ names }: Combo, dimension: SpendDimension): string | null {
  return dimension === 'conversation' ? null : nameOf(names[dimension]);
}

function comboFromRow(row: Row): Combo {
  const names = {} as Names;
  for (const name of comboColumns) names[name] = String(row[name] ?? '');
  return { names, hasConversation: row['has_conversation'] === 1 };
}

function passes({ names, hasConversation }: Combo, { notRecorded = [], conversation, ...fields }: SpendFilter): boolean {
  if (conversation !== undefined && !hasConversation) return false;
  for (const name of notRecorded) if (name === 'conversation' ? hasConversation : names[name] !== '') return false;
  return comboColumns.every((name) => fields[name] === undefined || fields[name] === names[name]);
}

/** The sums of each value of a dimension, the dearest first. */
function groupsOf(entries: readonly Entry[], dimension: SpendDimension, totals: SpendSum, limit: number): SpendGroups {
  const sums = new Map<string | null, Sums>();
  for (const { combo, sum } of entries) {
    const name = nameIn(combo, dimension);
    let known = sums.get(name);
    if (known === undefined) sums.set(name, known = noSums());
    addSums(known, sum);
  }
  const rows = [...sums].map(([name, sum]): SpendRow => ({ name, ...namedSum(sum) }));
  rows.sort((a, b) => b.microUsd - a.microUsd || b.unknownAttempts - a.unknownAttempts || (a.name ?? '').localeCompare(b.name ?? ''));
  return withRest(dimension, rows.slice(0, limit), totals, rows.length);
}

/** @param count of all groups */
function withRest(dimension: SpendDimension, rows: SpendRow[], totals: SpendSum, count: number): SpendGroups {
  if (count <= rows.length) return { dimension, rows };
  const sum = sumOf(totals);
  for (const row of rows) addSum(sum, row, -1);
  return { dimension, rows, rest: { groups: count - rows.length, sum } };
}

function totalOf(entries: readonly Entry[]): SpendSum {
  const total = noSums();
  for (const { sum } of entries) addSums(total, sum);
  return namedSum(total);
}

function sumOf(of: SpendSum): SpendSum {
  const sum = emptySum();
  addSum(sum, of);
  return sum;
}

class Cross {
  readonly #cross: Omit<SpendCross, 'lines'>;
  readonly #indexOf: Map<string | null, number>;
  readonly #lines: Sums[][];

  constructor(dimension: SpendDimension, columns: (string | null)[], hasRest: boolean, lines: number) {
    this.#cross = { dimension, columns, hasRest };
    this.#indexOf = new Map(columns.map((name, index) => [name, index]));
    this.#lines = Array.from({ length: lines }, () => Array.from({ length: columns.length + (hasRest ? 1 : 0) }, noSums));
  }

  /** @param line undefined for a row that is not shown */
  add(line: number | undefined, column: string | null, sum: Sums): void {
    const cell = line === undefined ? undefined : this.#lines[line]?.[this.#indexOf.get(column) ?? this.#cross.columns.length];
    if (cell !== undefined) addSums(cell, sum);
  }

  named(): SpendCross {
    return { ...this.#cross, lines: this.#lines.map((cells) => cells.map(namedSum)) };
  }
}

/** @param borders the start of each step, the first at or before the start of the range */
function intoSteps(borders: readonly number[], range: TimeRange, rows: readonly Row[]): SpendStep[] {
  const steps = borders.map((from, index): SpendStep => ({ from, to: borders[index + 1] ?? range.to, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, unpricedAttempts: 0, requests: 0 }));
  const sorted = [...rows].sort((a, b) => Number(a['slot']) - Number(b['slot']));
  let index = 0;
  for (const row of sorted) {
    const start = Number(row['slot']) * slotMs;
    while (index + 1 < steps.length && (steps[index + 1]?.from ?? Infinity) <= start) index += 1;
    const step = steps[index];
    if (step === undefined) continue;
    step.microUsd += Number(row['micro_usd']);
    step.estimatedMicroUsd += Number(row['estimated_micro_usd']);
    step.unknownAttempts += Number(row['unknown_attempts']);
    step.unpricedAttempts += Number(row['unpriced_attempts']);
    step.requests += Number(row['requests']);
  }
  return steps;
}
