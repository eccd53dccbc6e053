import type { ProtocolName } from '../api/conversation.ts';
import type { ReconcileParams, ReconcileResult } from '../api/bill.ts';
import type { NoticeParams, ProbeReport, TestEndpointResult } from '../api/messages.ts';
import { said, told } from '../api/localization/said.ts';
import type { ForgottenTitles } from '../api/ledger/keptTitles.ts';
import type { Receipt, RequestSummary, SpendReport, TimeRange } from '../api/receipt.ts';
import type { CancelRequestResult, FindRequestsParams, FindRequestsResult, RunningRequest } from '../api/reports/requestMessages.ts';
import type { GroupedSpend, GroupedSpendParams } from '../api/reports/groupedSpend.ts';
import { readRequestFilter } from '../api/reports/requestFilter.ts';
import type { TryRouteParams, TryRouteResult } from '../api/routes/tryRoute.ts';
import type { ConfigProblem, HttpStatus, OfferedModel, StatusSnapshot } from '../api/status.ts';
import type { Clock } from '../base/clock.ts';
import type { Emitter, Subscribe } from '../base/emitter.ts';
import { Guard } from '../base/guarded.ts';
import { isLoop } from '../base/hops.ts';
import type { Log } from '../base/log.ts';
import type { Config, EndpointConfig, KeyRing } from '../config/config.ts';
import { Exchange } from '../exchange/exchange.ts';
import { exchangeIds } from '../exchange/exchangeId.ts';
import type { ExchangeInput, ResponseSink } from '../exchange/request.ts';
import type { ExchangeServices } from '../exchange/services.ts';
import type { ResponseCache } from '../exchange/cache/responseCache.ts';
import type { Ledger } from '../ledger/ports.ts';
import type { BudgetBook } from '../limits/budgets/budgetBook.ts';
import type { Allowances } from '../limits/allowances/allowances.ts';
import type { RateLimiter } from '../limits/rateLimiter.ts';
import type { ProtocolCodec } from '../protocols/codec.ts';
import type { Transport } from '../upstream/transport.ts';
import type { BillReconciler } from './bills/billReconciler.ts';
import type { Canaries } from './canary/canaries.ts';
import type { IncidentReporter } from './incidents/incidentReporter.ts';
import type { MigrationReporter } from './migration/migrationReporter.ts';
import type { CacheReporter } from './savings/cacheReporter.ts';
import type { SavingsReporter } from './savings/savingsReporter.ts';
import type { SharedCounts } from '../limits/replicas/sharedCounts.ts';
import type { SharedLedger } from './sharedLedger/sharedLedger.ts';
import { statusOfReplicas } from './status/statusOfReplicas.ts';
import type { StateConnection } from '../state/stateConnection.ts';
import type { Monitoring } from './monitoring/monitoring.ts';
import type { Configurator } from './configurator.ts';
import type { CostRecorder } from './spend/costRecorder.ts';
import type { CountRequest, TokenCounter } from './countTokens.ts';
import type { CurrentConfig } from './currentConfig.ts';
import type { FaultInjectionRunner } from './drills/faultInjectionRunner.ts';
import type { EndpointDesk } from './endpoints/endpointDesk.ts';
import type { History } from './history.ts';
import type { OfferedName } from './status/offers.ts';
import type { Prober } from './prober.ts';
import type { RouteProposer } from './proposals/routeProposer.ts';
import type { RulesDesk } from './rules/rulesDesk.ts';
import { rehearse } from './rehearsal.ts';
import type { PeerStop, PeerStops } from './peerStops.ts';
import type { Replicas } from './replicas/replicas.ts';
import type { RunningExchanges } from './runningExchanges.ts';
import type { Shadows } from './shadow/shadows.ts';
import type { StatusReader } from './status/status.ts';
import type { StatusChanges } from './status/statusChanges.ts';
import type { EndpointTester, TestedKeys } from './testEndpoint.ts';
import type { Ticker } from './ticker.ts';
import type { TokenDesk } from './tokens/tokenDesk.ts';
import { modelForTool } from '../routing/toolModels.ts';

