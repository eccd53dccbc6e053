import { said, told } from '../../api/localization/said.ts';
import { randomUUID } from 'node:crypto';
import type { ArmOfPlan, CanaryParams, CanaryReport, CanaryResult, CanaryStatus } from '../../api/canary.ts';
import type { NoticeParams } from '../../api/messages.ts';
import type { Receipt } from '../../api/receipt.ts';
import { targetName } from '../../api/targetName.ts';
import type { Clock, Random } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { paused, promoted, rolledBack, started, type Acted } from '../../canary/advance.ts';
import { armOf } from '../../canary/assignment.ts';
import { reportOf } from '../../canary/report.ts';
import type { CanaryConfig, Config, RouteConfig } from '../../config/config.ts';
import type { RouteStateStore } from '../../ledger/routeStateStore.ts';
import type { RoutingRequest } from '../../routing/plan.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import { costOf, observationOf } from './armOutcome.ts';
import { CanaryState } from './canaryState.ts';
import { KeptArms } from './keptArms.ts';

export interface CanariesOptions {
  /** Absent: states live as long as the process. */
  store: RouteStateStore | undefined;
  config(): Config;
  routeTable(): RouteTable;
  clock: Clock;
  random: Random;
  log: Log;
  /** A stage or a phase changed. */
  changed(): void;
  /** Notices of this process are shown to a person. */
  hasAudience(): boolean;
  notify(notice: NoticeParams): void;
}

type RouteWithCanary = RouteConfig & { readonly canary: CanaryConfig };

/** The canaries of all routes: draws arms, judges what became of requests, and shares the states with peers. Routes without a canary never come here. */
export class Canaries {
  readonly #options: CanariesOptions;
  readonly #states = new Map<string, CanaryState>();
  readonly #arms = new KeptArms();
  /** Exchanges of this process that run at canaries, by route. */
  readonly #running = new Map<string, Set<string>>();
  readonly #commits: Guard;
  #configured: Config | undefined;
  #commitSoon = false;

  constructor(options: CanariesOptions) {
    this.#options = options;
    this.#commits = new Guard('The record of a canary', options.log);
  }

  /** The arm of a request; undefined where the canary of the route takes no part now. Reads memory only, but for the first call after a start. */
  arm(route: RouteConfig, request: RoutingRequest): ArmOfPlan | undefined {
    if (!hasCanary(route)) return undefined;
    const rollout = this.#stateOf(route).current;
    if (rollout === undefined) return undefined;
    const { conversation } = request;
    return this.#arms.kept(rollout.id, conversation, armOf(rollout, route.canary, conversation === '' ? undefined : conversation, this.#options.random));
  }

  /** A plan was made. */
  planned(id: string, { route, canary }: Receipt['plan']): void {
    if (route === undefined || canary?.arm !== 'canary') return;
    const running = this.#running.get(route);
    if (running === undefined) this.#running.set(route, new Set([id]));
    else running.add(id);
  }

