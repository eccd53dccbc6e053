import type { DrillStatus } from '../api/drill.ts';
import type { ConfigProblem, EndpointStatus, HttpStatus, OfferedModel, StatusSnapshot } from '../api/status.ts';
import { localMidnight } from '../base/localMidnight.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { HealthBoard } from '../health/board.ts';
import type { RateLimiter } from '../health/rateLimiter.ts';
import { LedgerUnavailableError } from '../ledger/ledgerErrors.ts';
import type { EndpointSpend } from '../ledger/spendQueries.ts';
import type { LedgerStore } from '../ledger/sqliteLedger.ts';
import type { RoutingView } from '../routing/plan.ts';
import type { KeyPool } from '../upstream/keyPool.ts';
import type { ModelDirectory } from '../upstream/modelDirectory.ts';
import { offeredModels, type OfferView } from './offeredModels.ts';

export interface SnapshotSources {
  now: number;
  config: Config;
  problems: ConfigProblem[];
  http: HttpStatus;
  board: HealthBoard;
  keys: KeyPool;
  limiter: Pick<RateLimiter, 'keyTrouble'>;
  ledger: LedgerStore;
  directory: ModelDirectory;
  view: RoutingView;
  facts: OfferView['facts'];
  drill: DrillStatus | undefined;
}

/** The whole state as the editor draws it. */
export function buildSnapshot(sources: SnapshotSources): StatusSnapshot {
  const { now, config, ledger } = sources;
  const spend = spendToday(ledger, now);
  const endpoints = [...config.endpoints.values()].map(endpoint => endpointStatus(endpoint, sources, spend === undefined ? unreadSpend : spend.get(endpoint.name)));
  const offered = offers(sources);
  let todayMicroUsd = 0;
  let todayEstimated = false;
  let todayUnknown = 0;
  for (const one of spend?.values() ?? [unreadSpend]) {
    todayMicroUsd += one.microUsd;
    todayEstimated ||= one.estimated;
    todayUnknown += one.unknown;
  }
  return {
    at: now, endpoints, link: sources.board.linkTrouble(), offered,
    nothingCanServe: endpoints.some(endpoint => endpoint.enabled) && offered.length > 0 && offered.every(one => one.state === 'down'),
    todayMicroUsd, todayEstimated, todayUnknown,
    ledgerRevision: ledger.revision(), http: sources.http, problems: sources.problems, drill: sources.drill,
  };
}

/** While the ledger cannot be read, nothing is known of what was spent, which is not the same as nothing. */
const unreadSpend: EndpointSpend = { microUsd: 0, estimated: false, unknown: 1 };

/** @returns undefined while the ledger cannot be read */
function spendToday(ledger: LedgerStore, now: number): Map<string, EndpointSpend> | undefined {
  try {
    return ledger.spendByEndpoint({ from: localMidnight(now), to: now + 1 });
  } catch (error) {
    if (error instanceof LedgerUnavailableError) return undefined;
    throw error;
  }
}

function endpointStatus(endpoint: EndpointConfig, sources: SnapshotSources, spend: EndpointSpend | undefined): EndpointStatus {
  const { board, keys, directory, now } = sources;
  const health = board.health(endpoint.name, now);
  const noKey = keys.blocked(endpoint.name, endpoint.provider.keyRequired, now);
  return {
    name: endpoint.name, provider: endpoint.provider.id, providerName: endpoint.provider.name, baseUrl: endpoint.baseUrl, region: endpoint.region,
    protocol: endpoint.protocol, enabled: endpoint.enabled,
    state: noKey === undefined ? health.state : 'down',
    breaker: health.breaker, modelBreakers: health.modelBreakers, cutOff: health.cutOff,
    retryAt: health.retryAt ?? noKey?.retryAt,
    firstToken: health.firstToken, total: health.total, errorRate: health.errorRate, uptime: health.uptime,
    lastError: health.lastError, lastCheckedAt: health.lastCheckedAt,
    keys: keys.status(endpoint.name, now, keyId => sources.limiter.keyTrouble(endpoint.name, keyId, now)),
    models: [...directory.modelsOf(endpoint.name)],
    todayMicroUsd: spend?.microUsd ?? 0,
    todayEstimated: spend?.estimated ?? false,
    todayUnknown: spend?.unknown ?? 0,
  };
}

function offers({ config, board, directory, view, facts, now }: SnapshotSources): OfferedModel[] {
  return offeredModels({
    config,
    modelsOf: endpoint => directory.modelsOf(endpoint),
    canonicalName: name => view.canonicalName(name),
    facts,
    state: endpoint => board.health(endpoint, now).state,
    trouble(endpoint, model) {
      const one = config.endpoints.get(endpoint);
      if (one === undefined) return 'no such endpoint';
      if (!one.enabled) return 'disabled';
      const blocked = view.keysBlocked(endpoint, model);
      if (blocked !== undefined) return blocked.reason;
      const admission = view.admission(endpoint, model);
      if (!admission.admitted) return admission.reason;
      const health = board.health(endpoint, now);
      if (health.cutOff !== undefined) return health.cutOff === 'offline' ? 'this machine is offline' : 'a sign-in page of the network is in the way';
      return health.state === 'down' ? health.lastError?.message ?? 'down' : undefined;
    },
  });
}
