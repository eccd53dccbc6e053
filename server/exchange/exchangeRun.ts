import type { ConversationEvent } from '../api/conversation.ts';
import type { FailureClass } from '../api/failure.ts';
import type { PlannedTarget, Receipt } from '../api/receipt.ts';
import type { KeyMaterial } from '../api/messages.ts';
import { SwitchyardError } from '../base/failure.ts';
import type { EndpointConfig } from '../config/config.ts';
import { spokenEndpoint } from '../config/spokenEndpoint.ts';
import { backoffMs } from '../health/backoff.ts';
import { networkKindOf } from '../health/linkState.ts';
import type { RateTicket } from '../health/rateLimiter.ts';
import type { PriceRequest } from '../ledger/pricing.ts';
import { RequestFormatError } from '../protocols/codec.ts';
import { promptTokens } from '../protocols/events.ts';
import type { UnfitTarget } from '../routing/plan.ts';
import { nextLargerWindow } from '../routing/makePlan.ts';
import { lastFour } from '../upstream/keyPool.ts';
import { AttemptRun, roundMs, type AttemptEnd, type AttemptListener } from './attempt.ts';
import { attemptRecord, priceRequest, settleUsage, type StartedAttempt } from './attemptRecord.ts';
import { nextStep, retryableWhenNothingElse } from './failover.ts';
import { exhaustedFailure } from './exhausted.ts';
import type { CallerSide, ExchangeFailure, ExchangeInput, RawError } from './input.ts';
import { buildOutgoing, spokenBy, UntranslatableError } from './outgoing.ts';
import { redactFailure, redactRaw } from './redactFailure.ts';
import type { ExchangeServices, TickedRun } from './services.ts';

/** More attempts than any sensible plan needs; bounds an exchange whose targets all fail at once and recover. */
const maxAttempts = 12;
const keepAliveMs = 15_000;
const none: ReadonlySet<string> = new Set();
/** The shortest wait for a target that rests. */
const lookAgainMs = 20;

/** One attempt under way. */
interface Current {
  target: PlannedTarget;
  endpoint: EndpointConfig;
  key: KeyMaterial | undefined;
  trial: boolean;
  ticket: RateTicket;
  started: StartedAttempt;
  run: AttemptRun;
}

/**
 * Runs one exchange: makes the plan, walks it attempt by attempt, and ends with an answer or with one error. The
 * failure class of an attempt decides what comes next (failover.ts); before the commit point a failure is invisible.
 */
export class ExchangeRun implements AttemptListener, TickedRun {
  readonly receipt: Receipt;
  #services: ExchangeServices;
  #input: ExchangeInput;
  #caller: CallerSide;
  #startedAt = performance.now();
  #queue: PlannedTarget[] = [];
  #current: Current | undefined;
  #wait: NodeJS.Timeout | undefined;
  #triedKeys = new Map<string, Set<string>>();
  #lastFailure = new Map<string, SwitchyardError>();
  #resent = new Set<string>();
  #retried = new Set<string>();
  #stripped = new Set<string>();
  /** Targets that turned out to be unable to serve such a request at all. */
  #unfit: UnfitTarget[] = [];
  #lastRaw: RawError | undefined;
  #prices: PriceRequest[] = [];
  #began = false;
  #handedOutCall = false;
  /** A rest was waited out and nothing was sent since. */
  #waited = false;
  #finished = false;
  #lastWriteAt: number;

  constructor(services: ExchangeServices, input: ExchangeInput, caller: CallerSide) {
    this.#services = services;
    this.#input = input;
    this.#caller = caller;
    const startedAt = services.clock.now();
    this.#lastWriteAt = startedAt;
    this.receipt = {
      id: input.id, face: input.face, protocol: input.protocol, stream: input.stream, caller: input.caller, startedAt, totalMs: 0,
      outcome: 'open', plan: { wanted: input.wanted, kind: 'model', strategy: 'none', targets: [], excluded: [] },
      attempts: [], usage: {}, cost: { certainty: 'unknown' },
    };
    caller.onDrain = () => this.#current?.run.resume();
  }

