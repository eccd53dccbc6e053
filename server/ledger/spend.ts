import type { Attempt, CostCertainty } from '../api/receipt.ts';

/** The group of requests that came without a workspace, so that groups add up to the totals. */
export const noWorkspace = '(no workspace)';

/** How requests of one route ended. */
export interface RouteOutcomes {
  /** Empty: they asked for no route. */
  route: string;
  requests: number;
  failed: number;
  /** How many took so long in all, by the first bound that they are not above; the last one has what is above all bounds. */
  totalCounts: number[];
  /** The same of the time to the first token, of those that had one. */
  firstTokenCounts: number[];
}

/** What the attempts at one endpoint cost. Money in micro-dollars. */
export interface EndpointSpend {
  /** Known cost, exact and estimated. */
  microUsd: number;
  /** The part of `microUsd` that is an estimate. */
  estimatedMicroUsd: number;
  /** Ended attempts whose cost is unknown. */
  unknown: number;
  /** Parts of bills that have no price and are in no sum; absent: none. */
  unpriced?: string[] | undefined;
}

/** What second requests (role `hedge`) cost that went by one route or, where none is recorded, by one requested name. */
export interface HedgeSpend {
  /** Absent for models, pinned targets, and rows of versions that did not record it. */
  route?: string | undefined;
  /** The requested name, where there is no route. */
  requestedModel?: string | undefined;
  /** Known cost, in micro-dollars. */
  microUsd: number;
  /** Requests whose cost is known. */
  known: number;
  /** All requests. */
  count: number;
}

/** One attempt as far as its cost is concerned, and the exchange it belongs to. */
export interface SpentAttempt {
  exchangeId: string;
  attempt: Pick<Attempt, 'number' | 'endpoint' | 'startedAt' | 'role' | 'cost'>;
  /** It has not ended: its cost may grow, and is not missed while it is unknown. */
  runs: boolean;
  /** The route its exchange took; absent for models, pinned targets, and rows of versions that did not record it. */
  route?: string | undefined;
  /** The name its exchange was asked for by. */
  requestedModel: string;
}

/**
 * What was spent in a range, as a start for sums that are kept in memory. It holds everything this process handed in before
 * the call, except for the attempts of its exchanges that still run, and of peers everything up to `position`.
 */
export interface SpendStart {
  /** The place in the order of commits up to which attempts of peers are included; see `PeerAttempt.position`. */
  position: number;
  /** Ended attempts, by endpoint. */
  byEndpoint: Map<string, EndpointSpend>;
  /** Ended second requests. */
  hedges: HedgeSpend[];
  /** Attempts of peers that still run. */
  running: SpentAttempt[];
}

/** What spend can be asked for by, beside the groups of a spend report. */
export type SpentScope = 'branch' | 'route' | 'conversation' | 'extension' | 'token';

/** What the attempts of a name cost. */
export interface SpentBy {
  /** Of a conversation: a JSON array of the tool and the id that it gave. */
  name: string;
  /** Known cost, in micro-dollars. */
  microUsd: number;
  /** Ended attempts whose cost is unknown, or a lower bound. */
  unknown: number;
}

/** What one model cost on one day at some endpoints. */
export interface BilledModel {
  /** Such as `2026-11-20`. */
  day: string;
  model: string;
  upstreamModel: string;
  /** Attempts that a provider may have charged for. */
  requests: number;
  /** Known cost. */
  microUsd: number;
  /** Attempts whose cost is an estimate. */
  estimated: number;
  /** Attempts whose cost is unknown, or known without a part that has no price. */
  unknown: number;
  /** Prompt and answer together. */
  tokens: number;
  /** Where its prices came from, each once. */
  priceSources: string[];
}

/** An attempt that may explain why a bill differs: its cost is not exact, or it ran over midnight. */
export interface BilledAttempt {
  day: string;
  exchangeId: string;
  upstreamModel: string;
  certainty: CostCertainty;
  unpriced: string[];
  crossesMidnight: boolean;
}

/** What the ledger has to compare with a bill. */
export interface LedgerBill {
  models: BilledModel[];
  /** The latest first; of many only the latest. */
  attempts: BilledAttempt[];
}
