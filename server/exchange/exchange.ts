import type { ConversationEvent } from '../api/conversation.ts';
import type { Receipt, RequestKind } from '../api/receipt.ts';
import type { RouteConfig } from '../config/config.ts';
import { backoffMs } from '../health/breaker/backoff.ts';
import { requestKind } from '../routing/classify.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { UpstreamAttempt } from './attempt/attempt.ts';
import { isDrilled } from './attempt/callFacts.ts';
import type { AttemptEnd } from './attempt/machine.ts';
import { asksOnRefusal, hasReader } from './attempt/launch.ts';
import { attemptEnded, runningRecord, settleAttempt, type AttemptVerdict } from './attempt/outcome.ts';
import { isRefusal } from './attempt/record.ts';
import { failureOf } from './attemptFailure.ts';
import { ExchangeCache, type CachedExchange } from './cache/exchangeCache.ts';
import { conclude, stoppedByUser, stoppedWhileShared } from './conclusion.ts';
import type { ExchangeEffect, ExchangeEnd, ExchangeEvent, ExchangeState } from './machine/exchangeState.ts';
import { goneCaller } from './goneCaller.ts';
import { HedgeTimer } from './hedgeTimer.ts';
import { AttemptLauncher, type LaunchOwner } from './launcher.ts';
import { newExchange, runningOf, step, walkOf } from './machine/machine.ts';
import { repairsOf } from './machine/triedTargets.ts';
import { ExchangePlanner } from './planner.ts';
import { ReceiptDraft } from './receiptDraft.ts';
import type { Repair } from '../protocols/repairs/repair.ts';
import { redactEnd, redactHeaders } from './redactFailure.ts';
import { learnFromRefusal } from './refusalRepair.ts';
import { operationOf, type ByteSink, type DrainListener, type ExchangeInput, type ReaderAnswer, type ReaderSink, type RequestBody, type ResponseSink } from './request.ts';
import { Resumption } from './resumption.ts';
import type { HedgeUnderWay, RunningExchange } from './runningExchange.ts';
import type { ExchangeServices } from './services.ts';

/** A question that the reader does not answer for so long is answered with no. */
const longestQuestionMs = 5 * 60_000;
const retryBackoff = { baseMs: 250, capMs: 2000 };

/**
 * Drives one exchange from its plan to the end: feeds events to the pure machine (machine.ts) and carries out what the machine
 * answers. It owns the timers, the sink and the attempts that run, and decides nothing itself. Chunks of the answer pass
 * from the leading attempt to the sink without the machine.
 */
export class Exchange implements LaunchOwner, RunningExchange, CachedExchange, DrainListener {
  readonly #services: ExchangeServices;
  readonly #input: ExchangeInput;
  sink: ResponseSink;
  /** The sink, where it takes bytes. */
  #byteSink: ByteSink | undefined;
  /** The sink, where it can show to a reader what happens. */
  #readerSink: ReaderSink | undefined;
  readonly #kind: RequestKind;
  readonly #draft: ReceiptDraft;
  readonly #planner: ExchangePlanner;
  #state: ExchangeState = newExchange;
  /** Effects of a step are being carried out: what happens meanwhile is the next event. */
  #isStepping = false;
  #deferred: ExchangeEvent[] | undefined;
  /** Attempts that are built, one or two; the newest is the last. */
  #attempts: UpstreamAttempt[] = [];
  /** The attempt that is sent when the step is over. */
  #starting: UpstreamAttempt | undefined;
  #route: RouteConfig | undefined;
  #launcher: AttemptLauncher | undefined;
  #hedge: HedgeTimer | undefined;
  #resumption: Resumption | undefined;
  /** Only where the route keeps answers. */
  #cache: ExchangeCache | undefined;
  /** A pause, or the time in which the reader may answer. */
  #timer: NodeJS.Timeout | undefined;
  #handedOutCall = false;
  /** A person cancelled it while others shared its call. */
  #isStopped = false;
  #lastWriteAt: number;

