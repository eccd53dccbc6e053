import {
  defaultSlowMs, drillFaults, longestDrillMs, longestSlowMs, shortestDrillMs,
  type DrillCounts, type DrilledRequest, type DrillStatus, type DrillSummary, type RunningDrill, type StartDrillParams, type ResilienceReport,
} from '../../api/drill.ts';
import type { Receipt } from '../../api/receipt.ts';
import { parseTargetName } from '../../api/targetName.ts';
import type { Clock } from '../../base/clock.ts';
import { WaybillError } from '../../base/failure.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { Config } from '../../config/config.ts';
import type { HealthSnapshot, NetworkAwareHealthRegistry } from '../../health/healthReader.ts';
import { drilledRoutes } from '../../routing/resilience/drilledRoutes.ts';
import { makePlan } from '../../routing/makePlan.ts';
import { resilienceOf } from '../../routing/resilience/resilienceReport.ts';
import { agentRequirements, chatRequirements, sampleRequest, WhatIfView, ReportView, type ResilienceView } from '../../routing/resilience/whatIfView.ts';
import { isUnderWay, type FaultInjector } from '../../upstream/interceptors/faultInjector.ts';
import type { KeyPool, KeySnapshot } from '../../keys/keyPool.ts';
import { drilledRequest } from './drilledRequest.ts';
import { keyName } from '../resilienceState.ts';

/** The parts of the router that drills work with. */
export interface FaultInjectionRunnerOptions {
  faultInjector: FaultInjector;
  healthRegistry: Pick<NetworkAwareHealthRegistry, 'snapshotOf' | 'restore'>;
  keys: KeyPool;
  clock: Clock;
  log: Log;
  config(): Config;
  view(): ResilienceView;
  canonicalName(model: string): string;
  /** The state of drills changed. */
  changed(): void;
}

/** The most endpoints that may be drilled at once: more would leave nothing to fail over to. */
const maxRunning = 3;
const maxRequests = 20;
/** The longest time `setTimeout` takes; the end of a longer drill is checked again. */
const longestTimerMs = 2 ** 31 - 1;

interface Run {
  drill: RunningDrill;
  counts: DrillCounts;
  health: HealthSnapshot | undefined;
  keys: KeySnapshot;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Begins and ends fire drills of this process. What was known of an endpoint's health and keys when its drill began is
 * put back when it ends: by time, by command, or because it is no longer configured.
 */
export class FaultInjectionRunner {
  #options: FaultInjectionRunnerOptions;
  #runs = new Map<string, Run>();
  #requests: DrilledRequest[] = [];
  #last: DrillSummary | undefined;
  #serial = 0;
  readonly #ends: Guard;

  constructor(options: FaultInjectionRunnerOptions) {
    this.#options = options;
    this.#ends = new Guard('The end of a fire drill', options.log);
  }

