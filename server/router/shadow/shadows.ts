import { randomUUID } from 'node:crypto';
import type { ProtocolName } from '../../api/conversation.ts';
import type { Receipt } from '../../api/receipt.ts';
import type { ShadowArm, ShadowParams, ShadowReport, ShadowResult, ShadowSkip, ShadowStatus } from '../../api/shadow.ts';
import type { Clock, Random } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import { localMidnight } from '../../base/localMidnight.ts';
import type { Log } from '../../base/log.ts';
import type { Redactor } from '../../base/secrets/redact.ts';
import { placeOf } from '../../base/statistics/placeOf.ts';
import type { Config, RouteConfig, ShadowConfig } from '../../config/config.ts';
import { conversationId } from '../../exchange/conversation/conversationId.ts';
import type { AttemptStarted } from '../../exchange/events.ts';
import type { ByteSink, ExchangeInput, ResponseSink } from '../../exchange/request.ts';
import type { RouteStateStore } from '../../ledger/routeStateStore.ts';
import type { ProtocolCodec } from '../../protocols/codec.ts';
import { resolveName } from '../../routing/resolveName.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { compareAnswers, type SaidAnswer } from '../../shadow/compareAnswers.ts';
import { shadowReportOf } from '../../shadow/shadowReport.ts';
import { newRun, spentOn, withOwn, withSkip, withSpend, withTrial, type ShadowRun } from '../../shadow/shadowRun.ts';
import { HeardAnswer, overheard, soundlessSink, type AnswerReader } from './heardAnswer.ts';
import { Mirror, type LiveShadow, type MirroredCopy } from './mirror.ts';
import { refusedAtOnce, refusedByContent } from './mirrorable.ts';
import { ShadowState } from './shadowState.ts';
import { trialOf } from './trialOutcome.ts';

export interface ShadowsOptions {
  /** Absent: states live as long as the process. */
  store: RouteStateStore | undefined;
  config(): Config;
  routeTable(): RouteTable;
  codecFor(protocol: ProtocolName): ProtocolCodec | undefined;
  /** Starts a copy, whose receipt comes to `copyPriced`. */
  send(input: ExchangeInput, sink: ByteSink): { cancel(): void };
  newId(): string;
  /** Resolves when prices are known as far as they will be. */
  pricesReady(): Promise<void>;
  /** What so many tokens cost at a target, in micro-dollars; undefined where no price is known. */
  cost(target: { endpoint: string; model: string }, inputTokens: number, outputTokens: number): number | undefined;
  redactor: Pick<Redactor, 'redact'>;
  clock: Clock;
  random: Random;
  log: Log;
  /** A phase changed. */
  changed(): void;
}

type RouteWithShadow = RouteConfig & { readonly shadow: ShadowConfig };

/** A lower bound of the prompt is set aside with so much more. */
const promptMargin = 1.3;
/** An answer is taken to be at most so long, in tokens: what it costs beyond that is how far a budget can be passed. */
const longestExpected = 4096;
/** What a caller's tool is called in the records of copies. */
const shadowCaller = { tool: 'shadow' } as const;

/**
 * The shadows of all routes: draws requests, sends copies of them once the caller's own is on its way, compares the answers in
 * memory, and keeps figures, which it shares with peers. Requests of routes without a running shadow never come here.
 */
export class Shadows {
  readonly #options: ShadowsOptions;
  readonly #guard: Guard;
  readonly #states = new Map<string, ShadowState>();
  /** Shadows that run, by route. */
  #live: ReadonlyMap<string, LiveShadow> = new Map();
  #configured: Config | undefined;
  /** Requests that were drawn, by the id of the caller's exchange. */
  readonly #mirrors = new Map<string, Mirror>();
  readonly #copies = new Map<string, { mirror: Mirror; copy: MirroredCopy }>();
  /** Mirrored requests under way and micro-dollars set aside for them, by route. */
  readonly #underWay = new Map<string, { count: number; reserved: number }>();
  #isClosed = false;

  constructor(options: ShadowsOptions) {
    this.#options = options;
    this.#guard = new Guard('The shadow of a request', options.log);
  }

  /** Requests were drawn whose events are of interest. */
  get isWatching(): boolean {
    return this.#mirrors.size > 0;
  }