  constructor(services: ExchangeServices, input: ExchangeInput, sink: ResponseSink) {
    this.#services = services;
    this.#input = input;
    this.sink = sink;
    this.#byteSink = sink.kind === 'bytes' ? sink : undefined;
    this.#readerSink = sink.kind === 'reader' ? sink : undefined;
    this.#kind = requestKind({ requirements: input.requirements, purpose: input.caller.purpose, operation: operationOf(input.body), thinkingAsked: input.body.kind === 'conversation' && input.body.thinkingAsked });
    this.#lastWriteAt = services.clock.now();
    this.#draft = new ReceiptDraft(input, services, this.#lastWriteAt);
    this.#planner = new ExchangePlanner(services, input, this.#kind, this.#draft, this);
    sink.drainListener = this;
  }

  onDrain(): void {
    this.#cache?.drained();
    if (this.#state.kind === 'answering') this.#attempts[0]?.resume();
  }

  get state(): ExchangeState {
    return this.#state;
  }

  get operation(): RequestBody['kind'] {
    return this.#input.body.kind;
  }

  get receipt(): Receipt {
    return this.#draft.receipt;
  }

  get input(): ExchangeInput {
    return this.#input;
  }

  traced(traceId: string): void {
    this.#draft.traced(traceId);
  }

  start(): void {
    const refused = this.#planner.refusedName();
    if (this.#services.events.started.hasListeners) this.#services.events.started.emit({ exchange: this });
    if (refused === undefined) this.plan();
    else this.#dispatch({ type: 'name-refused', failure: refused });
  }

  plan(): void {
    let event: ExchangeEvent | undefined;
    try {
      event = this.#firstPlan();
    } catch (cause) {
      this.#crash(this.#state, cause);
      return;
    }
    if (event !== undefined) this.#dispatch(event);
  }

  /**
   * The caller went away: the provider's work is stopped, and what it cost so far is kept. Where the answer is whole there is
   * no work to stop, and usage that is still to come is waited for. Nor is it stopped where other callers share the answer.
   */
  cancel(): void {
    const whole = this.#wholeAttempt();
    if (whole === undefined && this.#cache?.callerLeft() !== true) {
      this.#dispatch({ type: 'cancelled' });
      return;
    }
    this.#detach();
  }

  stop(): 'stopped' | 'shared' | false {
    if (this.#state.kind === 'ended' || this.#wholeAttempt() !== undefined) return false;
    if (this.#cache?.callerLeft() === true) {
      this.sink.fail({ ...stoppedByUser(), exchangeId: this.receipt.id, attempts: this.receipt.attempts.length });
      this.#isStopped = true;
      this.#detach();
      return 'shared';
    }
    this.#dispatch({ type: 'stopped' });
    return 'stopped';
  }

  /** The caller gets nothing more; what runs goes on. */
  #detach(): void {
    this.sink.drainListener = undefined;
    this.sink = this.#byteSink = goneCaller();
    this.#readerSink = undefined;
    for (const attempt of this.#attempts) attempt.resume();
  }

  /** The server ends: the caller gets an error, and what it cost so far is kept. */
  interrupt(): void {
    this.#wholeAttempt()?.settle();
    this.#dispatch({ type: 'interrupted' });
  }

  tick(now: number): void {
    if (this.#state.kind === 'ended' || !this.#input.stream || Math.abs(now - this.#lastWriteAt) < this.#services.keepAliveMs) return;
    this.#lastWriteAt = now;
    this.#byteSink?.keepAlive();
  }

  /** The attempt whose whole answer the caller has, as long as its usage may still come. */
  #wholeAttempt(): UpstreamAttempt | undefined {
    const leading = this.#state.kind === 'answering' ? this.#attempts[0] : undefined;
    return leading?.isWhole === true ? leading : undefined;
  }

  progress(): Receipt {
    return this.#draft.progress(this.#attempts.map(attempt => runningRecord(attempt, this.#input.requirements.estimatedInputTokens)));
  }

  hedgeUnderWay(): HedgeUnderWay | undefined {
    const route = this.#hedge?.route;
    const hedge = route === undefined ? undefined : runningOf(this.#state).find(attempt => attempt.role === 'hedge');
    return route === undefined || hedge === undefined ? undefined : { route, target: hedge.target, promptTokens: this.#input.requirements.estimatedInputTokens };
  }

  onAnswering({ origin, call, figures }: UpstreamAttempt, headers: ResponseHeaders): void {
    if (isDrilled(call)) return;
    const { clock, events: { answering } } = this.#services;
    if (answering.hasListeners) answering.emit({ attempt: origin.announced, status: figures.status, headers, at: clock.now() });
  }

  onArrive(attempt: UpstreamAttempt): void {
    this.#dispatch({ type: 'arrived', number: attempt.origin.started.number });
  }

  onCommit(attempt: UpstreamAttempt): void {
    this.#dispatch({ type: 'committed', number: attempt.origin.started.number });
    this.receipt.firstTokenMs ??= this.#draft.elapsedMs();
    const { committed } = this.#services.events;
    if (committed.hasListeners) committed.emit({ attempt: attempt.origin.announced });
  }

  onBegin(attempt: UpstreamAttempt, headers: Readonly<Record<string, string>>): void {
    this.#dispatch({ type: 'begun', number: attempt.origin.started.number, headers });
  }

  onBytes(chunk: Buffer): boolean {
    if (this.#state.kind === 'ended') return true;
    this.#lastWriteAt = this.#services.clock.now();
    return (this.#byteSink?.bytes(chunk) ?? true) || this.#cache?.isShared === true;
  }

  onRecord(events: readonly ConversationEvent[]): void {
    this.#cache?.record(events);
  }

  onEvents(events: readonly ConversationEvent[]): boolean {
    if (this.#state.kind === 'ended') return true;
    this.#lastWriteAt = this.#services.clock.now();
    if (!this.#handedOutCall) this.#handedOutCall = events.some(event => event.type === 'tool-call-end');
    const passed = this.#resumption === undefined ? events : this.#resumption.pass(events);
    const ready = this.sink.events(passed);
    if (this.#cache === undefined) return ready;
    this.#cache.record(passed);
    return ready || this.#cache.isShared;
  }

  onBuffered(body: Buffer, events: readonly ConversationEvent[]): void {
    if (this.#state.kind === 'ended') return;
    this.#byteSink?.buffered(body);
    this.#cache?.recordBody(body, events);
  }

  onDone(attempt: UpstreamAttempt, ended: AttemptEnd): void {
    if (!this.#attempts.includes(attempt)) return;
    const { number } = attempt.origin.started;
    let event: ExchangeEvent;
    try {
      const end = redactEnd(ended, isDrilled(attempt.call), this.#services);
      if (end.kind === 'failed' && end.error.ownSentence !== undefined) this.#services.providerMessages.keep(this.receipt.id, number, end.error.message);
      this.#ended(attempt, end);
      if (end.kind === 'ok') this.#cache?.answered(attempt);
      const ways = { canRestart: this.#readerSink !== undefined && !this.#handedOutCall, canResume: this.#resumption?.possible === true, repairs: this.#learn(attempt, ended) };
      event = end.kind === 'ok' ? { type: 'answered', number, refusal: isRefusal(end) }
        : { type: 'failed', number, failure: failureOf(this.#services, this.#input, walkOf(this.#state), attempt, end, ways) };
    } catch (cause) {
      this.#crash(this.#state, cause);
      return;
    }
    this.#dispatch(event);
  }

  /** What the end of an attempt teaches about its target. */
  #learn(attempt: UpstreamAttempt, ended: AttemptEnd): readonly Repair[] | undefined {
    if (ended.kind === 'ok') return undefined;
    return learnFromRefusal(this.#services, this.#input, attempt, ended.error, ended.begun, repairsOf(walkOf(this.#state).tried, attempt.origin.target.target));
  }

  /** Feeds one event to the machine, and then what its effects answer and what happens while they are carried out. */
  #dispatch(event: ExchangeEvent): void {
    if (this.#isStepping) {
      (this.#deferred ??= []).push(event);
      return;
    }
    this.#isStepping = true;
    let next: ExchangeEvent | undefined = event;
    while (next !== undefined) next = this.#take(next) ?? this.#deferred?.shift();
    this.#isStepping = false;
    const attempt = this.#starting;
    this.#starting = undefined;
    if (attempt !== undefined) this.#send(attempt);
  }

  /** One step. @returns the event that its last effect answers, where that is known at once */
  #take(event: ExchangeEvent): ExchangeEvent | undefined {
    const before = this.#state;
    try {
      const { state, effects } = step(before, event);
      this.#state = state;
      let answer: ExchangeEvent | undefined;
      for (const effect of effects) answer = this.#carryOut(effect);
      return answer;
    } catch (cause) {
      this.#crash(before, cause);
      return undefined;
    }
  }

  /** A provider may answer in the same turn of the loop, so nothing else is done after this. */
  #send(attempt: UpstreamAttempt): void {
    try {
      attempt.start(this.#services.transport);
    } catch (cause) {
      this.#crash(this.#state, cause);
    }
  }

  #carryOut(effect: ExchangeEffect): ExchangeEvent | undefined {
    switch (effect.type) {
      case 'acquire': return this.#cache?.serveInstead(effect.attempt.target) === true ? undefined : this.#launcher?.acquire(effect.attempt);
      case 'look': return { type: 'looked', look: this.#planner.look(effect.keepsPlan) };
      case 'choose': return { type: 'chosen', target: this.#planner.best(effect.candidates, effect.now) };
      case 'withdraw': this.#launcher?.withdraw(); return undefined;
      case 'exclude': this.#draft.exclude(effect.target, effect.reason); return undefined;
      case 'start': this.#announce(this.#attempts.at(-1)); return undefined;
      case 'announce-restart': this.#readerSink?.restart(effect.message); this.#cache?.restarted(); return undefined;
      case 'resume': this.#resumption?.begin(this.receipt.attempts.filter(one => one.firstTokenMs !== undefined)); return undefined;
      case 'arm-hedge': this.#hedge?.arm(effect.target, () => { this.#dispatch({ type: 'hedge-due' }); }); return undefined;
      case 'stop-hedge': this.#hedge?.stop(); return undefined;
      case 'lead': this.receipt.target = effect.attempt.target.target; this.#cache?.leads(effect.attempt.target); return undefined;
      case 'begin': this.#byteSink?.begin({
        exchangeId: this.receipt.id, target: effect.target.target, attempts: effect.attempts, model: effect.target.upstreamModel,
        headers: this.#cache?.withHeaders(redactHeaders(effect.headers, this.#services)) ?? redactHeaders(effect.headers, this.#services),
      }); return undefined;
      case 'give-up': this.#giveUp(this.#attempts.find(one => one.origin.started.number === effect.number), effect.why); return undefined;
      case 'wait': this.#wait(effect.backoff ? Math.max(effect.delayMs, backoffMs(1, retryBackoff, this.#services.random)) : effect.delayMs); return undefined;
      case 'ask': this.#ask(effect); return undefined;
      case 'allow': this.#services.spending.allowances.allow(effect.question.allowances, effect.microUsd); return undefined;
      case 'stop-wait': clearTimeout(this.#timer); return undefined;
      case 'end': this.#end(effect.end); return undefined;
    }
  }

  onBuilt(attempt: UpstreamAttempt): void {
    this.#attempts.push(attempt);
  }

  onEvent(event: ExchangeEvent): void {
    this.#dispatch(event);
  }

  onBroken(cause: unknown): void {
    this.#crash(this.#state, cause);
  }

  /** @returns undefined where the answer comes from the cache or from a call that runs for an equal request */
  #firstPlan(): ExchangeEvent | undefined {
    const { plan, coolingDown } = this.#planner.plan(false);
    this.#route = plan.route === undefined ? undefined : this.#services.config().routes.get(plan.route);
    // A copy that a shadow sends is to be an answer of its own.
    if (this.#route?.responseCache !== undefined && this.#input.shadow === undefined) {
      this.#cache ??= new ExchangeCache(this.#services, this, this.#input, this.#route);
      if (this.#cache.serve(plan.targets[0], coolingDown.map(({ target }) => target))) return undefined;
    }
    this.#resumption = Resumption.of(this.#input, this.#route);
    const terms = this.#planner.spendTerms;
    this.#launcher = new AttemptLauncher(this.#services, this, {
      spend: terms === undefined ? undefined : { terms, request: this.#planner.request }, input: this.#input, kind: this.#kind, route: this.#route, severalTargets: plan.targets.length + coolingDown.length > 1, resumption: this.#resumption,
      conversation: this.#planner.conversation, records: this.#cache?.records === true,
    });
    this.#hedge = HedgeTimer.of(this.#services, this.#input, this.#route, this.#kind, plan);
    return {
      type: 'planned', targets: plan.targets, atMs: this.#draft.startedAtMs,
      terms: { patienceMs: this.#input.patienceMs, mayHedge: this.#hedge !== undefined, ...(plan.standIns === undefined ? {} : { noHedge: new Set(plan.standIns.map(({ target }) => target)) }), asksOnRefusal: this.#readerSink !== undefined && asksOnRefusal(this.#route, this.#input), hasReader: this.#readerSink !== undefined && hasReader(this.#input) },
    };
  }

  /** The attempt is sent as soon as the step is over. */
  #announce(attempt: UpstreamAttempt | undefined): void {
    this.#starting = attempt;
    const { attemptStarted } = this.#services.events;
    if (attempt !== undefined && attemptStarted.hasListeners) attemptStarted.emit(attempt.origin.announced);
  }

  #wait(delayMs: number): void {
    this.#timer = setTimeout(() => { this.#dispatch({ type: 'wait-over' }); }, delayMs);
  }

  #ask({ message, accept, decline, instead }: Extract<ExchangeEffect, { type: 'ask' }>): void {
    this.#timer = setTimeout(() => { this.#dispatch({ type: 'question-expired' }); }, longestQuestionMs);
    const answered = (answer: ReaderAnswer): void => { this.#dispatch({ type: 'reader-answered', proceed: answer !== false, ...(answer === 'instead' ? { instead: true } : {}), atMs: performance.now() }); };
    // A question that could not be asked is a no.
    this.#readerSink?.ask(message, accept, decline, instead).then(answered, () => { answered(false); });
  }

  /** Ends an attempt that still runs, without blaming its provider. */
  #giveUp(attempt: UpstreamAttempt | undefined, why: 'cancelled' | 'slower'): void {
    if (attempt === undefined) return;
    attempt.abandon();
    this.#ended(attempt, why);
  }

  /** Writes down what an attempt was, and publishes its end. */
  #ended(attempt: UpstreamAttempt, verdict: AttemptVerdict): void {
    this.#attempts = this.#attempts.filter(one => one !== attempt);
    if (this.#starting === attempt) this.#starting = undefined;
    const settled = settleAttempt(this.#services, attempt, verdict, this.#input.requirements.estimatedInputTokens);
    this.#draft.addAttempt(settled);
    const { clock, events } = this.#services;
    if (events.attemptEnded.hasListeners) events.attemptEnded.emit(attemptEnded(attempt, settled.record, verdict, clock.now()));
  }

  /** Answers the caller and closes the receipt; neither keeps the other from being done. */
  #end(end: ExchangeEnd): void {
    clearTimeout(this.#timer);
    this.#hedge?.stop();
    this.#endRest();
    const conclusion = conclude(end, this.sink, this.#services, this.#input, this.receipt);
    this.sink.drainListener = undefined;
    const said = this.#isStopped && conclusion.outcome === 'ok' ? stoppedWhileShared : conclusion;
    this.#draft.close(said.outcome, said.failureClass, said.message);
    const { ended } = this.#services.events;
    if (ended.hasListeners) ended.emit({ exchange: this, receipt: this.receipt, attempts: this.#draft.ended, route: this.#route?.name });
    this.#cache?.ended(conclusion);
  }

  /** Attempts that the machine does not know of, because it failed between two of its effects. */
  #endRest(): void {
    for (const attempt of [...this.#attempts]) {
      try {
        this.#giveUp(attempt, 'cancelled');
      } catch (cause) {
        this.#services.log.error(`The end of an attempt of the exchange ${this.receipt.id} could not be recorded`, cause);
      }
    }
  }

  /** Waybill itself failed at this exchange: it ends, and the caller is answered all the same. @param before the last state that is sure */
  #crash(before: ExchangeState, cause: unknown): void {
    const { log } = this.#services;
    log.error(`The exchange ${this.receipt.id} failed inside of Waybill`, cause);
    if (this.receipt.outcome !== 'open') return;
    const { state, effects } = step(before, { type: 'crashed' });
    this.#state = state;
    for (const effect of effects) {
      try {
        this.#carryOut(effect);
      } catch (again) {
        log.error(`The end of an attempt of the exchange ${this.receipt.id} could not be recorded`, again);
      }
    }
  }
}
