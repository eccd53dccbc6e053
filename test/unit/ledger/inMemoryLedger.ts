import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Receipt, RequestSummary, SpendGroup, SpendReport, SpendTotals, TimeRange } from '../../../server/api/receipt.ts';
import { noteSubject, type KeyNote } from '../../../server/ledger/sqlite/keyNotes.ts';
import type { ForeignAttempt, HealthEvent } from '../../../server/ledger/ports.ts';
import { localDays } from '../../../server/ledger/sqlite/localDays.ts';
import { byCostDescending, noWorkspace } from '../../../server/ledger/sqlite/spendQueries.ts';
import type { EndpointSpend } from '../../../server/ledger/sqlite/spendQueries.ts';
import type { UsedKey } from '../../../server/ledger/sqlite/ledgerFile.ts';
import type { LedgerStore } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import { addMissing, addUsage, costIsMissing, incompleteBuckets, sumCost, sumUsage } from '../../../server/pricing/sums.ts';

/** A ledger without a file, for tests of what stands above it. Runs the same contract as the real one. */
export class InMemoryLedger implements LedgerStore {
  readonly receipts = new Map<string, Receipt>();
  readonly health: HealthEvent[] = [];
  readonly #foreign: { attempts: ForeignAttempt[]; health: HealthEvent[] } = { attempts: [], health: [] };
  readonly isOpen = true;
  #finished = 0;

  open(receipt: Receipt): void { this.progress(receipt); }

  progress(receipt: Receipt): void {
    const known = this.receipts.get(receipt.id);
    if (known === undefined || known.outcome === 'open') this.receipts.set(receipt.id, structuredClone(receipt));
  }

  close(receipt: Receipt): void {
    this.receipts.set(receipt.id, structuredClone(receipt));
    this.#finished += 1;
  }

  recordHealth(event: HealthEvent): void { this.health.push(event); }

  readonly notes: KeyNote[] = [];
  readonly #foreignNotes: KeyNote[] = [];

  recordKeyNote(note: KeyNote): void {
    const known = this.notes.findIndex((one) => noteSubject(one) === noteSubject(note));
    if (known >= 0 && (this.notes[known]?.at ?? 0) > note.at) return;
    if (known >= 0) this.notes.splice(known, 1);
    this.notes.push(note);
  }

