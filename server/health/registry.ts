import type { Random } from '../base/clock.ts';
import { admit, enterEndpoint, bestUnavailableOf } from './admission.ts';
import type { EndpointHealthReport, HealthSnapshot, NetworkAwareHealthRegistry, Outcome } from './healthReader.ts';
import { changesAt, forgetFailures, forgive, isDown, newEndpointHealth, reconfigure, remember, restoreEndpointHealth, retryAt, snapshotEndpointHealth, stateOf, endpointVerdict, type EndpointHealth, type EndpointHealthSnapshot } from './endpointHealth.ts';
import type { NetworkTrouble } from './network/networkState.ts';
import { createNetworkTracker } from './network/networkTracker.ts';
import { modelBreakers } from './modelHealth.ts';
import { endedTrials, noTrials, releaseTrials, isNoEvidence, applyToBreakers } from './applyOutcome.ts';

/**
 * The health of all endpoints. It reads neither clock nor chance itself: time comes with each call, chance from `random`.
 *
 * An endpoint has a breaker for the connection to it, and each model there has a breaker of its own for its answers.
 *
 * States: `unknown` without an outcome; `down` when the endpoint as a whole is kept away (its own breaker is open, or
 * those of most models lately used there), when it could not be reached the last time (at once, at the first refused
 * connection: long before the breaker opens), when its last probe failed by network, timeout or key, when it failed
 * twice or more and nothing went well lately, or when the machine itself is cut off from it; `degraded` when a breaker
 * is not closed, the last attempt failed, one attempt in ten fails, or it cools down after a rate limit or overload; else
 * `healthy`.
 *
 * @param options.startedAt when observation began, in milliseconds since the epoch
 */