  /** Draws a request, before it is sent. @returns the sink to give it: its own, or one that hears what passes */
  drawn(input: ExchangeInput, sink: ResponseSink): ResponseSink {
    if (this.#configured !== this.#options.config()) this.#adopt();
    if (this.#live.size === 0 || this.#isClosed) return sink;
    return this.#guard.call(asked => this.#draw(asked, sink), input) ?? sink;
  }

  #draw(input: ExchangeInput, sink: ResponseSink): ResponseSink {
    const route = resolveName(input.requestedModel, this.#options.routeTable())?.route;
    const live = route === undefined ? undefined : this.#live.get(route);
    if (live === undefined || !this.#isDrawn(live, input)) return sink;
    const refused = refusedAtOnce(input, live.rules) ?? (this.#use(live.route).count >= live.rules.atOnce ? 'busy' : undefined);
    if (refused !== undefined) {
      this.#skip(live, refused);
      return sink;
    }
    const mirror = new Mirror(live, input, new HeardAnswer());
    this.#mirrors.set(input.id, mirror);
    this.#use(live.route).count += 1;
    return overheard(sink, mirror.heard);
  }

  #isDrawn({ rules: { share, draw }, run }: LiveShadow, input: ExchangeInput): boolean {
    const { random } = this.#options;
    return (draw === 'request' ? random() : placeOf(`${run}:${conversationId(input)}`)) * 100 < share;
  }

  /** An attempt of a caller's request is about to be sent: the copies follow in a later turn of the event loop. */
  attemptStarted(attempt: AttemptStarted): void {
    const mirror = this.#mirrors.get(attempt.exchangeId);
    if (mirror === undefined || mirror.first !== undefined) return;
    mirror.first = attempt;
    setImmediate(() => { this.#guard.settle(this.#mirror(mirror)); });
  }

  async #mirror(mirror: Mirror): Promise<void> {
    let skip: ShadowSkip | undefined = 'unreadable';
    try {
      skip = await this.#sent(mirror);
    } finally {
      if (skip !== undefined) {
        this.#skip(mirror.live, skip);
        this.#forget(mirror);
      }
    }
  }

  /** Sends the copies. @returns why none is sent */
  async #sent(mirror: Mirror): Promise<ShadowSkip | undefined> {
    const { pricesReady, redactor, routeTable, random } = this.#options;
    const { live: { rules }, input, first } = mirror;
    if (mirror.isKept) return undefined;
    const refused = await refusedByContent(input, rules, redactor);
    if (refused !== undefined) return refused;
    await pricesReady();
    if (mirror.isKept) return undefined;
    if (this.#isClosed) return 'busy';
    const tried = routeTable().namedTarget(rules.target.endpoint, rules.target.model);
    if (tried?.endpoint === undefined || first === undefined) return 'kept-away';
    if (tried.name === first.target.target) return 'own-target';
    const copies: MirroredCopy[] = [];
    const skip = this.#reserve(mirror, copies, 'shadow', tried.planned);
    if (skip !== undefined) return skip;
    // A repetition that cannot be paid is left out, and nothing is said of it.
    if (random() * 100 < rules.sameTargetShare) this.#reserve(mirror, copies, 'repeat', first.target);
    mirror.copies = copies;
    for (const copy of copies) this.#send(mirror, copy);
    return undefined;
  }

  /** Sets the expected cost of a copy aside. @returns why it cannot be sent */
  #reserve({ live, input }: Mirror, copies: MirroredCopy[], arm: ShadowArm, target: { endpoint: string; model: string; target: string }): ShadowSkip | undefined {
    const { cost, newId } = this.#options;
    const { estimatedInputTokens, maxOutputTokens, answers = 1 } = input.requirements;
    const reserved = cost(target, Math.ceil(estimatedInputTokens * promptMargin), answers * Math.min(maxOutputTokens ?? longestExpected, longestExpected));
    if (reserved === undefined) return 'no-price';
    if (reserved > 0 && this.#spent(live) + reserved > live.rules.budgetMicroUsd) return 'budget';
    this.#use(live.route).reserved += reserved;
    copies.push({ id: newId(), arm, target: target.target, heard: new HeardAnswer(), reserved, cancel: () => undefined, timer: undefined, timedOut: false, receipt: undefined });
    return undefined;
  }

  #send(mirror: Mirror, copy: MirroredCopy): void {
    const { live: { route, rules }, input } = mirror;
    this.#copies.set(copy.id, { mirror, copy });
    copy.timer = setTimeout(() => {
      copy.timedOut = true;
      copy.cancel();
    }, rules.timeoutMs);
    copy.timer.unref();
    const { headers: _headers, agent: _agent, subagent: _subagent, ...rest } = input;
    let sent: { cancel(): void };
    try {
      sent = this.#options.send({ ...rest, id: copy.id, requestedModel: copy.target, caller: shadowCaller, patienceMs: 0, shadow: { of: input.id, route, arm: copy.arm } }, soundlessSink(copy.heard));
    } catch (cause) {
      clearTimeout(copy.timer);
      this.#copies.delete(copy.id);
      this.#use(route).reserved -= copy.reserved;
      throw cause;
    }
    copy.cancel = () => { sent.cancel(); };
  }

  /** A caller's request has ended and has its price. */
  callerPriced(receipt: Receipt): void {
    const mirror = this.#mirrors.get(receipt.id);
    if (mirror === undefined) return;
    mirror.own = receipt;
    const { cache: { state } = {} } = receipt;
    if (state === 'hit' || state === 'shared') this.#keptAnswer(mirror);
    // Nothing was sent to any provider, so there is nothing to compare with; nor is a copy that was not sent yet.
    if (mirror.first === undefined || (mirror.isKept && mirror.copies === undefined)) this.#forget(mirror);
    else this.#concludeOnce(mirror);
  }

  /** The caller got an answer that its route had kept, or another caller's: what it took and cost is no measure of a target, and copies under way are not worth their price. */
  #keptAnswer(mirror: Mirror): void {
    mirror.isKept = true;
    this.#skip(mirror.live, 'kept-answer');
    for (const copy of mirror.copies ?? []) if (copy.receipt === undefined) copy.cancel();
  }

  /** A copy has ended and has its price. */
  copyPriced(receipt: Receipt): void {
    const found = this.#copies.get(receipt.id);
    if (found === undefined) return;
    const { mirror, copy } = found;
    this.#copies.delete(receipt.id);
    clearTimeout(copy.timer);
    copy.receipt = receipt;
    this.#use(mirror.live.route).reserved -= copy.reserved;
    // An attempt whose cost is unknown counts as much as was expected: for free, it could pass the budget unseen.
    const micro = receipt.cost.microUsd ?? (receipt.attempts.length === 0 ? 0 : copy.reserved);
    const day = localMidnight(this.#options.clock.now());
    if (micro > 0) mirror.live.state.take(undefined, run => withSpend(run, day, micro));
    this.#concludeOnce(mirror);
  }

  #concludeOnce(mirror: Mirror): void {
    if (!mirror.isOver) return;
    try {
      this.#conclude(mirror);
    } finally {
      this.#forget(mirror);
    }
  }

  /** Compares the answers, and keeps figures of them. */
  #conclude({ live, heard: callersHeard, own, copies = [], isKept }: Mirror): void {
    const { state, run } = live;
    if (own === undefined || isKept) return;
    if (own.outcome === 'ok' || own.outcome === 'failed') state.take(run, before => withOwn(before, own.outcome === 'ok'));
    const heard = own.outcome === 'ok' ? this.#said(callersHeard, own) : undefined;
    for (const { arm, target, receipt, timedOut, heard: copyHeard } of copies) {
      if (receipt === undefined) continue;
      // A caller that another target served has no answer of the route's own way to compare with.
      const comparable = own.outcome === 'ok' && (arm === 'shadow' ? own.target !== target : own.target === target);
      const said = comparable && receipt.outcome === 'ok' ? this.#said(copyHeard, receipt) : undefined;
      const likeness = heard === undefined || said === undefined ? undefined : compareAnswers(heard, said);
      const trial = trialOf({ arm, receipt, own, timedOut, likeness });
      if (trial === 'kept-away') this.#skip(live, 'kept-away');
      else if (trial !== undefined) state.take(run, before => withTrial(before, comparable ? trial : { ...trial, own: undefined }));
    }
  }

  #said(heard: HeardAnswer, { protocol, target, attempts }: Receipt): SaidAnswer | undefined {
    const endpoint = attempts.findLast(one => one.target === target)?.endpoint;
    const codec = this.#options.codecFor(protocol === 'editor' ? 'openai-chat' : protocol);
    const dialect = endpoint === undefined ? undefined : this.#options.config().endpoints.get(endpoint)?.provider.dialect;
    if (codec === undefined) return undefined;
    const reader: AnswerReader = { codec, dialect: dialect ?? {} };
    try {
      return heard.said(reader);
    } catch {
      // What cannot be read is not compared.
      return undefined;
    }
  }