  /** @throws WaybillError in one sentence when the drill cannot begin */
  start(params: StartDrillParams): RunningDrill {
    const { faultInjector, healthRegistry, keys, clock } = this.#options;
    const startedAt = clock.now();
    const drill = this.#checked(params, startedAt);
    if (this.#runs.size === 0) this.#requests = [];
    const run: Run = {
      drill, counts: { met: 0, answered: 0, failed: 0 }, health: healthRegistry.snapshotOf(drill.endpoint), keys: keys.snapshotOf(drill.endpoint), timer: undefined,
    };
    this.#runs.set(drill.id, run);
    faultInjector.begin(drill);
    this.#await(run);
    this.#options.log.info(`Fire drill of ${drill.endpoint} begun: ${drill.fault}, for ${Math.round(params.durationMs / 1000)} s.`);
    this.#options.changed();
    return drill;
  }

  /** Ends one drill, or all. @returns what became of those that ran */
  stop(id?: string): DrillSummary[] {
    return [...this.#runs.values()].filter(run => id === undefined || run.drill.id === id).map(run => this.#end(run, 'stopped'));
  }

  /** The configuration changed: a drill of what is no longer there ends. */
  configured(): void {
    const { config, keys } = this.#options;
    for (const run of [...this.#runs.values()]) {
      const { endpoint, keyId } = run.drill;
      const there = config().endpoints.has(endpoint) && (keyId === undefined || keys.all(endpoint).some(key => key.id === keyId));
      if (!there) this.#end(run, 'gone');
    }
  }

  /** Ends what is over by the clock: timers stand still while the machine sleeps. @param now milliseconds since the epoch */
  tick(now: number): void {
    for (const run of [...this.#runs.values()]) if (!isUnderWay(run.drill, now)) this.#ends.run(() => { this.#end(run, 'time'); });
  }

  /** An exchange has ended. */
  settled(receipt: Receipt): void {
    if (this.#runs.size === 0) return;
    const request = drilledRequest(receipt, target => this.#keptAway(receipt, target));
    if (request === undefined) return;
    this.#requests = [request, ...this.#requests].slice(0, maxRequests);
    for (const { drill, counts } of this.#runs.values()) {
      if (!request.path.some(step => step.drill && parseTargetName(step.target)?.endpoint === drill.endpoint)) continue;
      counts.met += 1;
      if (receipt.outcome === 'ok') counts.answered += 1;
      else if (receipt.outcome === 'failed') counts.failed += 1;
    }
  }

  /** The state of drills; undefined before the first. */
  status(): DrillStatus | undefined {
    if (this.#runs.size === 0) {
      return this.#last === undefined ? undefined : { running: [], counts: none(), routes: [], requests: [], last: this.#last };
    }
    const { view } = this.#options;
    const counts = none();
    for (const run of this.#runs.values()) {
      counts.met += run.counts.met;
      counts.answered += run.counts.answered;
      counts.failed += run.counts.failed;
    }
    return { running: this.#running(), counts, routes: drilledRoutes(view()), requests: this.#requests, last: this.#last };
  }

  report(): ResilienceReport {
    const at = this.#options.clock.now();
    return { at, routes: resilienceOf(this.#options.view()), drills: this.#running(), last: this.#last };
  }

  /** Ends all drills without a summary, because the server ends. */
  shutdown(): void {
    for (const run of this.#runs.values()) {
      clearTimeout(run.timer);
      this.#options.faultInjector.end(run.drill.id);
    }
    this.#runs.clear();
  }

  /** Whether a drill is what keeps requests like this one from a target: without it, the target would be in the plan. */
  #keptAway({ plan: { requestedModel } }: Receipt, target: string): boolean {
    const { view } = this.#options;
    if (!this.#running().some(drill => parseTargetName(target)?.endpoint === drill.endpoint)) return false;
    const undrilled = new WhatIfView(new ReportView(view()), undefined, true);
    return [chatRequirements, agentRequirements].every(requirements => makePlan(sampleRequest(requestedModel, requirements), undrilled).plan.targets.some(one => one.target === target));
  }

  #running(): RunningDrill[] {
    return [...this.#runs.values()].map(run => run.drill);
  }

  #checked(params: StartDrillParams, startedAt: number): RunningDrill {
    const { endpoint, fault, keyId } = params;
    const { config, keys } = this.#options;
    if (!config().endpoints.has(endpoint)) throw refused(`There is no endpoint named "${endpoint}" to drill.`);
    if (!drillFaults.includes(fault)) throw refused('This fault is not one that a fire drill knows.');
    if (!(params.durationMs >= shortestDrillMs && params.durationMs <= longestDrillMs)) throw refused('A fire drill lasts from one second to one day.');
    if (params.slowMs !== undefined && !(params.slowMs > 0 && params.slowMs <= longestSlowMs)) throw refused('An answer can be held back for ten minutes at most.');
    if (this.#running().some(drill => drill.endpoint === endpoint)) throw refused(`A fire drill of "${endpoint}" is running already; stop it first.`);
    if (this.#runs.size >= maxRunning) throw refused(`${String(maxRunning)} fire drills are running already; stop one first.`);
    const known = keys.status(endpoint, startedAt);
    const key = known.find(one => one.id === keyId);
    if (keyId !== undefined && key === undefined) throw refused(`"${endpoint}" has no such key any more.`);
    if (fault === 'dead-key' && known.length === 0) throw refused(`"${endpoint}" has no key that could be dead.`);
    this.#serial += 1;
    return {
      id: `drill-${String(this.#serial)}-${String(startedAt)}`, endpoint, fault,
      model: params.model === undefined ? undefined : this.#options.canonicalName(params.model),
      keyId, keyName: key === undefined ? undefined : keyName(key),
      slowMs: fault === 'slow' ? params.slowMs ?? defaultSlowMs : undefined,
      startedAt, until: startedAt + params.durationMs,
    };
  }

  #await(run: Run): void {
    const now = this.#options.clock.now();
    const leftMs = run.drill.until - now;
    if (!isUnderWay(run.drill, now)) {
      this.#end(run, 'time');
      return;
    }
    run.timer = setTimeout(this.#ends.wrap(() => { this.#await(run); }), Math.min(leftMs, longestTimerMs));
    run.timer.unref();
  }

  #end(run: Run, ended: DrillSummary['ended']): DrillSummary {
    const { faultInjector, healthRegistry, keys, clock, log } = this.#options;
    const { drill, counts } = run;
    clearTimeout(run.timer);
    this.#runs.delete(drill.id);
    faultInjector.end(drill.id);
    this.#ends.run(() => { if (run.health !== undefined) healthRegistry.restore(drill.endpoint, run.health); });
    this.#ends.run(() => { keys.restore(drill.endpoint, run.keys); });
    this.#last = { ...drill, ...counts, endedAt: clock.now(), ended };
    log.info(`Fire drill of ${drill.endpoint} ended (${ended}): ${counts.met} requests met it, ${counts.answered} were answered, ${counts.failed} failed.`);
    this.#options.changed();
    return this.#last;
  }
}

function none(): DrillCounts {
  return { met: 0, answered: 0, failed: 0 };
}

function refused(message: string): WaybillError {
  return new WaybillError('drill-refused', 'bad-request', message);
}