export function createHealthRegistry(options: { random: Random; startedAt: number }): NetworkAwareHealthRegistry {
  const healthByEndpoint = new Map<string, EndpointHealth>();
  const snapshots = new WeakMap<HealthSnapshot, EndpointHealthSnapshot>();
  const tracker = createNetworkTracker();
  let anyRemote = false;

  function troubleAt(health: EndpointHealth): NetworkTrouble | undefined {
    return health.local ? undefined : tracker.trouble();
  }

  /** Network trouble was detected: the failures it caused before are taken back. @param from undefined: no trouble began */
  function takeBack(from: number | undefined, at: number): void {
    if (from === undefined) return;
    for (const health of healthByEndpoint.values()) {
      if (health.local) continue;
      forgive(health, from, at);
      if (health.notes.lastCheckedAt !== undefined) health.uptime.mark(undefined, at);
    }
  }

  function releaseEndpoint(health: EndpointHealth, model: string | undefined): void {
    if (health.inFlight > 0) health.inFlight -= 1;
    const known = model === undefined ? undefined : health.models.get(model);
    if (known !== undefined && known.inFlight > 0) known.inFlight -= 1;
  }

  function applyOutcome(health: EndpointHealth, outcome: Outcome): void {
    const { model, at } = outcome;
    if (outcome.foreign === true && at <= health.resetAt) return;
    const entered = outcome.kind === 'traffic' && outcome.foreign !== true;
    if (entered) releaseEndpoint(health, model);
    const ended = entered ? endedTrials(health, model, outcome.trial) : noTrials;
    if (isNoEvidence(outcome) || (outcome.drill === true && health.drillOver)) {
      releaseTrials(health, model, ended);
      return;
    }
    if (!health.local) takeBack(tracker.observe(outcome, health.host), at);
    if (tracker.isOwnFault(outcome, health.local)) {
      releaseTrials(health, model, ended);
      health.notes.lastCheckedAt = Math.max(at, health.notes.lastCheckedAt ?? at);
    } else {
      applyToBreakers(health, outcome, ended);
      remember(health, outcome);
    }
    health.uptime.mark(troubleAt(health) === undefined ? isDown(health, at) : undefined, at);
  }

  function healthOf(health: EndpointHealth, now: number): EndpointHealthReport {
    const summary = health.slidingWindow.summary(now);
    const verdict = endpointVerdict(health, now);
    const trouble = troubleAt(health);
    const models = modelBreakers(health.models, now);
    const downtime = health.uptime.downtime();
    const latestHour = health.lastHour.latest(now);
    const own = stateOf(health, verdict.breaker, summary, now);
    const state = trouble !== undefined ? 'down' : own === 'healthy' && models !== undefined ? 'degraded' : own;
    if (health.notes.lastCheckedAt !== undefined) health.uptime.mark(trouble === undefined ? state === 'down' : undefined, now);
    return {
      state,
      breaker: verdict.breaker,
      ...(models === undefined ? {} : { modelBreakers: models }),
      ...(trouble === undefined ? {} : { offline: trouble.kind }),
      ...(downtime === undefined ? {} : { downtime }),
      ...(latestHour === undefined ? {} : { latestHour }),
      ...(summary.outcomes === 0 ? {} : { answered: summary.outcomes - summary.failures }),
      retryAt: retryAt(health, verdict, now),
      firstToken: summary.firstToken,
      total: summary.total,
      errorRate: summary.errorRate,
      uptime: health.uptime.share(now),
      lastError: health.notes.lastError,
      lastCheckedAt: health.notes.lastCheckedAt,
    };
  }

  const networkTrouble = (): NetworkTrouble | undefined => (anyRemote ? tracker.trouble() : undefined);

  return {
    configure(endpoints) {
      for (const name of healthByEndpoint.keys()) if (!endpoints.has(name)) healthByEndpoint.delete(name);
      for (const [name, endpoint] of endpoints) {
        const known = healthByEndpoint.get(name);
        if (known === undefined) healthByEndpoint.set(name, newEndpointHealth(name, endpoint, options));
        else reconfigure(known, name, endpoint);
      }
      anyRemote = [...healthByEndpoint.values()].some((health) => !health.local);
    },

    record(outcome) {
      const health = healthByEndpoint.get(outcome.endpoint);
      if (health !== undefined) applyOutcome(health, outcome);
    },

    admission(endpoint, model, now) {
      const health = healthByEndpoint.get(endpoint);
      return health === undefined ? { admitted: true, trial: false } : admit(health, model, now);
    },

    enter(endpoint, model, now, how) {
      const health = healthByEndpoint.get(endpoint);
      return health === undefined ? { admitted: true, trial: false } : enterEndpoint(health, model, now, how?.force === true);
    },

    release(endpoint, model, trial) {
      const health = healthByEndpoint.get(endpoint);
      if (health === undefined) return;
      releaseEndpoint(health, model);
      releaseTrials(health, model, endedTrials(health, model, trial));
    },

    bestUnavailable: (candidates, now) => bestUnavailableOf(candidates, (endpoint) => healthByEndpoint.get(endpoint), now),

    health(endpoint, now) {
      const health = healthByEndpoint.get(endpoint);
      return health === undefined ? { state: 'unknown', breaker: 'closed' } : healthOf(health, now);
    },

    reset(endpoint, at) {
      const health = healthByEndpoint.get(endpoint);
      if (health === undefined) return;
      forgetFailures(health, at);
      if (health.notes.lastCheckedAt !== undefined) health.uptime.mark(troubleAt(health) === undefined ? isDown(health, at) : undefined, at);
    },

    inFlight: (endpoint) => healthByEndpoint.get(endpoint)?.inFlight ?? 0,

    changesAt(endpoint, now) {
      const health = healthByEndpoint.get(endpoint);
      return health === undefined ? Infinity : changesAt(health, now);
    },

    networkTrouble,
    isOffline(endpoint) {
      const health = healthByEndpoint.get(endpoint);
      return health !== undefined && troubleAt(health) !== undefined;
    },
    reportInterfaces(present, at) { takeBack(tracker.reportInterfaces(present, at), at); },
    slept(from, to) {
      tracker.slept(to);
      for (const health of healthByEndpoint.values()) forgive(health, from, to);
    },

    snapshotOf(endpoint) {
      const health = healthByEndpoint.get(endpoint);
      if (health === undefined) return undefined;
      health.drillOver = false;
      const snapshot: HealthSnapshot = { endpoint };
      snapshots.set(snapshot, snapshotEndpointHealth(health));
      return snapshot;
    },
    restore(endpoint, snapshot) {
      const health = healthByEndpoint.get(endpoint);
      const before = snapshots.get(snapshot);
      if (health === undefined || before === undefined || snapshot.endpoint !== endpoint) return;
      restoreEndpointHealth(health, before);
      health.drillOver = true;
    },
  };
}
