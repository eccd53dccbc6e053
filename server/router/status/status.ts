import { healthOf, isUp } from '../../api/condition.ts';
import type { ResponseCacheStatus } from '../../api/cache/responseCache.ts';
import type { ResponseCache } from '../../exchange/cache/responseCache.ts';
import type { CanaryStatus } from '../../api/canary.ts';
import type { ShadowStatus } from '../../api/shadow.ts';
import type { DrillStatus } from '../../api/drill.ts';
import type { ConfigProblem, EndpointStatus, HttpStatus, OfferedModel, StatusSnapshot } from '../../api/status.ts';
import type { BudgetBook } from '../../limits/budgets/budgetBook.ts';
import type { BudgetStatus } from '../../api/budgets/budgetStatus.ts';
import type { Clock } from '../../base/clock.ts';
import type { Config, EndpointConfig } from '../../config/config.ts';
import type { HealthRegistry } from '../../health/healthReader.ts';
import type { RateLimiter } from '../../limits/rateLimiter.ts';
import type { SharedState } from '../../ledger/ports.ts';
import type { EndpointSpend } from '../../ledger/spend.ts';
import type { RoutingView } from '../../routing/plan.ts';
import type { KeyPool } from '../../keys/keyPool.ts';
import type { ModelFactsCache } from '../../models/factsCache.ts';
import type { ModelDirectory } from '../../models/modelDirectory.ts';
import { Conditions, shownLatency } from './conditions.ts';
import type { Canaries } from '../canary/canaries.ts';
import type { Shadows } from '../shadow/shadows.ts';
import type { CurrentConfig } from '../currentConfig.ts';
import type { FaultInjectionRunner } from '../drills/faultInjectionRunner.ts';
import type { Pauses } from '../endpoints/pauses.ts';
import type { EventLog } from '../eventLog.ts';
import type { NoticeClaims } from '../incidents/noticeClaims.ts';
import { answersInstead } from './instead.ts';
import { OfferCache, type OfferedName, type OfferView } from './offers.ts';
import { routedTargets } from './routedTargets.ts';
import type { SpendToday } from '../spend/spendToday.ts';
import type { StatusChanges } from './statusChanges.ts';
import { statusChangesAt } from './statusChangesAt.ts';
import type { ViewNow } from '../view.ts';

/** What the offer is made of, at one moment. */
export interface OfferSources {
  now: number;
  config: Config;
  healthRegistry: HealthRegistry;
  keys: KeyPool;
  limiter: Pick<RateLimiter, 'admission' | 'keyAdmission' | 'keyTrouble' | 'left' | 'leftChangesAt'>;
  directory: ModelDirectory;
  view: RoutingView;
  facts: OfferView['facts'];
  offers: OfferCache;
  pauses: Pick<Pauses, 'of' | 'changesAt'>;
}

export interface SnapshotSources extends OfferSources {
  problems: ConfigProblem[];
  http: HttpStatus;
  ledger: Pick<SharedState, 'revision'>;
  spend: Pick<SpendToday, 'byEndpoint' | 'runningRequests'>;
  drill: DrillStatus | undefined;
  canaries: CanaryStatus[] | undefined;
  shadows: ShadowStatus[] | undefined;
  responseCaches?: ResponseCacheStatus[] | undefined;
  budgets: BudgetStatus[] | undefined;
}

/** The whole state as the editor draws it. */
export function buildSnapshot(sources: SnapshotSources): StatusSnapshot {
  const { now, config, ledger } = sources;
  const spend = sources.spend.byEndpoint();
  const running = sources.spend.runningRequests();
  const conditions = new Conditions(sources);
  const endpoints = [...config.endpoints.values()].map(endpoint => endpointStatus(endpoint, sources, conditions, spend === undefined ? unreadSpend : spend.get(endpoint.name)));
  const offered = offersOf(sources, conditions);
  const targets = routedTargets(config, sources.view, conditions);
  let todayMicroUsd = 0;
  let todayEstimated = false;
  let todayUnknown = 0;
  let todayUnpriced: string[] | undefined;
  for (const one of spend?.values() ?? [unreadSpend]) {
    todayMicroUsd += one.microUsd;
    todayEstimated ||= one.estimatedMicroUsd > 0;
    todayUnknown += one.unknown;
    if (one.unpriced !== undefined) todayUnpriced = [...new Set([...todayUnpriced ?? [], ...one.unpriced])];
  }
  return {
    at: now, endpoints, link: sources.healthRegistry.networkTrouble(), offered, ...(targets === undefined ? {} : { targets }),
    nothingCanServe: endpoints.some(endpoint => endpoint.enabled) && offered.length > 0 && offered.every(one => one.state === 'down'),
    todayMicroUsd, todayEstimated, todayUnknown, ...(todayUnpriced === undefined ? {} : { todayUnpriced }),
    ledgerRevision: ledger.revision(), ...(running === 0 ? {} : { running }), http: sources.http, problems: sources.problems, drill: sources.drill,
    ...(sources.canaries === undefined ? {} : { canaries: sources.canaries }),
    ...(sources.shadows === undefined ? {} : { shadows: sources.shadows }),
    ...(sources.responseCaches === undefined || sources.responseCaches.length === 0 ? {} : { responseCaches: sources.responseCaches }),
    ...(sources.budgets === undefined ? {} : { budgets: sources.budgets }),
  };
}

/** Until the sums have been read they are unknown, which is not the same as nothing. */
const unreadSpend: EndpointSpend = { microUsd: 0, estimatedMicroUsd: 0, unknown: 1 };

