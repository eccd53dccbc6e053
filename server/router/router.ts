import { setTimeout as sleep } from 'node:timers/promises';
import type { ProtocolName } from '../api/conversation.ts';
import type { FailureClass } from '../api/failure.ts';
import { logText } from '../api/logText.ts';
import type { KeyMaterial, NoticeParams, ProbeReport, TestEndpointResult } from '../api/messages.ts';
import type { Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { ConfigProblem, HttpStatus, NetworkStatus, OfferedModel, StatusSnapshot } from '../api/status.ts';
import type { Clock, Random } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import { localMidnight } from '../base/localMidnight.ts';
import type { Log } from '../base/log.ts';
import type { SecretRegister } from '../base/secrets/redact.ts';
import { emptyConfig, type Config, type EndpointConfig, type KeyRing } from '../config/config.ts';
import type { NetworkAwareHealthRegistry } from '../health/healthReader.ts';
import { createHealthRegistry } from '../health/registry.ts';
import { createHedgePolicy, type HedgePolicy } from '../timeouts/hedgePolicy.ts';
import type { LimitStore } from '../ledger/limitStore.ts';
import { createRateLimiter, type RateLimiter } from '../limits/rateLimiter.ts';
import { SharedLimits } from '../limits/sharedLimits.ts';
import { createAdaptiveTimeouts, type AdaptiveTimeouts } from '../timeouts/adaptiveTimeouts.ts';
import type { PriceRequest, Pricer } from '../pricing/pricing.ts';
import { LedgerUnavailableError } from '../ledger/sqlite/ledgerErrors.ts';
import type { LedgerStore } from '../ledger/sqlite/sqliteLedger.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import { codecFor } from '../protocols/registry.ts';
import { makePlan } from '../routing/makePlan.ts';
import type { MakePlan, RoutingView } from '../routing/plan.ts';
import { unknownNameMessage } from '../routing/unknownName.ts';
import { secretsOf } from '../keys/authHeader.ts';
import type { KeyFingerprint } from '../keys/keyFingerprints.ts';
import { KeyPool } from '../keys/keyPool.ts';
import type { MergedFacts } from '../models/mergedFacts.ts';
import type { ModelCache } from '../models/modelCache.ts';
import { ModelDirectory } from '../models/modelDirectory.ts';
import type { ListedModel } from '../models/listedFacts.ts';
import { drillFailure, FaultInjector } from '../upstream/interceptors/faultInjector.ts';
import { tryEndpoint } from '../upstream/tryEndpoint.ts';
import { Transport } from '../upstream/transport.ts';
import { CostRecorder } from './costRecorder.ts';
import { Conditions } from './conditions.ts';
import { countAtProvider, type CountRequest } from './countTokens.ts';
import { FaultInjectionRunner } from './drills/faultInjectionRunner.ts';
import { EventLog } from './eventLog.ts';
import { exchangeIds } from '../exchange/exchangeId.ts';
import { Exchange } from '../exchange/exchange.ts';
import { ModelFactsCache } from '../models/factsBook.ts';
import { foreignKeyMessage, withoutForeignKeys } from '../keys/foreignKeys.ts';
import type { ResponseSink, ExchangeInput } from '../exchange/request.ts';
import { NetworkMonitor, type NetworkMonitorOptions } from './networkMonitor.ts';
import { OfferCache } from './offers.ts';
import { PeerSync } from './peerSync.ts';
import { Prober } from './prober.ts';
import { ProviderMessages } from '../exchange/providerMessages.ts';
import { redactFailure, withoutSecrets } from '../exchange/redactFailure.ts';
import type { ExchangeServices, TickedRun } from '../exchange/services.ts';
import { buildSnapshot, offersOf, type OfferSources } from './status.ts';
import { resilienceState } from './resilienceState.ts';
import { otherAddress, testedSentence } from './testedSentence.ts';
import { RouterView } from './view.ts';

export interface RouterOptions {
  ledger: LedgerStore;
  pricer: Pricer;
  register: SecretRegister;
  clock: Clock;
  random: Random;
  log: Log;
  /** After how much silence a streaming caller hears something harmless, in milliseconds; default 15 s. */
  keepAliveMs?: number | undefined;
  /** What keys are known by among the windows of a data folder; absent: nothing is said of keys. */
  keyFingerprint?: KeyFingerprint | undefined;
  /** Where lists of models outlive the process; absent: nowhere. */
  modelCache?: ModelCache | undefined;
  /** Where the limits of all windows are counted together; absent: other windows' requests are read from the ledger only. */
  limitStore?: LimitStore | undefined;
  /** The machine's network interfaces; absent: as the operating system tells them. */
  interfaces?: NetworkMonitorOptions['interfaces'];
}

const tickMs = 1000;
/** How long a question about the past waits for a ledger that cannot be read now. */
const ledgerPatienceMs = 3_000;
const ledgerLookMs = 50;
const defaultKeepAliveMs = 15_000;

/**
 * The house of one server process: configuration, keys, connections, health and the ledger, and what runs through
 * them. Faces hand requests in; the state can be asked for at any time.
 */
export class Router implements ExchangeServices {
  readonly makePlan: MakePlan = makePlan;
  readonly transport: Transport;
  /** Fire drills of this process. */
  readonly drills: FaultInjectionRunner;
  readonly healthRegistry: NetworkAwareHealthRegistry;
  readonly limiter: RateLimiter;
  readonly timers: AdaptiveTimeouts = createAdaptiveTimeouts();
  readonly hedges: HedgePolicy = createHedgePolicy();
  readonly keepAliveMs: number;
  readonly keys: KeyPool;
  readonly providerMessages = new ProviderMessages();
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called when the state a person sees may have changed. */
  onChange: (() => void) | undefined;
  /** Called when a person should be told something. */
  onNotice: ((notice: NoticeParams) => void) | undefined;
  #ledger: LedgerStore;
  #pricer: Pricer;
  #register: SecretRegister;
  #config: Config = emptyConfig;
  #problems: ConfigProblem[] = [];
  #directory: ModelDirectory;
  #facts: ModelFactsCache;
  #offers = new OfferCache();
  #prober: Prober;
  #others: PeerSync;
  #networkMonitor: NetworkMonitor;
  #running = new Set<TickedRun>();
  #books: CostRecorder;
  #events: EventLog;
  #nextId = exchangeIds();
  #timer: NodeJS.Timeout | undefined;
  /** Each part has its own: one that throws keeps none of the others from running. */
  readonly #guards: Record<'link' | 'limits' | 'running' | 'others' | 'probes' | 'drills' | 'events' | 'settled' | 'hedgeSpend' | 'change' | 'notice', Guard>;

  constructor(options: RouterOptions) {
    this.#ledger = options.ledger;
    this.#pricer = options.pricer;
    this.#register = options.register;
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.#guards = {
      link: new Guard('The watch over the network link', options.log),
      limits: new Guard('The count of limits', options.log),
      running: new Guard('The record of a running exchange', options.log),
      others: new Guard('The exchange with other windows', options.log),
      probes: new Guard('The probes of endpoints', options.log),
      drills: new Guard('The end of fire drills', options.log),
      events: new Guard('The log of events', options.log),
      settled: new Guard('The bookkeeping after an exchange', options.log),
      hedgeSpend: new Guard('The sum of what second requests cost', options.log),
      change: new Guard('The update of the status', options.log),
      notice: new Guard('The delivery of a notice', options.log),
    };
    this.keepAliveMs = options.keepAliveMs ?? defaultKeepAliveMs;
    this.#events = new EventLog({ log: options.log, redact: text => this.redact(text) });
    this.keys = new KeyPool({ fingerprint: options.keyFingerprint, onNote: note => options.ledger.recordKeyNote(note) });
    this.limiter = createRateLimiter({
      accountOf: (endpoint, keyId) => this.keys.limitAccount(endpoint, keyId), onLittleLeft: told => this.#others.publishLimit(told),
      shared: options.limitStore === undefined ? undefined : new SharedLimits(options.limitStore), keyFingerprint: (endpoint, keyId) => this.keys.fingerprintOf(endpoint, keyId),
    });
    this.healthRegistry = createHealthRegistry({ random: options.random, startedAt: options.clock.now() });
    this.transport = new Transport(undefined, new FaultInjector(options.clock));
    this.#directory = new ModelDirectory(emptyConfig, options.modelCache === undefined ? undefined : { cache: options.modelCache, log: options.log });
    this.#facts = new ModelFactsCache({ directory: this.#directory, pricer: options.pricer, config: () => this.#config, now: () => options.clock.now() });
    this.#books = new CostRecorder({
      ledger: options.ledger, pricer: options.pricer, directory: this.#directory, clock: options.clock, log: options.log, config: () => this.#config,
      changed: () => this.#changed(),
    });
    this.#prober = new Prober({
      transport: this.transport, healthRegistry: this.healthRegistry, keys: this.keys, directory: this.#directory, ledger: options.ledger,
      clock: options.clock, log: options.log, redactor: options.register,
      changed: () => this.#changed(),
      failed: (...args) => this.failed(...args),
    });
    this.#others = new PeerSync({
      ledger: options.ledger, healthRegistry: this.healthRegistry, limiter: this.limiter, timers: this.timers, keys: this.keys, prober: this.#prober, clock: options.clock, log: options.log,
    });
    this.drills = new FaultInjectionRunner({
      drills: this.transport.drills, healthRegistry: this.healthRegistry, keys: this.keys, clock: options.clock, log: options.log, config: () => this.#config,
      view: () => resilienceState({ view: this.view(0), healthRegistry: this.healthRegistry, keys: this.keys, drills: this.transport.drills.running, now: this.clock.now() }),
      canonicalName: model => this.canonicalName(model), changed: () => this.#changed(),
    });
    this.#networkMonitor = new NetworkMonitor({ healthRegistry: this.healthRegistry, notify: notice => this.#notify(notice), interfaces: options.interfaces });
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** Adopts a configuration and its keys. Running exchanges go on with what they have. */
  configure(config: Config, keys: KeyRing, problems: ConfigProblem[]): void {
    const first = this.#config === emptyConfig;
    this.#register.replace([...keys.values()].flat().flatMap(secretsOf));
    this.#config = config;
    const own = withoutForeignKeys(config, keys);
    this.#problems = [...problems, ...own.problems].map(problem => ({ ...problem, message: this.redact(problem.message) }));
    this.keys.configure(own.ring, config.endpoints);
    this.healthRegistry.configure(config.endpoints);
    this.limiter.configure(config.endpoints);
    this.limiter.beat(this.clock.now());
    this.timers.configure(config.endpoints);
    this.transport.configure(config.endpoints);
    this.#directory.configure(config);
    this.drills.configured();
    this.#events.problems(this.#problems);
    if (first) this.#others.warmUp();
    this.#changed();
  }

  /** An id for a new exchange. */
  newId(): string {
    return this.#nextId(this.clock.now());
  }

  /** A new exchange, not yet started: its caller may have to be ready for an answer that comes at once. */
  create(input: ExchangeInput, caller: ResponseSink): Exchange {
    return new Exchange(this, input, caller);
  }

  config(): Config {
    return this.#config;
  }

  codecFor(protocol: ProtocolName): ProtocolCodec | undefined {
    return codecFor(protocol);
  }

  unknownNameMessage(requestedModel: string): string {
    return unknownNameMessage(logText(this.redact(requestedModel)), this.view(0));
  }

  networkTrouble(): NetworkStatus['kind'] | undefined {
    return this.healthRegistry.networkTrouble()?.kind;
  }

  hedgeSpentToday(route: string): number {
    // A sum that cannot be made counts as a cap that is reached: no second request is sent.
    return this.#guards.hedgeSpend.run(() => {
      let microUsd = this.#ledger.hedgeSpendSince(route, localMidnight(this.clock.now()));
      for (const run of this.#running) {
        const hedge = run.hedgeUnderWay?.();
        if (hedge?.route === route) microUsd += this.#books.promptCost(hedge);
      }
      return microUsd;
    }) ?? Infinity;
  }

  redact(text: string): string {
    return this.#register.redact(text);
  }

  excerpt(text: string, maxLength: number): string {
    return this.#register.excerpt(text, maxLength);
  }

  holds(text: string): boolean {
    return this.#register.holds(text);
  }

  view(estimatedTokens: number, writableTokens = 0): RoutingView {
    return new RouterView(this, estimatedTokens, writableTokens, this.clock.now());
  }

  /** The provider's own name for a model at an endpoint. */
  upstreamName(endpoint: string, model: string): string {
    return this.#directory.upstreamName(endpoint, model);
  }

  /** What is known of a model at an endpoint: what the user says wins over its list, that over what the makers say. */
  facts(endpoint: string, model: string): MergedFacts {
    return this.#facts.facts(endpoint, model);
  }

  /** The canonical name of a spelling, the user's aliases included. */
  canonicalName(name: string): string {
    return this.#directory.canonicalName(name);
  }

  /** Canonical names of the models of an endpoint. */
  modelsOf(endpoint: string): readonly string[] {
    return this.#directory.modelsOf(endpoint);
  }

  /** The endpoints that serve a model, in the order in which they are tried. @param model canonical */
  servedBy(model: string): readonly string[] {
    return this.#directory.servedBy(model);
  }

  started(run: TickedRun): void {
    this.#running.add(run);
    this.#guards.running.run(() => { this.#ledger.open(run.receipt, () => run.progress()); });
  }

  settled(run: TickedRun, receipt: Receipt, prices: readonly PriceRequest[]): void {
    this.#running.delete(run);
    const { settled } = this.#guards;
    settled.run(() => {
      const now = this.clock.now();
      for (const attempt of receipt.attempts) this.#prober.observe(attempt.endpoint, now);
    });
    settled.run(() => { this.drills.settled(receipt); });
    settled.run(() => { this.#events.settled(receipt, this.clock.now()); });
    settled.run(() => { this.#books.settled(receipt, prices); });
  }

  failed(endpoint: EndpointConfig, failureClass: FailureClass, message: string, helpUrl: string | undefined, code: string): void {
    // Injected faults never raise notices.
    if (this.transport.drills.isDrilled(endpoint.name)) return;
    if (failureClass === 'model-not-found') this.#prober.forgetModels(endpoint.name);
    const kind = failureClass === 'auth' ? 'key-rejected' : failureClass === 'quota' ? 'no-money' : code === 'certificate' && !this.healthRegistry.isOffline(endpoint.name) ? 'certificate' : undefined;
    if (kind !== undefined) this.#notify({ kind, endpoint: endpoint.name, message, helpUrl });
  }

  /** Tries an endpoint as it would be configured, with one key or with each of its keys. */
  async testEndpoint(endpoint: EndpointConfig, keys: readonly KeyMaterial[], signal?: AbortSignal): Promise<TestEndpointResult> {
    this.#register.add(keys.flatMap(secretsOf));
    let models: readonly ListedModel[] = [];
    let latencyMs: number | undefined;
    let proved = keys.length > 0;
    let at = endpoint;
    for (const key of keys.length === 0 ? [undefined] : keys) {
      const foreign = key === undefined ? undefined : foreignKeyMessage(endpoint, key);
      if (foreign !== undefined) return { ok: false, failureClass: 'auth', message: foreign, models: [] };
      const tried = await tryEndpoint(this.transport, at, key, { now: this.clock.now(), signal });
      const { error, ...result } = tried.result;
      at = tried.endpoint;
      if (error !== undefined) {
        const drilled = this.transport.drills.isDrilled(endpoint.name);
        return { ok: false, failureClass: error.failureClass, message: redactFailure(drilled ? drillFailure(error) : error, this).message, latencyMs: result.latencyMs, models: [], ...otherAddress(endpoint, at) };
      }
      if (key !== undefined && this.keys.all(endpoint.name).some(known => known.id === key.id && known.secret === key.secret)) this.keys.revive(endpoint.name, key.id, 'test', this.clock.now());
      models = withoutSecrets(result.models ?? models, this.#register);
      latencyMs = result.latencyMs;
      proved &&= result.provedKey;
    }
    if (this.#config.endpoints.has(endpoint.name) && models.length > 0) this.#directory.apply(endpoint.name, models, this.clock.now());
    this.#changed();
    const found = { name: endpoint.name, ...otherAddress(endpoint, at), keys: keys.length, proved, latencyMs, models: models.length };
    return { ok: true, message: testedSentence(found), latencyMs, models: models.map(model => model.name), ...otherAddress(endpoint, at) };
  }

  /**
   * Asks the first target of a plan to count a prompt's tokens, where it speaks the caller's protocol.
   * @returns the provider's answer as text; undefined when nobody counted
   */
  async countTokens(count: CountRequest): Promise<string | undefined> {
    if (this.holds(count.requestedModel)) return undefined;
    const { plan } = this.makePlan(count.requestedModel, count.requirements, this.view(count.requirements.estimatedInputTokens), this.clock.now());
    const target = plan.targets[0];
    const endpoint = target === undefined ? undefined : this.#config.endpoints.get(target.endpoint);
    if (target === undefined || endpoint === undefined || endpoint.protocol !== count.protocol) return undefined;
    const counted = await countAtProvider(this.transport, endpoint, target.upstreamModel, this.keys.pick(endpoint.name, new Set(), this.clock.now()), count);
    return counted === undefined ? undefined : this.redact(counted);
  }

  /** Probes one endpoint, or all that are enabled, now; what that disproves is taken back. @returns what was found */
  async probe(endpoint?: string): Promise<ProbeReport> {
    const chosen = [...this.#config.endpoints.values()].filter(one => (endpoint === undefined ? one.enabled : one.name === endpoint));
    await Promise.all(chosen.filter(one => one.enabled).map(one => this.#prober.check(one)));
    const conditions = this.#conditions();
    return chosen.map(one => ({ endpoint: one.name, condition: conditions.ofEndpoint(one) }));
  }

  #conditions(): Conditions {
    return new Conditions({ now: this.clock.now(), config: this.#config, healthRegistry: this.healthRegistry, keys: this.keys, limiter: this.limiter, view: this.view(0) });
  }

  /** The receipt of an exchange, finished or running. */
  async receipt(id: string): Promise<Receipt | undefined> {
    await this.#books.pricedUpToNow();
    for (const run of this.#running) if (run.receipt.id === id) return this.providerMessages.complete(run.progress());
    const receipt = await this.#read(() => this.#ledger.receipt(id));
    return receipt === undefined ? undefined : this.providerMessages.complete(receipt);
  }

  recent(limit: number, before?: number): Promise<RequestSummary[]> {
    return this.#read(() => this.#ledger.recent(limit, before));
  }

  spend(range: TimeRange): Promise<SpendReport> {
    return this.#read(() => this.#ledger.spend(range));
  }

  /** Reads the ledger; while it is being repaired or locked, waits a while for it. @throws LedgerUnavailableError after that */
  async #read<Result>(read: () => Result): Promise<Result> {
    await this.#books.pricedUpToNow();
    const until = performance.now() + ledgerPatienceMs;
    for (;;) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError) || performance.now() >= until) throw error;
      }
      await sleep(ledgerLookMs);
    }
  }

  /** The whole state, for the editor and for `GET /waybill/status`. */
  status(http: HttpStatus): StatusSnapshot {
    const snapshot = buildSnapshot({
      ...this.#offerSources(), problems: this.#problems, http, ledger: this.#ledger, drill: this.drills.status(),
    });
    this.#events.states(snapshot.endpoints, snapshot.at);
    return snapshot;
  }

  /** What callers can ask for now: the routes first, then every model. */
  offered(): readonly OfferedModel[] {
    return offersOf(this.#offerSources());
  }

  #offerSources(): OfferSources {
    return {
      now: this.clock.now(), config: this.#config, healthRegistry: this.healthRegistry, keys: this.keys, limiter: this.limiter, directory: this.#directory, view: this.view(0),
      facts: (endpoint, model) => this.facts(endpoint, model), offers: this.#offers,
    };
  }

  /** Some endpoint could serve some request now. */
  canServe(): boolean {
    const view = this.view(0);
    return [...this.#config.endpoints.values()].some(endpoint => endpoint.enabled && view.keysBlocked(endpoint.name) === undefined
      && this.healthRegistry.admission(endpoint.name, undefined, this.clock.now()).admitted);
  }

  /** Ends all exchanges with a word to their callers, writes everything down and closes connections. */
  async shutdown(): Promise<void> {
    const { drills, limits, running, settled } = this.#guards;
    clearInterval(this.#timer);
    drills.run(() => { this.drills.shutdown(); });
    for (const run of [...this.#running]) if (run instanceof Exchange) running.run(() => { run.interrupt(); });
    limits.run(() => { this.limiter.close(); });
    await this.#books.pricedUpToNow();
    settled.run(() => { this.#ledger.shutdown(); });
    await this.transport.shutdown();
  }

  #tick(): void {
    const { link, limits, running, others, probes, drills, events } = this.#guards;
    limits.run(() => { this.limiter.beat(this.clock.now()); });
    link.run(() => { this.#networkMonitor.tick(this.clock.now()); });
    // A process that is killed later must have left the costs so far; what has prices of its own needs no table.
    if (this.#running.size > 0) running.start(() => this.#pricer.ready());
    for (const run of [...this.#running]) {
      running.run(() => { run.tick(this.clock.now()); });
      running.run(() => { this.#ledger.progress(this.#books.priced(run.progress())); });
    }
    // Endpoints that are not configured yet could not learn from it.
    if (this.#config !== emptyConfig) others.run(() => { this.#others.listen(); });
    probes.run(() => { this.#prober.tick(this.#config.endpoints.values()); });
    drills.run(() => { this.drills.tick(this.clock.now()); });
    events.run(() => { this.#events.tick(this.clock.now()); });
    this.#changed();
  }

  #changed(): void {
    this.#guards.change.run(() => this.onChange?.());
  }

  #notify(notice: NoticeParams): void {
    this.#guards.notice.run(() => this.onNotice?.(notice));
  }
}
