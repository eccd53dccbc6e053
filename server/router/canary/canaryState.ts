import type { Log } from '../../base/log.ts';
import { advanced, type Acted } from '../../canary/advance.ts';
import { observed, priced } from '../../canary/observe.ts';
import type { CostObservation, Observation } from '../../canary/observation.ts';
import { fromStored, isLive, storedForm, type Rollout } from '../../canary/rollout.ts';
import type { CanaryConfig } from '../../config/config.ts';
import type { RouteStateStore } from '../../ledger/routeStateStore.ts';

export interface CanaryStateOptions {
  route: string;
  rules: CanaryConfig;
  /** The targets that are tried out. */
  targets: string;
  store: RouteStateStore | undefined;
  log: Log;
  /** What was written to the log before: of the state that this one replaces. */
  logged?: Rollout | undefined;
  changed(): void;
}

/** @property begunAt when the request arrived, in milliseconds since the epoch */
interface Pending { readonly begunAt: number; apply(rollout: Rollout): Rollout }

/** A text that is no state. */
const nothingStored = '';
/** While the store cannot be used, older observations than these are only in memory. */
const mostPending = 5_000;

/**
 * The state of one canary in this process: what the store has, and on top of it the observations that are not stored
 * yet. They count for this process at once, and are applied again, in a transaction, to what peers stored meanwhile.
 */
export class CanaryState {
  readonly #options: CanaryStateOptions;
  #local: Rollout | undefined;
  #logged: Rollout | undefined;
  #pending: Pending[] = [];
  #read = false;

  constructor(options: CanaryStateOptions) {
    this.#options = options;
    this.#logged = options.logged;
  }

