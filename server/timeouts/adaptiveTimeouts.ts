import type { RequestKind } from '../api/receipt.ts';
import type { TimerPhase } from '../base/failureCodes.ts';
import type { EndpointConfig, Timeouts } from '../config/config.ts';
import { HedgeDelay } from './hedgeDelay.ts';
import {
  boundsOf, connectAllowance, connectMargin, fewest, fewestConnections, limitRule, longAnswerTokens, mostTokensPerSecond, paceMargins, patient,
  totalStretch, type HistoryScope, type LearntPhase,
} from './timerRules.ts';
import { LatencyHistory, type Measured } from './latencyHistory.ts';

/** What one attempt measured. A field is absent where the attempt did not reach the step, or nothing can be learnt from it. */
export interface TimedAttempt {
  endpoint: string;
  /** Canonical model name. */
  model: string;
  kind: RequestKind;
  stream: boolean;
  /** Milliseconds since the epoch. */
  at: number;
  /** How long the connection took, where one was made for this attempt. */
  connectMs?: number | undefined;
  /** Since the attempt began, as `firstTokenMs`. */
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  longestGapMs?: number | undefined;
  tokensPerSecond?: number | undefined;
  /** The timer that ended the attempt. What was measured of that phase is a lower bound; of throughput it is an upper one. */
  timedOut?: TimerPhase | undefined;
  /** Present where another attempt was faster: the first token would have taken at least this long. */
  atLeastFirstTokenMs?: number | undefined;
}

/** The attempt whose timeouts are asked for. */
export interface TimeoutQuery {
  endpoint: EndpointConfig;
  /** What the user wrote for the route. */
  route: Partial<Timeouts> | undefined;
  model: string;
  kind: RequestKind;
  stream: boolean;
  /** No other target could serve. The full bounds hold then instead of the learnt limits, and the first sign of an answer may take as long as the whole. */
  lastResort: boolean;
}

/** How long each step of an attempt takes at each endpoint, and the timeouts that follow from it. */
export interface AdaptiveTimeouts {
  /** Sets the endpoints. The history of an endpoint that was removed, or whose address changed, is deleted. */
  configure(endpoints: ReadonlyMap<string, EndpointConfig>): void;
  /** Learns from one attempt, in constant time. Attempts at endpoints that are not configured are ignored. */
  observe(attempt: TimedAttempt): void;
  /**
   * The timeouts of the next attempt. A timeout that the user wrote stays as written; the route's wins over the endpoint's. The
   * others are learnt where enough was measured: of the same kind of work at the same model, else of the model, else of the
   * endpoint. A learnt timeout is never longer than the default bound for the kind.
   */
  timeouts(of: TimeoutQuery): Timeouts;
  /**
   * How streams of a kind of work go at a model: the slow end of what is usual. Of the same kind of work where enough was
   * measured, else of the model, else of the endpoint; undefined while too little was.
   */
  usual(endpoint: string, model: string, kind: RequestKind): UsualTimes;
  /**
   * When to ask a second target, in milliseconds after the attempt began; undefined while too little was measured.
   * @param options.asked how often the hedge policy refused a second target for the same request
   */
  hedgeAfterMs(endpoint: string, model: string, kind: RequestKind, options?: { stream?: boolean; asked?: number }): number | undefined;
}

/** The 90th percentile of times, and the pace that nine of ten streams keep. */
export interface UsualTimes { readonly firstTokenMs: number | undefined; readonly tokensPerSecond: number | undefined }

/** How many models of an endpoint have a history. The least recently used one is deleted first. */
const mostModels = 64;

type History = Partial<Record<LearntPhase, LatencyHistory>>;
interface KindHistory { timers: History; hedge?: HedgeDelay; bufferedHedge?: HedgeDelay }
interface ModelHistory { timers: History; kinds: Partial<Record<RequestKind, KindHistory>> }
interface EndpointHistory { baseUrl: string; connect: LatencyHistory; timers: History; models: Map<string, ModelHistory> }

/** The resolution of the figures. A pace is kept as milliseconds a token. */
const lowestMs = 1;
const lowestPaceMs = 0.05;

/** Adaptive timeouts that have learnt nothing. Memory is bounded: at most 64 models an endpoint, at most six kilobytes a history. */
export function createAdaptiveTimeouts(): AdaptiveTimeouts {
  return new LearntTimeouts();
}

