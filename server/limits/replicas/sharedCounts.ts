import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { StateConfig } from '../../config/state/stateConfig.ts';
import type { AllowanceOutcome, AllowanceStore, AllowanceTransaction } from '../../ledger/allowanceStore.ts';
import { stateSecondsBounds, type StateFigures } from '../../state/stateFigures.ts';
import type { StateStore } from '../../state/stateStore.ts';
import type { SharedLimits } from '../sharedLimits.ts';
import { CountFigures, type SharedStoreFigures } from './countFigures.ts';
import { loadReplicaCounts } from './loadReplicaCounts.ts';
import type { ReplicaCounts } from './replicaCounts.ts';

/** Limits that are counted with others. */
export type LimitCounts = Pick<SharedLimits, 'configure' | 'take' | 'look' | 'release' | 'beat' | 'close'>;

export interface SharedCountsOptions {
  state: StateStore & { readonly whenAway: StateConfig['whenAway']; readonly figures: StateFigures };
  /** What the servers of this data folder count together; undefined: each counts alone. */
  limits: LimitCounts | undefined;
  allowances: AllowanceStore;
  /** Names the ledger whose part of a budget this server counts. */
  ledger: string;
  clock: Clock;
  log: Log;
}

/**
 * Where limits and money are counted: with the servers of the data folder, or, where the configuration names a store, with servers on
 * other machines. Without one it passes every call on, and nothing is loaded.
 */
export class SharedCounts {
  readonly name = 'The count that servers on several machines share';
  readonly figures = new CountFigures();
  readonly #options: SharedCountsOptions;
  readonly #guard: Guard;
  #counts: ReplicaCounts | undefined;
  #loading: Promise<void> | undefined;
  #isWanted = false;

  constructor(options: SharedCountsOptions) {
    this.#options = options;
    this.#guard = new Guard(this.name, options.log);
  }

  /** Undefined: servers on other machines count nothing with this one. */
  get counts(): ReplicaCounts | undefined {
    return this.#counts;
  }

  /** Undefined where no store is configured. */
  read(): SharedStoreFigures | undefined {
    const { state } = this.#options;
    if (!state.isConfigured) return undefined;
    return {
      isUp: state.isUp, replicas: state.replicas, store: state.figures, bounds: stateSecondsBounds, decisions: this.figures.decisions,
      inForce: this.#counts?.isUsable === true ? { limits: 'store', budgets: 'store' } : state.whenAway,
    };
  }

  configure(config: StateConfig | undefined): void {
    this.#isWanted = config !== undefined;
    if (!this.#isWanted) {
      const before = this.#counts;
      this.#counts = undefined;
      if (before !== undefined) this.#guard.start(() => before.close());
      return;
    }
    if (this.#counts === undefined) this.#loading ??= this.#load().catch((error: unknown) => { this.#guard.failed(error); }).finally(() => { this.#loading = undefined; });
  }

  /** Resolves once the count is loaded, and the store decides or cannot be used now. */
  async ready(): Promise<void> {
    await this.#loading;
    await this.#counts?.ready();
  }

  tick(): void {
    this.#counts?.tick();
  }

  async close(): Promise<void> {
    this.#isWanted = false;
    await this.#counts?.close();
  }

  /** The limits of endpoints, keys and tokens. Where a store is configured, `take` admits, because the permit asks the store. */
  readonly limits: LimitCounts = {
    configure: (hasLimits, of) => { this.#options.limits?.configure(hasLimits, of); },
    take: (claims, now) => (this.#counts === undefined ? this.#options.limits?.take(claims, now) : undefined),
    look: (scope, promptTokens, now) => (this.#counts === undefined ? this.#options.limits?.look(scope, promptTokens, now) : this.#counts.look(scope, promptTokens, now)),
    release: released => { if (this.#counts === undefined) this.#options.limits?.release(released); },
    beat: now => { if (this.#counts === undefined) this.#options.limits?.beat(now); },
    close: () => { this.#options.limits?.close(); },
  };

  /** What caps and budgets are used for. */
  readonly allowances: AllowanceStore = {
    transact: <Value>(work: (transaction: AllowanceTransaction) => Value): AllowanceOutcome<Value> => this.#allowances.transact(work),
    revision: () => this.#allowances.revision(),
    beat: () => { this.#allowances.beat(); },
    close: () => { this.#options.allowances.close(); },
  };

  get #allowances(): AllowanceStore {
    return this.#counts?.allowances ?? this.#options.allowances;
  }

  async #load(): Promise<void> {
    const create = await loadReplicaCounts();
    if (!this.#isWanted) return;
    const { state, ledger, allowances, clock, log } = this.#options;
    this.#counts = create({ state, whenAway: () => state.whenAway, ledger, allowances, figures: this.figures, clock, log });
    // What the servers of this data folder counted together is no longer asked.
    this.#options.limits?.close();
    await this.#counts.ready();
  }
}
