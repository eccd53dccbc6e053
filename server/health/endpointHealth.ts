import type { FailureClass } from '../api/failure.ts';
import type { HealthState } from '../api/condition.ts';
import type { BreakerState } from '../api/status.ts';
import type { Random } from '../base/clock.ts';
import type { BreakerConfig } from '../config/config.ts';
import type { EndpointHealthReport, Outcome, HealthReading } from './healthReader.ts';
import { countsForBreaker, forgiveLinkFailures, newBreaker, openUntil, releaseTrial, type Breaker } from './breaker/breaker.ts';
import { createCooldowns, type Cooldowns, type CooldownState } from './breaker/cooldown.ts';
import { mayBeLink } from './network/networkTracker.ts';
import { hostOf, isLocalAddress } from './network/networkState.ts';
import { modelsChangeAt, modelsVerdict, type HealthVerdict, type ModelHealth, type ModelHealths } from './modelHealth.ts';
import { LastHour, type LastHourState } from './stats/lastHour.ts';
import { createUptime, type Uptime, type UptimeState } from './stats/uptime.ts';
import { createSlidingWindow, windowMs, type SlidingWindow, type WindowState, type WindowSummary } from './stats/slidingWindow.ts';

/** What is remembered of one endpoint besides its statistics: plain values that can be copied. */
interface Notes {
  /** The last failure of the endpoint itself; undefined once something succeeded since. */
  unresolved: { readonly failureClass: FailureClass; readonly at: number; readonly kind: Outcome['kind']; readonly mayBeLink: boolean } | undefined;
  /** The last probe showed that the endpoint cannot be used, and nothing has succeeded since. */
  probeFailed: boolean;
  /** The last probe failed with a class that counts for a breaker. */
  probeBroken: boolean;
  /** Failures of the endpoint itself, rate limits excluded, since something succeeded. */
  failuresSinceSuccess: number;
  lastSuccessAt: number;
  lastError: EndpointHealthReport['lastError'];
  lastErrorMayBeLink: boolean;
  lastCheckedAt: number | undefined;
}

/** What is remembered of one endpoint. */
export interface EndpointHealth {
  config: BreakerConfig;
  local: boolean;
  /** Endpoints at the same host are one piece of evidence about the network. */
  host: string;
  /** The breaker of the connection. What a model does counts for the model's own breaker. */
  breaker: Breaker;
  /** Attempts that entered and have not ended. */
  inFlight: number;
  /** The model whose attempt is the endpoint's trial. */
  trialModel: string | undefined;
  readonly models: ModelHealths;
  readonly cooldowns: Cooldowns;
  /** Outcomes and latencies of the last ten minutes. */
  readonly slidingWindow: SlidingWindow;
  readonly lastHour: LastHour;
  readonly uptime: Uptime;
  notes: Notes;
  /** Failures up to then were forgotten because a person said so; what peers observed before does not count any more. */
  resetAt: number;
  /** Restored after fault injection: outcomes of altered attempts that still run are ignored. */
  drillOver: boolean;
}

/** An endpoint is degraded from this share of failed attempts on, once there are at least so many. */
const degradedErrorRate = 0.1;
const degradedOutcomes = 5;

export function newEndpointHealth(name: string, endpoint: HealthReading, options: { random: Random; startedAt: number }): EndpointHealth {
  return {
    config: endpoint.breaker, local: isLocal(endpoint), host: hostOfEndpoint(name, endpoint), breaker: newBreaker(), inFlight: 0, trialModel: undefined,
    models: new Map(), cooldowns: createCooldowns(options.random), slidingWindow: createSlidingWindow(), lastHour: new LastHour(), uptime: createUptime(options.startedAt),
    notes: {
      unresolved: undefined, probeFailed: false, probeBroken: false, failuresSinceSuccess: 0, lastSuccessAt: -Infinity,
      lastError: undefined, lastErrorMayBeLink: false, lastCheckedAt: undefined,
    },
    resetAt: -Infinity,
    drillOver: false,
  };
}

/** Takes over a changed configuration; history is kept. */
export function reconfigure(health: EndpointHealth, name: string, endpoint: HealthReading): void {
  health.config = endpoint.breaker;
  health.local = isLocal(endpoint);
  health.host = hostOfEndpoint(name, endpoint);
}

function isLocal(endpoint: HealthReading): boolean {
  return endpoint.provider?.local === true || (endpoint.baseUrl !== undefined && isLocalAddress(endpoint.baseUrl));
}

function hostOfEndpoint(name: string, { baseUrl }: HealthReading): string {
  return (baseUrl === undefined ? undefined : hostOf(baseUrl)) ?? name;
}

