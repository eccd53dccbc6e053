import type { ConversationEvent } from '../../api/conversation.ts';
import type { CacheUse, PlannedTarget, Receipt } from '../../api/receipt.ts';
import type { FailureClass } from '../../api/failure.ts';
import { fieldValue } from '../../base/objectScan.ts';
import { WaybillError } from '../../base/failure.ts';
import type { RouteConfig } from '../../config/config.ts';
import type { UpstreamAttempt } from '../attempt/attempt.ts';
import { isDrilled } from '../attempt/callFacts.ts';
import type { Conclusion } from '../conclusion.ts';
import type { ExchangeEvent } from '../machine/exchangeState.ts';
import type { ExchangeInput, ResponseSink } from '../request.ts';
import type { ExchangeServices } from '../services.ts';
import { isContentEvent } from '../../protocols/events.ts';
import { admit } from './admittance.ts';
import { AnswerReader, type ReaderOwner } from './answerReader.ts';
import { keyAt, keySent, requestKey } from './requestKey.ts';
import { SharedAnswer, type AnswerOrigin, type AnswerState } from './sharedAnswer.ts';

/** The exchange that takes part in a response cache. */
export interface CachedExchange {
  readonly receipt: Receipt;
  /** The caller's end, at this moment. */
  readonly sink: ResponseSink;
  /** Makes a plan and carries it out. */
  plan(): void;
  onEvent(event: ExchangeEvent): void;
  onBroken(cause: unknown): void;
}

type CacheServices = Pick<ExchangeServices, 'responses' | 'routeTable' | 'clock' | 'log' | 'repairs'>;

/** A request whose shared call failed so often gets the failure: one more call for it would fail, too. */
const mostJoins = 2;
/** Failures that lie with the request: the same request fails again. */
const ofRequest: ReadonlySet<FailureClass> = new Set<FailureClass>(['bad-request', 'context-overflow', 'content-policy']);

/**
 * The part of one exchange in the response cache of its route: it gets a kept answer, follows the call of an equal request, or
 * leads: then what its caller gets is written down for others, and kept.
 */
export class ExchangeCache implements ReaderOwner {
  readonly #services: CacheServices;
  readonly #exchange: CachedExchange;
  readonly #input: ExchangeInput;
  readonly #route: RouteConfig;
  readonly #policy: string;
  /** Undefined: the request takes no part. */
  readonly #request: string | undefined;
  readonly #use: CacheUse;
  #joins = 0;
  /** The other replicas were asked, or are being asked now. */
  #hasLooked = false;
  #isOver = false;
  /** As a leader: what its caller gets, and the key under which others join. */
  #answer: SharedAnswer | undefined;
  #runningKey: string | undefined;
  /** Answers of two targets, or of one that left events out, are no answer to keep. */
  #isPure = true;
  /** What answered, and the key of what was sent there. */
  #sent: { readonly target: string; readonly key: string } | undefined;
  #callerIsGone = false;
  /** As one who gets another's answer. */
  #reader: AnswerReader | undefined;
  #read: SharedAnswer | undefined;

  constructor(services: CacheServices, exchange: CachedExchange, input: ExchangeInput, route: RouteConfig) {
    this.#services = services;
    this.#exchange = exchange;
    this.#input = input;
    this.#route = route;
    this.#policy = services.responses.policy();
    const { request, use } = this.#judge();
    this.#request = request;
    this.#use = exchange.receipt.cache = use;
  }

