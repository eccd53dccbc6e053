import type { ConversationEvent } from '../api/conversation.ts';
import type { FailureClass } from '../api/failure.ts';
import type { AttemptRole, PlannedTarget, Receipt, RequestKind } from '../api/receipt.ts';
import { WaybillError } from '../base/failure.ts';
import type { RouteConfig } from '../config/config.ts';
import { backoffMs } from '../health/breaker/backoff.ts';
import { nextLargerContext } from '../routing/makePlan.ts';
import type { ResponseHeaders } from '../upstream/transport.ts';
import { roundMs, type AttemptEnd } from './attempt/attempt.ts';
import { isRefusal } from './attempt/record.ts';
import { asksOnRefusal, launchAttempt, usableKey } from './attempt/launch.ts';
import { attemptEnded, runningRecord, settleAttempt, type AttemptVerdict } from './attempt/outcome.ts';
import type { UnpricedAttempt } from './events.ts';
import { exhaustedFailure } from './exhausted.ts';
import { isLastWord } from './failover.ts';
import { HedgeTimer } from './hedgeTimer.ts';
import type { ResponseSink, ExchangeFailure, ExchangeInput, RawError } from './request.ts';
import { redactCaller, redactHeaders, redactEnd } from './redactFailure.ts';
import { requestKind } from '../routing/classify.ts';
import { Resumption } from './resumption.ts';
import type { AttemptOwner, RunningAttempt } from './attempt/runningAttempt.ts';
import type { ExchangeServices, HedgeUnderWay, RunningExchange } from './services.ts';
import { TriedTargets } from './triedTargets.ts';

/** Second tries beside one of each target and key; bounds an exchange whose targets all fail at once and recover. */
const spareAttempts = 12;
/** The shortest wait for a target that rests. */
const lookAgainMs = 20;
/** A question that nobody answers for so long is answered with no. */
const longestQuestionMs = 5 * 60_000;

/**
 * Runs one exchange: makes the plan, walks it attempt by attempt, and ends with an answer or with one error. The
 * failure class of an attempt decides what comes next (failover.ts); before the commit point a failure is invisible.
 * Two attempts run at once only while a hedge is out: the first to commit leads, and the other is given up.
 */
export class Exchange implements AttemptOwner, RunningExchange {
  readonly receipt: Receipt;
  #services: ExchangeServices;
  #input: ExchangeInput;
  #caller: ResponseSink;
  #startedAt = performance.now();
  /** Since when the caller has had nothing: its patience counts from here. */
  #waitsSince = this.#startedAt;
  #kind: RequestKind;
  #route: RouteConfig | undefined;
  #queue: PlannedTarget[] = [];
  #running: RunningAttempt[] = [];
  /** The attempt whose answer the caller gets. */
  #leader: RunningAttempt | undefined;
  #launched = 0;
  /** So many attempts there may be. */
  #attemptBound = spareAttempts;
  /** Why the next attempt will be made, where it is not simply the next of the plan. */
  #nextRole: AttemptRole | undefined;
  /** An answer broke off in sight of the reader, who has not been told yet what follows. */
  #brokenBy: string | undefined;
  /** More than one target could serve such a request, now or later. */
  #severalTargets = false;
  #hedge: HedgeTimer | undefined;
  #resumption: Resumption | undefined;
  #wait: NodeJS.Timeout | undefined;
  #tried = new TriedTargets();
  #lastRaw: RawError | undefined;
  /** The attempts of the receipt, in the same order, with what they are priced by. */
  #unpriced: UnpricedAttempt[] = [];
  #began = false;
  #handedOutCall = false;
  /** A rest was waited out and nothing was sent since. */
  #waited = false;
  #finished = false;
  #lastWriteAt: number;

  constructor(services: ExchangeServices, input: ExchangeInput, caller: ResponseSink) {
    this.#services = services;
    this.#input = input;
    this.#caller = caller;
    this.#kind = requestKind({ requirements: input.requirements, purpose: input.caller.purpose, operation: input.operation, thinkingAsked: input.thinkingAsked });
    const startedAt = services.clock.now();
    this.#lastWriteAt = startedAt;
    this.receipt = {
      id: input.id, inbound: input.inbound, protocol: input.protocol, stream: input.stream, caller: redactCaller(input.caller, services), startedAt, totalMs: 0,
      outcome: 'open', plan: { requestedModel: input.requestedModel, kind: 'model', strategy: 'none', targets: [], excluded: [] },
      attempts: [], usage: {}, cost: { certainty: 'unknown' },
    };
    caller.onDrain = () => this.#leader?.run.resume();
  }