function endpointStatus(endpoint: EndpointConfig, { directory, config, view, limiter, now }: SnapshotSources, conditions: Conditions, spend: EndpointSpend | undefined): EndpointStatus {
  const health = conditions.health(endpoint);
  const condition = conditions.ofEndpoint(endpoint);
  const answered = health.answered ?? 0;
  const limitsLeft = limiter.left(endpoint.name, now);
  const instead = isUp(condition) || !endpoint.enabled ? [] : answersInstead(endpoint.name, config, view.table, conditions);
  return {
    name: endpoint.name, provider: endpoint.provider.id, providerName: endpoint.provider.name, baseUrl: endpoint.baseUrl, region: endpoint.region,
    protocol: endpoint.protocol, enabled: endpoint.enabled,
    condition, state: healthOf(condition),
    breaker: health.breaker, modelBreakers: health.modelBreakers, offline: health.offline,
    retryAt: health.retryAt ?? condition.until,
    firstToken: shownLatency(health.firstToken, answered), total: shownLatency(health.total, answered),
    errorRate: health.errorRate === undefined ? undefined : Math.round(health.errorRate * 100) / 100, downtime: health.downtime,
    ...(health.latestHour === undefined ? {} : { latestHour: health.latestHour }), ...(limitsLeft === undefined ? {} : { limitsLeft }), ...(instead.length === 0 ? {} : { instead }),
    lastError: health.lastError, lastCheckedAt: health.lastCheckedAt,
    keys: conditions.keys(endpoint),
    models: directory.modelsOf(endpoint.name),
    todayMicroUsd: spend?.microUsd ?? 0,
    todayEstimated: (spend?.estimatedMicroUsd ?? 0) > 0,
    todayUnknown: spend?.unknown ?? 0,
    ...(spend?.unpriced === undefined ? {} : { todayUnpriced: spend.unpriced }),
  };
}

/** What callers can ask for now. */
export function offersOf(sources: OfferSources, conditions: Conditions = new Conditions(sources)): readonly OfferedModel[] {
  const { config, directory, view, facts, now, offers } = sources;
  return offers.offered({
    config,
    modelsOf: endpoint => directory.modelsOf(endpoint),
    modelAt: (endpoint, spelling) => view.table.modelAt(endpoint, spelling),
    facts,
    condition: (endpoint, model) => conditions.ofTarget(endpoint, model),
    now,
  }, directory.revision);
}

export interface StatusReaderOptions {
  current: CurrentConfig;
  healthRegistry: HealthRegistry;
  keys: KeyPool;
  limiter: OfferSources['limiter'];
  directory: ModelDirectory;
  modelFacts: Pick<ModelFactsCache, 'facts'>;
  view: ViewNow;
  ledger: Pick<SharedState, 'revision'>;
  spend: Pick<SpendToday, 'byEndpoint' | 'runningRequests'>;
  drills: Pick<FaultInjectionRunner, 'status'>;
  canaries: Pick<Canaries, 'statuses'>;
  shadows: Pick<Shadows, 'statuses'>;
  responses: Pick<ResponseCache, 'statuses'>;
  pauses: OfferSources['pauses'];
  budgets: Pick<BudgetBook, 'statuses'>;
  eventLog: Pick<EventLog, 'states'>;
  claims: Pick<NoticeClaims, 'recover'>;
  changes: Pick<StatusChanges, 'read'>;
  clock: Clock;
}

/** Answers what the state is now. */
export class StatusReader {
  readonly #options: StatusReaderOptions;
  readonly #offers = new OfferCache();

  constructor(options: StatusReaderOptions) {
    this.#options = options;
  }

  /** The whole state, for the editor and for `GET /waybill/status`. What changed since the last call is logged. */
  snapshot(http: HttpStatus): StatusSnapshot {
    const { current, ledger, spend, drills, canaries, shadows, responses, budgets, eventLog, claims, changes } = this.#options;
    const sources = this.#offerSources();
    const snapshot = buildSnapshot({ ...sources, problems: current.problems, http, ledger, spend, drill: drills.status(), canaries: canaries.statuses(), shadows: shadows.statuses(), responseCaches: responses.statuses(), budgets: budgets.statuses() });
    changes.read(statusChangesAt(sources, sources.now));
    eventLog.states(snapshot.endpoints, snapshot.at);
    claims.recover(snapshot);
    return snapshot;
  }

  /** What callers can ask for now: the routes first, then every model, each with its health. */
  offered(): readonly OfferedModel[] {
    return offersOf(this.#offerSources());
  }

  /** The names that callers can ask for, in the same order. Asks nothing of health, and reads no ledger. */
  offeredNames(): readonly OfferedName[] {
    const { current, directory, modelFacts } = this.#options;
    return this.#offers.names({
      config: current.config, modelsOf: endpoint => directory.modelsOf(endpoint), modelAt: (endpoint, spelling) => directory.modelAt(endpoint, spelling, true),
      facts: (endpoint, model) => modelFacts.facts(endpoint, model),
    }, directory.revision);
  }

  /** The conditions of endpoints and models at this moment. */
  conditions(): Conditions {
    return new Conditions(this.#offerSources());
  }

  /** Some endpoint could serve some request now. */
  canServe(): boolean {
    const { current, view, healthRegistry, clock } = this.#options;
    const now = view(0);
    return [...current.config.endpoints.values()].some(endpoint => endpoint.enabled && now.paused(endpoint.name) === undefined && now.keysBlocked(endpoint.name) === undefined
      && healthRegistry.admission(endpoint.name, undefined, clock.now()).admitted);
  }

  #offerSources(): OfferSources {
    const { current, healthRegistry, keys, limiter, directory, modelFacts, view, pauses, clock } = this.#options;
    return {
      now: clock.now(), config: current.config, healthRegistry, keys, limiter, directory, pauses, view: view(0),
      facts: (endpoint, model) => modelFacts.facts(endpoint, model), offers: this.#offers,
    };
  }
}