/** Whether a failure is the endpoint's fault. One of the request proves at least that something answered. */
function endpointsFault(failureClass: FailureClass): boolean {
  return countsForBreaker(failureClass) || failureClass === 'rate-limit' || failureClass === 'quota' || failureClass === 'auth';
}

function unreachable(failureClass: FailureClass): boolean {
  return failureClass === 'network' || failureClass === 'timeout';
}

/** Whether a good probe disproves a failure: one of a probe, an unreachable endpoint or a rejected key. Failed prompts stand. */
function probeResolves(failure: { failureClass: FailureClass; kind: Outcome['kind'] }): boolean {
  return failure.kind === 'probe' || unreachable(failure.failureClass) || failure.failureClass === 'auth';
}

/** Applies an outcome to everything but the breakers. */
export function remember(health: EndpointHealth, outcome: Outcome): void {
  const { notes } = health;
  const { failureClass, at, kind } = outcome;
  notes.lastCheckedAt = Math.max(at, notes.lastCheckedAt ?? at);
  if (kind === 'probe') notes.probeBroken = failureClass !== undefined && countsForBreaker(failureClass);
  if (failureClass === undefined) {
    if (kind === 'traffic') {
      health.slidingWindow.add(at, true, outcome.firstTokenMs, outcome.totalMs);
      health.lastHour.add(at, true);
      health.cooldowns.succeeded(outcome.model, outcome.startedAt);
    }
    notes.lastSuccessAt = Math.max(notes.lastSuccessAt, at);
    if (notes.unresolved !== undefined && at < notes.unresolved.at) return;
    if (kind === 'traffic' || notes.unresolved === undefined || probeResolves(notes.unresolved)) notes.unresolved = undefined;
    notes.probeFailed = false;
    notes.failuresSinceSuccess = 0;
    return;
  }
  const fault = endpointsFault(failureClass);
  if ((fault || failureClass === 'model-not-found') && (notes.lastError === undefined || at >= notes.lastError.at)) {
    notes.lastError = { at, failureClass, message: outcome.message ?? failureClass, ...(outcome.status === undefined ? {} : { status: outcome.status }) };
    notes.lastErrorMayBeLink = mayBeLink(outcome);
  }
  const { scope } = outcome;
  const isRefused = scope === 'endpoint' || scope === 'model';
  if (isRefused) health.cooldowns.refused(scope === 'model' ? outcome.model : undefined, failureClass, at);
  if (!fault || outcome.keyScoped === true || scope === 'model') {
    // An answer about the request or the key shows that the endpoint can be reached.
    if (notes.unresolved !== undefined && unreachable(notes.unresolved.failureClass)) notes.unresolved = undefined;
    return;
  }
  if (!isRefused) health.cooldowns.failed({ failureClass, model: outcome.model, retryAfterMs: outcome.retryAfterMs, at, foreign: outcome.foreign, byModel: scope === 'key-model' });
  if (kind === 'traffic') {
    health.slidingWindow.add(at, false, undefined, undefined);
    health.lastHour.add(at, false);
  }
  if (at < notes.lastSuccessAt) return;
  if (kind === 'probe') notes.probeFailed = unreachable(failureClass) || failureClass === 'auth';
  notes.unresolved = { failureClass, at, kind, mayBeLink: mayBeLink(outcome) };
  if (failureClass !== 'rate-limit') notes.failuresSinceSuccess += 1;
}

/** Takes back the effects of failures since `from` that the machine's own network may have caused. */
export function forgive(health: EndpointHealth, from: number, at: number): void {
  const { notes } = health;
  health.breaker = forgiveLinkFailures(health.breaker, from);
  for (const model of health.models.values()) model.breaker = forgiveLinkFailures(model.breaker, from);
  health.slidingWindow.forgive(from);
  if (notes.unresolved !== undefined && notes.unresolved.at >= from && notes.unresolved.mayBeLink) {
    notes.unresolved = undefined;
    notes.probeFailed = false;
    notes.probeBroken = false;
    notes.failuresSinceSuccess = 0;
  }
  if (notes.lastError !== undefined && notes.lastError.at >= from && notes.lastErrorMayBeLink) notes.lastError = undefined;
  health.uptime.skip(from, at);
}

/** Forgets failures: breakers are closed, cooldowns are over, and nothing is unresolved. What was measured stays. */
export function forgetFailures(health: EndpointHealth, at: number): void {
  // The latest reset holds, an earlier moment too: the clock may have run ahead at the one before.
  health.resetAt = at;
  health.breaker = newBreaker();
  for (const model of health.models.values()) model.breaker = newBreaker();
  health.cooldowns.restore({ endpoint: { inARow: 0 }, models: [] });
  Object.assign(health.notes, { unresolved: undefined, probeFailed: false, probeBroken: false, failuresSinceSuccess: 0 });
}

