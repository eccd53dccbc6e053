import type { LatencySummary } from '../../api/status.ts';

/** The last ten minutes of an endpoint's traffic, at most 512 outcomes. */
export interface SlidingWindow {
  /** Adds an outcome. Constant time and no allocation, because every request does it. */
  add(at: number, ok: boolean, firstTokenMs: number | undefined, totalMs: number | undefined): void;
  /** What the sliding window holds at `now`; computed again only after an outcome was added or has become too old. */
  summary(now: number): WindowSummary;
  /** Whether an attempt succeeded in the last ten minutes. Constant time. */
  succeededLately(now: number): boolean;
  /** When the summary changes by time alone: its oldest outcome, or its last success, grows too old. Infinity: never. */
  changesAt(now: number): number;
  /** Removes the failures since `from`, which were not the endpoint's. */
  forgive(from: number): void;
  /** A copy of all it holds; `restore` puts it back. */
  snapshot(): WindowState;
  restore(state: WindowState): void;
}

/** One entry for each outcome; NaN stands for "not measured". */
interface Columns {
  readonly at: Float64Array;
  readonly okFlag: Uint8Array;
  readonly firstToken: Float64Array;
  readonly total: Float64Array;
}

export interface WindowState {
  readonly columns: Columns;
  readonly next: number;
  readonly held: number;
  readonly lastSuccessAt: number;
}

export interface WindowSummary {
  outcomes: number;
  failures: number;
  /** 0..1; absent without outcomes. */
  errorRate?: number | undefined;
  /** Of successful attempts, in milliseconds; absent where nothing was measured. */
  firstToken?: LatencySummary | undefined;
  total?: LatencySummary | undefined;
}

export const windowMs = 600_000;
const capacity = 512;

/** An empty sliding window. Percentiles are exact (nearest rank) over the outcomes held. */
export function createSlidingWindow(): SlidingWindow {
  // Most of many endpoints never get a request, so the columns are made with the first outcome.
  let columns = columnsFor(0);
  let next = 0;
  let held = 0;
  let lastSuccessAt = -Infinity;
  let cached: { summary: WindowSummary; from: number; until: number } | undefined;

  function summarise(now: number): { summary: WindowSummary; from: number; until: number } {
    let outcomes = 0;
    let failures = 0;
    let oldest = Infinity;
    let firstTokens = 0;
    let totals = 0;
    const { at, okFlag, firstToken, total } = columns;
    const firstTokenMs = new Float64Array(held);
    const totalMs = new Float64Array(held);
    for (let index = 0; index < held; index += 1) {
      const when = at[index] ?? 0;
      if (when <= now - windowMs) continue;
      outcomes += 1;
      oldest = Math.min(oldest, when);
      if (okFlag[index] === 0) { failures += 1; continue; }
      const first = firstToken[index] ?? NaN;
      const whole = total[index] ?? NaN;
      if (!Number.isNaN(first)) firstTokenMs[firstTokens++] = first;
      if (!Number.isNaN(whole)) totalMs[totals++] = whole;
    }
    return {
      summary: {
        outcomes,
        failures,
        errorRate: outcomes === 0 ? undefined : failures / outcomes,
        firstToken: percentiles(firstTokenMs.subarray(0, firstTokens)),
        total: percentiles(totalMs.subarray(0, totals)),
      },
      from: now,
      until: oldest + windowMs,
    };
  }

  function current(now: number): { summary: WindowSummary; until: number } {
    if (cached === undefined || now >= cached.until || now < cached.from) cached = summarise(now);
    return cached;
  }

  return {
    add(when, ok, firstTokenMs, totalMs) {
      if (columns.at.length === 0) columns = columnsFor(capacity);
      columns.at[next] = when;
      columns.okFlag[next] = ok ? 1 : 0;
      columns.firstToken[next] = firstTokenMs ?? NaN;
      columns.total[next] = totalMs ?? NaN;
      next = (next + 1) % capacity;
      if (held < capacity) held += 1;
      if (ok && when > lastSuccessAt) lastSuccessAt = when;
      cached = undefined;
    },
    summary: (now) => current(now).summary,
    succeededLately: (now) => lastSuccessAt > now - windowMs,
    changesAt: (now) => Math.min(current(now).until, lastSuccessAt > now - windowMs ? lastSuccessAt + windowMs : Infinity),
    forgive(from) {
      const { at, okFlag } = columns;
      for (let index = 0; index < held; index += 1) if (okFlag[index] === 0 && (at[index] ?? 0) >= from) at[index] = -Infinity;
      cached = undefined;
    },
    snapshot: () => ({ columns: copied(columns), next, held, lastSuccessAt }),
    restore(state) {
      columns = copied(state.columns);
      ({ next, held, lastSuccessAt } = state);
      cached = undefined;
    },
  };
}

function columnsFor(entries: number): Columns {
  return { at: new Float64Array(entries), okFlag: new Uint8Array(entries), firstToken: new Float64Array(entries), total: new Float64Array(entries) };
}

function copied({ at, okFlag, firstToken, total }: Columns): Columns {
  return { at: at.slice(), okFlag: okFlag.slice(), firstToken: firstToken.slice(), total: total.slice() };
}

function percentiles(values: Float64Array): LatencySummary | undefined {
  if (values.length === 0) return undefined;
  values.sort();
  const rank = (share: number): number => values[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
