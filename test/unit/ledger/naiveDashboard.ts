import type { Attempt, Receipt, RequestSummary } from '../../../server/api/receipt.ts';
import {
  addSum, emptySum, type DearestParams, type DearestSpend, type SpendDashboard, type SpendDashboardParams, type SpendDimension, type SpendFilter, type SpendGroups, type SpendRow, type SpendStep, type SpendSum,
} from '../../../server/api/reports/dashboard.ts';
import { stepsOf } from '../../../server/ledger/sqlite/dashboard/timeSteps.ts';
import { costIsMissing, sumCost } from '../../../server/pricing/sums.ts';

/** One attempt with all its names and what it adds. */
interface Counted { receipt: Receipt; attempt: Attempt; names: Record<SpendDimension, string | null>; sum: SpendSum }

/** The Spend dashboard, attempt by attempt: slow, and without a roll-up that could be wrong. */
export function naiveDashboard(receipts: readonly Receipt[], { range, filter, rows, columns, limit = 50, historyFrom }: SpendDashboardParams): SpendDashboard {
  const counted = countedIn(receipts, range, filter);
  const totals = total(counted);
  const groups = grouped(counted, rows, totals, limit);
  const { length, borders } = stepsOf(range);
  const crossed = columns === undefined || columns === rows ? undefined : grouped(counted, columns, totals, 12);
  const cached = receipts.filter(({ cache, outcome, startedAt }) => (cache?.state === 'hit' || cache?.state === 'shared') && outcome !== 'open' && startedAt >= range.from && startedAt < range.to)
    .filter((receipt) => passes(requestNames(receipt), filter));
  const ofAttempts = filter.endpoint ?? filter.provider ?? filter.model ?? filter.part ?? (filter.notRecorded?.includes('provider') === true ? 'provider' : undefined);
  return {
    range, totals, steps: inSteps(borders, range.to, counted), stepLength: length, groups,
    ...(crossed === undefined ? {} : { cross: {
      dimension: crossed.dimension, columns: crossed.rows.map(({ name }) => name), hasRest: crossed.rest !== undefined,
      lines: groups.rows.map((row) => {
        const line = counted.filter(({ names }) => names[rows] === row.name);
        const shown = crossed.rows.map((column) => total(line.filter(({ names }) => names[crossed.dimension] === column.name)));
        return crossed.rest === undefined ? shown : [...shown, total(line.filter(({ names }) => !crossed.rows.some((column) => column.name === names[crossed.dimension])))];
      }),
    } }),
    parts: grouped(counted, 'part', totals, 50).rows,
    ...(cached.length === 0 || ofAttempts !== undefined ? {} : { cached: {
      exchanges: cached.length, savedMicroUsd: cached.reduce((sum, { cache }) => sum + (cache?.savedMicroUsd ?? 0), 0),
      estimatedMicroUsd: cached.reduce((sum, { cache }) => sum + (cache?.savedEstimated === true ? cache.savedMicroUsd ?? 0 : 0), 0), unknown: cached.filter(({ cache }) => cache?.savedMicroUsd === undefined).length,
    } }),
    ...(historyFrom === undefined ? {} : { history: historyOf(receipts, { from: historyFrom, to: range.from }, filter) }),
  };
}

/** What cost most, by the whole cost of requests. */
export function naiveDearest(receipts: readonly Receipt[], { range, filter, limit }: DearestParams, summary: (receipt: Receipt) => RequestSummary): DearestSpend {
  const counted = countedIn(receipts, range, filter);
  const conversations = grouped(counted.filter(({ names }) => names.conversation !== null), 'conversation', emptySum(), limit).rows.map(({ name, ...sum }) => {
    const own = counted.filter(({ names }) => names.conversation === name);
    const [dearest] = own.map((one) => ({ one, most: total(own.filter(({ names }) => JSON.stringify(names) === JSON.stringify(one.names))).microUsd })).sort((a, b) => b.most - a.most);
    return { conversation: name ?? '', ...sum, tool: dearest?.one.names.tool ?? '', workspace: dearest?.one.names.workspace ?? null, model: dearest?.one.names.model ?? '', ...titleOf(receipts, name) };
  });
  const requests = [...new Set(counted.map(({ receipt }) => receipt))].map((receipt) => ({ receipt, cost: sumCost(receipt.attempts).microUsd ?? 0 }))
    .filter(({ cost }) => cost > 0).sort((a, b) => b.cost - a.cost).slice(0, limit).map(({ receipt }) => summary(receipt));
  return { conversations, requests };
}

/** The title of the earliest request of a conversation that has one. */
function titleOf(receipts: readonly Receipt[], conversation: string | null): { title?: string } {
  const [title] = receipts.filter(({ caller, title: kept }) => caller.conversation === conversation && kept !== undefined).sort((a, b) => a.startedAt - b.startedAt).map(({ title: kept }) => kept);
  return title === undefined ? {} : { title };
}

function historyOf(receipts: readonly Receipt[], range: { from: number; to: number }, filter: SpendFilter): SpendStep[] {
  const first = Math.min(...receipts.flatMap(({ attempts }) => attempts.map(({ startedAt }) => startedAt)));
  return inSteps(stepsOf(range, 'day').borders, range.to, countedIn(receipts, range, filter)).filter(({ to }) => to > first);
}

function countedIn(receipts: readonly Receipt[], range: { from: number; to: number }, filter: SpendFilter): Counted[] {
  return receipts.flatMap((receipt) => receipt.attempts.map((attempt): Counted => ({ receipt, attempt, names: namesOf(receipt, attempt), sum: sumOf(receipt, attempt) })))
    .filter(({ attempt, names }) => attempt.startedAt >= range.from && attempt.startedAt < range.to && passes(names, filter));
}

