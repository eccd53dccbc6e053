import type { TokenUsage } from '../../api/conversation.ts';
import type { SpendGroup, SpendReport, SpendTotals, TimeRange } from '../../api/receipt.ts';
import { addMissing, addUsage, incompleteBuckets, UnpricedParts } from '../../pricing/sums.ts';
import { noWorkspace } from '../spend.ts';
import { usageFromRow } from './attemptColumns.ts';
import { localDays } from './localDays.ts';
import type { Row } from './rowValues.ts';
import { slotMs } from './slotBounds.ts';

/** The columns of sums beside those of `usageColumnList`. */
export const spendFigures: readonly string[] = ['micro_usd', 'estimated_micro_usd', 'unknown_attempts', 'exchanges', 'covered_attempts'];

/** What a store has to say of the spend of a range. Rows of several sources stand one after another: their sums are added up. */
export interface SpendRows {
  /** Sums by `endpoint`, `model`, `tool` and `workspace` ('': none), with the columns of `spendFigures` and of `usageColumnList`. */
  groups: readonly Row[];
  /** Sums by `slot`, a quarter of an hour, without tokens. */
  slots: readonly Row[];
  /** How many attempts (`count`) of the same names and `slot` have the same `parts` without a price. */
  unpriced: readonly Row[];
  /** Exchanges that started in the range. */
  exchanges: number;
  /** Requests that the response cache answered: `count`, `saved_micro_usd`, `unknown`, `estimated`. */
  cached: readonly Row[];
}

/** The report of what such rows say. An exchange is counted once: in the totals by its own start, in a group where its last attempt was. */
export function spendReport(range: TimeRange, { groups, slots, unpriced, exchanges, cached }: SpendRows): SpendReport {
  const totals = noSpend();
  const endpoints = new Map<string, SpendGroup>();
  const models = new Map<string, SpendGroup>();
  const tools = new Map<string, SpendGroup>();
  const workspaces = new Map<string, SpendGroup>();
  const missing: Missing = new Map();
  for (const row of groups) {
    const sums = [
      totals, groupOf(endpoints, row['endpoint']), groupOf(models, row['model']), groupOf(tools, row['tool']),
      groupOf(workspaces, row['workspace'] === '' ? noWorkspace : row['workspace']),
    ];
    for (const sum of sums) add(sum, row, missing);
  }
  const parts = new UnpricedParts();
  for (const row of unpriced) {
    for (const sum of [totals, endpoints.get(String(row['endpoint'])), models.get(String(row['model'])), tools.get(String(row['tool'])), workspaces.get(row['workspace'] === '' ? noWorkspace : String(row['workspace']))]) {
      if (sum !== undefined) parts.add(sum, String(row['parts']), Number(row['count']));
    }
  }
  parts.write();
  for (const [sum, buckets] of missing) {
    const incomplete = incompleteBuckets(sum.usage, buckets);
    if (incomplete !== undefined) sum.incompleteUsage = incomplete;
  }
  totals.exchanges = exchanges;
  const sumOf = (column: string): number => cached.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);
  const answered = sumOf('count');
  return {
    range, totals,
    ...(answered === 0 ? {} : { cached: { exchanges: answered, savedMicroUsd: sumOf('saved_micro_usd'), estimatedMicroUsd: sumOf('estimated'), unknown: sumOf('unknown') } }),
    byEndpoint: byCostDescending(endpoints), byModel: byCostDescending(models), byTool: byCostDescending(tools), byWorkspace: byCostDescending(workspaces),
    byDay: spendDays(range, slots, unpriced),
  };
}

function spendDays(range: TimeRange, slots: readonly Row[], unpriced: readonly Row[]): SpendReport['byDay'] {
  const days = localDays(range.from, range.to);
  const bars = days.map(({ day }): SpendReport['byDay'][number] => ({ day, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0 }));
  const rows = [...slots].sort((a, b) => Number(a['slot']) - Number(b['slot']));
  let index = 0;
  for (const row of rows) {
    const start = Number(row['slot']) * slotMs;
    while (index + 1 < days.length && (days[index + 1]?.from ?? Infinity) <= start) index += 1;
    const bar = bars[index];
    if (bar !== undefined) addFigures(bar, row);
  }
  const parts = new UnpricedParts();
  for (const row of unpriced) {
    const start = Number(row['slot']) * slotMs;
    const bar = bars[days.findLastIndex(({ from }) => from <= start)];
    if (bar !== undefined) parts.add(bar, String(row['parts']), Number(row['count']));
  }
  parts.write();
  return bars;
}

function noSpend(): SpendTotals {
  return { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0, usage: {} };
}

function groupOf(groups: Map<string, SpendGroup>, name: Row[string] | undefined): SpendGroup {
  const key = String(name);
  let group = groups.get(key);
  if (group === undefined) {
    group = { name: key, ...noSpend() };
    groups.set(key, group);
  }
  return group;
}

/** The buckets that some part of a sum did not report. */
type Missing = Map<SpendTotals, Set<keyof TokenUsage>>;

function add(totals: SpendTotals, row: Row, missing: Missing): void {
  const usage = usageFromRow(row);
  addFigures(totals, row);
  addUsage(totals.usage, usage);
  let buckets = missing.get(totals);
  if (buckets === undefined) missing.set(totals, buckets = new Set());
  addMissing(buckets, usage);
}

function addFigures(totals: Omit<SpendTotals, 'usage'>, row: Row): void {
  totals.microUsd += Number(row['micro_usd']);
  totals.estimatedMicroUsd += Number(row['estimated_micro_usd']);
  totals.unknownAttempts += Number(row['unknown_attempts']);
  totals.exchanges += Number(row['exchanges']);
  const covered = Number(row['covered_attempts']);
  if (covered > 0) totals.coveredAttempts = (totals.coveredAttempts ?? 0) + covered;
}

/** Groups by descending cost, then by name. */
export function byCostDescending(groups: ReadonlyMap<string, SpendGroup>): SpendGroup[] {
  return [...groups.values()].sort((a, b) => b.microUsd - a.microUsd || a.name.localeCompare(b.name));
}
