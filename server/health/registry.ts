import type { Random } from '../base/clock.ts';
import { admit, enterWatch, leastBadOf } from './admission.ts';
import type { EndpointHealth, HealthSnapshot, LinkAwareHealthBoard, Outcome } from './healthReader.ts';
import { forgive, isDown, newWatch, reconfigure, remember, restoreWatch, retryAt, snapshotWatch, stateOf, wholeBreaker, type Watch, type WatchSnapshot } from './endpointHealth.ts';
import type { LinkTrouble } from './network/networkState.ts';
import { createLinkTracker } from './network/networkTracker.ts';
import { modelBreakers } from './modelHealth.ts';
import { endedTrials, noTrials, releaseTrials, saysNothing, settleBreakers } from './applyOutcome.ts';

/**
 * The health of all endpoints. Nothing is read from outside: time comes with each call, chance from `random`.
 *
 * An endpoint has a breaker, for the way to it, and each model there has one of its own, for what it does.
 *
 * States: `unknown` without an outcome; `down` when the endpoint as a whole is kept away (its own breaker is open, or
 * those of most models lately used there), when it could not be reached the last time (at once, at the first refused
 * connection: long before the breaker opens), when its last probe failed by network, timeout or key, when it failed
 * twice or more and nothing went well lately, or when the machine itself is cut off from it; `degraded` when a breaker
 * is not closed, the last attempt failed, one attempt in ten fails, or a rate limit or overload makes it rest; else
 * `healthy`.
 *
 * @param options.startedAt when watching began, in milliseconds since the epoch
 */
export function createHealthBoard(options: { random: Random; startedAt: number }): LinkAwareHealthBoard {
  const watches = new Map<string, Watch>();
  const snapshots = new WeakMap<HealthSnapshot, WatchSnapshot>();
  const tracker = createLinkTracker();
  let anyRemote = false;

  function troubleAt(watch: Watch): LinkTrouble | undefined {
    return watch.local ? undefined : tracker.trouble();
  }

  /** Trouble began: what it did before it was known for what it is, is taken back. */
  function takeBack(from: number | undefined, at: number): void {
    if (from === undefined) return;
    for (const watch of watches.values()) {
      if (watch.local) continue;
      forgive(watch, from, at);
      if (watch.notes.lastCheckedAt !== undefined) watch.uptime.mark(undefined, at);
    }
  }

  function leave(watch: Watch, model: string | undefined): void {
    if (watch.inFlight > 0) watch.inFlight -= 1;
    const known = model === undefined ? undefined : watch.models.get(model);
    if (known !== undefined && known.inFlight > 0) known.inFlight -= 1;
  }

  function settle(watch: Watch, outcome: Outcome): void {
    const { model, at } = outcome;
    const entered = outcome.kind === 'traffic' && outcome.foreign !== true;
    if (entered) leave(watch, model);
    const ended = entered ? endedTrials(watch, model, outcome.trial) : noTrials;
    if (saysNothing(outcome) || (outcome.drill === true && watch.drillOver)) {
      releaseTrials(watch, model, ended);
      return;
    }
    if (!watch.local) takeBack(tracker.observe(outcome, watch.host), at);
    if (tracker.isOwnFault(outcome, watch.local)) {
      releaseTrials(watch, model, ended);
      watch.notes.lastCheckedAt = Math.max(at, watch.notes.lastCheckedAt ?? at);
    } else {
      settleBreakers(watch, outcome, ended);
      remember(watch, outcome);
    }
    watch.uptime.mark(troubleAt(watch) === undefined ? isDown(watch, at) : undefined, at);
  }

  function healthOf(watch: Watch, now: number): EndpointHealth {
    const summary = watch.window.summary(now);
    const verdict = wholeBreaker(watch, now);
    const trouble = troubleAt(watch);
    const models = modelBreakers(watch.models, now);
    const downtime = watch.uptime.downtime();
    const own = stateOf(watch, verdict.breaker, summary, now);
    const state = trouble !== undefined ? 'down' : own === 'healthy' && models !== undefined ? 'degraded' : own;
    if (watch.notes.lastCheckedAt !== undefined) watch.uptime.mark(trouble === undefined ? state === 'down' : undefined, now);
    return {
      state,
      breaker: verdict.breaker,
      ...(models === undefined ? {} : { modelBreakers: models }),
      ...(trouble === undefined ? {} : { cutOff: trouble.kind }),
      ...(downtime === undefined ? {} : { downtime }),
      ...(summary.outcomes === 0 ? {} : { answered: summary.outcomes - summary.failures }),
      retryAt: retryAt(watch, verdict, now),
      firstToken: summary.firstToken,
      total: summary.total,
      errorRate: summary.errorRate,
      uptime: watch.uptime.share(now),
      lastError: watch.notes.lastError,
      lastCheckedAt: watch.notes.lastCheckedAt,
    };
  }

  const linkTrouble = (): LinkTrouble | undefined => (anyRemote ? tracker.trouble() : undefined);

  return {
    configure(endpoints) {
      for (const name of watches.keys()) if (!endpoints.has(name)) watches.delete(name);
      for (const [name, endpoint] of endpoints) {
        const known = watches.get(name);
        if (known === undefined) watches.set(name, newWatch(name, endpoint, options));
        else reconfigure(known, name, endpoint);
      }
      anyRemote = [...watches.values()].some((watch) => !watch.local);
    },

    record(outcome) {
      const watch = watches.get(outcome.endpoint);
      if (watch !== undefined) settle(watch, outcome);
    },

    admission(endpoint, model, now) {
      const watch = watches.get(endpoint);
      return watch === undefined ? { admitted: true, trial: false } : admit(watch, model, now);
    },

    enter(endpoint, model, now, how) {
      const watch = watches.get(endpoint);
      return watch === undefined ? { admitted: true, trial: false } : enterWatch(watch, model, now, how?.force === true);
    },

    release(endpoint, model, trial) {
      const watch = watches.get(endpoint);
      if (watch === undefined) return;
      leave(watch, model);
      releaseTrials(watch, model, endedTrials(watch, model, trial));
    },

    leastBad: (candidates, now) => leastBadOf(candidates, (endpoint) => watches.get(endpoint), now),

    health(endpoint, now) {
      const watch = watches.get(endpoint);
      return watch === undefined ? { state: 'unknown', breaker: 'closed' } : healthOf(watch, now);
    },

    linkTrouble,
    offlineSince: () => linkTrouble()?.since,
    cutOff(endpoint) {
      const watch = watches.get(endpoint);
      return watch !== undefined && troubleAt(watch) !== undefined;
    },
    reportInterfaces(present, at) { takeBack(tracker.reportInterfaces(present, at), at); },
    slept(from, to) {
      tracker.slept(to);
      for (const watch of watches.values()) forgive(watch, from, to);
    },

    snapshotOf(endpoint) {
      const watch = watches.get(endpoint);
      if (watch === undefined) return undefined;
      watch.drillOver = false;
      const snapshot: HealthSnapshot = { endpoint };
      snapshots.set(snapshot, snapshotWatch(watch));
      return snapshot;
    },
    restore(endpoint, snapshot) {
      const watch = watches.get(endpoint);
      const before = snapshots.get(snapshot);
      if (watch === undefined || before === undefined || snapshot.endpoint !== endpoint) return;
      restoreWatch(watch, before);
      watch.drillOver = true;
    },
  };
}