  #skip({ state, run }: LiveShadow, reason: ShadowSkip): void {
    state.take(run, before => withSkip(before, reason));
  }

  #forget(mirror: Mirror): void {
    this.#mirrors.delete(mirror.input.id);
    if (mirror.release()) this.#use(mirror.live.route).count -= 1;
  }

  /** Micro-dollars of today that are spent or set aside. */
  #spent({ route, state }: Pick<LiveShadow, 'route' | 'state'>): number {
    const { latest } = state;
    return (latest === undefined ? 0 : spentOn(latest, localMidnight(this.#options.clock.now()))) + (this.#underWay.get(route)?.reserved ?? 0);
  }

  #use(route: string): { count: number; reserved: number } {
    const known = this.#underWay.get(route);
    if (known !== undefined) return known;
    const made = { count: 0, reserved: 0 };
    this.#underWay.set(route, made);
    return made;
  }

  /** Stores what was found out, and learns what peers found out. */
  tick(): void {
    if (this.#configured !== this.#options.config()) this.#adopt();
    if (this.#states.size === 0) return;
    const stored = this.#options.store?.poll();
    for (const [name, state] of this.#states) {
      if (stored !== undefined) state.learn(stored.get(name));
      state.commit();
    }
    this.#setLive();
  }

  /** Does what a person asks for. */
  act({ action, route: name }: ShadowParams): ShadowResult {
    if (this.#configured !== this.#options.config()) this.#adopt();
    const withShadow = [...this.#options.config().routes.values()].filter(hasShadow);
    if (action === 'status' && name === undefined) return { shadows: withShadow.map(route => this.#report(route)) };
    const route = name === undefined ? (withShadow.length === 1 ? withShadow[0] : undefined) : withShadow.find(one => one.name === name);
    if (route === undefined) return { refused: refusal(name, withShadow) };
    if (action !== 'status') {
      const state = this.#stateOf(route);
      const now = this.#options.clock.now();
      const refused = state.act(run => (action === 'start' ? started(run, state.target, now) : stopped(run, state.target)));
      if (refused !== undefined) return { refused };
      this.#setLive();
      this.#options.log.info(`Shadow of route "${route.name}" at ${state.target}: ${action === 'start' ? 'started' : 'stopped'}.`);
    }
    return { shadows: [this.#report(route)] };
  }

  /** What lists show; undefined where no route has a shadow. */
  statuses(): ShadowStatus[] | undefined {
    const routes = [...this.#options.config().routes.values()].filter(hasShadow);
    if (routes.length === 0) return undefined;
    return routes.map(one => {
      const { route, target, phase, verdict, message } = this.#report(one);
      return { route, target, phase, verdict, message };
    });
  }

  /** Nothing more is sent, and what was found out is stored. */
  shutdown(): void {
    this.#isClosed = true;
    for (const { copy } of this.#copies.values()) clearTimeout(copy.timer);
    for (const state of this.#states.values()) this.#guard.run(() => { state.commit(); });
    this.#options.store?.close();
  }

  #adopt(): void {
    const config = this.#options.config();
    this.#configured = config;
    for (const name of this.#states.keys()) if (config.routes.get(name)?.shadow === undefined) this.#states.delete(name);
    for (const route of config.routes.values()) if (hasShadow(route)) this.#stateOf(route);
    this.#setLive();
  }

  #setLive(): void {
    const live = new Map<string, LiveShadow>();
    for (const [route, state] of this.#states) {
      const { current } = state;
      const rules = this.#options.config().routes.get(route)?.shadow;
      if (current?.phase === 'running' && rules !== undefined) live.set(route, { route, rules, state, run: current.id });
    }
    this.#live = live;
  }

  #stateOf({ name, shadow }: RouteWithShadow): ShadowState {
    const { store, changed } = this.#options;
    const target = this.#targetName(shadow);
    const known = this.#states.get(name);
    if (known?.target === target) return known;
    known?.commit();
    const made = new ShadowState({ route: name, target, store, changed });
    this.#states.set(name, made);
    return made;
  }

  #targetName({ target }: ShadowConfig): string {
    return `${target.endpoint}/${target.model}`;
  }

  #report(route: RouteWithShadow): ShadowReport {
    const state = this.#stateOf(route);
    const { current, latest, target } = state;
    return shadowReportOf({ route: route.name, target, rules: route.shadow, run: current, targetChanged: current === undefined && latest !== undefined, spentMicroUsd: this.#spent({ route: route.name, state }) });
  }
}

function hasShadow(route: RouteConfig): route is RouteWithShadow {
  return route.shadow !== undefined;
}

/** Starts a shadow anew, or goes on with one that was stopped. */
function started(run: ShadowRun | undefined, target: string, now: number): ShadowRun | { refused: string } {
  if (run === undefined || run.target !== target) return newRun(randomUUID(), target, now, run);
  return run.phase === 'running' ? { refused: 'The shadow runs already; `status` says what it found out.' } : { ...run, phase: 'running' };
}

function stopped(run: ShadowRun | undefined, target: string): ShadowRun | { refused: string } {
  if (run?.phase !== 'running') return { refused: 'No shadow runs on this route; start it first.' };
  return run.target === target ? { ...run, phase: 'stopped' } : { refused: 'No shadow runs on this route with the target that it has now; start it first.' };
}

function refusal(name: string | undefined, routes: readonly RouteWithShadow[]): string {
  const known = routes.map(route => `"${route.name}"`).join(', ');
  if (routes.length === 0) return 'No route has a shadow; describe one as `shadow` of a route first.';
  return name === undefined ? `Several routes have a shadow; name one of ${known}.` : `No route named "${name}" has a shadow; those that have one: ${known}.`;
}