  /** The state that the log has. */
  get logged(): Rollout | undefined { return this.#logged; }

  isFor(rules: CanaryConfig, targets: string): boolean {
    return this.#options.rules === rules && this.#options.targets === targets;
  }

  /** Undefined where it was never started with these targets. */
  get current(): Rollout | undefined {
    this.#readOnce();
    return this.targetsChanged ? undefined : this.#local;
  }

  /** It was started with other targets than those that the route has now. */
  get targetsChanged(): boolean {
    this.#readOnce();
    return this.#local !== undefined && this.#local.targets !== this.#options.targets;
  }

  observe(observation: Observation, begunAt: number, now: number): void {
    this.#take({ begunAt, apply: rollout => observed(rollout, observation, this.#options.rules, now) });
  }

  price(cost: CostObservation, begunAt: number, now: number): void {
    this.#take({ begunAt, apply: rollout => priced(rollout, cost, this.#options.rules, now) });
  }

  /** A peer changed something. @param stored the text of this canary now */
  learn(stored: string | undefined): void {
    this.#set(this.#withPending(this.#parsed(stored)));
  }

  /** Ends a stage that is over, and stores what is not stored yet. @param now milliseconds since the epoch */
  commit(now: number): void {
    const { store, rules } = this.#options;
    const { current } = this;
    if (current === undefined) return;
    const next = advanced(current, rules, now);
    if (next === current && this.#pending.length === 0) return;
    if (store === undefined) {
      this.#pending = [];
      this.#set(next);
      return;
    }
    let result: Rollout | undefined;
    const pending = this.#pending;
    const outcome = store.update(this.#options.route, stored => {
      const before = this.#parsed(stored);
      const after = this.#withPending(before, pending);
      result = after === undefined || after.targets !== this.#options.targets ? after : advanced(after, rules, now);
      return result === undefined || result === before ? undefined : storedForm(result);
    });
    if (!outcome.done) return;
    this.#pending = [];
    this.#set(result);
  }

  /** Does what a person asked for, and stores it. @returns why that cannot be done, in one sentence */
  act(change: (rollout: Rollout | undefined) => Acted): string | undefined {
    const { store, route, targets } = this.#options;
    let result: Acted = { refused: 'The state of the canary could not be stored; try again in a moment.' };
    const decide = (rollout: Rollout | undefined): Rollout | undefined => {
      result = change(rollout?.targets === targets ? rollout : undefined);
      return 'rollout' in result ? result.rollout : undefined;
    };
    if (store === undefined) {
      this.#accept(decide(this.current));
    } else {
      let next: Rollout | undefined;
      const pending = this.#pending;
      const outcome = store.update(route, stored => {
        next = decide(this.#withPending(this.#parsed(stored), pending));
        return next === undefined ? undefined : storedForm(next);
      });
      if (!outcome.done) return 'The state of the canary could not be stored; try again in a moment.';
      this.#accept(next);
    }
    return 'refused' in result ? result.refused : undefined;
  }

  /** @returns whether this process is the one to say that the canary was rolled back */
  claimAnnouncement(): boolean {
    let claimed = false;
    this.act(rollout => {
      if (rollout?.phase.kind !== 'rolled-back' || rollout.phase.announced) return { refused: '' };
      claimed = true;
      return { rollout: { ...rollout, phase: { ...rollout.phase, announced: true } } };
    });
    return claimed;
  }

  /**
   * The route has no such canary any more: where it was promoted, that is over, so that the same canary begins anew when it is described again.
   * Nothing happens to a canary in another phase.
   */
  forgetPromoted(): void {
    const { store, route } = this.#options;
    if (this.#local?.phase.kind !== 'promoted') return;
    const outcome = store?.update(route, stored => (this.#parsed(stored)?.phase.kind === 'promoted' ? nothingStored : undefined));
    if (outcome?.done === false) return;
    this.#pending = [];
    this.#set(undefined);
  }

  #accept(next: Rollout | undefined): void {
    if (next === undefined) return;
    this.#pending = [];
    this.#set(next);
  }

  #take(pending: Pending): void {
    const { current } = this;
    if (current === undefined || !isLive(current)) return;
    this.#pending.push(pending);
    if (this.#pending.length > mostPending) this.#pending.shift();
    this.#set(this.#applied(current, pending));
  }

  /** @param pending a store may apply a change once more after others are pending */
  #withPending(rollout: Rollout | undefined, pending: readonly Pending[] = this.#pending): Rollout | undefined {
    if (rollout === undefined || rollout.targets !== this.#options.targets) return rollout;
    return pending.reduce((before, one) => this.#applied(before, one), rollout);
  }

  /** A request of an earlier run says nothing about this one. */
  #applied(rollout: Rollout, { begunAt, apply }: Pending): Rollout {
    return begunAt < rollout.startedAt ? rollout : apply(rollout);
  }

  #set(next: Rollout | undefined): void {
    const before = this.#local;
    this.#local = next;
    if (before?.phase === next?.phase && before?.stage === next?.stage && before?.id === next?.id) return;
    if (!isSameStep(this.#logged, next)) this.#say(next);
    this.#logged = next;
    this.#options.changed();
  }

  #say(rollout: Rollout | undefined): void {
    if (rollout === undefined) return;
    const { route, rules, log } = this.#options;
    const { phase, stage } = rollout;
    const lead = `Canary of route "${route}"`;
    if (phase.kind === 'running') log.info(`${lead}: stage ${String(stage + 1)} of ${String(rules.stages.length)}, ${String(rules.stages[stage] ?? 100)} %.`);
    else if (phase.kind === 'promoted') log.info(`${lead}: promoted.`);
    else log.warn(`${lead}: ${phase.why}`);
  }

  #readOnce(): void {
    const { store } = this.#options;
    if (this.#read || store === undefined) return;
    let stored: string | undefined;
    if (!store.update(this.#options.route, text => { stored = text; return undefined; }).done) return;
    this.#read = true;
    this.#set(this.#parsed(stored));
  }

  #parsed(stored: string | undefined): Rollout | undefined {
    return stored === undefined ? undefined : fromStored(stored);
  }
}

/** Whether two states are the same stage of the same run, in the same phase. */
function isSameStep(one: Rollout | undefined, other: Rollout | undefined): boolean {
  return one?.phase.kind === other?.phase.kind && one?.stage === other?.stage && one?.id === other?.id;
}
