import type { Receipt } from '../api/receipt.ts';
import type { Clock } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { HedgeUnderWay, RunningExchange } from '../exchange/runningExchange.ts';
import type { LedgerWriter } from '../ledger/ports.ts';
import type { Pricer } from '../pricing/pricing.ts';
import type { CostRecorder } from './spend/costRecorder.ts';
import type { SpendToday } from './spend/spendToday.ts';

export interface RunningExchangesOptions {
  ledger: Pick<LedgerWriter, 'open' | 'progress'>;
  spend: Pick<SpendToday, 'running'>;
  pricer: Pick<Pricer, 'ready'>;
  costs: Pick<CostRecorder, 'priced' | 'tableIsWanted'>;
  clock: Clock;
  log: Log;
}

/** The exchanges of this process that have not ended, and their records in the ledger while they run. */
export class RunningExchanges {
  readonly #options: RunningExchangesOptions;
  /** In no order. A set keeps alive for long what it once held; see base/collections/transientMap.ts. */
  readonly #running: RunningExchange[] = [];
  readonly #records: Guard;

  constructor(options: RunningExchangesOptions) {
    this.#options = options;
    this.#records = new Guard('The record of a running exchange', options.log);
  }

  get isEmpty(): boolean {
    return this.#running.length === 0;
  }

  started(exchange: RunningExchange): void {
    this.#running.push(exchange);
    this.#options.ledger.open(exchange.receipt, () => exchange.progress());
  }

  ended(exchange: RunningExchange): void {
    const at = this.#running.indexOf(exchange);
    const last = at < 0 ? undefined : this.#running.pop();
    if (last !== undefined && last !== exchange) this.#running[at] = last;
  }

  /** The receipt as it stands; undefined where no such exchange runs. */
  receipt(id: string): Receipt | undefined {
    for (const exchange of this.#running) if (exchange.receipt.id === id) return exchange.progress();
    return undefined;
  }

  /** Ends an exchange with an error to its caller. @returns as RunningExchange.stop; false also where no such exchange runs */
  stop(id: string): 'stopped' | 'shared' | false {
    for (const exchange of this.#running) if (exchange.receipt.id === id) return exchange.stop();
    return false;
  }

  /** Of all that run. */
  ids(): string[] {
    return this.#running.map(({ receipt }) => receipt.id);
  }

  /** The second requests that run now. */
  hedges(): HedgeUnderWay[] {
    const hedges: HedgeUnderWay[] = [];
    for (const exchange of this.#running) {
      const hedge = exchange.hedgeUnderWay?.();
      if (hedge !== undefined) hedges.push(hedge);
    }
    return hedges;
  }

  /** Keeps callers' connections alive, and writes down what each exchange has cost so far: this process may be killed. */
  tick(): void {
    const { ledger, spend, pricer, costs, clock } = this.#options;
    // Endpoints with prices of their own need no table; the others are priced once it is loaded.
    if (this.#running.length > 0 && costs.tableIsWanted) this.#records.start(() => pricer.ready());
    for (const exchange of [...this.#running]) {
      this.#records.run(() => { exchange.tick(clock.now()); });
      this.#records.run(() => {
        const receipt = costs.priced(exchange.progress());
        ledger.progress(receipt);
        spend.running(receipt);
      });
    }
  }

  /** Ends them all with an error to their callers: the server ends. */
  interruptAll(): void {
    for (const exchange of [...this.#running]) this.#records.run(() => { exchange.interrupt(); });
  }
}
