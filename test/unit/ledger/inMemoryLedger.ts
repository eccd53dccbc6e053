import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Attempt, Receipt, RequestSummary, SpendGroup, SpendReport, SpendTotals, TimeRange } from '../../../server/api/receipt.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import type { FoundRequests, RequestPlace, RunningRequest } from '../../../server/api/reports/requestMessages.ts';
import type { DearestParams, DearestSpend, SpendDashboard, SpendDashboardParams, SpendFilter } from '../../../server/api/reports/dashboard.ts';
import { Emitter, type Subscription } from '../../../server/base/emitter.ts';
import { silentLog } from '../../../server/base/log.ts';
import type { LimitStore } from '../../../server/ledger/limitStore.ts';
import { noteSubject, type PeerNote } from '../../../server/ledger/peerNotes.ts';
import type { HealthEvent, Ledger, LedgerBacklog, PeerAttempt, PeerFacts, ReceiptPage, ReceiptPlace, RecordedAttempt, UsedKey } from '../../../server/ledger/ports.ts';
import { noWorkspace, type BilledModel, type EndpointSpend, type HedgeSpend, type LedgerBill, type RouteOutcomes, type SpendStart, type SpentBy, type SpentScope } from '../../../server/ledger/spend.ts';
import type { UsedPage, UsedPosition } from '../../../server/ledger/usedExchange.ts';
import { localDays } from '../../../server/ledger/rows/localDays.ts';
import { byCostDescending } from '../../../server/ledger/rows/spendReport.ts';
import { naiveDashboard, naiveDearest } from './naiveDashboard.ts';
import { addMissing, addUsage, costIsMissing, incompleteBuckets, sumCost, sumUsage, UnpricedParts } from '../../../server/pricing/sums.ts';

/** The fields of a peer's attempt that a test sets; the others have defaults. */
export type PeerAttemptGiven = Pick<PeerAttempt, 'attempt' | 'endedAt'> & Partial<PeerAttempt>;

/** A ledger without a file, for tests of its users. It passes the same contract as the real one. */
export class InMemoryLedger implements Ledger {
  readonly receipts = new Map<string, Receipt>();
  readonly health: HealthEvent[] = [];
  readonly isOpen = true;
  readonly limits: LimitStore | undefined;
  readonly journal = undefined;
  readonly #facts = new Emitter<PeerFacts>('A listener to facts of peers', silentLog);
  #peers: Omit<PeerFacts, 'reopened'> = { attempts: [], probes: [], notes: [], repriced: false };
  #finished = 0;
  #position = 0;

  /** @param limits where servers count limits together; absent: each counts alone */
  constructor(limits?: LimitStore) {
    this.limits = limits;
  }

  open(receipt: Receipt): void { this.progress(receipt); }

  progress(receipt: Receipt): void {
    const known = this.receipts.get(receipt.id);
    if (known === undefined || known.outcome === 'open') this.receipts.set(receipt.id, structuredClone(receipt));
  }

  close(receipt: Receipt): void {
    this.receipts.set(receipt.id, structuredClone(receipt));
    this.#finished += 1;
  }

  publishProbe(event: HealthEvent): void { this.health.push(event); }

  readonly published: PeerNote[] = [];

  publishNote(note: PeerNote): void {
    const known = this.published.findIndex((one) => noteSubject(one) === noteSubject(note));
    if (known >= 0 && (this.published[known]?.at ?? 0) > note.at) return;
    if (known >= 0) this.published.splice(known, 1);
    this.published.push(note);
  }

  async notes(): Promise<PeerNote[]> { return [...this.published]; }