/** Reports over what was used. */
export interface Reports { readonly savings: Pick<SavingsReporter, 'report'>; readonly cache: Pick<CacheReporter, 'report'>; readonly migration: Pick<MigrationReporter, 'report'>; readonly incidents: Pick<IncidentReporter, 'report'>; readonly spend: Pick<History, 'dashboard' | 'dearest' | 'find'> }

/** The parts behind a router; see app/createRouter.ts. */
export interface RouterOptions {
  /** What this server is known by to other Waybills. */
  instance: string;
  services: ExchangeServices;
  current: CurrentConfig;
  configurator: Configurator;
  status: StatusReader;
  prober: Prober;
  endpoints: EndpointDesk;
  endpointTester: EndpointTester;
  tokenCounter: TokenCounter;
  history: History;
  bills: BillReconciler;
  reports: Reports;
  drills: FaultInjectionRunner;
  canaries: Canaries;
  shadows: Shadows;
  budgets: Pick<BudgetBook, 'act' | 'statuses'>;
  tokens: TokenDesk;
  rules: RulesDesk;
  proposals: RouteProposer;
  running: RunningExchanges;
  /** Absent: there are no peers. */
  peerStops?: Pick<PeerStops, 'ask'> | undefined;
  ticker: Ticker;
  limiter: RateLimiter;
  allowances: Pick<Allowances, 'close'>;
  costs: Pick<CostRecorder, 'pricedUpToNow'>;
  ledger: Pick<Ledger, 'shutdown'>;
  transport: Transport;
  monitoring: Monitoring;
  state: Pick<StateConnection, 'close'>;
  sharedCounts: Pick<SharedCounts, 'close'>;
  replicas: Pick<Replicas, 'close'>;
  sharedLedger: Pick<SharedLedger, 'close' | 'isConfigured'>;
  changes: StatusChanges;
  notices: Emitter<NoticeParams>;
}

/** The longest page of found requests. */
const mostFound = 1_000;

/** What a person reads of a request that was to be ended. */
const stopMessages: Readonly<Record<PeerStop, CancelRequestResult>> = {
  stopped: { cancelled: true, ...told(said('The request was cancelled. What it has cost until now is in its receipt.')) },
  shared: { cancelled: true, ...told(said('The caller of the request gets no answer. Its call goes on for other requests that share it, and what it costs is in the receipt.')) },
  ended: { cancelled: false, ...told(said('The caller has the whole answer already.')) },
};
const endedMessage: CancelRequestResult = { cancelled: false, ...told(said('The request has ended already.')) };

/** What the inbound sides see of the server: requests go in here, and the state can be asked for at any time. */
export class Router {
  readonly clock: Clock;
  readonly log: Log;
  /** The state that a person sees may have changed. */
  readonly onChange: Subscribe<void>;
  /** A person has to be notified of something. */
  readonly onNotice: Subscribe<NoticeParams>;
  /** Fire drills of this process. */
  readonly drills: Pick<FaultInjectionRunner, 'start' | 'stop' | 'report'>;
  /** What people do with endpoints. */
  readonly endpoints: Pick<EndpointDesk, 'act' | 'states'>;
  /** The canaries of routes. */
  readonly canaries: Pick<Canaries, 'act'>;
  readonly reports: Reports;
  /** The shadows of routes. */
  readonly shadows: Pick<Shadows, 'act'>;
  /** Routes that endpoints could make. */
  readonly proposals: Pick<RouteProposer, 'propose'>;
  /** What may be spent in a period. */
  readonly budgets: Pick<BudgetBook, 'act' | 'statuses'>;
  /** Tokens that were made, and what tools may do. */
  readonly tokens: TokenDesk;
  /** Rules that are written as text. */
  readonly rules: RulesDesk;
  /** The answers that routes keep. */
  readonly responses: Pick<ResponseCache, 'clear' | 'statuses'>;
  /** What is measured for others. */
  readonly monitoring: Pick<Monitoring, 'metrics' | 'mayRead' | 'mayReadElsewhere'>;
  readonly #parts: RouterOptions;
  readonly #nextId = exchangeIds();
  readonly #ends: Guard;

