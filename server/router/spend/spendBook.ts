import type { Cost } from '../../api/receipt.ts';
import type { EndpointSpend, HedgeSpend, SpendStart, SpentAttempt } from '../../ledger/spend.ts';
import { storedFigure } from '../../pricing/money.ts';

interface PeerRunning { spent: SpentAttempt; at: number }

/** The sums of one day. What has ended is added for good; what runs is replaced by each later record of it. Pure: moments are handed in. */
export class SpendBook {
  readonly #day: { from: number; to: number };
  readonly #bareName: (name: string) => string;
  readonly #byEndpoint = new Map<string, EndpointSpend>();
  /** Second requests by route or, where there is none, by requested name without its prefixes. */
  readonly #hedges = new Map<string, HedgeSpend>();
  /** Running exchanges of this process by id. */
  readonly #running = new Map<string, readonly SpentAttempt[]>();
  /** Running attempts of peers, by exchange and number. */
  readonly #peers = new Map<string, PeerRunning>();

  /** @param day half open, in milliseconds since the epoch @param bareName a requested name without the prefixes that mean nothing */
  constructor(day: { from: number; to: number }, bareName: (name: string) => string) {
    this.#day = day;
    this.#bareName = bareName;
  }

  /** Adds what the ledger holds. @param now of the running attempts of peers */
  begin({ byEndpoint, hedges, running }: SpendStart, now: number): void {
    for (const [endpoint, spend] of byEndpoint) addSpend(spendOf(this.#byEndpoint, endpoint), spend);
    for (const hedge of hedges) addHedge(hedgeOf(this.#hedges, hedge.route ?? this.#bareName(hedge.requestedModel ?? '')), hedge);
    for (const spent of running) this.#peers.set(keyOf(spent), { spent, at: now });
  }

  /** Adds an attempt that has ended. */
  add(spent: SpentAttempt): void {
    this.#count(spent, this.#byEndpoint, this.#hedges);
  }

  /** Adds an attempt of a peer, or replaces what was known of it while it ran. */
  addPeer(spent: SpentAttempt, now: number): void {
    if (spent.runs) {
      this.#peers.set(keyOf(spent), { spent, at: now });
    } else {
      this.#peers.delete(keyOf(spent));
      this.add(spent);
    }
  }

  /** Replaces the attempts of a running exchange of this process. @param attempts undefined once it has ended */
  setRunning(id: string, attempts: readonly SpentAttempt[] | undefined): void {
    if (attempts === undefined) this.#running.delete(id);
    else this.#running.set(id, attempts);
  }

  /** The exchanges that peers run. */
  peersRunning(): number {
    return new Set([...this.#peers.values()].map(({ spent }) => spent.exchangeId)).size;
  }

  /** A running attempt of a peer has not been recorded since a moment. */
  hasSilentPeer(since: number): boolean {
    for (const { at } of this.#peers.values()) if (at < since) return true;
    return false;
  }

  byEndpoint(): ReadonlyMap<string, EndpointSpend> {
    if (this.#running.size === 0 && this.#peers.size === 0) return this.#byEndpoint;
    const sums = new Map<string, EndpointSpend>();
    for (const [endpoint, spend] of this.#byEndpoint) sums.set(endpoint, { ...spend });
    this.#countRunning(sums, new Map());
    return sums;
  }

  /** See SpendToday.byHedges. */
  byHedges(name: string): number {
    const running = new Map<string, HedgeSpend>();
    this.#countRunning(new Map(), running);
    const sum = noHedges();
    for (const one of new Set([name, this.#bareName(name)])) {
      for (const part of [this.#hedges.get(one), running.get(one)]) if (part !== undefined) addHedge(sum, part);
    }
    return sum.known === 0 ? 0 : Math.ceil(sum.microUsd * sum.count / sum.known);
  }

  #countRunning(byEndpoint: Map<string, EndpointSpend>, hedges: Map<string, HedgeSpend>): void {
    for (const attempts of this.#running.values()) for (const spent of attempts) this.#count(spent, byEndpoint, hedges);
    for (const { spent } of this.#peers.values()) this.#count(spent, byEndpoint, hedges);
  }

  /** As the ledger would: figures it cannot keep are unknown, moments are whole milliseconds. */
  #count({ attempt, runs, route, requestedModel }: SpentAttempt, byEndpoint: Map<string, EndpointSpend>, hedges: Map<string, HedgeSpend>): void {
    const startedAt = Math.round(attempt.startedAt);
    if (startedAt < this.#day.from || startedAt >= this.#day.to) return;
    const { cost } = attempt;
    const microUsd = storedFigure(cost.microUsd);
    const unknown = isUnknownCost(cost);
    const sum = spendOf(byEndpoint, attempt.endpoint);
    addSpend(sum, {
      microUsd: microUsd ?? 0, estimatedMicroUsd: cost.certainty === 'estimated' ? microUsd ?? 0 : 0, unknown: unknown && !runs ? 1 : 0,
    });
    if (cost.unpriced !== undefined) addUnpriced(sum, cost.unpriced);
    if (attempt.role === 'hedge') addHedge(hedgeOf(hedges, route ?? this.#bareName(requestedModel)), { microUsd: microUsd ?? 0, known: unknown ? 0 : 1, count: 1 });
  }
}

/** The ledger has no figure for it. */
export function isUnknownCost({ certainty, microUsd }: Cost): boolean {
  return certainty === 'unknown' || (microUsd !== undefined && storedFigure(microUsd) === null);
}

function keyOf({ exchangeId, attempt }: SpentAttempt): string {
  return `${exchangeId}\n${attempt.number}`;
}

function noHedges(): HedgeSpend {
  return { microUsd: 0, known: 0, count: 0 };
}

function spendOf(sums: Map<string, EndpointSpend>, endpoint: string): EndpointSpend {
  let sum = sums.get(endpoint);
  if (sum === undefined) sums.set(endpoint, sum = { microUsd: 0, estimatedMicroUsd: 0, unknown: 0 });
  return sum;
}

function hedgeOf(sums: Map<string, HedgeSpend>, name: string): HedgeSpend {
  let sum = sums.get(name);
  if (sum === undefined) sums.set(name, sum = noHedges());
  return sum;
}

function addSpend(sum: EndpointSpend, more: EndpointSpend): void {
  sum.microUsd += more.microUsd;
  sum.estimatedMicroUsd += more.estimatedMicroUsd;
  sum.unknown += more.unknown;
  if (more.unpriced !== undefined) addUnpriced(sum, more.unpriced);
}

/** The list of a sum is replaced and never changed: copies of the sum share it. */
function addUnpriced(sum: EndpointSpend, parts: readonly string[]): void {
  if (parts.some(part => sum.unpriced?.includes(part) !== true)) sum.unpriced = [...new Set([...sum.unpriced ?? [], ...parts])];
}

function addHedge(sum: HedgeSpend, more: HedgeSpend): void {
  sum.microUsd += more.microUsd;
  sum.known += more.known;
  sum.count += more.count;
}