  keyNotes(): KeyNote[] { return [...this.notes]; }
  pollKeyNotes(): KeyNote[] { return this.#foreignNotes.splice(0); }

  /** Pretends that another window found something out about a key. */
  addForeignNotes(...notes: KeyNote[]): void { this.#foreignNotes.push(...notes); }

  /** Pretends that another window recorded something. */
  addForeign(attempts: ForeignAttempt[], health: HealthEvent[] = []): void {
    this.#foreign.attempts.push(...attempts);
    this.#foreign.health.push(...health);
  }

  receipt(id: string): Receipt | undefined {
    const receipt = this.receipts.get(id);
    if (receipt === undefined) return undefined;
    return { ...structuredClone(receipt), usage: sumUsage(receipt.attempts), cost: sumCost(receipt.attempts) };
  }

  recent(limit: number, before = Infinity): RequestSummary[] {
    return [...this.receipts.values()].reverse().filter((receipt) => receipt.startedAt < before)
      .sort((a, b) => b.startedAt - a.startedAt).slice(0, limit).map(summaryOf);
  }

  spend(range: TimeRange): SpendReport {
    const totals = noSpend();
    const groups = { endpoint: new Map<string, SpendGroup>(), model: new Map<string, SpendGroup>(), tool: new Map<string, SpendGroup>(), workspace: new Map<string, SpendGroup>() };
    const days = localDays(range.from, range.to);
    const byDay = days.map(({ day }) => ({ day, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0 }));
    const missing = new Map<SpendTotals, Set<keyof TokenUsage>>();
    for (const receipt of this.receipts.values()) {
      if (receipt.startedAt >= range.from && receipt.startedAt < range.to) totals.exchanges += 1;
      for (const attempt of receipt.attempts) {
        if (attempt.startedAt < range.from || attempt.startedAt >= range.to) continue;
        const micro = attempt.cost.microUsd ?? 0;
        const estimated = attempt.cost.certainty === 'estimated' ? micro : 0;
        const unknown = costIsMissing(attempt, receipt.outcome === 'open' && attempt === receipt.attempts.at(-1)) ? 1 : 0;
        const ended = receipt.outcome !== 'open' && attempt === receipt.attempts.at(-1) ? 1 : 0;
        const sums = [
          groupOf(groups.endpoint, attempt.endpoint), groupOf(groups.model, attempt.model),
          groupOf(groups.tool, receipt.caller.tool), groupOf(groups.workspace, receipt.caller.workspace ?? noWorkspace),
        ];
        for (const sum of [totals, ...sums]) {
          sum.microUsd += micro;
          sum.estimatedMicroUsd += estimated;
          sum.unknownAttempts += unknown;
          addUsage(sum.usage, attempt.usage);
          addMissing(missing.get(sum) ?? missing.set(sum, new Set()).get(sum) ?? new Set(), attempt.usage);
        }
        for (const sum of sums) sum.exchanges += ended;
        const bar = byDay[days.findLastIndex((day) => day.from <= attempt.startedAt)];
        if (bar === undefined) continue;
        bar.microUsd += micro;
        bar.estimatedMicroUsd += estimated;
        bar.unknownAttempts += unknown;
        bar.exchanges += ended;
      }
    }
    for (const [sum, buckets] of missing) {
      const incomplete = incompleteBuckets(sum.usage, buckets);
      if (incomplete !== undefined) sum.incompleteUsage = incomplete;
    }
    return {
      range, totals, byDay, byEndpoint: byCostDescending(groups.endpoint), byModel: byCostDescending(groups.model),
      byTool: byCostDescending(groups.tool), byWorkspace: byCostDescending(groups.workspace),
    };
  }

  spendByEndpoint(range: TimeRange): Map<string, EndpointSpend> {
    return new Map(this.spend(range).byEndpoint.map((group) => [group.name, {
      microUsd: group.microUsd, estimated: group.estimatedMicroUsd > 0, unknown: group.unknownAttempts,
    }]));
  }

  recentAttempts(sinceMs: number): ForeignAttempt[] {
    return [...this.receipts.values()].filter((receipt) => receipt.outcome !== 'open').flatMap((receipt) => receipt.attempts)
      .map((attempt) => ({ attempt, endedAt: attempt.startedAt + attempt.totalMs }))
      .filter(({ endedAt }) => endedAt >= sinceMs).sort((a, b) => a.endedAt - b.endedAt);
  }

  waitingAttempts(endedBefore: number, now: number): ForeignAttempt[] {
    return this.recentAttempts(0).filter(({ attempt, endedAt }) => endedAt < endedBefore && endedAt + (attempt.retryAfterMs ?? -Infinity) > now);
  }

  latestAttempts(count: number): ForeignAttempt[] {
    return [...this.receipts.values()].flatMap(({ outcome, stream, attempts }) => attempts
      .filter((attempt) => outcome !== 'open' || attempt !== attempts.at(-1))
      .map((attempt) => ({ attempt, endedAt: attempt.startedAt + attempt.totalMs, stream, beaten: attempt.outcome === 'cancelled' && outcome !== 'cancelled' && outcome !== 'interrupted' })))
      .slice(-count);
  }

  keysUsed(): UsedKey[] {
    return [...this.receipts.values()].flatMap(({ attempts }) => attempts).filter(({ outcome, keyId }) => outcome === 'ok' && keyId !== undefined)
      .map(({ endpoint, keyId = '', keyLast4 = '' }) => ({ endpoint, keyId, keyLast4 }));
  }

  hedgeSpendSince(route: string, since: number): number {
    const hedges = [...this.receipts.values()].filter(({ plan }) => plan.requestedModel === route).flatMap(({ attempts }) => attempts)
      .filter(({ role, startedAt }) => role === 'hedge' && startedAt >= since);
    const known = hedges.filter(({ cost }) => cost.certainty !== 'unknown');
    if (known.length === 0) return 0;
    return Math.ceil(known.reduce((sum, { cost }) => sum + (cost.microUsd ?? 0), 0) * hedges.length / known.length);
  }

  recentHealth(sinceMs: number): HealthEvent[] {
    return this.health.filter((event) => event.at >= sinceMs).sort((a, b) => a.at - b.at);
  }

  pollForeign(): { attempts: ForeignAttempt[]; health: HealthEvent[] } {
    return { attempts: this.#foreign.attempts.splice(0), health: this.#foreign.health.splice(0) };
  }

  revision(): number { return this.#finished; }
  flush(): void {}
  shutdown(): void {}
}

function noSpend(): SpendTotals {
  return { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0, usage: {} };
}

function groupOf(groups: Map<string, SpendGroup>, name: string): SpendGroup {
  let group = groups.get(name);
  if (group === undefined) {
    group = { name, ...noSpend() };
    groups.set(name, group);
  }
  return group;
}

function summaryOf(receipt: Receipt): RequestSummary {
  const { id, startedAt, target, outcome, failureClass, totalMs, firstTokenMs, caller, plan, attempts } = receipt;
  return {
    id, startedAt, requestedModel: plan.requestedModel, attempts: attempts.length, failedAttempts: attempts.filter(attempt => attempt.outcome === 'failed').length, outcome, totalMs, caller,
    usage: sumUsage(attempts), cost: sumCost(attempts),
    ...(target === undefined ? {} : { target }),
    ...(failureClass === undefined ? {} : { failureClass }),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
  };
}