function requestNames({ caller, plan }: Receipt): Record<SpendDimension, string | null> {
  return {
    provider: null, endpoint: null, model: null, part: null, route: plan.route ?? null, tool: caller.tool, workspace: caller.workspace ?? null, branch: caller.branch ?? null,
    conversation: caller.conversation ?? null, purpose: caller.purpose ?? null, kind: plan.purpose?.kind ?? null, extension: caller.extension ?? null, token: caller.token ?? null, user: caller.user ?? null, team: caller.team ?? null,
  };
}

function namesOf(receipt: Receipt, attempt: Attempt): Record<SpendDimension, string | null> {
  return { ...requestNames(receipt), provider: attempt.provider ?? null, endpoint: attempt.endpoint, model: attempt.model, part: partOf(receipt, attempt) };
}

function partOf({ shadow, outcome, attempts }: Receipt, attempt: Attempt): string {
  if (shadow !== undefined) return 'shadow';
  if (attempt.outcome === 'failed') return attempts.find(({ number }) => number === attempt.number + 1)?.target === attempt.target ? 'retry' : 'failover';
  if (attempt.outcome === 'cancelled' && !['cancelled', 'interrupted', 'open'].includes(outcome)) return 'hedge';
  return attempt.role === 'resume' || attempt.role === 'restart' ? 'resume' : 'answer';
}

function sumOf(receipt: Receipt, attempt: Attempt): SpendSum {
  const { usage, cost } = attempt;
  const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens } = usage;
  const last = attempt === receipt.attempts.at(-1);
  const running = receipt.outcome === 'open' && last;
  const unknown = cost.certainty === 'unknown';
  const all = [inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens];
  const cacheUsed = (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0) + (cacheWrite1hTokens ?? 0) > 0;
  const covered = ['subscription', 'free', 'local', 'simulated'].includes(cost.priceSource ?? '');
  const prices = unknown ? undefined : cost.priceUsed;
  const input = prices?.inputPerMTok ?? 0;
  const write = prices?.cacheWritePerMTok ?? input;
  const saved = (cacheReadTokens ?? 0) * (input - (prices?.cacheReadPerMTok ?? input)) - (cacheWriteTokens ?? 0) * (write - input) - (cacheWrite1hTokens ?? 0) * ((prices?.cacheWrite1hPerMTok ?? write) - input);
  return {
    attempts: 1, requests: last && receipt.outcome !== 'open' && receipt.shadow === undefined ? 1 : 0,
    microUsd: cost.microUsd ?? 0, estimatedMicroUsd: cost.certainty === 'estimated' ? cost.microUsd ?? 0 : 0,
    unknownAttempts: costIsMissing(attempt, running) ? 1 : 0, unpricedAttempts: cost.unpriced !== undefined && !running ? 1 : 0,
    coveredAttempts: ['subscription', 'free', 'simulated'].includes(cost.priceSource ?? '') ? 1 : 0,
    inputTokens: inputTokens ?? 0, cacheReadTokens: cacheReadTokens ?? 0, cacheWriteTokens: (cacheWriteTokens ?? 0) + (cacheWrite1hTokens ?? 0), outputTokens: outputTokens ?? 0,
    pricedTokens: unknown ? 0 : all.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    tokenGaps: !running && (all.some((count) => count !== undefined) ? inputTokens === undefined || outputTokens === undefined : unknown) ? 1 : 0,
    estimatedUsage: attempt.usageEstimated ? 1 : 0,
    cacheSavedMicroUsd: cacheUsed && prices !== undefined && !covered ? Math.round(Math.abs(saved)) * Math.sign(saved) + 0 : 0,
    cacheUnpricedAttempts: cacheUsed && prices === undefined && !covered ? 1 : 0,
  };
}

function passes(names: Record<SpendDimension, string | null>, { notRecorded = [], ...fields }: SpendFilter): boolean {
  return notRecorded.every((name) => names[name] === null) && Object.entries(fields).every(([name, value]) => value === undefined || names[name as SpendDimension] === value);
}

function total(counted: readonly Counted[]): SpendSum {
  const sum = emptySum();
  for (const one of counted) addSum(sum, one.sum);
  return sum;
}

function grouped(counted: readonly Counted[], dimension: SpendDimension, totals: SpendSum, limit: number): SpendGroups {
  const names = [...new Set(counted.map((one) => one.names[dimension]))];
  const rows = names.map((name): SpendRow => ({ name, ...total(counted.filter((one) => one.names[dimension] === name)) }))
    .sort((a, b) => b.microUsd - a.microUsd || b.unknownAttempts - a.unknownAttempts || (a.name ?? '').localeCompare(b.name ?? ''));
  if (rows.length <= limit) return { dimension, rows };
  const sum = { ...totals };
  for (const row of rows.slice(0, limit)) addSum(sum, row, -1);
  return { dimension, rows: rows.slice(0, limit), rest: { groups: rows.length - limit, sum } };
}

function inSteps(borders: readonly number[], end: number, counted: readonly Counted[]): SpendStep[] {
  return borders.map((from, index): SpendStep => {
    const to = borders[index + 1] ?? end;
    const { microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts, requests } = total(counted.filter(({ attempt }) => attempt.startedAt >= from && attempt.startedAt < to));
    return { from, to, microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts, requests };
  });
}
