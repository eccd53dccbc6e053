import type { FailureClass } from '../api/failure.ts';
import type { HealthState } from '../api/status.ts';
import type { Random } from '../base/clock.ts';
import type { BreakerConfig } from '../config/config.ts';
import type { Admission, EndpointHealth, HealthBoard, Outcome, WatchedEndpoint } from './board.ts';
import { breakerAdmission, countsForBreaker, forgiveLinkFailures, newBreaker, openUntil, releaseTrial, settleBreaker, takeTrial, type Breaker } from './breaker.ts';
import { createCooldowns, restReason, type Cooldowns } from './cooldown.ts';
import { isLocalAddress, observeInterfaces, observeLink, onlineLink, type LinkEvidence, type LinkState } from './linkState.ts';
import { createUptime, type Uptime } from './uptime.ts';
import { createOutcomeWindow, windowMs, type OutcomeWindow, type WindowSummary } from './window.ts';

/** A board that also knows whether the machine itself is cut off. */
export interface LinkAwareHealthBoard extends HealthBoard {
  /** Since when the machine is taken to be offline; undefined while it is not. */
  offlineSince(): number | undefined;
  /** Tells whether the operating system has any network interface besides loopback. */
  reportInterfaces(present: boolean, at: number): void;
}

/** What is remembered of one endpoint. */
interface Watch {
  config: BreakerConfig;
  local: boolean;
  breaker: Breaker;
  /** Attempts that entered and have not ended. */
  inFlight: number;
  readonly cooldowns: Cooldowns;
  readonly window: OutcomeWindow;
  readonly uptime: Uptime;
  /** The last failure of the endpoint itself, while nothing has gone well since. */
  unresolved: { failureClass: FailureClass; at: number; kind: Outcome['kind'] } | undefined;
  /** The last probe failed so that the endpoint cannot be used, and nothing has gone well since. */
  probeFailed: boolean;
  /** Failures of the endpoint itself, rate limits apart, since something went well. */
  failuresSinceSuccess: number;
  lastSuccessAt: number;
  lastError: EndpointHealth['lastError'];
  lastCheckedAt: number | undefined;
}

/** From this share of failed attempts on, among at least so many, an endpoint is no longer healthy. */
const degradedErrorRate = 0.1;
const degradedOutcomes = 5;

/**
 * The health of all endpoints. Nothing is read from outside: time comes with each call, chance from `random`.
 *
 * States: `unknown` without an outcome; `down` when the breaker is open, when the endpoint could not be reached the last
 * time (at once, at the first refused connection: long before the breaker opens), when its last probe failed by network,
 * timeout or key, or when it failed twice or more and nothing went well lately; `degraded` when the breaker is half-open,
 * the last attempt failed, one attempt in ten fails, or a rate limit or overload makes it rest; else `healthy`.
 *
 * @param options.startedAt when watching began, in milliseconds since the epoch
 */
