import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import type { CostRecorder } from './costRecorder.ts';
import type { RunningExchanges } from '../runningExchanges.ts';
import type { SpendToday } from './spendToday.ts';

export interface HedgeSpendOptions {
  spend: Pick<SpendToday, 'byHedges'>;
  running: Pick<RunningExchanges, 'hedges'>;
  costs: Pick<CostRecorder, 'promptCost'>;
  log: Log;
}

/** What second requests cost, for the daily cap of a route. */
export class HedgeSpend {
  readonly #options: HedgeSpendOptions;
  readonly #sums: Guard;

  constructor(options: HedgeSpendOptions) {
    this.#options = options;
    this.#sums = new Guard('The sum of what second requests cost', options.log);
  }

  /**
   * Micro-dollars since midnight, in all processes, and what those that run here cost at least. A sum that is not known,
   * or cannot be made, counts as a cap that is reached: no second request is sent.
   */
  spentToday(route: string): number {
    return this.#sums.run(() => {
      const { spend, running, costs } = this.#options;
      let microUsd = spend.byHedges(route) ?? Infinity;
      for (const hedge of running.hedges()) if (hedge.route === route) microUsd += costs.promptCost(hedge);
      return microUsd;
    }) ?? Infinity;
  }
}