  start(): void {
    const { requestedModel } = this.#input;
    const nameHasKey = this.#services.holds(requestedModel);
    if (nameHasKey) this.receipt.plan.requestedModel = this.#services.redact(requestedModel);
    const { started } = this.#services.events;
    if (started.hasListeners) started.emit({ exchange: this });
    this.#owned(() => {
      if (nameHasKey) this.#fail({ error: new WaybillError('key-as-name', 'bad-request', 'The name of the model has a key in it, so nothing was sent; check the settings of the tool.', { status: 400 }) });
      else this.#begin();
    });
  }

  #begin(): void {
    const { plan, route, coolingDown } = this.#plan();
    this.#severalTargets = plan.targets.length + coolingDown.length > 1;
    this.#route = route === undefined ? undefined : this.#services.config().routes.get(route);
    this.#resumption = Resumption.of(this.#input, this.#route);
    this.#hedge = HedgeTimer.of(this.#services, this.#input, this.#route, this.#kind, plan);
    this.#queue = [...plan.targets];
    this.#attemptBound += plan.targets.length;
    this.#next();
  }

  /** The caller went away: the provider's work is stopped, and what it cost so far is kept. */
  cancel(): void {
    this.#owned(() => {
      if (this.#stop()) this.#settle('cancelled', 'cancelled', 'The caller went away.');
    });
  }

  /** The server ends: the caller is told, and what it cost so far is kept. */
  interrupt(): void {
    if (!this.#stop()) return;
    const error = new WaybillError('shutting-down', 'server', 'Waybill was shut down; send the request again.');
    this.#caller.fail({ error, status: 503, exchangeId: this.receipt.id, attempts: this.receipt.attempts.length });
    this.#settle('interrupted', 'cancelled', error.message);
  }

  /** Ends what runs without blaming a provider. @returns false when nothing runs any more */
  #stop(): boolean {
    if (this.#finished) return false;
    clearTimeout(this.#wait);
    for (const attempt of [...this.#running]) this.#giveUp(attempt, 'cancelled');
    return true;
  }

  tick(now: number): void {
    if (this.#finished || !this.#input.stream || Math.abs(now - this.#lastWriteAt) < this.#services.keepAliveMs) return;
    this.#lastWriteAt = now;
    this.#caller.keepAlive();
  }

  progress(): Receipt {
    if (this.#running.length === 0) return { ...this.receipt, totalMs: this.#elapsed() };
    const running = this.#running.map(attempt => runningRecord(attempt, this.#input.requirements.estimatedInputTokens));
    const attempts = [...this.receipt.attempts, ...running].sort((a, b) => a.number - b.number);
    return { ...this.receipt, attempts, totalMs: this.#elapsed() };
  }

  hedgeUnderWay(): HedgeUnderWay | undefined {
    const hedge = this.#hedge === undefined ? undefined : this.#running.find(attempt => attempt.origin.started.role === 'hedge');
    return hedge === undefined || this.#hedge === undefined ? undefined
      : { route: this.#hedge.route, target: hedge.origin.target, promptTokens: this.#input.requirements.estimatedInputTokens };
  }

  onAnswering({ origin, run }: RunningAttempt, headers: ResponseHeaders): void {
    if (run.drilled) return;
    const { clock, events: { answering } } = this.#services;
    if (answering.hasListeners) answering.emit({ attempt: origin.announced, status: run.figures.status, headers, at: clock.now() });
  }

  /** A target began: nobody else need be asked. One that is given up so may still take over while nothing of the answer was seen. */
  onArrive(attempt: RunningAttempt): void {
    this.#hedge?.stop();
    for (const other of [...this.#running]) {
      if (other === attempt) continue;
      this.#giveUp(other, 'slower');
      this.#queue.unshift(other.origin.target);
    }
  }

  onCommit(attempt: RunningAttempt): void {
    this.#lead(attempt);
    this.receipt.firstTokenMs ??= this.#elapsed();
    const { committed } = this.#services.events;
    if (committed.hasListeners) committed.emit({ attempt: attempt.origin.announced });
  }

  onBegin(attempt: RunningAttempt, headers: Readonly<Record<string, string>>): void {
    this.#lead(attempt);
    if (this.#began) return;
    this.#began = true;
    const { target, started } = attempt.origin;
    this.#caller.begin({ exchangeId: this.receipt.id, target: target.target, attempts: Math.max(started.number, this.#launched), model: target.upstreamModel, headers: redactHeaders(headers, this.#services) });
  }

  /** The caller gets this attempt's answer; others are given up. */
  #lead(attempt: RunningAttempt): void {
    if (this.#leader === attempt) return;
    this.#leader = attempt;
    this.#hedge?.stop();
    this.receipt.target = attempt.origin.target.target;
    for (const other of [...this.#running]) if (other !== attempt) this.#giveUp(other, 'slower');
  }

  onBytes(chunk: Buffer): boolean {
    this.#lastWriteAt = this.#services.clock.now();
    return this.#caller.bytes(chunk);
  }

  onEvents(events: readonly ConversationEvent[]): boolean {
    this.#lastWriteAt = this.#services.clock.now();
    if (!this.#handedOutCall) this.#handedOutCall = events.some(event => event.type === 'tool-call-end');
    return this.#caller.events(this.#resumption === undefined ? events : this.#resumption.pass(events));
  }

  onPlain(body: Buffer): void {
    this.#caller.buffered(body);
  }

  onDone(attempt: RunningAttempt, ended: AttemptEnd): void {
    if (!this.#finished && this.#running.includes(attempt)) this.#owned(() => { this.#done(attempt, ended); });
  }

  #done(attempt: RunningAttempt, ended: AttemptEnd): void {
    const end = redactEnd(ended, attempt.run.drilled, this.#services);
    if (end.kind === 'failed' && end.error.ownSentence !== undefined) this.#services.providerMessages.keep(this.receipt.id, attempt.origin.started.number, end.error.message);
    this.#ended(attempt, end);
    if (end.kind === 'ok') {
      this.#caller.end();
      this.#settle('ok', isRefusal(end) ? 'content-policy' : undefined);
      return;
    }
    this.#tried.failed(attempt, end.error);
    this.#lastRaw = end.raw;
    if (end.begun) this.#brokeOff(attempt, end.error);
    else this.#failedUnseen(attempt, end.error);
  }

  #plan(): ReturnType<ExchangeServices['makePlan']> {
    const { requirements, requestedModel } = this.#input;
    const result = this.#services.makePlan(requestedModel, requirements, this.#services.view(requirements.estimatedInputTokens, requirements.maxOutputTokens), this.#services.clock.now());
    // A name that nothing has may be anything, even a key that went into the wrong field.
    const isKnown = result.plan.targets.length + result.plan.excluded.length > 0;
    const plan = isKnown ? result.plan : { ...result.plan, requestedModel: this.#services.redact(requestedModel) };
    this.receipt.plan = plan;
    const { planned } = this.#services.events;
    if (planned.hasListeners) planned.emit({ exchange: this, plan, route: result.route });
    return result;
  }

  /** Starts the next attempt that can start, or finds out what to do when none can. */
  #next(): void {
    while (this.#queue.length > 0 && this.#launched < this.#attemptBound) {
      const target = this.#queue.shift();
      if (target !== undefined && this.#launch(target, this.#nextRole)) return;
      if (this.#finished) return;
    }
    this.#exhausted();
  }

  /** @returns false when the target cannot be tried now; the plan then says why */
  #launch(target: PlannedTarget, role: AttemptRole | undefined): boolean {
    const others = this.#queue.length > 0 || this.#running.length > 0;
    const launch = launchAttempt(this.#services, this, {
      input: this.#resumption?.begun === true ? this.#resumption.input(this.#input) : this.#input,
      target, number: this.#launched + 1, role, kind: this.#kind, route: this.#route,
      triedKeys: this.#tried.keysOf(target.endpoint),
      strip: this.#tried.isStripped(target),
      replaceable: others,
      // Over HTTP the only target's lifecycle events go straight through: nobody could take over unseen.
      held: otherKey => this.#severalTargets || this.#input.protocol === 'editor' || this.#resumption !== undefined || otherKey(),
      rewrite: this.#resumption !== undefined,
    });
    switch (launch.kind) {
      case 'excluded':
        if (launch.unfit === true) this.#tried.cannotServe(target);
        return this.#exclude(target, launch.reason);
      case 'fatal':
        // Beside a running attempt this one was only a second chance.
        if (this.#running.length > 0) return false;
        this.#queue = [];
        this.#fail(launch.failure);
        return false;
      case 'launched':
        this.#launched += 1;
        this.#waited = false;
        this.#nextRole = undefined;
        this.#running.push(launch.attempt);
        this.#announce(launch.attempt);
        this.#tellRestart(target);
        if (role !== 'hedge' && this.#queue.length > 0) this.#hedge?.arm(target, () => this.#owned(() => { this.#hedgeNow(); }));
        launch.attempt.run.start(this.#services.transport);
        return true;
    }
  }

  #announce({ origin }: RunningAttempt): void {
    const { attemptStarted } = this.#services.events;
    if (attemptStarted.hasListeners) attemptStarted.emit(origin.announced);
  }

  /** The first target takes long to begin: the next one is asked beside it. */
  #hedgeNow(): void {
    if (this.#finished || this.#leader !== undefined || this.#running.length !== 1) return;
    while (this.#queue.length > 0 && this.#launched < this.#attemptBound) {
      const target = this.#queue.shift();
      if (target !== undefined && this.#launch(target, 'hedge')) return;
    }
  }

  #exclude(target: PlannedTarget, reason: string): false {
    if (!this.receipt.plan.excluded.some(excluded => excluded.target === target.target)) {
      this.receipt.plan.excluded.push({ target: target.target, reason });
    }
    return false;
  }

  /** An attempt failed of which nothing was seen. While another is still at work, nothing is lost: what follows waits for that one. */
  #failedUnseen(attempt: RunningAttempt, error: WaybillError): void {
    const { endpoint, target, started: { role } } = attempt.origin;
    const step = this.#tried.stepAfter(attempt, error, this.#queue.length > 0,
      tried => usableKey(this.#services, endpoint, target.model, this.#input.requirements, tried) !== undefined);
    // What broke off before is still to be gone on with, or begun anew; a last resort stays one for its next key.
    if (role !== 'hedge') this.#nextRole = role === 'resume' || role === 'restart' || (role === 'last-resort' && step !== 'next-target') ? role : undefined;
    switch (step) {
      case 'tell-caller':
        // What the second one says to it, asked beside the first, is not the last word.
        if (this.#running.length > 0 && role === 'hedge') return;
        for (const other of [...this.#running]) this.#giveUp(other, 'cancelled');
        this.#refusedOrWrong(target, error);
        return;
      case 'next-key':
        this.#attemptBound += 1;
        this.#queue.unshift(target);
        break;
      case 'resend-without-reasoning':
        this.#queue.unshift(target);
        break;
      case 'next-target':
        if (error.failureClass === 'context-overflow') this.#dropTooSmallContexts(target);
        break;
    }
    if (this.#running.length === 0) this.#next();
  }

  /** The prompt was too long for a target, so it is for those whose window is no larger. */
  #dropTooSmallContexts(failed: PlannedTarget): void {
    const larger = nextLargerContext(this.#queue, failed, this.#services.view(0));
    for (const target of this.#queue) {
      if (larger.includes(target)) continue;
      this.#tried.tooLongFor(target);
      this.#exclude(target, `its context window is no larger than that of ${failed.target}, for which the prompt is too long`);
    }
    this.#queue = larger;
  }

  /** A refusal is told as it is, unless the route wants the reader to be asked whether another model may answer. */
  #refusedOrWrong(target: PlannedTarget, error: WaybillError): void {
    const [nextTarget] = this.#queue;
    const tell = (): void => this.#fail({ error, target: target.target, raw: this.#lastRaw });
    if (error.failureClass !== 'content-policy' || nextTarget === undefined || this.#caller.ask === undefined || !asksOnRefusal(this.#route, this.#input)) {
      tell();
      return;
    }
    this.#wait = setTimeout(() => this.#owned(tell), longestQuestionMs);
    const answered = (proceed: boolean): void => this.#owned(() => {
      if (this.#finished) return;
      clearTimeout(this.#wait);
      // The time in which the reader thought was not the targets'.
      this.#waitsSince = performance.now();
      if (proceed) this.#next();
      else tell();
    });
    // A question that could not be asked is a no.
    this.#caller.ask(`${error.message} Another model may answer it.`, `Try ${nextTarget.target}`).then(answered, () => answered(false));
  }

  /** The answer broke in sight of the caller: it begins anew or is gone on with where that can be done, or ends with an error. */
  #brokeOff(attempt: RunningAttempt, error: WaybillError): void {
    const { target } = attempt.origin;
    // Others may still run when an attempt that passed its lifecycle events on breaks; none of them may write now.
    for (const other of [...this.#running]) this.#giveUp(other, 'slower');
    const restarts = this.#caller.restart !== undefined && !this.#handedOutCall;
    const resumes = this.#resumption?.possible === true;
    if (isLastWord(error.failureClass) || (!restarts && !resumes)) {
      this.#fail({ error, target: target.target });
      return;
    }
    this.#leader = undefined;
    this.#waitsSince = performance.now();
    if (resumes) {
      this.#nextRole = 'resume';
      this.#resumption?.begin(this.receipt.attempts.filter(one => one.firstTokenMs !== undefined));
    } else {
      this.#nextRole = 'restart';
      this.#brokenBy = error.message;
    }
    this.#next();
  }

  /** Where an answer broke off in sight of the reader, he is told which target begins it anew. */
  #tellRestart(target: PlannedTarget): void {
    if (this.#brokenBy === undefined) return;
    this.#caller.restart?.(`${this.#brokenBy} Starting again with ${target.target}.`);
    this.#brokenBy = undefined;
  }

  /** Nothing is left in the plan: one more try, a wait, the least bad of those that rest, or the error that tells it all. */
  #exhausted(): void {
    const now = this.#services.clock.now();
    const patienceLeftMs = this.#input.patienceMs - (performance.now() - this.#waitsSince);
    const tried = this.#tried;
    const again = tried.worthAnotherTry(this.receipt.plan.targets, patienceLeftMs);
    const planned = this.receipt.plan;
    const { plan, coolingDown, unfit } = this.#plan();
    // A later look at the state must not hide what the first plan was and why.
    this.receipt.plan = { ...planned, excluded: [...planned.excluded, ...plan.excluded.filter(later => !planned.excluded.some(first => first.target === later.target))] };
    if (this.#launched < this.#attemptBound) {
      const soonest = coolingDown.find(({ target }) => tried.worthWaiting(target));
      if (again !== undefined && plan.targets.some(target => target.target === again.target)) {
        tried.retried(again);
        const delayMs = Math.max(tried.lastFailure.get(again.target)?.retryAfterMs ?? 0, backoffMs(1, { baseMs: 250, capMs: 2000 }, this.#services.random));
        this.#later(delayMs, () => [again]);
        return;
      }
      // What rested when it was last looked at may have come free between two readings of the clock.
      const freed = patienceLeftMs > 0 ? plan.targets.find(target => (this.#waited || !tried.lastFailure.has(target.target)) && tried.worthWaiting(target)) : undefined;
      if (freed !== undefined) {
        this.#later(lookAgainMs, () => [freed]);
        return;
      }
      if (soonest !== undefined && soonest.retryAt - now <= patienceLeftMs) {
        this.#later(Math.max(soonest.retryAt - now, lookAgainMs), () => this.#plan().plan.targets.filter(target => tried.worthWaiting(target)));
        return;
      }
      if (this.#tryLeastBad(tried.untried(coolingDown), now) || this.#finished) return;
    }
    this.#fail(exhaustedFailure({
      requestedModel: this.#input.requestedModel, plan: this.receipt.plan, attempts: this.receipt.attempts, messageOf: attempt => this.#services.providerMessages.ofAttempt(this.receipt.id, attempt.number), lastFailure: tried.lastFailure, coolingDown, unfit: [...unfit, ...tried.unfit], now,
      link: this.#cutOff() ? this.#services.networkTrouble() : undefined, unknownNameMessage: () => this.#services.unknownNameMessage(this.#input.requestedModel),
      raw: this.#lastRaw,
    }));
  }

  /** The machine's own trouble kept some target out of reach; a local one that fails does so for its own reasons. */
  #cutOff(): boolean {
    return this.receipt.attempts.some(attempt => this.#services.healthRegistry.isOffline(attempt.endpoint));
  }

  /** A target kept away by its breaker may be well again, and nothing is lost by asking it: the turn is lost otherwise. */
  #tryLeastBad(candidates: readonly PlannedTarget[], now: number): boolean {
    const least = candidates.length === 0 ? undefined : this.#services.healthRegistry.bestUnavailable(candidates, now);
    const target = candidates.find(one => one.endpoint === least?.endpoint && one.model === least.model);
    return target !== undefined && this.#launch(target, 'last-resort');
  }

  #later(delayMs: number, targets: () => PlannedTarget[]): void {
    this.#wait = setTimeout(() => this.#owned(() => {
      this.#tried.forgetKeys();
      this.#waited = true;
      this.#queue = targets();
      this.#next();
    }), delayMs);
  }

  /** Runs what a timer, an attempt or the reader sets off. When that throws, the caller is answered all the same, and the exchange ends. */
  #owned(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#broke(cause);
    }
  }

  #broke(cause: unknown): void {
    const { log } = this.#services;
    log.error(`The exchange ${this.receipt.id} failed inside of Waybill`, cause);
    if (this.#finished) return;
    clearTimeout(this.#wait);
    for (const attempt of [...this.#running]) {
      try {
        this.#giveUp(attempt, 'cancelled');
      } catch (again) {
        log.error(`The end of an attempt of the exchange ${this.receipt.id} could not be recorded`, again);
      }
    }
    const error = new WaybillError('internal', 'server', 'Waybill failed at this request; its log says more. Send the request again.');
    try {
      this.#fail({ error, status: 500 });
    } catch (again) {
      log.error(`The caller of the exchange ${this.receipt.id} could not be answered`, again);
      this.#settle('failed', error.failureClass, error.message);
    }
  }

  #fail(failure: Omit<ExchangeFailure, 'exchangeId' | 'attempts'>): void {
    this.#caller.fail({ ...failure, exchangeId: this.receipt.id, attempts: this.receipt.attempts.length });
    const { message, storedMessage } = failure.error;
    if (message !== storedMessage) this.#services.providerMessages.keep(this.receipt.id, undefined, message);
    this.#settle('failed', failure.error.failureClass, storedMessage);
  }

  /** Ends an attempt that still runs, without blaming its provider. */
  #giveUp(attempt: RunningAttempt, why: 'cancelled' | 'slower'): void {
    attempt.run.abandon();
    this.#ended(attempt, why);
  }

  /** Writes down what an attempt was, and publishes its end. */
  #ended(attempt: RunningAttempt, verdict: AttemptVerdict): void {
    this.#running = this.#running.filter(one => one !== attempt);
    if (this.#running.length === 0) this.#hedge?.stop();
    const settled = settleAttempt(this.#services, attempt, verdict, this.#input.requirements.estimatedInputTokens);
    const { record } = settled;
    const { attempts } = this.receipt;
    const place = attempts.findLastIndex(one => one.number < record.number) + 1;
    attempts.splice(place, 0, record);
    this.#unpriced.splice(place, 0, settled);
    const { clock, events } = this.#services;
    if (events.attemptEnded.hasListeners) events.attemptEnded.emit(attemptEnded(attempt, record, verdict, clock.now()));
  }

  #settle(outcome: Receipt['outcome'], failureClass?: FailureClass, message?: string): void {
    // To tell a caller may be what makes it go away.
    if (this.#finished) return;
    this.#finished = true;
    this.#leader = undefined;
    this.#hedge?.stop();
    for (const attempt of [...this.#running]) this.#giveUp(attempt, 'cancelled');
    this.#caller.onDrain = undefined;
    this.receipt.totalMs = this.#elapsed();
    this.receipt.outcome = outcome;
    this.receipt.failureClass = failureClass;
    this.receipt.message = message === undefined ? undefined : this.#services.redact(message);
    const { ended } = this.#services.events;
    if (ended.hasListeners) ended.emit({ exchange: this, receipt: this.receipt, attempts: this.#unpriced, route: this.#route?.name });
  }

  #elapsed(): number {
    return roundMs(performance.now() - this.#startedAt);
  }
}
