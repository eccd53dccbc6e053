import type { LatencySummary } from '../api/status.ts';

/** The last ten minutes of an endpoint's traffic, at most 512 outcomes. */
export interface OutcomeWindow {
  /** Adds an outcome. Constant time, no allocation: it is on the way of every request. */
  add(at: number, ok: boolean, firstTokenMs: number | undefined, totalMs: number | undefined): void;
  /** What the window holds at `now`; computed once for as long as nothing was added and nothing has grown too old. */
  summary(now: number): WindowSummary;
  /** Whether something went well in the last ten minutes. Constant time. */
  succeededLately(now: number): boolean;
  /** Takes the failures since `from` out: they were not the endpoint's. */
  forgive(from: number): void;
  /** A copy of all it holds; `restore` puts it back. */
  snapshot(): WindowState;
  restore(state: WindowState): void;
}

export interface WindowState {
  readonly columns: readonly (Float64Array | Uint8Array)[];
  readonly next: number;
  readonly held: number;
  readonly lastSuccessAt: number;
}

export interface WindowSummary {
  outcomes: number;
  failures: number;
  /** 0..1; absent without outcomes. */
  errorRate?: number | undefined;
  /** Of what went well, in milliseconds; absent where nothing was measured. */
  firstToken?: LatencySummary | undefined;
  total?: LatencySummary | undefined;
}

export const windowMs = 600_000;
const capacity = 512;

/** An empty window. Percentiles are exact (nearest rank) over the outcomes held. */
export function createOutcomeWindow(): OutcomeWindow {
  const at = new Float64Array(capacity);
  const okFlag = new Uint8Array(capacity);
  // NaN stands for "not measured".
  const firstToken = new Float64Array(capacity);
  const total = new Float64Array(capacity);
  const columns = [at, okFlag, firstToken, total];
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

  return {
    add(when, ok, firstTokenMs, totalMs) {
      at[next] = when;
      okFlag[next] = ok ? 1 : 0;
      firstToken[next] = firstTokenMs ?? NaN;
      total[next] = totalMs ?? NaN;
      next = (next + 1) % capacity;
      if (held < capacity) held += 1;
      if (ok && when > lastSuccessAt) lastSuccessAt = when;
      cached = undefined;
    },
    summary(now) {
      if (cached === undefined || now >= cached.until || now < cached.from) cached = summarise(now);
      return cached.summary;
    },
    succeededLately: (now) => lastSuccessAt > now - windowMs,
    forgive(from) {
      for (let index = 0; index < held; index += 1) if (okFlag[index] === 0 && (at[index] ?? 0) >= from) at[index] = -Infinity;
      cached = undefined;
    },
    snapshot: () => ({ columns: columns.map((column) => column.slice()), next, held, lastSuccessAt }),
    restore(state) {
      columns.forEach((column, index) => { column.set(state.columns[index] ?? []); });
      ({ next, held, lastSuccessAt } = state);
      cached = undefined;
    },
  };
}

function percentiles(values: Float64Array): LatencySummary | undefined {
  if (values.length === 0) return undefined;
  values.sort();
  const rank = (share: number): number => values[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
