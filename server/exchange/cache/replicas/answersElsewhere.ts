import type { Clock } from '../../../base/clock.ts';
import { Guard } from '../../../base/guarded.ts';
import type { Log } from '../../../base/log.ts';
import { programVersion } from '../../../base/processIdentity.ts';
import type { Config } from '../../../config/config.ts';
import type { AnswersConfig } from '../../../config/state/stateConfig.ts';
import type { StateStore } from '../../../state/stateStore.ts';
import { LayerFigures } from '../layerFigures.ts';
import type { AnswerCost, SharedAnswer } from '../sharedAnswer.ts';
import { loadReplicaAnswers } from './loadReplicaAnswers.ts';
import type { FoundAnswer, ReplicaAnswers } from './replicaAnswers.ts';

export interface AnswersElsewhereOptions {
  store: Pick<StateStore, 'isUp' | 'run'>;
  config(): Pick<Config, 'state'>;
  clock: Pick<Clock, 'now'>;
  log: Log;
}

/** The answers that other replicas keep, where the configuration shares them. Until a route asks, it is this object alone. */
export class AnswersElsewhere {
  readonly figures = new LayerFigures();
  readonly #options: AnswersElsewhereOptions;
  readonly #guard: Guard;
  #part: ReplicaAnswers | undefined;
  #of: AnswersConfig | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: AnswersElsewhereOptions) {
    this.#options = options;
    this.#guard = new Guard('The answers of other replicas', options.log);
  }

  /** See ReplicaAnswers.find. Also undefined while the part is being loaded. */
  find(route: string, keys: readonly string[], maxAgeMs: number): Promise<FoundAnswer | undefined> | undefined {
    return this.#current()?.find(route, keys, maxAgeMs);
  }

  /** Keeps an answer in the background. */
  keep(route: string, key: string, answer: SharedAnswer, cost: AnswerCost | undefined, maxAgeMs: number): void {
    this.#guard.start(async () => {
      this.#current();
      await this.#loading;
      await this.#current()?.keep(route, key, answer, cost, maxAgeMs);
    });
  }

  /** Forgets answers in the background. */
  clear(route: string): void {
    this.#guard.start(async () => {
      this.#current();
      await this.#loading;
      await this.#current()?.clear(route);
    });
  }

  #current(): ReplicaAnswers | undefined {
    const { store, config, clock, log } = this.#options;
    const wanted = config().state?.answers;
    if (wanted === this.#of) return this.#part;
    this.#of = wanted;
    this.#part = undefined;
    if (wanted === undefined) return undefined;
    this.#loading = loadReplicaAnswers().then(create => {
      if (this.#of === wanted) this.#part = create({ store, config: wanted, version: programVersion, figures: this.figures, now: () => clock.now(), log });
    });
    this.#guard.settle(this.#loading);
    return undefined;
  }
}