  /** Simulates a note of a peer. */
  addForeignNotes(...notes: PeerNote[]): void { this.#peers = { ...this.#peers, notes: [...this.#peers.notes, ...notes] }; }

  /** Simulates records of a peer. */
  addForeign(attempts: PeerAttemptGiven[], health: HealthEvent[] = []): void {
    const whole = attempts.map((given): PeerAttempt => {
      this.#position += 1;
      return { position: this.#position, exchangeId: `peer-${this.#position}`, runs: false, requestedModel: given.attempt.model, ...given };
    });
    this.#peers = { ...this.#peers, attempts: [...this.#peers.attempts, ...whole], probes: [...this.#peers.probes, ...health] };
  }

  subscribe(listener: (facts: PeerFacts) => void): Subscription { return this.#facts.subscribe(listener); }

  poll(): void {
    const found = this.#peers;
    this.#peers = { attempts: [], probes: [], notes: [], repriced: false };
    this.#facts.emit({ ...found, reopened: false });
  }

  async receiptsIn({ from, to }: TimeRange, limit: number, after: ReceiptPlace = { startedAt: from, seq: -1 }): Promise<ReceiptPage> {
    const all = [...this.receipts.values()].map((receipt, seq) => ({ receipt, seq })).filter(({ receipt: { startedAt }, seq }) => (
      startedAt >= from && startedAt < to && (startedAt > after.startedAt || (startedAt === after.startedAt && seq > after.seq))
    )).sort((a, b) => a.receipt.startedAt - b.receipt.startedAt || a.seq - b.seq);
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return {
      receipts: page.map(({ receipt }) => ({ ...structuredClone(receipt), usage: sumUsage(receipt.attempts), cost: sumCost(receipt.attempts) })),
      next: last === undefined || all.length <= limit ? undefined : { startedAt: last.receipt.startedAt, seq: last.seq },
    };
  }

  async receipt(id: string): Promise<Receipt | undefined> {
    const receipt = this.receipts.get(id);
    if (receipt === undefined) return undefined;
    return { ...structuredClone(receipt), usage: sumUsage(receipt.attempts), cost: sumCost(receipt.attempts) };
  }

  async recent(limit: number, before = Infinity): Promise<RequestSummary[]> {
    return [...this.receipts.values()].reverse().filter((receipt) => receipt.startedAt < before)
      .sort((a, b) => b.startedAt - a.startedAt).slice(0, limit).map(summaryOf);
  }

  async find(filter: RequestFilter, limit: number, after?: RequestPlace): Promise<FoundRequests> {
    const all = [...this.receipts.values()].map((receipt, seq) => ({ receipt, seq: seq + 1, startedAt: receipt.startedAt }))
      .filter(({ receipt, seq, startedAt }) => passes(receipt, filter) && (after === undefined || startedAt < after.startedAt || (startedAt === after.startedAt && seq < after.seq)))
      .sort((a, b) => b.startedAt - a.startedAt || b.seq - a.seq);
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return { requests: page.map(({ receipt }) => summaryOf(receipt)), next: last === undefined || all.length <= limit ? undefined : { startedAt: last.startedAt, seq: last.seq } };
  }

  async running(): Promise<RunningRequest[]> {
    const open = [...this.receipts.values()].filter(({ outcome }) => outcome === 'open').reverse().sort((a, b) => b.startedAt - a.startedAt);
    return open.map(receipt => ({ ...summaryOf(receipt), ofPeer: false }));
  }

  async outcomes({ from, to }: TimeRange, boundsMs: readonly number[]): Promise<RouteOutcomes[]> {
    const found = new Map<string, RouteOutcomes>();
    const placeOf = (ms: number): number => [...boundsMs, Infinity].findIndex(bound => ms <= bound);
    for (const { plan, outcome, startedAt, totalMs, firstTokenMs, shadow } of this.receipts.values()) {
      if (outcome === 'open' || shadow !== undefined || startedAt + totalMs < from || startedAt + totalMs >= to) continue;
      const route = plan.route ?? '';
      const one = found.get(route) ?? { route, requests: 0, failed: 0, totalCounts: [...boundsMs, 0].fill(0), firstTokenCounts: [...boundsMs, 0].fill(0) };
      found.set(route, one);
      one.requests += 1;
      if (outcome === 'failed') one.failed += 1;
      one.totalCounts[placeOf(totalMs)] = (one.totalCounts[placeOf(totalMs)] ?? 0) + 1;
      if (firstTokenMs !== undefined) one.firstTokenCounts[placeOf(firstTokenMs)] = (one.firstTokenCounts[placeOf(firstTokenMs)] ?? 0) + 1;
    }
    return [...found.values()];
  }

  async spentBy(range: TimeRange, scope: SpentScope): Promise<SpentBy[]> {
    const found = new Map<string, SpentBy>();
    for (const receipt of this.receipts.values()) {
      const { caller, plan } = receipt;
      const names: Record<SpentScope, string | undefined> = {
        branch: caller.branch, route: plan.route, extension: caller.extension, token: caller.token,
        conversation: caller.conversation === undefined ? undefined : JSON.stringify([caller.tool, caller.conversation]),
      };
      const name = names[scope];
      if (name === undefined) continue;
      for (const attempt of receipt.attempts) {
        if (attempt.startedAt < range.from || attempt.startedAt >= range.to) continue;
        const sum = found.get(name) ?? { name, microUsd: 0, unknown: 0 };
        sum.microUsd += attempt.cost.microUsd ?? 0;
        if ((attempt.cost.certainty === 'unknown' || attempt.cost.unpriced !== undefined) && receipt.outcome !== 'open') sum.unknown += 1;
        found.set(name, sum);
      }
    }
    return [...found.values()];
  }

  async spend(range: TimeRange): Promise<SpendReport> {
    const totals = noSpend();
    const groups = { endpoint: new Map<string, SpendGroup>(), model: new Map<string, SpendGroup>(), tool: new Map<string, SpendGroup>(), workspace: new Map<string, SpendGroup>() };
    const days = localDays(range.from, range.to);
    const unpriced = new UnpricedParts();
    const byDay = days.map(({ day }): SpendReport['byDay'][number] => ({ day, microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0 }));
    const missing = new Map<SpendTotals, Set<keyof TokenUsage>>();
    for (const receipt of this.receipts.values()) {
      if (receipt.startedAt >= range.from && receipt.startedAt < range.to && receipt.shadow === undefined) totals.exchanges += 1;
      for (const attempt of receipt.attempts) {
        if (attempt.startedAt < range.from || attempt.startedAt >= range.to) continue;
        const micro = attempt.cost.microUsd ?? 0;
        const estimated = attempt.cost.certainty === 'estimated' ? micro : 0;
        const unknown = costIsMissing(attempt, receipt.outcome === 'open' && attempt === receipt.attempts.at(-1)) ? 1 : 0;
        const ended = receipt.outcome !== 'open' && receipt.shadow === undefined && attempt === receipt.attempts.at(-1) ? 1 : 0;
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
        const covered = ['subscription', 'free', 'simulated'].includes(attempt.cost.priceSource ?? '');
        for (const sum of [totals, ...sums, byDay[days.findLastIndex((day) => day.from <= attempt.startedAt)]]) {
          if (sum !== undefined && covered) sum.coveredAttempts = (sum.coveredAttempts ?? 0) + 1;
          if (sum !== undefined && attempt.cost.unpriced !== undefined) unpriced.add(sum, attempt.cost.unpriced.join(', '), 1);
        }
        const bar = byDay[days.findLastIndex((day) => day.from <= attempt.startedAt)];
        if (bar === undefined) continue;
        bar.microUsd += micro;
        bar.estimatedMicroUsd += estimated;
        bar.unknownAttempts += unknown;
        bar.exchanges += ended;
      }
    }
    unpriced.write();
    const cached = [...this.receipts.values()].filter(({ cache, outcome, startedAt }) => (cache?.state === 'hit' || cache?.state === 'shared') && outcome !== 'open' && startedAt >= range.from && startedAt < range.to)
      .map(({ cache }) => cache);
    const savedBy = (uses: typeof cached): number => uses.reduce((sum, use) => sum + (use?.savedMicroUsd ?? 0), 0);
    for (const [sum, buckets] of missing) {
      const incomplete = incompleteBuckets(sum.usage, buckets);
      if (incomplete !== undefined) sum.incompleteUsage = incomplete;
    }
    return {
      ...(cached.length === 0 ? {} : { cached: {
        exchanges: cached.length, savedMicroUsd: savedBy(cached), estimatedMicroUsd: savedBy(cached.filter(use => use?.savedEstimated === true)), unknown: cached.filter(use => use?.savedMicroUsd === undefined).length,
      } }),
      range, totals, byDay, byEndpoint: byCostDescending(groups.endpoint), byModel: byCostDescending(groups.model),
      byTool: byCostDescending(groups.tool), byWorkspace: byCostDescending(groups.workspace),
    };
  }

  async dashboard(params: SpendDashboardParams): Promise<SpendDashboard> { return naiveDashboard([...this.receipts.values()], params); }

  async keptTitles(): Promise<number> { return [...this.receipts.values()].filter(({ title }) => title !== undefined).length; }
  async forgetTitles(): Promise<{ count: number; damagedCopies: string[] }> {
    const count = await this.keptTitles();
    for (const receipt of this.receipts.values()) delete receipt.title;
    return { count, damagedCopies: [] };
  }

  async dearest(params: DearestParams): Promise<DearestSpend> { return naiveDearest([...this.receipts.values()], params, summaryOf); }

  async bill(range: TimeRange, endpoints: readonly string[], offsetMs: number): Promise<LedgerBill> {
    const models = new Map<string, BilledModel>();
    const attempts: LedgerBill['attempts'] = [];
    const dayOf = (at: number): string => new Date(at + offsetMs).toISOString().slice(0, 10);
    for (const receipt of this.receipts.values()) {
      for (const attempt of receipt.attempts) {
        const { startedAt, endpoint, upstreamModel, model, usage, cost } = attempt;
        if (receipt.outcome === 'open' || startedAt < range.from || startedAt >= range.to || !endpoints.includes(endpoint)) continue;
        const key = JSON.stringify([dayOf(startedAt), model, upstreamModel]);
        const sum = models.get(key) ?? { day: dayOf(startedAt), model, upstreamModel, requests: 0, microUsd: 0, estimated: 0, unknown: 0, tokens: 0, priceSources: [] };
        const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens } = usage;
        const counts = [inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens].filter((count) => count !== undefined);
        if (counts.length > 0 || cost.certainty === 'unknown') sum.requests += 1;
        sum.microUsd += cost.microUsd ?? 0;
        if (cost.certainty === 'estimated') sum.estimated += 1;
        if (cost.certainty === 'unknown' || cost.unpriced !== undefined) sum.unknown += 1;
        sum.tokens += counts.reduce((total, count) => total + count, 0);
        if (cost.priceSource !== undefined && !sum.priceSources.includes(cost.priceSource)) sum.priceSources.push(cost.priceSource);
        models.set(key, sum);
        const crossesMidnight = dayOf(startedAt) !== dayOf(startedAt + attempt.totalMs);
        if (cost.certainty !== 'exact' || crossesMidnight) attempts.push({ day: dayOf(startedAt), exchangeId: receipt.id, upstreamModel, certainty: cost.certainty, unpriced: [...cost.unpriced ?? []], crossesMidnight });
      }
    }
    return { models: [...models.values()], attempts: attempts.reverse() };
  }

  async used(range: TimeRange, after: UsedPosition | undefined, limit: number, filter: SpendFilter = {}): Promise<UsedPage> {
    const all = [...this.receipts.values()].filter(({ outcome, startedAt, shadow }) => outcome !== 'open' && shadow === undefined && startedAt >= range.from && startedAt < range.to);
    all.sort((one, other) => one.startedAt - other.startedAt);
    const from = after?.seq ?? 0;
    const exchanges = structuredClone(all.slice(from, from + limit)).map(({ id, protocol, stream, caller, startedAt, totalMs, outcome, target, features, plan, attempts, cache }) => ({
      id, protocol, stream, caller, startedAt, totalMs, outcome, requestedModel: plan.requestedModel, attempts, unreadable: 0,
      ...(target === undefined ? {} : { target }), ...(features === undefined ? {} : { features }), ...(cache === undefined ? {} : { cache }), ...(plan.route === undefined ? {} : { route: plan.route }),
      ...(plan.cache === undefined ? {} : { cacheConversation: plan.cache.conversation }),
      ...([...this.receipts.values()].some(receipt => receipt.id === id && passes(receipt, filter)) ? {} : { leftOut: true as const }),
    }));
    return { exchanges, ...(exchanges.length < limit ? {} : { next: { startedAt: exchanges.at(-1)?.startedAt ?? 0, seq: from + limit } }) };
  }

  async spendStart(range: TimeRange): Promise<SpendStart> {
    const byEndpoint = new Map<string, EndpointSpend>();
    const hedges = new Map<string, HedgeSpend>();
    for (const { outcome, plan, attempts } of this.receipts.values()) {
      if (outcome === 'open') continue;
      for (const { endpoint, role, startedAt, cost } of attempts) {
        if (startedAt < range.from || startedAt >= range.to) continue;
        const spend = byEndpoint.get(endpoint) ?? { microUsd: 0, estimatedMicroUsd: 0, unknown: 0 };
        spend.microUsd += cost.microUsd ?? 0;
        if (cost.certainty === 'estimated') spend.estimatedMicroUsd += cost.microUsd ?? 0;
        if (cost.certainty === 'unknown') spend.unknown += 1;
        if (cost.unpriced !== undefined) spend.unpriced = [...new Set([...spend.unpriced ?? [], ...cost.unpriced])];
        byEndpoint.set(endpoint, spend);
        if (role !== 'hedge') continue;
        const name = plan.route === undefined ? { requestedModel: plan.requestedModel } : { route: plan.route };
        const hedge = hedges.get(JSON.stringify(name)) ?? { ...name, microUsd: 0, known: 0, count: 0 };
        hedge.microUsd += cost.microUsd ?? 0;
        hedge.known += cost.certainty === 'unknown' ? 0 : 1;
        hedge.count += 1;
        hedges.set(JSON.stringify(name), hedge);
      }
    }
    return { position: this.#position, byEndpoint, hedges: [...hedges.values()], running: [] };
  }

  async recentAttempts(sinceMs: number): Promise<RecordedAttempt[]> {
    return this.#ended().filter(({ endedAt }) => endedAt >= sinceMs);
  }

  #ended(): RecordedAttempt[] {
    return [...this.receipts.values()].filter((receipt) => receipt.outcome !== 'open').flatMap((receipt) => receipt.attempts)
      .map((attempt) => ({ position: 0, attempt, endedAt: attempt.startedAt + attempt.totalMs })).sort((a, b) => a.endedAt - b.endedAt);
  }

  async waitingAttempts(endedBefore: number, now: number): Promise<RecordedAttempt[]> {
    return this.#ended().filter(({ attempt, endedAt }) => endedAt < endedBefore && endedAt + (attempt.retryAfterMs ?? -Infinity) > now);
  }

  async latestAttempts(count: number): Promise<RecordedAttempt[]> {
    return [...this.receipts.values()].flatMap(({ outcome, stream, attempts, caller: { tool }, plan: { requirements: { answers } = {} } }) => attempts
      .filter((attempt) => outcome !== 'open' || attempt !== attempts.at(-1))
      .map((attempt) => ({ position: 0, attempt, endedAt: attempt.startedAt + attempt.totalMs, stream, beaten: attempt.outcome === 'cancelled' && outcome !== 'cancelled' && outcome !== 'interrupted', tool, ...(answers === undefined ? {} : { answers }) })))
      .slice(-count);
  }

  async keysUsed(): Promise<UsedKey[]> {
    return [...this.receipts.values()].flatMap(({ attempts }) => attempts).filter(({ outcome, keyId }) => outcome === 'ok' && keyId !== undefined)
      .map(({ endpoint, keyId = '', keyLast4 = '' }) => ({ endpoint, keyId, keyLast4 }));
  }

  async recentHealth(sinceMs: number): Promise<HealthEvent[]> {
    return this.health.filter((event) => event.at >= sinceMs).sort((a, b) => a.at - b.at);
  }

  revision(): number { return this.#finished; }
  backlog(): LedgerBacklog { return { waiting: 0, lagMs: 0 }; }
  flush(): void {}
  shutdown(): void {}
}

function passes(receipt: Receipt, filter: RequestFilter): boolean {
  const { caller, plan, attempts, startedAt, outcome } = receipt;
  const known = sumCost(attempts).microUsd;
  const optional = { route: plan.route, kind: plan.purpose?.kind, ...caller };
  const texts = [receipt.id, plan.requestedModel, receipt.target, plan.route, ...Object.values(caller), receipt.message, receipt.title, ...attempts.flatMap(({ target, message }) => [target, message])];
  const holds = (field: keyof RequestFilter): boolean => {
    switch (field) {
      case 'fromMs': return startedAt >= (filter.fromMs ?? 0);
      case 'toMs': return startedAt < (filter.toMs ?? Infinity);
      case 'endpoint': return attempts.some(({ endpoint }) => endpoint === filter.endpoint);
      case 'provider': return attempts.some(({ provider }) => provider === filter.provider);
      case 'model': return plan.requestedModel === filter.model || attempts.some(({ model }) => model === filter.model);
      case 'route': case 'kind': case 'tool': case 'workspace': case 'branch': case 'conversation': case 'purpose': case 'extension': case 'token': case 'user': case 'team': return optional[field] === filter[field];
      case 'part': return attempts.some(attempt => partOf(attempt, receipt) === filter.part);
      case 'notRecorded': return (filter.notRecorded ?? []).every(name => (name === 'provider' ? attempts.some(({ provider }) => provider === undefined) : optional[name] === undefined));
      case 'outcome': return outcome === filter.outcome;
      case 'minCostMicroUsd': return known !== undefined && known >= (filter.minCostMicroUsd ?? 0);
      case 'text': return texts.some(text => text?.toLowerCase().includes((filter.text ?? '').toLowerCase()));
    }
  };
  return (Object.keys(filter) as (keyof RequestFilter)[]).every(field => filter[field] === undefined || holds(field));
}

function partOf({ role, outcome, target, number }: Attempt, receipt: Receipt): string {
  if (role === 'shadow') return 'shadow';
  if (role === 'resume' || role === 'restart') return 'resume';
  if (outcome === 'cancelled' && receipt.outcome !== 'cancelled' && receipt.outcome !== 'interrupted') return 'hedge';
  if (outcome === 'failed') return receipt.attempts.find(one => one.number === number + 1)?.target === target ? 'retry' : 'failover';
  return 'answer';
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
  const { id, startedAt, target, outcome, failureClass, totalMs, firstTokenMs, caller, plan, attempts, shadow, cache } = receipt;
  return {
    id, startedAt, requestedModel: plan.requestedModel, attempts: attempts.length, failedAttempts: attempts.filter(attempt => attempt.outcome === 'failed').length, outcome, totalMs, caller,
    usage: sumUsage(attempts), cost: sumCost(attempts),
    ...(target === undefined ? {} : { target }),
    ...(failureClass === undefined ? {} : { failureClass }),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(cache === undefined ? {} : { cache: { ...cache } }),
  };
}