  constructor(parts: RouterOptions) {
    this.#parts = parts;
    this.clock = parts.services.clock;
    this.log = parts.services.log;
    this.drills = parts.drills;
    this.endpoints = parts.endpoints;
    this.canaries = parts.canaries;
    this.reports = parts.reports;
    this.shadows = parts.shadows;
    this.budgets = parts.budgets;
    this.tokens = parts.tokens;
    this.rules = parts.rules;
    this.proposals = parts.proposals;
    this.responses = parts.services.responses;
    this.monitoring = parts.monitoring;
    this.onChange = parts.changes.subscribe;
    this.onNotice = listen => parts.notices.subscribe(listen);
    this.#ends = new Guard('The end of the router', this.log);
  }

  /** Adopts a configuration and its keys. Running exchanges continue with what they have. */
  configure(config: Config, keys: KeyRing, problems: readonly ConfigProblem[]): void {
    this.#parts.configurator.configure(config, keys, problems);
  }

  /** An id for a new exchange. */
  newId(): string {
    return this.#nextId(this.clock.now());
  }

  /** Whether a request that came from another Waybill has been here before. @param hops the header that says where it was; see base/hops.ts */
  hasSeen(hops: string | readonly string[]): boolean {
    return isLoop(hops, this.#parts.instance);
  }

  /** A new exchange, not yet started: its caller may have to be ready for an answer that comes at once. */
  create(input: ExchangeInput, sink: ResponseSink): Exchange {
    const requestedModel = this.modelFor(input.caller.tool, input.requestedModel, input.subagent === true);
    const asked = requestedModel === input.requestedModel ? input : { ...input, requestedModel };
    return new Exchange(this.#parts.services, asked, this.#parts.monitoring.heard(asked, this.#parts.shadows.drawn(asked, sink)));
  }

  /** What a caller gets for a name that it asks for: the configuration may say so for its tool. */
  modelFor(tool: string, requestedModel: string, subagent: boolean): string {
    const { config } = this.#parts.current;
    return config.tools === undefined ? requestedModel : modelForTool(config, tool, requestedModel, subagent);
  }

  codecFor(protocol: ProtocolName): ProtocolCodec | undefined {
    return this.#parts.services.codecFor(protocol);
  }

  /** Tries an endpoint as it would be configured, with a key that was typed or with those it has. */
  testEndpoint(endpoint: EndpointConfig, keys: TestedKeys, signal?: AbortSignal): Promise<TestEndpointResult> {
    return this.#parts.endpointTester.test(endpoint, keys, signal);
  }

  /** @returns the count of the provider that would answer, as the text of its body; undefined when there is none */
  countTokens(request: CountRequest): Promise<string | undefined> {
    return this.#parts.tokenCounter.count(request);
  }

  /** Probes one endpoint, or all that are enabled, now; what that disproves is taken back. @returns what was found */
  async probe(endpoint?: string): Promise<ProbeReport> {
    const { current, prober, status } = this.#parts;
    const chosen = [...current.config.endpoints.values()].filter(one => (endpoint === undefined ? one.enabled : one.name === endpoint));
    await Promise.all(chosen.filter(one => one.enabled).map(one => prober.check(one)));
    const conditions = status.conditions();
    return chosen.map(one => ({ endpoint: one.name, condition: conditions.ofEndpoint(one) }));
  }

  /** The receipt of an exchange, finished or running. @throws LedgerUnavailableError, as the next two */
  receipt(id: string): Promise<Receipt | undefined> {
    return this.#parts.history.receipt(id);
  }

  /** The latest exchanges first. @param before milliseconds since the epoch */
  recent(limit: number, before?: number): Promise<RequestSummary[]> {
    return this.#parts.history.recent(limit, before);
  }

  /** A page of the requests that pass a filter, newest first, or why the filter cannot be read. @throws LedgerUnavailableError, as the next two */
  async find(params: FindRequestsParams, signal?: AbortSignal): Promise<FindRequestsResult> {
    const filter = readRequestFilter({ ...params.filter });
    if (typeof filter === 'string') return { refused: filter };
    const limit = Math.min(Math.max(Math.trunc(params.limit) || 1, 1), mostFound);
    return this.#parts.history.find(filter, limit, params.after, signal);
  }

  /** See TitleStore.keptTitles. */
  keptTitles(): Promise<number> {
    return this.#parts.history.keptTitles();
  }

  /** See TitleStore.forgetTitles. */
  forgetTitles(): Promise<ForgottenTitles> {
    return this.#parts.history.forgetTitles();
  }

  /** What runs now, in this server and its peers, newest first. */
  runningRequests(): Promise<RunningRequest[]> {
    return this.#parts.history.running();
  }

  /** Ends a request that runs here or at a peer: its caller gets an error, and what it has cost is kept. */
  async cancelRequest(id: string): Promise<CancelRequestResult> {
    const { running, peerStops } = this.#parts;
    const stopped = running.stop(id);
    if (stopped !== false) return stopMessages[stopped];
    const receipt = await this.receipt(id);
    if (receipt === undefined) return { cancelled: false, ...told(said('There is no request of that id.')) };
    if (receipt.outcome !== 'open') return endedMessage;
    if (running.receipt(id) !== undefined) return stopMessages.ended;
    const answer = await peerStops?.ask(id);
    if (answer !== undefined) return stopMessages[answer];
    // It may have ended by itself meanwhile.
    if ((await this.receipt(id))?.outcome !== 'open') return endedMessage;
    return { cancelled: false, ...told(said('The request runs in another window, which does not answer: cancel it there, or reload that window.')) };
  }

  /** What attempts cost by one field, of all replicas where they share a ledger. @throws LedgerUnavailableError, as the next one */
  groupedSpend(params: GroupedSpendParams): Promise<GroupedSpend> {
    return this.#parts.history.grouped(params);
  }

  spend(range: TimeRange): Promise<SpendReport> {
    return this.#parts.history.spend(range);
  }

  /** Compares the ledger with what a provider charges. @throws LedgerUnavailableError */
  reconcile(params: ReconcileParams, signal?: AbortSignal): Promise<ReconcileResult> {
    return this.#parts.bills.reconcile(params, signal);
  }

  /** The whole state, for the editor and for `GET /waybill/status`. */
  status(http: HttpStatus): StatusSnapshot {
    return this.#parts.status.snapshot(http);
  }

  /** The same with what all replicas spent today, where they share a ledger. @throws LedgerUnavailableError */
  async statusOfReplicas(http: HttpStatus): Promise<StatusSnapshot> {
    const { sharedLedger, history } = this.#parts;
    return sharedLedger.isConfigured ? statusOfReplicas(this.status(http), range => history.spend(range), this.clock.now()) : this.status(http);
  }

  /** What callers can ask for now: the routes first, then every model, each with its health. */
  offered(): readonly OfferedModel[] {
    return this.#parts.status.offered();
  }

  /** The names that callers can ask for, in the same order. Asks nothing of health, and reads no ledger. */
  offeredNames(): readonly OfferedName[] {
    return this.#parts.status.offeredNames();
  }

  /** Where a request that is made up would go now; nothing is sent. */
  tryRoute(params: TryRouteParams): TryRouteResult {
    const { services } = this.#parts;
    return rehearse(params, services.makePlan, (estimatedTokens, writableTokens) => services.view(estimatedTokens, writableTokens), services.spending.pricesReady() === undefined, services.spending.budgets);
  }

  /** Some endpoint could serve some request now. */
  canServe(): boolean {
    return this.#parts.status.canServe();
  }

  /** Ends all exchanges with an error to their callers, writes everything down and closes connections. */
  async shutdown(): Promise<void> {
    const { ticker, drills, canaries, shadows, running, limiter, allowances, costs, ledger, transport, monitoring, state, sharedCounts, sharedLedger, replicas } = this.#parts;
    ticker.stop();
    this.#ends.run(() => { drills.shutdown(); });
    running.interruptAll();
    this.#ends.run(() => { limiter.close(); });
    this.#ends.run(() => { allowances.close(); });
    this.#ends.run(() => { this.tokens.close(); });
    await costs.pricedUpToNow();
    // What is sent to others may take its time; what was spent is written before.
    const sent = monitoring.close().catch((error: unknown) => { this.#ends.failed(error); });
    this.#ends.run(() => { canaries.shutdown(); });
    this.#ends.run(() => { shadows.shutdown(); });
    await sharedLedger.close();
    this.#ends.run(() => { ledger.shutdown(); });
    await replicas.close();
    await sharedCounts.close();
    await state.close();
    await sent;
    await transport.shutdown();
  }
}