  /** An exchange ended. */
  ended(receipt: Receipt): void {
    const { plan: { route: name, canary } } = receipt;
    if (name === undefined || canary === undefined) return;
    this.#running.get(name)?.delete(receipt.id);
    const state = this.#stateNamed(name);
    const observation = state === undefined ? undefined : observationOf(receipt, this.#isCanaryOf(name));
    if (state === undefined || observation === undefined) return;
    observation.share = canary.share;
    state.observe(observation, receipt.startedAt, this.#options.clock.now());
    // A failure may roll the canary back, which peers have to know before their next requests.
    if (observation.failed) this.#commit();
  }

  /** An exchange got its price. */
  priced(receipt: Receipt): void {
    const { plan: { route: name, canary } } = receipt;
    if (name === undefined || canary === undefined) return;
    const state = this.#stateNamed(name);
    const cost = state === undefined ? undefined : costOf(receipt, this.#isCanaryOf(name));
    if (state !== undefined && cost !== undefined) state.price(cost, receipt.startedAt, this.#options.clock.now());
  }

  /** Stores what was found out, learns what peers found out, and ends stages. */
  tick(now: number): void {
    const { config, store } = this.#options;
    if (this.#configured !== config()) this.#adopt();
    if (this.#states.size === 0) return;
    const stored = store?.poll();
    for (const [name, state] of this.#states) {
      if (stored !== undefined) state.learn(stored.get(name));
      const route = this.#route(name);
      if (route === undefined) continue;
      state.commit(now);
      this.#announce(route, state);
    }
  }

  /** Does what a person asks for. */
  act({ action, route: name }: CanaryParams): CanaryResult {
    if (this.#configured !== this.#options.config()) this.#adopt();
    const withCanary = [...this.#options.config().routes.values()].filter(hasCanary);
    if (action === 'status' && name === undefined) return { canaries: withCanary.map(route => this.#report(route)) };
    const route = name === undefined ? withCanary.length === 1 ? withCanary[0] : undefined : this.#route(name);
    if (route === undefined) return { refused: refusal(name, withCanary) };
    const state = this.#stateOf(route);
    if (action !== 'status') {
      const now = this.#options.clock.now();
      const acted = state.act((rollout): Acted => {
        switch (action) {
          case 'start': return started(rollout, randomUUID(), targetsKey(route.canary), now);
          case 'promote': return promoted(rollout, route.canary, now);
          case 'pause': return paused(rollout, now);
          case 'rollback': return rolledBack(rollout, now);
        }
      });
      if (acted !== undefined) return { refused: acted };
    }
    return { canaries: [this.#report(route)] };
  }

  /** What lists show; undefined where no route has a canary. */
  statuses(): CanaryStatus[] | undefined {
    const routes = [...this.#options.config().routes.values()].filter(hasCanary);
    if (routes.length === 0) return undefined;
    return routes.map(route => {
      const { phase, stage, stages, share, verdict, message } = this.#report(route);
      return { route: route.name, phase, stage, stages, share, verdict, message };
    });
  }

  /** Stores the last observations. */
  shutdown(): void {
    const now = this.#options.clock.now();
    for (const state of this.#states.values()) this.#commits.run(() => { state.commit(now); });
    this.#options.store?.close();
  }

  #adopt(): void {
    const config = this.#options.config();
    const before = this.#configured;
    this.#configured = config;
    for (const [name, state] of this.#states) {
      const route = config.routes.get(name);
      // While the description has a mistake, the canary rests.
      if (route?.canary !== undefined || route?.canaryIsWrong === true) continue;
      // A route that is gone may come back as it was, such as after a mistake in the settings.
      if (route !== undefined) state.forgetPromoted();
      this.#states.delete(name);
    }
    for (const route of config.routes.values()) {
      if (!hasCanary(route)) continue;
      const state = this.#stateOf(route);
      const known = before?.routes.get(route.name);
      // The route was without a canary until now, so what an earlier one came to is over.
      if (known !== undefined && known.canary === undefined && known.canaryIsWrong !== true && state.current !== undefined) state.forgetPromoted();
    }
  }

  #stateOf(route: RouteWithCanary): CanaryState {
    const known = this.#states.get(route.name);
    const targets = targetsKey(route.canary);
    if (known?.isFor(route.canary, targets) === true) return known;
    const { store, log, changed, clock } = this.#options;
    if (known !== undefined) known.commit(clock.now());
    const made = new CanaryState({ route: route.name, rules: route.canary, targets, store, log, logged: known?.logged, changed });
    this.#states.set(route.name, made);
    return made;
  }

  #stateNamed(name: string): CanaryState | undefined {
    const route = this.#route(name);
    return route === undefined ? undefined : this.#stateOf(route);
  }

  #route(name: string): RouteWithCanary | undefined {
    const route = this.#options.config().routes.get(name);
    return route !== undefined && hasCanary(route) ? route : undefined;
  }

  #isCanaryOf(route: string): (target: string) => boolean {
    const candidates = this.#options.routeTable().canaryTargets(route);
    return target => candidates.some(({ name }) => name === target);
  }

  /** Once this turn of the event loop is over, so that no request waits for it. */
  #commit(): void {
    if (this.#commitSoon) return;
    this.#commitSoon = true;
    setImmediate(this.#commits.wrap(() => {
      this.#commitSoon = false;
      this.tick(this.#options.clock.now());
    }));
  }

  /** A roll-back by a gate is shown once, by the first process that a person sees. */
  #announce(route: RouteWithCanary, state: CanaryState): void {
    const { hasAudience, notify } = this.#options;
    const phase = state.current?.phase;
    if (phase?.kind !== 'rolled-back' || phase.by !== 'gate' || phase.announced || !hasAudience() || !state.claimAnnouncement()) return;
    notify({ kind: 'canary-rolled-back', endpoint: route.canary.targets[0]?.endpoint ?? '', ...told(said('Canary of route "{0}": {1} New requests go to the route\'s own targets.', route.name, phase.why)), route: route.name });
  }

  #report(route: RouteWithCanary): CanaryReport {
    const state = this.#stateOf(route);
    const names = (targets: CanaryConfig['targets']): string[] => targets.map(({ endpoint, model }) => targetName(endpoint, model));
    return reportOf({
      route: route.name, rules: route.canary, rollout: state.current, targetsChanged: state.targetsChanged,
      baselineTargets: names(route.targets), canaryTargets: names(route.canary.targets), draining: this.#running.get(route.name)?.size ?? 0,
    });
  }
}

function hasCanary(route: RouteConfig): route is RouteWithCanary {
  return route.canary !== undefined;
}

function targetsKey({ targets }: CanaryConfig): string {
  return targets.map(({ endpoint, model }) => targetName(endpoint, model)).join(' ');
}

function refusal(name: string | undefined, routes: readonly RouteWithCanary[]): string {
  const known = routes.map(route => `"${route.name}"`).join(', ');
  if (routes.length === 0) return 'No route has a canary; describe one as `canary` of a route first.';
  return name === undefined ? `Several routes have a canary; name one of ${known}.` : `No route named "${name}" has a canary; those that have one: ${known}.`;
}