  start(): void {
    this.#services.started(this);
    const { plan } = this.#plan();
    this.#queue = [...plan.targets];
    this.#next();
  }

  /** The caller went away: the provider's work is stopped, and what it cost so far is kept. */
  cancel(): void {
    if (this.#stop()) this.#settle('cancelled', 'cancelled', 'The caller went away.');
  }

  /** The server ends: the caller is told, and what it cost so far is kept. */
  interrupt(): void {
    if (!this.#stop()) return;
    const error = new SwitchyardError('shutting-down', 'server', 'Switchyard was shut down; send the request again.');
    this.#caller.fail({ error, status: 503, exchangeId: this.receipt.id, attempts: this.receipt.attempts.length });
    this.#settle('interrupted', 'cancelled', error.message);
  }

  /** Ends what runs without blaming the provider. @returns false when nothing runs any more */
  #stop(): boolean {
    if (this.#finished) return false;
    clearTimeout(this.#wait);
    const current = this.#current;
    if (current !== undefined) {
      current.run.abandon();
      this.#record(current, 'cancelled');
      this.#services.board.release(current.target.endpoint, current.target.model, current.trial);
    }
    return true;
  }

  tick(now: number): void {
    if (this.#finished || !this.#input.stream || now - this.#lastWriteAt < keepAliveMs) return;
    this.#lastWriteAt = now;
    this.#caller.keepAlive();
  }

  progress(): Receipt {
    const current = this.#current;
    const attempts = [...this.receipt.attempts];
    if (current !== undefined) {
      const settled = settleUsage(current.run.figures, undefined, this.#input.needs.estimatedInputTokens);
      attempts.push(attemptRecord(current.started, current.run.figures, current.run.elapsedMs(), 'open', settled));
    }
    return { ...this.receipt, attempts, totalMs: this.#elapsed() };
  }

  onCommit(headers: Readonly<Record<string, string>>): void {
    const current = this.#current;
    if (current === undefined) return;
    this.receipt.firstTokenMs ??= this.#elapsed();
    this.receipt.target = current.target.target;
    if (this.#began) return;
    this.#began = true;
    this.#caller.begin({
      exchangeId: this.receipt.id, target: current.target.target, attempts: current.started.number, model: current.target.upstreamModel, headers,
    });
  }

  onBytes(chunk: Buffer): boolean {
    this.#lastWriteAt = this.#services.clock.now();
    return this.#caller.bytes(chunk);
  }

  onEvents(events: readonly ConversationEvent[]): boolean {
    this.#lastWriteAt = this.#services.clock.now();
    if (!this.#handedOutCall) this.#handedOutCall = events.some(event => event.type === 'tool-call-end');
    return this.#caller.events(events);
  }

  onPlain(body: Buffer): void {
    this.#caller.plain(body);
  }

  onDone(ended: AttemptEnd): void {
    const end = this.#tellable(ended);
    const current = this.#current;
    if (current === undefined || this.#finished) return;
    this.#current = undefined;
    this.#record(current, end);
    this.#proved(current, end);
    if (end.kind === 'ok') {
      this.#caller.end();
      this.#settle('ok');
      return;
    }
    this.#lastFailure.set(current.target.target, end.error);
    this.#lastRaw = end.raw;
    if (end.committed) this.#brokeOff(current, end.error);
    else this.#failedUnseen(current, end.error);
  }

  /** Keys go no further than this in what a failure says. */
  #tellable(end: AttemptEnd): AttemptEnd {
    if (end.kind === 'ok') return end;
    const redact = (text: string): string => this.#services.redact(text);
    return { ...end, error: redactFailure(end.error, redact), raw: end.raw === undefined ? undefined : redactRaw(end.raw, redact) };
  }

  #plan(): ReturnType<ExchangeServices['makePlan']> {
    const { needs, wanted } = this.#input;
    const result = this.#services.makePlan(wanted, needs, this.#services.view(needs.estimatedInputTokens), this.#services.clock.now());
    this.receipt.plan = result.plan;
    return result;
  }

  /** Starts the next attempt that can start, or finds out what to do when none can. */
  #next(): void {
    while (this.#queue.length > 0 && this.receipt.attempts.length < maxAttempts) {
      const target = this.#queue.shift();
      if (target !== undefined && this.#launch(target)) return;
    }
    this.#exhausted();
  }

  /** @returns false when the target cannot be tried now; the plan then says why */
  #launch(target: PlannedTarget): boolean {
    const { board, limiter, keys, clock } = this.#services;
    const configured = this.#services.config().endpoints.get(target.endpoint);
    const endpoint = configured === undefined ? undefined : spokenEndpoint(configured, {
      model: target.model, upstreamModel: target.upstreamModel, tools: this.#input.needs.tools, ...spokenBy(this.#input),
    });
    const codec = endpoint === undefined ? undefined : this.#services.codecFor(endpoint.protocol);
    if (endpoint === undefined || codec === undefined) return this.#exclude(target, 'the endpoint was removed meanwhile');
    const now = clock.now();
    const key = keys.pick(endpoint.name, this.#triedKeys.get(endpoint.name) ?? none, now);
    if (key === undefined && (endpoint.provider.keyRequired || keys.all(endpoint.name).length > 0)) return this.#exclude(target, 'no key of it can be used now');
    const admission = board.enter(target.endpoint, target.model, now);
    if (!admission.admitted) return this.#exclude(target, admission.reason);
    const { estimatedInputTokens, maxOutputTokens } = this.#input.needs;
    const limited = limiter.enter(target.endpoint, estimatedInputTokens + (maxOutputTokens ?? 0), now);
    if (!limited.admitted) {
      board.release(target.endpoint, target.model, admission.trial);
      return this.#exclude(target, limited.reason);
    }
    try {
      const facts = this.#services.view(0).facts(target.endpoint, target.model);
      const outgoing = buildOutgoing(this.#input, target, endpoint, codec, key, facts.maxOutputTokens, this.#stripped.has(target.target));
      const run = new AttemptRun({
        listener: this, outgoing, endpoint, stream: this.#input.stream, now: () => clock.now(),
        timeouts: { ...endpoint.timeouts, ...this.#services.config().routes.get(this.receipt.plan.wanted)?.timeouts },
        source: { endpoint: endpoint.name, provider: endpoint.provider, model: target.model, keyName: key === undefined ? undefined : keyName(key) },
      });
      const started: StartedAttempt = {
        number: this.receipt.attempts.length + 1, target: target.target, endpoint: target.endpoint, model: target.model,
        upstreamModel: target.upstreamModel, protocol: endpoint.protocol, keyLabel: key?.label,
        keyLast4: key === undefined ? undefined : lastFour(key.secret), startedAt: now,
        leftOut: outgoing.leftOut,
      };
      this.#waited = false;
      this.#current = { target, endpoint, key, trial: admission.trial, ticket: limited.ticket, started, run };
      run.start(this.#services.transport);
      return true;
    } catch (error) {
      board.release(target.endpoint, target.model, admission.trial);
      limiter.leave(limited.ticket, 0);
      if (error instanceof UntranslatableError) {
        this.#unfit.push({ target: target.target, tooLong: false });
        return this.#exclude(target, error.reason);
      }
      if (error instanceof RequestFormatError) {
        this.#queue = [];
        this.#fail({ error: new SwitchyardError('bad-request', 'bad-request', `The request cannot be understood: ${error.message}.`, { status: 400 }) });
        return true;
      }
      // Whatever else went wrong is ours, and ends this exchange only. A body nested too deep for the machine is the caller's.
      const tooDeep = error instanceof RangeError;
      this.#services.log.error(`exchange ${this.receipt.id} could not be sent to ${target.target}`, error);
      this.#queue = [];
      this.#fail({
        error: tooDeep
          ? new SwitchyardError('bad-request', 'bad-request', 'The request is nested too deep to be understood.', { status: 400 })
          : new SwitchyardError('internal', 'server', 'Switchyard failed at this request; its log says more.', { status: 500 }),
        status: tooDeep ? 400 : 500,
      });
      return true;
    }
  }

  #exclude(target: PlannedTarget, reason: string): false {
    if (!this.receipt.plan.excluded.some(excluded => excluded.target === target.target)) {
      this.receipt.plan.excluded.push({ target: target.target, reason });
    }
    return false;
  }

  #failedUnseen(current: Current, error: SwitchyardError): void {
    const { endpoint, target, key } = current;
    const tried = this.#triedKeys.get(endpoint.name) ?? new Set<string>();
    if (key !== undefined && isAboutKey(error.failureClass)) tried.add(key.id);
    this.#triedKeys.set(endpoint.name, tried);
    const step = nextStep({
      failureClass: error.failureClass,
      code: error.code,
      anotherKey: this.#services.keys.pick(endpoint.name, tried, this.#services.clock.now()) !== undefined && key !== undefined,
      sharedLimits: endpoint.provider.sharedLimits === true,
      resentHere: this.#resent.has(target.target),
      stripped: this.#stripped.has(target.target),
      anotherTarget: this.#queue.length > 0,
    });
    switch (step) {
      case 'tell-caller':
        this.#fail({ error, target: target.target, raw: this.#lastRaw });
        return;
      case 'next-key':
        this.#queue.unshift(target);
        break;
      case 'resend':
        this.#resent.add(target.target);
        this.#queue.unshift(target);
        break;
      case 'resend-without-reasoning':
        this.#stripped.add(target.target);
        this.#queue.unshift(target);
        break;
      case 'next-target':
        if (error.failureClass === 'context-overflow') this.#queue = nextLargerWindow(this.#queue, target, this.#services.view(0));
        break;
    }
    this.#next();
  }

  /** The answer broke after the commit point: visible, so it either begins anew in sight of the reader or ends with an error. */
  #brokeOff(current: Current, error: SwitchyardError): void {
    if (this.#caller.restart !== undefined && !this.#handedOutCall && this.#queue.length > 0) {
      this.#caller.restart(`${error.message} Starting again with ${this.#queue[0]?.target ?? 'the next target'}.`);
      this.#next();
      return;
    }
    this.#fail({ error, target: current.target.target });
  }

  /** Nothing is left in the plan: one more try, a wait, or the error that tells it all. */
  #exhausted(): void {
    const now = this.#services.clock.now();
    const patienceLeftMs = this.#input.patienceMs - this.#elapsed();
    const again = this.receipt.plan.targets.find(target => {
      const failure = this.#lastFailure.get(target.target);
      return failure !== undefined && retryableWhenNothingElse(failure.failureClass) && !this.#retried.has(target.target)
        && (failure.retryAfterMs ?? 0) <= patienceLeftMs;
    });
    const planned = this.receipt.plan;
    const { plan, resting, unfit } = this.#plan();
    // A later look at the state must not hide what the first plan was and why.
    this.receipt.plan = { ...planned, excluded: [...planned.excluded, ...plan.excluded.filter(later => !planned.excluded.some(first => first.target === later.target))] };
    if (this.receipt.attempts.length < maxAttempts) {
      const soonest = resting.find(({ target }) => this.#worthWaiting(target));
      if (again !== undefined && plan.targets.some(target => target.target === again.target)) {
        this.#retried.add(again.target);
        const delayMs = Math.max(this.#lastFailure.get(again.target)?.retryAfterMs ?? 0, backoffMs(1, { baseMs: 250, capMs: 2000 }, this.#services.random));
        this.#later(delayMs, () => [again]);
        return;
      }
      // What rested when it was last looked at may have come free between two readings of the clock.
      const freed = (this.#waited || this.receipt.attempts.length === 0) && patienceLeftMs > 0 ? plan.targets.find(target => this.#worthWaiting(target)) : undefined;
      if (freed !== undefined) {
        this.#later(lookAgainMs, () => [freed]);
        return;
      }
      if (soonest !== undefined && soonest.retryAt - now <= patienceLeftMs) {
        this.#later(Math.max(soonest.retryAt - now, lookAgainMs), () => this.#plan().plan.targets.filter(target => this.#worthWaiting(target)));
        return;
      }
    }
    this.#fail(exhaustedFailure({
      wanted: this.#input.wanted, plan: this.receipt.plan, attempts: this.receipt.attempts, lastFailure: this.#lastFailure, resting, unfit: [...unfit, ...this.#unfit], now,
      offline: this.#services.offline(), unknownNameMessage: () => this.#services.unknownNameMessage(this.#input.wanted),
      raw: this.#lastRaw,
    }));
  }

  #worthWaiting(target: PlannedTarget): boolean {
    if (this.#unfit.some(one => one.target === target.target)) return false;
    const failure = this.#lastFailure.get(target.target);
    if (failure === undefined) return true;
    return failure.failureClass === 'rate-limit' || failure.failureClass === 'overloaded' || failure.failureClass === 'server';
  }

  #later(delayMs: number, targets: () => PlannedTarget[]): void {
    this.#wait = setTimeout(() => {
      // Keys that rested have had their pause.
      this.#triedKeys.clear();
      this.#waited = true;
      this.#queue = targets();
      this.#next();
    }, delayMs);
  }

  #fail(failure: Omit<ExchangeFailure, 'exchangeId' | 'attempts'>): void {
    this.#caller.fail({ ...failure, exchangeId: this.receipt.id, attempts: this.receipt.attempts.length });
    this.#settle('failed', failure.error.failureClass, failure.error.message);
  }

  /** Writes down what an attempt was. */
  #record(current: Current, end: AttemptEnd | 'cancelled'): void {
    const { run, started, endpoint, ticket } = current;
    const settled = settleUsage(run.figures, end === 'cancelled' ? undefined : end, this.#input.needs.estimatedInputTokens);
    const attempt = attemptRecord(started, run.figures, run.elapsedMs(), end, settled);
    this.receipt.attempts.push(attempt);
    this.#prices.push(priceRequest(attempt, endpoint, run.figures.generatedChars > 0));
    // Known to the pricer now; receipts say it in words.
    delete attempt.neverSent;
    const prompt = promptTokens(settled.usage);
    this.#services.limiter.leave(ticket, prompt === undefined ? undefined : prompt + (settled.usage.outputTokens ?? 0));
  }

  /** Tells health and keys what the attempt proved. */
  #proved(current: Current, end: AttemptEnd): void {
    const { board, keys, clock } = this.#services;
    const { target, key, run, trial, endpoint } = current;
    const now = clock.now();
    const error = end.kind === 'failed' ? end.error : undefined;
    if (key !== undefined) keys.report(target.endpoint, key.id, error?.failureClass ?? 'ok', now, error?.retryAfterMs);
    const keyScoped = error !== undefined && isAboutKey(error.failureClass) && keys.pick(target.endpoint, none, now) !== undefined;
    board.record({
      endpoint: target.endpoint, model: target.model, at: now, kind: 'traffic', trial, keyScoped,
      failureClass: error?.failureClass, message: error?.message,
      firstTokenMs: run.figures.firstTokenMs, totalMs: run.elapsedMs(), retryAfterMs: error?.retryAfterMs,
      networkKind: error === undefined ? undefined : networkKindOf(error.systemCode),
    });
    if (error !== undefined) this.#services.failed(endpoint, error.failureClass, error.message, error.helpUrl, error.code);
  }

  #settle(outcome: Receipt['outcome'], failureClass?: FailureClass, message?: string): void {
    this.#finished = true;
    this.#current = undefined;
    this.#caller.onDrain = undefined;
    this.receipt.totalMs = this.#elapsed();
    this.receipt.outcome = outcome;
    this.receipt.failureClass = failureClass;
    this.receipt.message = message === undefined ? undefined : this.#services.redact(message);
    this.#services.settled(this, this.receipt, this.#prices);
  }

  #elapsed(): number {
    return roundMs(performance.now() - this.#startedAt);
  }
}

function isAboutKey(failureClass: FailureClass): boolean {
  return failureClass === 'auth' || failureClass === 'quota' || failureClass === 'rate-limit';
}

function keyName(key: KeyMaterial): string {
  const last4 = lastFour(key.secret);
  return last4 === '' ? key.label : `${key.label} …${last4}`;
}
