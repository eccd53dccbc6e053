import { randomBytes } from 'node:crypto';
import type { NoticeParams } from '../api/messages.ts';
import type { Clock, Random } from '../base/clock.ts';
import { Emitter } from '../base/emitter.ts';
import type { Log } from '../base/log.ts';
import type { SecretRegister } from '../base/secrets/redact.ts';
import { emptyConfig } from '../config/config.ts';
import type { ExchangeObserver } from '../exchange/events.ts';
import { LearntRepairs } from '../exchange/learntRepairs.ts';
import { exchangeIds } from '../exchange/exchangeId.ts';
import { AnswersElsewhere } from '../exchange/cache/replicas/answersElsewhere.ts';
import { ResponseCache } from '../exchange/cache/responseCache.ts';
import { ProviderMessages } from '../exchange/providerMessages.ts';
import type { AdmissionControl } from '../exchange/admission.ts';
import { withReplicas } from '../exchange/attempt/replicaAdmission.ts';
import { createAdmissionControl, type AdmissionSources } from '../exchange/attempt/admissionControl.ts';
import { EarlyAttempts } from '../exchange/attempt/earlyAttempts.ts';
import { ExchangePublisher } from '../exchange/publisher.ts';
import type { ExchangeServices, Spending, TracePassing } from '../exchange/services.ts';
import type { NetworkAwareHealthRegistry } from '../health/healthReader.ts';
import { createHealthRegistry } from '../health/registry.ts';
import type { KeyFingerprint } from '../keys/keyFingerprints.ts';
import { KeyPool } from '../keys/keyPool.ts';
import type { AllowanceStore } from '../ledger/allowanceStore.ts';
import type { RouteStateStore } from '../ledger/routeStateStore.ts';
import type { PeerNote } from '../ledger/peerNotes.ts';
import type { Ledger } from '../ledger/ports.ts';
import type { TokenStore } from '../ledger/tokenStore.ts';
import { BudgetBook } from '../limits/budgets/budgetBook.ts';
import { Allowances } from '../limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../limits/allowances/memoryAllowanceStore.ts';
import { createRateLimiter, type RateLimiter } from '../limits/rateLimiter.ts';
import { SharedCounts } from '../limits/replicas/sharedCounts.ts';
import { SharedLimits } from '../limits/sharedLimits.ts';
import { StateConnection } from '../state/stateConnection.ts';
import { ModelFactsCache } from '../models/factsCache.ts';
import type { ModelCache } from '../models/modelCache.ts';
import { ModelDirectory } from '../models/modelDirectory.ts';
import { ExpectedUsage } from '../pricing/expectedUsage.ts';
import { isInTable, type Pricer } from '../pricing/pricing.ts';
import { codecFor } from '../protocols/registry.ts';
import { makePlan } from '../routing/makePlan.ts';
import { DecisionMemory } from '../routing/purpose/decisionMemory.ts';
import { RouteTables, type RouteTable } from '../routing/routeTable.ts';
import { Turns } from '../routing/turns.ts';
import { WarmCaches } from '../routing/warmth/warmCaches.ts';
import { Canaries } from '../router/canary/canaries.ts';
import { Configurator } from '../router/configurator.ts';
import { CostRecorder } from '../router/spend/costRecorder.ts';
import { TokenCounter } from '../router/countTokens.ts';
import { CurrentConfig } from '../router/currentConfig.ts';
import { FaultInjectionRunner } from '../router/drills/faultInjectionRunner.ts';
import { EndpointDesk } from '../router/endpoints/endpointDesk.ts';
import type { EndpointFiles } from '../router/endpoints/endpointFiles.ts';
import type { PeerStops } from '../router/peerStops.ts';
import { Pauses } from '../router/endpoints/pauses.ts';
import { EventLog } from '../router/eventLog.ts';
import { exchangeServices } from '../router/exchangeServices.ts';
import { HedgeSpend } from '../router/spend/hedgeSpend.ts';
import { History } from '../router/history.ts';
import { NetworkMonitor, type NetworkMonitorOptions } from '../router/networkMonitor.ts';
import { NoticeClaims } from '../router/incidents/noticeClaims.ts';
import { noRouteNotice } from '../router/incidents/noRouteNotice.ts';
import { FailureNotices } from '../router/notices.ts';
import { budgetsObserver } from '../router/observers/budgetsObserver.ts';
import { canaryObserver } from '../router/observers/canaryObserver.ts';
import { choicesObserver } from '../router/observers/choicesObserver.ts';
import { costsObserver } from '../router/observers/costsObserver.ts';
import { drillsObserver } from '../router/observers/drillsObserver.ts';
import { eventLogObserver } from '../router/observers/eventLogObserver.ts';
import { healthObserver } from '../router/observers/healthObserver.ts';
import { keysObserver } from '../router/observers/keysObserver.ts';
import { earlyObserver } from '../router/observers/earlyObserver.ts';
import { limitsObserver } from '../router/observers/limitsObserver.ts';
import { noticesObserver } from '../router/observers/noticesObserver.ts';
import { proberObserver } from '../router/observers/proberObserver.ts';
import { shadowCopyObserver, shadowObserver } from '../router/observers/shadowObserver.ts';
import { responseCacheObserver } from '../router/observers/responseCacheObserver.ts';
import { runningObserver } from '../router/observers/runningObserver.ts';
import { statusObserver } from '../router/observers/statusObserver.ts';
import { tokensObserver } from '../router/observers/tokensObserver.ts';
import { timeoutsObserver } from '../router/observers/timeoutsObserver.ts';
import { loadPostgres } from './loadPostgres.ts';
import { replayParts, routeTableOf } from './rulesParts.ts';
import { warmCachesObserver } from '../router/observers/warmCachesObserver.ts';
import { Monitoring } from '../router/monitoring/monitoring.ts';
import { PeerSync } from '../router/peerSync.ts';
import { Replicas } from '../router/replicas/replicas.ts';
import { SwitchedRouteStates } from '../router/replicas/routeStates/switchedRouteStates.ts';
import { Prober } from '../router/prober.ts';
import { resilienceState } from '../router/resilienceState.ts';
import { Router } from '../router/router.ts';
import { RulesDesk } from '../router/rules/rulesDesk.ts';
import type { RuleVersions } from '../router/rules/ruleVersions.ts';
import { RunningExchanges } from '../router/runningExchanges.ts';
import { copySender } from '../router/shadow/sendCopy.ts';
import { shadowAdmissionSources } from '../router/shadow/shadowAdmission.ts';
import { Shadows } from '../router/shadow/shadows.ts';
import { createSignals } from '../router/signals.ts';
import { SpendToday } from '../router/spend/spendToday.ts';
import { StatusReader } from '../router/status/status.ts';
import { StatusChanges } from '../router/status/statusChanges.ts';
import { BillReconciler } from '../router/bills/billReconciler.ts';
import { IncidentReporter } from '../router/incidents/incidentReporter.ts';
import { MigrationReporter } from '../router/migration/migrationReporter.ts';
import { RouteProposer } from '../router/proposals/routeProposer.ts';
import { CacheReporter } from '../router/savings/cacheReporter.ts';
import { SavingsReporter } from '../router/savings/savingsReporter.ts';
import { EndpointTester } from '../router/testEndpoint.ts';
import { BudgetLedger } from '../router/sharedLedger/budgetLedger.ts';
import { SharedLedger } from '../router/sharedLedger/sharedLedger.ts';
import { Ticker } from '../router/ticker.ts';
import { TokenBook } from '../router/tokens/tokenBook.ts';
import { TokenDesk } from '../router/tokens/tokenDesk.ts';
import { viewsOf } from '../router/view.ts';
import { createAdaptiveTimeouts, type AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import { FirstTokenAverages } from '../timeouts/firstTokenAverages.ts';
import { createHedgePolicy } from '../timeouts/hedgePolicy.ts';
import { AwsLogins } from '../upstream/interceptors/awsCredentials.ts';
import { EntraTokens } from '../upstream/interceptors/entraAuth.ts';
import { FaultInjector } from '../upstream/interceptors/faultInjector.ts';
import { GoogleTokens } from '../upstream/interceptors/googleTokens.ts';
import { standardInterceptors } from '../upstream/interceptors/standardInterceptors.ts';
import { Receivers } from '../upstream/receivers.ts';
import { Transport } from '../upstream/transport.ts';

export interface CreateRouterOptions {
  ledger: Ledger;
  pricer: Pricer;
  register: SecretRegister;
  clock: Clock;
  random: Random;
  log: Log;
  /** After how much silence a streaming caller gets something harmless, in milliseconds; default 15 s. */
  keepAliveMs?: number | undefined;
  /** What keys are known by among the processes of a data folder; absent: they share nothing about keys. */
  keyFingerprint?: KeyFingerprint | undefined;
  /** Where lists of models outlive the process; absent: nowhere. */
  modelCache?: ModelCache | undefined;
  /** Where the states of canaries outlive the process and are shared with peers; absent: nowhere. */
  canaryStore?: RouteStateStore | undefined;
  /** The same for shadows. */
  shadowStore?: RouteStateStore | undefined;
  /** Where decisions about endpoints outlive the process and are shared with peers; absent: nowhere. */
  endpointFiles?: EndpointFiles | undefined;
  /** Absent: there are no peers. */
  peerStops?: PeerStops | undefined;
  /** Where servers agree on which of them tells people of an incident; absent: each tells. */
  noticesFolder?: string | undefined;
  /** Where servers agree on incidents of alerts; absent: there are no alerts. */
  alertsFolder?: string | undefined;
  /** Where the versions of the rules are kept; absent: nowhere. */
  ruleVersions?: RuleVersions | undefined;
  /** Where peers count together what caps are used for; absent: in this process alone. */
  allowanceStore?: AllowanceStore | undefined;
  /** Names the ledger among those of servers on other machines, also after a restart; absent: one that only this process has. */
  ledgerName?: string | undefined;
  /** Where tokens and what they may do are kept, for all servers; absent: there are none. */
  tokenStore?: TokenStore | undefined;
  /** What tells the window of the editor from others; absent: this process. */
  window?: string | undefined;
  /** The machine's network interfaces; absent: those that the operating system lists. */
  interfaces?: NetworkMonitorOptions['interfaces'];
}

/** A router, and those of its parts that its owner or a test looks at. */
export interface BuiltRouter {
  readonly router: Router;
  readonly services: ExchangeServices;
  readonly events: ExchangePublisher;
  readonly healthRegistry: NetworkAwareHealthRegistry;
  readonly keys: KeyPool;
  readonly limiter: RateLimiter;
  readonly timers: AdaptiveTimeouts;
  readonly transport: Transport;
  readonly directory: ModelDirectory;
  readonly modelFacts: ModelFactsCache;
  readonly drills: FaultInjectionRunner;
  readonly endpointTester: EndpointTester;
  /** What servers on several machines share; without it in the configuration it does nothing. */
  readonly state: StateConnection;
  readonly sharedCounts: SharedCounts;
  /** What is done once a second; it ends with the router. */
  readonly ticker: Ticker;
}

const defaultKeepAliveMs = 15_000;

/** Builds the parts of a router and connects them. Its timer runs from here on; `Router.shutdown` ends it. */
export function createRouter(options: CreateRouterOptions): BuiltRouter {
  const { ledger, pricer, register, clock, random, log } = options;
  const now = (): number => clock.now();
  const current = new CurrentConfig();
  const config = (): typeof current.config => current.config;

  const events = new ExchangePublisher(log);
  const changes = new StatusChanges({
    log, isBusy: () => !running.isEmpty,
    signs: () => {
      const trouble = healthRegistry.networkTrouble();
      return [ledger.revision(), ledger.isOpen, pricer.isReady, directory.revision, trouble?.kind, trouble?.since].join(' ');
    },
  });
  const notices = new Emitter<NoticeParams>('The delivery of a notice', log);
  const changed = (): void => { changes.changed(); };
  const touched = (): void => { changes.touched(); };
  const notify = (notice: NoticeParams): void => { notices.emit(notice); };

  const state = new StateConnection({ log, random, changed });
  const sharedLedger = new SharedLedger({ ledger, load: loadPostgres, clock, log });
  const publishNote = (note: PeerNote): void => {
    ledger.publishNote(note);
    replicas.note(note);
  };
  const keys = new KeyPool({ fingerprint: options.keyFingerprint, onNote: note => { publishNote(note); } });
  const sharedCounts = new SharedCounts({
    state, limits: ledger.limits === undefined ? undefined : new SharedLimits(ledger.limits), allowances: options.allowanceStore ?? new MemoryAllowanceStore(now), ledger: options.ledgerName ?? state.replica, clock, log,
  });
  const shared = sharedCounts.limits;
  const limiter = createRateLimiter({
    accountOf: (endpoint, keyId) => keys.limitAccount(endpoint, keyId), onLittleLeft: reported => peers.publishLimit(reported),
    shared,
    // Fingerprints are those of one data folder; ids stand in the configuration that servers on other machines have, too.
    keyFingerprint: (endpoint, keyId) => (sharedCounts.counts === undefined ? keys.fingerprintOf(endpoint, keyId) : ''),
  });
  const healthRegistry = createHealthRegistry({ random, startedAt: now() });
  const pauses = new Pauses({ files: options.endpointFiles, clock, log, changed, othersAreAway: () => state.isConfigured && !state.isUp, decided: () => { replicas.decided(); }, reset: (endpoint, at) => { healthRegistry.reset(endpoint, at); keys.forgetRefusals(endpoint, at); limiter.forgetReported(endpoint, at); } });
  const early = new EarlyAttempts();
  const timers = createAdaptiveTimeouts();
  const instance = randomBytes(9).toString('base64url');
  const firstTokens = new FirstTokenAverages();
  const expectedUsage = new ExpectedUsage();
  const warm = new WarmCaches();
  const faultInjector = new FaultInjector(clock);
  const transport = new Transport(standardInterceptors({ faultInjector, googleTokens: new GoogleTokens(), awsLogins: new AwsLogins(), entraTokens: new EntraTokens(), instance }));
  const directory = new ModelDirectory(emptyConfig, options.modelCache === undefined ? undefined : { cache: options.modelCache, log });
  const modelFacts = new ModelFactsCache({ directory, pricer, config, now });
  const tables = new RouteTables({ config, directory, pricer, facts: (endpoint, model) => modelFacts.facts(endpoint, model) });
  const routeTable = (): RouteTable => tables.current();
  const [canaryStates, shadowStates] = [options.canaryStore, options.shadowStore].map(local => (local === undefined ? undefined : new SwitchedRouteStates(local)));
  const canaries = new Canaries({ store: canaryStates, config, routeTable, clock, random, log, changed, hasAudience: () => notices.hasListeners, notify });
  const signals = createSignals({ healthRegistry, timers, pricer, clock, turns: new Turns(random), firstTokens, expectedUsage });
  const view = viewsOf({ routeTable, healthRegistry, limiter, keys, pauses, random, canaries, warm, signals }, clock);
  const tokens = new TokenDesk({ book: new TokenBook(options.tokenStore, clock, changed), routeTable, shared, replicas: sharedCounts, clock });
  const allowances = new Allowances(sharedCounts.allowances);
  const budgets = new BudgetBook({
    allowances, ledger: new BudgetLedger({ own: ledger, shared: sharedLedger, countsParts: () => state.isConfigured }), config, tokenBudgets: () => tokens.book.budgets, clock, log, changed, notify, hasAudience: () => notices.hasListeners,
    recorded: async () => { await Promise.all([costs.pricedUpToNow(), copyCosts.pricedUpToNow()]); },
  });
  const spending: Spending = {
    allowances, budgets, window: options.window ?? instance, expectedMicroUsd: (target, request) => signals.expectedCostMicroUsd(target, request),
    cost: price => pricer.priceAttempt(price), pricesReady: () => (pricer.isReady ? undefined : pricer.ready()),
  };

  const responses = new ResponseCache(clock, config, new AnswersElsewhere({ store: state, config, clock, log }));
  const claims = new NoticeClaims(options.noticesFolder, clock);
  const failureNotices = new FailureNotices({ drills: faultInjector, healthRegistry, claims, hasAudience: () => notices.hasListeners, notify });
  const eventLog = new EventLog({ log, redact: text => register.redact(text) });
  const costs = new CostRecorder({
    ledger, pricer, clock, log, events, changed,
    tableIsWanted: () => [...config().endpoints.values()].some(endpoint => isInTable(endpoint.provider)),
    target: (endpoint, model) => routeTable().target(endpoint, model),
  });
  // Copies that shadows send are recorded and priced like requests, and no observer learns of them but those below.
  const copyEvents = new ExchangePublisher(log);
  const copyCosts = new CostRecorder({ ledger, pricer, clock, log, events: copyEvents, changed, tableIsWanted: () => costs.tableIsWanted, target: (endpoint, model) => routeTable().target(endpoint, model) });
  const spend = new SpendToday({ ledger, clock, log, recorded: async () => { await Promise.all([costs.pricedUpToNow(), copyCosts.pricedUpToNow()]); }, changed });
  const running = new RunningExchanges({ ledger, spend, pricer, costs, clock, log });
  const prober = new Prober({
    transport, faultInjector, pauses, healthRegistry, keys, directory, ledger: { publishProbe: event => { ledger.publishProbe(event); replicas.probe(event); } }, clock, log, redactor: register, changed, failed: failure => failureNotices.failed(failure),
    answered: (endpoint, latencyMs) => { firstTokens.probed(endpoint, latencyMs); },
  });
  // A field that has the form of a secret is no name of a parameter.
  const repairs = new LearntRepairs(note => { if (!register.holds(note.repair)) publishNote(note); });
  const peers = new PeerSync({ ledger, publishNote, healthRegistry, limiter, timers, firstTokens, expectedUsage, keys, repairs, prober, clock, log, changed: touched });
  const replicas: Replicas = new Replicas({ store: state, config, events, health: healthRegistry, keys, ledger, peers, pauses, clock, log,
    routeStates: [
      ...(canaryStates === undefined ? [] : [{ name: 'canaries' as const, states: canaryStates, changed: () => { canaries.tick(now()); } }]),
      ...(shadowStates === undefined ? [] : [{ name: 'shadows' as const, states: shadowStates, changed: () => { shadows.tick(); } }]),
    ],
  });
  const drills = new FaultInjectionRunner({
    faultInjector, healthRegistry, keys, clock, log, config, changed, canonicalName: model => directory.canonicalName(model),
    view: () => resilienceState({ view: view(0), healthRegistry, keys, drills: faultInjector.running, now: now() }),
  });
  const networkMonitor = new NetworkMonitor({ healthRegistry, notify: notice => { failureNotices.tell(notice); }, changed: touched, interfaces: options.interfaces });

  const newId = exchangeIds();
  const shadows = new Shadows({
    store: shadowStates, config, routeTable, codecFor, clock, random, log, changed, redactor: register, newId: () => newId(now()), pricesReady: () => (costs.tableIsWanted ? pricer.ready() : Promise.resolve()),
    cost: ({ endpoint, model }, inputTokens, outputTokens) => {
      const target = routeTable().target(endpoint, model);
      return target === undefined ? undefined : view(0).signals.costMicroUsd(target, { inputTokens, outputTokens });
    },
    send: copySender(() => copyServices),
  });

  // The order is part of the behaviour: see each observer for what it expects of those before it.
  const observers: readonly ExchangeObserver[] = [
    runningObserver(running),
    timeoutsObserver(timers),
    choicesObserver(firstTokens, expectedUsage),
    warmCachesObserver(warm, (endpoint, model) => routeTable().target(endpoint, model)),
    limitsObserver(limiter),
    tokensObserver(tokens.limits),
    earlyObserver(early),
    keysObserver(keys),
    healthObserver(healthRegistry, keys),
    noticesObserver(failureNotices, keys, failureClass => (status.canServe() ? undefined : noRouteNotice(failureClass, endpoints.states(), now()))),
    proberObserver(prober, clock),
    drillsObserver(drills),
    eventLogObserver(eventLog, clock),
    costsObserver(costs),
    spend,
    budgetsObserver(budgets),
    canaryObserver(canaries),
    shadowObserver(shadows),
    responseCacheObserver(responses),
    statusObserver(changes),
  ];
  for (const observer of observers) events.subscribe(observer);
  for (const observer of [runningObserver(running), limitsObserver(limiter), costsObserver(copyCosts), spend, budgetsObserver(budgets), shadowCopyObserver(shadows)]) copyEvents.subscribe(observer);

  const tracePassing: TracePassing = { headers: undefined };
  const admissionOf = (sources: AdmissionSources): AdmissionControl => withReplicas(createAdmissionControl(sources), { counts: () => sharedCounts.counts, tokens: tokens.limits, now });
  const providerMessages = new ProviderMessages();
  const services = exchangeServices({
    current, register, routeTable, view, transport, healthRegistry, admission: admissionOf({ clock, pauses, keys, healthRegistry, limiter, early, allowances }), timers, spending, hedges: createHedgePolicy(), hedgeSpend: new HedgeSpend({ spend, running, costs, log }),
    keepAliveMs: options.keepAliveMs ?? defaultKeepAliveMs, clock, random, log, providerMessages, repairs, responses, decisions: new DecisionMemory(), tracePassing, events,
  });
  // What targets refuse copies by name is learnt for copies alone.
  const copyServices: ExchangeServices = { ...services, events: copyEvents, repairs: new LearntRepairs(() => undefined), admission: admissionOf(shadowAdmissionSources({ clock, pauses, keys, healthRegistry, limiter, early, allowances })) };
  const status = new StatusReader({ current, healthRegistry, keys, limiter, directory, modelFacts, view, ledger, spend, drills, canaries, shadows, responses, pauses, budgets, eventLog, claims, changes, clock });
  const endpoints = new EndpointDesk({ current, pauses, prober, status, clock });
  const endpointTester = new EndpointTester({ current, register, transport, faultInjector, keys, directory, clock, changed, learnt: endpoint => repairs.wordsOf(endpoint, now()) });
  const ticker = new Ticker([
    state,
    sharedCounts,
    sharedLedger,
    { name: 'The tokens of tools and people', tick: () => { tokens.tick(); } },
    { name: 'The count of limits', tick: at => { limiter.beat(at); } },
    { name: 'The watch over the network', tick: at => { networkMonitor.tick(at); } },
    { name: 'The records of running exchanges', tick: () => { running.tick(); } },
    { name: 'The ends that peers ask for', tick: () => { if (!running.isEmpty) options.peerStops?.answer(() => running.ids(), id => running.stop(id)); } },
    { name: 'What people decided about endpoints', tick: () => { if (current.isConfigured) pauses.tick(); } },
    // Endpoints that are not configured yet could not learn from it.
    { name: 'The exchange with peers', tick: () => { if (current.isConfigured) peers.listen(); } },
    replicas,
    { name: 'The sum of what was spent today', tick: () => { spend.tick(); } },
    { name: 'The probes of endpoints', tick: () => { prober.tick(current.config.endpoints.values()); } },
    { name: 'The age of kept answers', tick: at => { responses.tick(at); } },
    { name: 'The count of budgets', tick: () => { budgets.tick(); } },
    { name: 'The watch over canaries', tick: at => { canaries.tick(at); } },
    { name: 'The watch over shadows', tick: () => { shadows.tick(); } },
    { name: 'The end of fire drills', tick: at => { drills.tick(at); } },
    { name: 'The log of events', tick: at => { eventLog.tick(at); } },
    { name: 'The update of the status', tick: at => { changes.tick(at); } },
  ], clock, log);
  const history = new History({ ledger, shared: sharedLedger, running, costs, providerMessages });
  const monitoring = new Monitoring({ events, copies: copyEvents, ledger, sharedLedger, status: http => status.snapshot(http), spend: range => history.spend(range), outcomes: (range, boundsMs) => history.outcomes(range, boundsMs), alertsFolder: options.alertsFolder, store: state, config, receivers: new Receivers(), tracePassing, codecFor, news: () => replicas.figures, shared: () => sharedCounts.read(), answers: () => (responses.statuses().length === 0 ? undefined : responses.layers), redact: text => register.redact(text), hasAudience: () => notices.hasListeners, notify, clock, log });
  ticker.add(monitoring);
  const used: typeof history.used = (...page) => history.used(...page);
  const router = new Router({
    instance, services, current, status, prober, endpoints, endpointTester, drills, canaries, shadows, budgets, tokens,
    rules: new RulesDesk({ current, tableOf: draft => routeTableOf(draft, directory, pricer, now), replayParts, history, pricer, status, register, clock, log, versions: options.ruleVersions }), running, peerStops: options.peerStops, ticker, limiter, allowances, costs: { pricedUpToNow: async () => { await Promise.all([costs.pricedUpToNow(), copyCosts.pricedUpToNow()]); } }, ledger, transport, changes, notices, monitoring, state, sharedLedger, sharedCounts, replicas,
    configurator: new Configurator({ current, register, keys, healthRegistry, limiter, timers, transport, directory, repairs, drills, eventLog, pauses, peers, monitoring, state, sharedLedger, sharedCounts, replicas, clock, changed }),
    tokenCounter: new TokenCounter({ makePlan, view, register, transport, keys, clock }),
    proposals: new RouteProposer({ pricer, clock }),
    history, bills: new BillReconciler({ current, register, transport, clock, bill: (range, endpoints, offsetMs) => history.bill(range, endpoints, offsetMs) }),
    reports: { cache: new CacheReporter({ routeTable, used, clock }), savings: new SavingsReporter({ routeTable, pricer, used, clock }), migration: new MigrationReporter({ routeTable, pricer, used, clock }), incidents: new IncidentReporter({ routeTable, pricer, used, ledger, clock }), spend: history },
  });
  return { router, services, events, healthRegistry, keys, limiter, timers, transport, directory, modelFacts, drills, endpointTester, state, sharedCounts, ticker };
}