class LearntTimeouts implements AdaptiveTimeouts {
  readonly #endpoints = new Map<string, EndpointHistory>();

  configure(endpoints: ReadonlyMap<string, EndpointConfig>): void {
    for (const [name, history] of this.#endpoints) {
      if (endpoints.get(name)?.baseUrl !== history.baseUrl) this.#endpoints.delete(name);
    }
    for (const [name, { baseUrl }] of endpoints) {
      if (!this.#endpoints.has(name)) this.#endpoints.set(name, { baseUrl, connect: new LatencyHistory(lowestMs), timers: {}, models: new Map() });
    }
  }

  observe(attempt: TimedAttempt): void {
    const endpoint = this.#endpoints.get(attempt.endpoint);
    if (endpoint === undefined) return;
    const { at, timedOut } = attempt;
    if (attempt.connectMs !== undefined || timedOut === 'connect') endpoint.connect.observe(attempt.connectMs, at, timedOut === 'connect' ? 'timeout' : 'seen');
    if (timedOut === 'connect') return;
    const model = modelOf(endpoint, attempt.model);
    const kind = model.kinds[attempt.kind] ??= { timers: {} };
    learn(kind.timers, attempt);
    learn(model.timers, attempt);
    learn(endpoint.timers, attempt);
    learnHedge(kind, attempt);
  }

  timeouts(of: TimeoutQuery): Timeouts {
    const { endpoint, route } = of;
    // Where no other target can take over, giving up early gains nothing. Nobody waits minutes for an inline completion.
    const full = boundsOf(endpoint, route, of.lastResort && of.kind === 'fast' ? 'normal' : of.kind);
    const bounds = of.lastResort && of.kind !== 'fast' ? patient(full) : full;
    const history = of.lastResort ? undefined : this.#endpoints.get(endpoint.name);
    const learnt = history === undefined ? bounds : learntTimeouts(history, of, bounds);
    return { ...learnt, ...endpoint.writtenTimeouts, ...route };
  }

  usual(endpoint: string, model: string, kind: RequestKind): UsualTimes {
    const place = this.#endpoints.get(endpoint);
    const paceMs = slowEndOf(place, model, kind, 'pace');
    return { firstTokenMs: slowEndOf(place, model, kind, 'firstToken'), tokensPerSecond: paceMs === undefined ? undefined : 1000 / paceMs };
  }

  hedgeAfterMs(endpoint: string, model: string, kind: RequestKind, options: { stream?: boolean; asked?: number } = {}): number | undefined {
    const history = this.#endpoints.get(endpoint)?.models.get(model)?.kinds[kind];
    return (options.stream === false ? history?.bufferedHedge : history?.hedge)?.afterMs(options.asked ?? 0);
  }
}

/** The slow end of a phase, from the closest history that has seen enough. */
function slowEndOf(endpoint: EndpointHistory | undefined, modelName: string, kind: RequestKind, phase: LearntPhase): number | undefined {
  const model = endpoint?.models.get(modelName);
  const histories: [History | undefined, HistoryScope][] = [[model?.kinds[kind]?.timers, 'kind'], [model?.timers, 'model'], [endpoint?.timers, 'endpoint']];
  for (const [history, scope] of histories) {
    const known = history?.[phase];
    if (known?.knows(fewest[scope]) === true) return known.slowEnd;
  }
  return undefined;
}

/** The history of a model; a new one where there is none. The map is kept in the order of last use. */
function modelOf(endpoint: EndpointHistory, model: string): ModelHistory {
  const { models } = endpoint;
  const known = models.get(model) ?? { timers: {}, kinds: {} };
  if (models.size > 1) models.delete(model);
  models.set(model, known);
  if (models.size > mostModels) for (const oldest of models.keys()) { models.delete(oldest); break; }
  return known;
}

function learn(history: History, attempt: TimedAttempt): void {
  const { at, stream, timedOut, headersMs, firstTokenMs, longestGapMs, tokensPerSecond, atLeastFirstTokenMs } = attempt;
  // The headers of a buffered answer come with the whole of it, so they measure another wait.
  note(history, stream ? 'headers' : 'buffered', headersMs, at, timedOut === 'headers' ? 'timeout' : 'seen');
  if (stream) {
    note(history, 'firstToken', firstTokenMs, at, timedOut === 'first-token' ? 'timeout' : 'seen');
    note(history, 'firstToken', atLeastFirstTokenMs, at, 'beaten');
    // The silence that ended the attempt is not among the measured gaps.
    if (timedOut === 'idle') note(history, 'gap', undefined, at, 'timeout');
    else note(history, 'gap', longestGapMs, at, 'seen');
    const paceMs = tokensPerSecond === undefined || tokensPerSecond <= 0 ? undefined : 1000 / tokensPerSecond;
    note(history, 'pace', paceMs, at, timedOut === 'throughput' ? 'timeout' : 'seen');
  } else {
    // Blanks may come before the body: the wait for the body counts from the same moment.
    note(history, 'buffered', timedOut === 'first-token' ? firstTokenMs : undefined, at, timedOut === 'first-token' ? 'timeout' : 'seen');
    note(history, 'buffered', atLeastFirstTokenMs, at, 'beaten');
  }
}

function note(history: History, phase: LearntPhase, value: number | undefined, at: number, measured: Measured): void {
  if (value === undefined && measured !== 'timeout') return;
  (history[phase] ??= new LatencyHistory(phase === 'pace' ? lowestPaceMs : lowestMs)).observe(value, at, measured);
}

function learnHedge(history: KindHistory, { at, stream, timedOut, firstTokenMs }: TimedAttempt): void {
  if (firstTokenMs === undefined || timedOut === 'first-token') return;
  if (stream) (history.hedge ??= new HedgeDelay()).observe(firstTokenMs, at);
  else (history.bufferedHedge ??= new HedgeDelay()).observe(firstTokenMs, at);
}

function learntTimeouts(endpoint: EndpointHistory, { endpoint: { local: isLocal }, model: name, kind }: TimeoutQuery, bounds: Timeouts): Timeouts {
  const model = endpoint.models.get(name);
  const own = model?.kinds[kind]?.timers;
  const local = isLocal === true;

  function limit(phase: Exclude<LearntPhase, 'pace'>, highest: number): number {
    const from = (history: History | undefined, scope: HistoryScope): number | undefined => {
      const series = history?.[phase];
      return series?.knows(fewest[scope]) === true ? series.limit(limitRule(phase, scope, kind, highest, local)) : undefined;
    };
    return from(own, 'kind') ?? from(model?.timers, 'model') ?? from(endpoint.timers, 'endpoint') ?? highest;
  }

  function slowestPaceMs(): number | undefined {
    const series = own?.pace?.knows(fewest.kind) === true ? own.pace : undefined;
    if (series !== undefined) return series.limit({ margin: paceMargins.kind, lowest: 0, highest: Infinity });
    return model?.timers.pace?.knows(fewest.model) === true ? model.timers.pace.limit({ margin: paceMargins.model, lowest: 0, highest: Infinity }) : undefined;
  }

  const paceMs = slowestPaceMs();
  const firstTokenMs = Math.round(limit('firstToken', bounds.firstTokenMs));
  // Whole milliseconds, because messages show them to people.
  return {
    connectMs: Math.round(connectLimit(endpoint.connect, bounds.connectMs)),
    headersMs: Math.round(limit('headers', bounds.headersMs)),
    bufferedHeadersMs: Math.round(limit('buffered', bounds.bufferedHeadersMs)),
    firstTokenMs,
    idleMs: Math.round(limit('gap', bounds.idleMs)),
    totalMs: Math.round(totalLimit(own?.pace ?? model?.timers.pace, firstTokenMs, longAnswerTokens[kind], bounds.totalMs)),
    minTokensPerSecond: paceMs === undefined ? 0 : Math.min(mostTokensPerSecond, roundPace(1000 / paceMs)),
  };
}

function roundPace(tokensPerSecond: number): number {
  return Math.round(tokensPerSecond * 100) / 100;
}

function connectLimit(connect: LatencyHistory, highest: number): number {
  if (!connect.knows(fewestConnections)) return highest;
  const allowance = connectAllowance(connect.slowEnd ?? 0);
  return connect.limit({ margin: connectMargin, lowest: Math.min(highest, allowance), highest }, allowance);
}

/** The time of a long answer at the endpoint's own pace. Never shorter than the default: an answer that flows is not cut for its length. */
function totalLimit(pace: LatencyHistory | undefined, firstTokenMs: number, tokens: number, usual: number): number {
  const slowEndMs = pace?.knows(fewest.kind) === true ? pace.slowEnd : undefined;
  return slowEndMs === undefined ? usual : Math.min(totalStretch * usual, Math.max(usual, firstTokenMs + tokens * slowEndMs));
}