export function createHealthBoard(options: { random: Random; startedAt: number }): LinkAwareHealthBoard {
  const watches = new Map<string, Watch>();
  let link: LinkState = onlineLink;

  function newWatch(endpoint: WatchedEndpoint): Watch {
    return {
      config: endpoint.breaker, local: isLocal(endpoint), breaker: newBreaker(), inFlight: 0,
      cooldowns: createCooldowns(options.random), window: createOutcomeWindow(), uptime: createUptime(options.startedAt),
      unresolved: undefined, probeFailed: false, failuresSinceSuccess: 0, lastSuccessAt: -Infinity, lastError: undefined, lastCheckedAt: undefined,
    };
  }

  function setLink(next: LinkState): void {
    if (link.state === 'online' && next.state === 'offline') {
      for (const watch of watches.values()) if (!watch.local) watch.breaker = forgiveLinkFailures(watch.breaker, next.since);
    }
    link = next;
  }

  function admit(watch: Watch, model: string | undefined, now: number): Admission {
    const admission = breakerAdmission(watch.breaker, watch.inFlight, now);
    const rest = watch.cooldowns.resting(model, now);
    if (rest === undefined || (!admission.admitted && admission.retryAt >= rest.until)) return admission;
    return { admitted: false, reason: restReason(rest, now), retryAt: rest.until };
  }

  function endTrial(watch: Watch): void {
    watch.breaker = releaseTrial(watch.breaker);
  }

  function settle(watch: Watch, outcome: Outcome, trial: boolean): void {
    const { failureClass, at, kind, message } = outcome;
    // Other windows' outcomes arrive late: what happened before the last success is settled.
    if (outcome.foreign === true && at < watch.lastSuccessAt) return;
    const linkFault = link.state === 'offline' && !watch.local && (failureClass === 'network' || failureClass === 'timeout');
    if (linkFault) {
      if (trial) endTrial(watch);
    } else {
      watch.breaker = settleBreaker(watch.breaker, watch.config, { at, kind, trial, failureClass, message, foreign: outcome.foreign });
    }
  }

  return {
    configure(endpoints) {
      for (const name of watches.keys()) if (!endpoints.has(name)) watches.delete(name);
      for (const [name, endpoint] of endpoints) {
        const known = watches.get(name);
        if (known === undefined) {
          watches.set(name, newWatch(endpoint));
        } else {
          known.config = endpoint.breaker;
          known.local = isLocal(endpoint);
        }
      }
    },

    record(outcome) {
      const watch = watches.get(outcome.endpoint);
      if (watch === undefined) return;
      const entered = outcome.kind === 'traffic' && outcome.foreign !== true;
      if (entered && watch.inFlight > 0) watch.inFlight -= 1;
      const trial = entered && outcome.trial !== false && trialUnderWay(watch.breaker);
      if (outcome.failureClass === 'cancelled') {
        if (trial) endTrial(watch);
        return;
      }
      if (!watch.local) setLink(observeLink(link, outcome.endpoint, linkEvidence(outcome), outcome.at));
      settle(watch, outcome, trial);
      remember(watch, outcome);
      watch.uptime.mark(isDown(watch, outcome.at), outcome.at);
    },

    admission(endpoint, model, now) {
      const watch = watches.get(endpoint);
      return watch === undefined ? { admitted: true, trial: false } : admit(watch, model, now);
    },

    enter(endpoint, model, now) {
      const watch = watches.get(endpoint);
      if (watch === undefined) return { admitted: true, trial: false };
      const admission = admit(watch, model, now);
      if (!admission.admitted) return admission;
      watch.inFlight += 1;
      if (admission.trial) watch.breaker = takeTrial(watch.breaker, now);
      return admission;
    },

    release(endpoint, _model, trial) {
      const watch = watches.get(endpoint);
      if (watch === undefined) return;
      if (watch.inFlight > 0) watch.inFlight -= 1;
      if (trial !== false) endTrial(watch);
    },

    health(endpoint, now) {
      const watch = watches.get(endpoint);
      if (watch === undefined) return { state: 'unknown', breaker: 'closed' };
      const summary = watch.window.summary(now);
      const state = stateOf(watch, summary, now);
      if (watch.lastCheckedAt !== undefined) watch.uptime.mark(state === 'down', now);
      return {
        state,
        breaker: watch.breaker.state,
        retryAt: retryAt(watch, now),
        firstToken: summary.firstToken,
        total: summary.total,
        errorRate: summary.errorRate,
        uptime: watch.uptime.share(now),
        lastError: watch.lastError,
        lastCheckedAt: watch.lastCheckedAt,
      };
    },

    offlineSince: () => (link.state === 'offline' ? link.since : undefined),
    reportInterfaces(present, at) { setLink(observeInterfaces(link, present, at)); },
  };
}

function isLocal(endpoint: WatchedEndpoint): boolean {
  return endpoint.provider?.local === true || (endpoint.baseUrl !== undefined && isLocalAddress(endpoint.baseUrl));
}

function trialUnderWay(breaker: Breaker): boolean {
  return breaker.state === 'half-open' && breaker.trialSince !== undefined;
}