  #judge(): { request: string | undefined; use: CacheUse } {
    const { responseCache, name } = this.#route;
    if (responseCache === undefined) return { request: undefined, use: { state: 'bypass' } };
    try {
      const admitted = admit(this.#input, responseCache);
      if (admitted.kind === 'bypass') return { request: undefined, use: { state: 'bypass', why: admitted.why } };
      const request = requestKey(this.#input, name, this.#policy);
      return request === undefined ? { request, use: { state: 'bypass', why: unreadable } } : { request, use: { state: admitted.kind === 'refresh' ? 'refresh' : 'miss' } };
    } catch {
      // The first attempt decodes the request again and reports what is wrong with it.
      return { request: undefined, use: { state: 'bypass', why: unreadable } };
    }
  }

  get sink(): ResponseSink {
    return this.#exchange.sink;
  }

  get wantsWhole(): boolean {
    return !this.#input.stream;
  }

  /** What the caller is told in headers. */
  get headers(): Readonly<Record<string, string>> {
    const { state, ageMs } = this.#use;
    return ageMs === undefined ? { 'x-waybill-cache': state } : { 'x-waybill-cache': state, 'age': String(Math.floor(ageMs / 1000)) };
  }

  /** Headers of a provider's answer with those. */
  withHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return { ...headers, ...this.headers };
  }

  /** Others get the answer as well, so that a slow caller does not pause it. */
  get isShared(): boolean {
    return this.#answer !== undefined && this.#answer.followers.size > 0;
  }

  /** Events of the answer are to be written down. */
  get records(): boolean {
    return this.#answer !== undefined;
  }

