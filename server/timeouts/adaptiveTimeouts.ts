import type { RequestKind } from '../api/receipt.ts';
import type { TimerPhase } from '../base/failureCodes.ts';
import type { EndpointConfig, Timeouts } from '../config/config.ts';
import { HedgeDelay } from './hedgeDelay.ts';
import {
  boundsOf, connectAllowance, connectMargin, fewest, fewestConnections, limitRule, longAnswerTokens, mostTokensPerSecond, paceMargins,
  totalStretch, type HistoryScope, type LearntPhase,
} from './timerRules.ts';
import { LatencyHistory, type Measured } from './latencyHistory.ts';

/** What one attempt measured. Absent: not reached, or not to be learnt from. */
export interface TimedAttempt {
  endpoint: string;
  /** Canonical model name. */
  model: string;
  kind: RequestKind;
  stream: boolean;
  /** Milliseconds since the epoch. */
  at: number;
  /** Of a connection made for it. */
  connectMs?: number | undefined;
  /** Since the attempt began, as the next. */
  headersMs?: number | undefined;
  firstTokenMs?: number | undefined;
  longestGapMs?: number | undefined;
  tokensPerSecond?: number | undefined;
  /** The timer that ended it: what was measured of that phase is a lower bound (of throughput an upper one). */
  timedOut?: TimerPhase | undefined;
  /** Cancelled because another was faster: the first token would have taken at least this long. */
  atLeastFirstTokenMs?: number | undefined;
}

/** Which attempt timers are wanted for. */
export interface TimersWanted {
  endpoint: EndpointConfig;
  /** What the user wrote for the route. */
  route: Partial<Timeouts> | undefined;
  model: string;
  kind: RequestKind;
  stream: boolean;
  /** Nothing else could serve, so that learnt limits give way to the full bounds. */
  lastResort: boolean;
}

/** What is known of how long things take at each endpoint, and the timers that follow from it. */
export interface AdaptiveTimeouts {
  /** Adopts endpoints; the history of those that are gone or moved is forgotten. */
  configure(endpoints: ReadonlyMap<string, EndpointConfig>): void;
  /** Takes in one attempt. Constant time; attempts at endpoints that are not configured are ignored. */
  observe(attempt: TimedAttempt): void;
  /**
   * Timers of the next attempt. What the user wrote, for the route before the endpoint, is never touched. The rest is learnt where
   * enough was seen: of the same kind of work at the same model, else of the model, else of the endpoint, and never longer
   * than the default bounds for the kind.
   */
  timeouts(of: TimersWanted): Timeouts;
  /**
   * How streams of a kind of work go at a model: the slow end of what is usual. Of the same kind of work where enough was
   * seen, else of the model, else of the endpoint; undefined while too little was.
   */
  usual(endpoint: string, model: string, kind: RequestKind): UsualTimes;
  /**
   * When to ask a second target, in milliseconds after the attempt began; undefined while too little is known.
   * @param options.asked how often a second target was asked for and not granted for the same request (see HedgePolicy)
   */
  hedgeAfterMs(endpoint: string, model: string, kind: RequestKind, options?: { stream?: boolean; asked?: number }): number | undefined;
}

/** The 90th percentile of times, and the pace that nine of ten streams keep. */
export interface UsualTimes { readonly firstTokenMs: number | undefined; readonly tokensPerSecond: number | undefined }

/** Models an endpoint's history is kept for; the one least lately used goes first. */
const mostModels = 64;

type History = Partial<Record<LearntPhase, LatencyHistory>>;
interface KindHistory { timers: History; hedge?: HedgeDelay; bufferedHedge?: HedgeDelay }
interface ModelHistory { timers: History; kinds: Partial<Record<RequestKind, KindHistory>> }
interface EndpointHistory { baseUrl: string; connect: LatencyHistory; timers: History; models: Map<string, ModelHistory> }

/** Figures below this are not told apart; a pace is kept as milliseconds a token. */
const lowestMs = 1;
const lowestPaceMs = 0.05;

/** An empty book. Memory is bounded: at most 64 models an endpoint, at most six kilobytes a history. */
export function createAdaptiveTimeouts(): AdaptiveTimeouts {
  return new LearntTimers();
}

class LearntTimers implements AdaptiveTimeouts {
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

  timeouts(of: TimersWanted): Timeouts {
    const { endpoint, route } = of;
    // With nobody to take over, waiting costs nothing but time.
    const bounds = boundsOf(endpoint, route, of.lastResort && of.kind === 'fast' ? 'normal' : of.kind);
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

/** The history of a model, begun where there is none; the order of the map is that of their last use. */
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
  // The headers of a plain answer come with the whole of it, which is another thing to wait for.
  note(history, stream ? 'headers' : 'plain', headersMs, at, timedOut === 'headers' ? 'timeout' : 'seen');
  if (stream) {
    note(history, 'firstToken', firstTokenMs, at, timedOut === 'first-token' ? 'timeout' : 'seen');
    note(history, 'firstToken', atLeastFirstTokenMs, at, 'beaten');
    // The silence that ended it is not among the gaps that were measured.
    if (timedOut === 'idle') note(history, 'gap', undefined, at, 'timeout');
    else note(history, 'gap', longestGapMs, at, 'seen');
    const paceMs = tokensPerSecond === undefined || tokensPerSecond <= 0 ? undefined : 1000 / tokensPerSecond;
    note(history, 'pace', paceMs, at, timedOut === 'throughput' ? 'timeout' : 'seen');
  } else {
    // A blank beginning may come before: the wait for the rest of it is the same wait.
    note(history, 'plain', timedOut === 'first-token' ? firstTokenMs : undefined, at, timedOut === 'first-token' ? 'timeout' : 'seen');
    note(history, 'plain', atLeastFirstTokenMs, at, 'beaten');
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

function learntTimeouts(endpoint: EndpointHistory, { endpoint: { provider }, model: name, kind }: TimersWanted, bounds: Timeouts): Timeouts {
  const model = endpoint.models.get(name);
  const own = model?.kinds[kind]?.timers;
  const local = provider.local === true;

  function limit(phase: Exclude<LearntPhase, 'pace'>, highest: number): number {
    const from = (history: History | undefined, kinship: HistoryScope): number | undefined => {
      const series = history?.[phase];
      return series?.knows(fewest[kinship]) === true ? series.limit(limitRule(phase, kinship, kind, highest, local)) : undefined;
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
  // Whole milliseconds: they are told to people.
  return {
    connectMs: Math.round(connectLimit(endpoint.connect, bounds.connectMs)),
    headersMs: Math.round(limit('headers', bounds.headersMs)),
    bufferedHeadersMs: Math.round(limit('plain', bounds.bufferedHeadersMs)),
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

/** The whole of a long answer at the endpoint's own pace. Never shorter than the default: an answer that comes well is not cut for being long. */
function totalLimit(pace: LatencyHistory | undefined, firstTokenMs: number, tokens: number, usual: number): number {
  const slowEndMs = pace?.knows(fewest.kind) === true ? pace.slowEnd : undefined;
  return slowEndMs === undefined ? usual : Math.min(totalStretch * usual, Math.max(usual, firstTokenMs + tokens * slowEndMs));
}