function linkEvidence({ failureClass, networkKind }: Outcome): LinkEvidence {
  switch (failureClass) {
    case 'network':
      if (networkKind === 'refused' || networkKind === 'reset' || networkKind === 'tls') return 'none';
      return 'unreachable';
    case 'timeout': case 'cancelled': return 'none';
    default: return 'answered';
  }
}

/** Whose fault a failure is: the endpoint's, or the request's (which proves at least that something answered). */
function endpointsFault(failureClass: FailureClass): boolean {
  return countsForBreaker(failureClass) || failureClass === 'rate-limit' || failureClass === 'quota' || failureClass === 'auth';
}

function unreachable(failureClass: FailureClass): boolean {
  return failureClass === 'network' || failureClass === 'timeout';
}

/** A probe that goes well takes back what probes found, unreachability and bad keys; prompts that failed stand. */
function probeResolves(failure: { failureClass: FailureClass; kind: Outcome['kind'] }): boolean {
  return failure.kind === 'probe' || unreachable(failure.failureClass) || failure.failureClass === 'auth';
}

/** Writes an outcome into everything but the breaker. */
function remember(watch: Watch, outcome: Outcome): void {
  const { failureClass, at, kind } = outcome;
  watch.lastCheckedAt = Math.max(at, watch.lastCheckedAt ?? at);
  if (failureClass === undefined) {
    if (kind === 'traffic') {
      watch.window.add(at, true, outcome.firstTokenMs, outcome.totalMs);
      watch.cooldowns.succeeded(outcome.model);
    }
    watch.lastSuccessAt = Math.max(watch.lastSuccessAt, at);
    if (watch.unresolved !== undefined && at < watch.unresolved.at) return;
    if (kind === 'traffic' || watch.unresolved === undefined || probeResolves(watch.unresolved)) watch.unresolved = undefined;
    watch.probeFailed = false;
    watch.failuresSinceSuccess = 0;
    return;
  }
  const known = watch.lastError;
  const fault = endpointsFault(failureClass);
  if ((fault || failureClass === 'model-not-found') && (known === undefined || at >= known.at)) {
    watch.lastError = { at, failureClass, message: outcome.message ?? failureClass };
  }
  if (!fault || outcome.keyScoped === true) {
    // It answered: whatever was wrong with the request or the key, the endpoint can be reached.
    if (watch.unresolved !== undefined && unreachable(watch.unresolved.failureClass)) watch.unresolved = undefined;
    return;
  }
  watch.cooldowns.failed({ failureClass, model: outcome.model, retryAfterMs: outcome.retryAfterMs, at, foreign: outcome.foreign });
  if (kind === 'traffic') watch.window.add(at, false, undefined, undefined);
  if (at < watch.lastSuccessAt) return;
  if (kind === 'probe') watch.probeFailed = unreachable(failureClass) || failureClass === 'auth';
  watch.unresolved = { failureClass, at, kind };
  if (failureClass !== 'rate-limit') watch.failuresSinceSuccess += 1;
}

function isDown(watch: Watch, now: number): boolean {
  if (watch.breaker.state === 'half-open') return false;
  if (watch.breaker.state === 'open' || watch.probeFailed || watch.unresolved?.failureClass === 'network') return true;
  return watch.failuresSinceSuccess >= 2 && !watch.window.succeededLately(now);
}

function stateOf(watch: Watch, summary: WindowSummary, now: number): HealthState {
  if (watch.lastCheckedAt === undefined) return 'unknown';
  if (isDown(watch, now)) return 'down';
  if (watch.breaker.state === 'half-open') return 'degraded';
  const failing = watch.unresolved !== undefined && watch.unresolved.at > now - windowMs;
  const unreliable = summary.outcomes >= degradedOutcomes && (summary.errorRate ?? 0) >= degradedErrorRate;
  return failing || unreliable || watch.cooldowns.anyResting(now) !== undefined ? 'degraded' : 'healthy';
}

/** The later of the breaker's moment and the endpoint's own rest, when still to come. */
function retryAt(watch: Watch, now: number): number | undefined {
  const rest = watch.cooldowns.resting(undefined, now)?.until ?? now;
  const latest = Math.max(rest, openUntil(watch.breaker, now) ?? now);
  return latest > now ? latest : undefined;
}