  /**
   * Looks for an answer to a request that has just been planned.
   * @param first the target that would be asked; undefined: none can be @param keptAway targets that cannot be asked now
   * @returns true: another one's answer is on its way; false: the exchange has to ask
   */
  serve(first: PlannedTarget | undefined, keptAway: readonly PlannedTarget[]): boolean {
    if (this.#request === undefined) return false;
    const { responses } = this.#services;
    const key = first === undefined ? undefined : this.#keyAt(first);
    // It leads already, and no other replica had an answer in time.
    if (this.#answer !== undefined && this.#hasLooked) return false;
    let before = none;
    if (this.#use.state !== 'refresh') {
      const kept = this.#find(key) ?? this.#findFirst(before = this.#keysBefore(first, keptAway));
      if (!this.#hasLooked) responses.layers.read('memory', kept === undefined ? 'miss' : 'hit');
      if (kept !== undefined) return this.#follow(kept, 'hit');
      const running = key === undefined || this.#joins >= mostJoins ? undefined : responses.running(key);
      if (running !== undefined) return this.#follow(running, 'shared');
    }
    this.#use.state = this.#use.state === 'refresh' ? 'refresh' : 'miss';
    if (key === undefined) return this.#lookElsewhere(before);
    this.#answer = new SharedAnswer(this.#exchange.receipt.id, this.#route.name);
    this.#answer.onDeserted = () => { if (this.#callerIsGone) this.#exchange.onEvent({ type: 'cancelled' }); };
    this.#answer.onFollowed = () => { this.#exchange.sink.drainListener?.onDrain(); };
    // A question to the reader is no matter of others.
    const asks = this.#route.onRefusal === 'ask' && this.#input.protocol === 'editor';
    if (!asks && responses.running(key) === undefined) {
      this.#runningKey = key;
      responses.lead(key, this.#answer);
    }
    return this.#lookElsewhere([key, ...before]);
  }

  /** Asks for the answer of another replica, once. @returns true: the exchange goes on when that is known */
  #lookElsewhere(keys: readonly string[]): boolean {
    if (this.#hasLooked || this.#use.state === 'refresh' || keys.length === 0) return false;
    this.#hasLooked = true;
    const { responses } = this.#services;
    const looking = responses.findElsewhere(this.#route, keys);
    if (looking === undefined) return false;
    void looking.then(found => {
      if (this.#isOver) return;
      const key = found === undefined ? undefined : keys[found.place];
      if (found === undefined || key === undefined) {
        this.#exchange.plan();
        return;
      }
      this.#use.from = 'replicas';
      responses.adopt(this.#route, this.#policy, key, found.answer);
      if (this.#answer !== undefined) this.#answer.takes(found.answer);
      this.#follow(found.answer, 'hit');
    }).catch((cause: unknown) => { this.#exchange.onBroken(cause); });
    return true;
  }

  /** Looks for a kept answer of a target that is about to be asked after others failed. @returns true: it is on its way */
  serveInstead(target: PlannedTarget): boolean {
    const answer = this.#answer;
    if (answer === undefined || this.#use.state === 'refresh' || answer.origin !== undefined) return false;
    const kept = this.#find(this.#keyAt(target));
    if (kept === undefined) return false;
    // Those who follow get it, too.
    answer.takes(kept);
    return this.#follow(kept, 'hit');
  }

  #keyAt(target: PlannedTarget): string | undefined {
    return this.#request === undefined ? undefined : keyAt(this.#request, this.#input, target, this.#services);
  }

  #find(key: string | undefined): SharedAnswer | undefined {
    return key === undefined ? undefined : this.#services.responses.find(this.#route, key);
  }

  #findFirst(keys: readonly string[]): SharedAnswer | undefined {
    for (const key of keys) {
      const kept = this.#find(key);
      if (kept !== undefined) return kept;
    }
    return undefined;
  }

  /** The keys of answers of targets that the route lists before the one that would be asked, and that are kept away now. */
  #keysBefore(first: PlannedTarget | undefined, keptAway: readonly PlannedTarget[]): readonly string[] {
    if (keptAway.length === 0) return none;
    const { targets } = this.#route;
    const placeOf = ({ endpoint, model }: PlannedTarget): number => targets.findIndex(one => one.endpoint === endpoint && one.model === model);
    const bound = first === undefined ? Infinity : placeOf(first);
    return [...keptAway].sort((a, b) => placeOf(a) - placeOf(b)).flatMap(target => (placeOf(target) < bound ? this.#keyAt(target) ?? [] : []));
  }

  #follow(answer: SharedAnswer, state: 'hit' | 'shared'): true {
    const { receipt } = this.#exchange;
    if (state === 'shared') this.#joins += 1;
    this.#use.state = state;
    this.#use.of = answer.of;
    if (state === 'hit') this.#use.ageMs = Math.max(0, this.#services.clock.now() - answer.keptAt);
    receipt.cost = { microUsd: 0, certainty: 'exact' };
    this.#read = answer;
    this.#reader = new AnswerReader(answer, this);
    this.#reader.start();
    return true;
  }

  onFirst({ target, storedId }: AnswerOrigin): void {
    const { receipt, sink } = this.#exchange;
    receipt.target = target.target;
    receipt.firstTokenMs ??= Math.max(0, this.#services.clock.now() - receipt.startedAt);
    if (sink.kind === 'bytes') sink.begin({ exchangeId: receipt.id, target: target.target, attempts: receipt.attempts.length, model: target.upstreamModel, headers: this.headers, ...(storedId === undefined ? {} : { answerId: storedId }) });
  }

  onOver(state: Exclude<AnswerState, { kind: 'running' }>, handedOut: boolean): void {
    if (state.kind === 'whole') {
      this.#exchange.onEvent({ type: 'replayed', refusal: state.refusal });
      return;
    }
    const { sink } = this.#exchange;
    const calls = this.#read?.events.some(({ type }) => type === 'tool-call-end') === true;
    const again = !handedOut || (sink.kind === 'reader' && !calls);
    if (!again || this.#joins >= mostJoins || ofRequest.has(state.failure.error.failureClass)) {
      this.#exchange.onEvent({ type: 'replay-failed', failure: state.failure });
      return;
    }
    this.#reader = undefined;
    delete this.#use.of;
    this.#exchange.receipt.cost = { certainty: 'unknown' };
    if (handedOut && sink.kind === 'reader') sink.restart('The answer broke off. Starting again.');
    this.#exchange.plan();
  }

  onBroken(cause: unknown): void {
    this.#exchange.onBroken(cause);
  }

  /** The caller can take more. */
  drained(): void {
    this.#reader?.drained();
  }

  /** The caller goes away. @returns true: others want the answer, so its call goes on without the caller */
  callerLeft(): boolean {
    if (!this.isShared || this.#answer?.state.kind !== 'running') return false;
    this.#callerIsGone = true;
    return true;
  }

  /** The caller gets the answer of a target. */
  leads(target: PlannedTarget): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    if (answer.origin !== undefined && answer.events.some(isContentEvent)) this.#isPure = false;
    answer.origin = { target };
  }

  /** Writes down what the caller gets. */
  record(events: readonly ConversationEvent[]): void {
    const answer = this.#answer;
    if (answer?.origin === undefined) return;
    const { origin } = answer;
    if (origin.storedId === undefined && answer.events.length === 0) {
      const storedId = this.#storedId(events);
      if (storedId !== undefined) answer.origin = { ...origin, storedId };
    }
    answer.append(events);
    // Nobody can use so much.
    if (answer.bytes > (this.#route.responseCache?.maxBytes ?? 0) && answer.followers.size === 0) this.#stopRecording(answer);
  }

  /** Writes down a whole body. */
  recordBody(body: Buffer, events: readonly ConversationEvent[]): void {
    if (this.#input.body.kind === 'embedding') this.#answer?.setBody(Buffer.from(body));
    else this.record(events);
  }

  /** The answer begins again or goes on at another target, so what was written down is not the answer. */
  restarted(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#stopRecording(answer);
    answer.end({ kind: 'broken', failure: { error: new WaybillError('stream-cut', 'server', 'The answer broke off; send the request again.') } });
  }

  /** An attempt answered. */
  answered(attempt: UpstreamAttempt): void {
    const { origin } = attempt;
    // What was sent without its reasoning was another request.
    if (attempt.unreadable > 0 || isDrilled(attempt.call) || origin.stripped === true) this.#isPure = false;
    if (this.#request !== undefined) this.#sent = { target: origin.target.target, key: keySent(this.#request, origin) };
  }

  /** The exchange has ended. */
  ended({ outcome, failureClass, failure }: Conclusion): void {
    this.#isOver = true;
    this.#reader?.stop();
    const { responses } = this.#services;
    if (outcome === 'ok' && (this.#use.state === 'hit' || this.#use.state === 'shared')) this.#read?.price.saves(this.#use);
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#stopRecording(answer);
    if (outcome !== 'ok') {
      answer.end({ kind: 'broken', failure: failure ?? { error: new WaybillError('cancelled', 'cancelled', 'The request was cancelled.') } });
      return;
    }
    const refusal = failureClass === 'content-policy';
    answer.end({ kind: 'whole', refusal });
    if (this.#use.state === 'hit') return;
    responses.awaitsCost(answer);
    const key = this.#sent?.target === answer.origin?.target.target ? this.#sent?.key : undefined;
    if (key !== undefined && this.#mayKeep(answer, refusal)) responses.keep(this.#route, this.#policy, key, answer.compacted());
  }

  #mayKeep({ events, body, keepable }: SharedAnswer, refusal: boolean): boolean {
    const rules = this.#route.responseCache;
    if (rules === undefined || !keepable || !this.#isPure) return false;
    if (body !== undefined) return true;
    const finish = events.findLast(event => event.type === 'finish');
    switch (finish?.reason) {
      case undefined:
      case 'pause':
      case 'error': return false;
      case 'length':
      case 'context-full': return rules.includeTruncated;
      case 'refusal': return rules.includeRefused;
      case 'tool-calls': return rules.includeTools;
      case 'end':
      case 'stop-sequence': return !refusal || rules.includeRefused;
    }
  }

  #stopRecording(answer: SharedAnswer): void {
    if (this.#runningKey !== undefined) this.#services.responses.leave(this.#runningKey, answer);
    this.#answer = undefined;
  }

  /** The id of a response that the provider has stored, so that a caller can go on from it. */
  #storedId(events: readonly ConversationEvent[]): string | undefined {
    const { protocol, body: { raw } } = this.#input;
    if (protocol !== 'openai-responses' || raw === undefined || fieldValue(raw.bytes, raw.scan, 'store') === false) return undefined;
    return events.find(event => event.type === 'start')?.id;
  }
}

const unreadable = 'it cannot be read';
const none: readonly string[] = [];