/** The verdict on the endpoint as a whole, from its own breaker and those of its models. */
export function endpointVerdict(health: EndpointHealth, now: number): HealthVerdict {
  const { breaker } = health;
  if (breaker.state === 'open') return { breaker: 'open', until: openUntil(breaker, now), named: breaker };
  const models = modelsVerdict(health.models, now);
  return models.breaker === 'closed' && breaker.state === 'half-open' ? { breaker: 'half-open', named: breaker } : models;
}

export function isDown(health: EndpointHealth, now: number, breaker: BreakerState = endpointVerdict(health, now).breaker): boolean {
  const { notes } = health;
  if (breaker === 'half-open') return false;
  if (breaker === 'open' || notes.probeFailed || notes.unresolved?.failureClass === 'network') return true;
  return notes.failuresSinceSuccess >= 2 && !health.slidingWindow.succeededLately(now);
}

export function stateOf(health: EndpointHealth, breaker: BreakerState, summary: WindowSummary, now: number): HealthState {
  const { notes } = health;
  if (notes.lastCheckedAt === undefined) return 'unknown';
  if (isDown(health, now, breaker)) return 'down';
  if (breaker === 'half-open') return 'degraded';
  const failing = notes.unresolved !== undefined && notes.unresolved.at > now - windowMs;
  const unreliable = summary.outcomes >= degradedOutcomes && (summary.errorRate ?? 0) >= degradedErrorRate;
  return failing || unreliable || health.cooldowns.anyCoolingDown(now) !== undefined ? 'degraded' : 'healthy';
}

/** When the endpoint may be tried again: the later of its breaker's and its cooldown's end; undefined when neither is to come. */
export function retryAt(health: EndpointHealth, verdict: HealthVerdict, now: number): number | undefined {
  const cooldown = health.cooldowns.coolingDown(undefined, now)?.until ?? now;
  const latest = Math.max(cooldown, verdict.until ?? now);
  return latest > now ? latest : undefined;
}

/** When the endpoint's report changes by time alone, in milliseconds since the epoch; Infinity: never. */
export function changesAt(health: EndpointHealth, now: number): number {
  const failingUntil = health.notes.unresolved === undefined ? 0 : health.notes.unresolved.at + windowMs;
  return Math.min(
    health.slidingWindow.changesAt(now), health.lastHour.changesAt(now), health.cooldowns.changesAt(now), modelsChangeAt(health.models, now),
    openUntil(health.breaker, now) ?? Infinity, failingUntil > now ? failingUntil : Infinity,
  );
}

/** All that is known of an endpoint, as values, without the attempts under way. */
export interface EndpointHealthSnapshot {
  readonly breaker: Breaker;
  readonly models: readonly (readonly [name: string, model: Readonly<ModelHealth>])[];
  readonly cooldowns: CooldownState;
  readonly slidingWindow: WindowState;
  readonly lastHour: LastHourState | undefined;
  readonly uptime: UptimeState;
  readonly notes: Readonly<Notes>;
}

export function snapshotEndpointHealth(health: EndpointHealth): EndpointHealthSnapshot {
  return {
    breaker: health.breaker, models: [...health.models].map(([name, model]) => [name, { ...model }] as const),
    cooldowns: health.cooldowns.snapshot(), slidingWindow: health.slidingWindow.snapshot(), lastHour: health.lastHour.snapshot(), uptime: health.uptime.snapshot(), notes: { ...health.notes },
  };
}

/** Restores a snapshot. A trial that was under way then and has ended since is released. */
export function restoreEndpointHealth(health: EndpointHealth, snapshot: EndpointHealthSnapshot): void {
  health.breaker = restoredBreaker(health.breaker, snapshot.breaker);
  const running = new Map(health.models);
  health.models.clear();
  for (const [name, before] of snapshot.models) {
    const model = running.get(name);
    health.models.set(name, { ...before, breaker: restoredBreaker(model?.breaker, before.breaker), inFlight: model?.inFlight ?? 0 });
    running.delete(name);
  }
  for (const [name, model] of running) if (model.inFlight > 0) health.models.set(name, { ...model, breaker: newBreaker() });
  health.cooldowns.restore(snapshot.cooldowns);
  health.slidingWindow.restore(snapshot.slidingWindow);
  health.lastHour.restore(snapshot.lastHour);
  health.uptime.restore(snapshot.uptime);
  health.notes = { ...snapshot.notes };
}

function restoredBreaker(current: Breaker | undefined, before: Breaker): Breaker {
  const sameTrial = before.state === 'half-open' && current?.state === 'half-open' && current.trialSince === before.trialSince;
  return sameTrial ? before : releaseTrial(before);
}
