import type { Cost, Receipt } from '../../api/receipt.ts';
import { featureBit } from '../../api/reports/features.ts';
import type { Clock } from '../../base/clock.ts';
import { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { isInTable, type PriceRequest, type Pricer } from '../../pricing/pricing.ts';
import type { LedgerWriter } from '../../ledger/ports.ts';
import { sumCost, sumUsage } from '../../pricing/sums.ts';
import type { ResolvedTarget } from '../../routing/routeTable.ts';
import type { ExchangeEnded } from '../../exchange/events.ts';
import type { ExchangePublisher } from '../../exchange/publisher.ts';
import type { HedgeUnderWay } from '../../exchange/runningExchange.ts';

const hostedTools = featureBit('hostedTools');

export interface CostRecorderOptions {
  ledger: Pick<LedgerWriter, 'progress' | 'close'>;
  pricer: Pricer;
  /** A provider of some endpoint is in the price table, so that it also says how long a prompt may be; absent: one is. */
  tableIsWanted?: (() => boolean) | undefined;
  /** A target as it is configured now; undefined where the endpoint is gone. */
  target(endpoint: string, model: string): Pick<ResolvedTarget, 'price'> | undefined;
  clock: Clock;
  log: Log;
  events: Pick<ExchangePublisher, 'priced'>;
  /** Something was written to the ledger. */
  changed(): void;
}

/** Prices what exchanges used and hands it to the ledger, after their callers have been answered. */
export class CostRecorder {
  #options: CostRecorderOptions;
  /** Exchanges that have ended, in their order. */
  #unpriced: ExchangeEnded[] = [];
  #pricing = false;
  readonly #prices: Guard;
  readonly #priceAttempt = (request: PriceRequest): Cost => this.#options.pricer.priceAttempt(request);
  readonly #records: Guard;
  /** Made once: it is put off for nearly every exchange. */
  readonly #priceSoon = (): void => { this.#records.start(this.#priceWaiting); };
  readonly #priceWaiting = (): void => { this.#priceAll(); };

  constructor(options: CostRecorderOptions) {
    this.#options = options;
    this.#prices = new Guard('The price of an attempt', options.log);
    this.#records = new Guard('The record of an exchange', options.log);
  }

  /** Takes an exchange that has ended. */
  settled(ended: ExchangeEnded): void {
    this.#unpriced.push(ended);
    if (this.#pricing) return;
    this.#pricing = true;
    // The answer is sent before its price is looked up.
    setImmediate(this.#priceSoon);
  }

  /** A receipt of an exchange that still runs, with what it has cost so far. */
  priced(receipt: Receipt): Receipt {
    const attempts = receipt.attempts.map(attempt => {
      const target = attempt.cost.certainty === 'unknown' ? this.#options.target(attempt.endpoint, attempt.model) : undefined;
      if (target === undefined) return attempt;
      const cost = this.#price({
        ...target.price, upstreamModel: attempt.upstreamModel, usage: attempt.usage, usageEstimated: true, at: attempt.startedAt, status: attempt.status, generated: true,
      });
      return { ...attempt, cost };
    });
    return { ...receipt, attempts, usage: sumUsage(attempts), cost: sumCost(attempts) };
  }

  /** A price that cannot be made is an unknown one: the record itself is kept. */
  #price(request: PriceRequest): Cost {
    return this.#prices.call(this.#priceAttempt, request) ?? { certainty: 'unknown' };
  }

  #priceAll(): void {
    this.#pricing = false;
    const { ledger } = this.#options;
    if (!this.#needsTable()) {
      this.#closeAll();
      return;
    }
    // The price table is loaded when it is first needed; until then the record has no prices.
    for (const { receipt } of this.#unpriced) this.#records.run(() => { ledger.progress({ ...receipt, usage: sumUsage(receipt.attempts) }); });
    this.#records.settle(this.#tableLoaded().then(() => { this.#closeAll(); }));
  }

  /** The table is to be loaded: it has something to say on a configured endpoint, or on one that an exchange used. */
  #needsTable(): boolean {
    const { pricer } = this.#options;
    if (pricer.isReady) return false;
    if (this.tableIsWanted) return true;
    for (const { attempts } of this.#unpriced) if (attempts.some(({ price }) => isInTable(price.provider))) return true;
    return false;
  }

  /** The table has something to say on a configured endpoint. */
  get tableIsWanted(): boolean {
    return this.#options.tableIsWanted?.() ?? true;
  }

  /** A table that cannot be loaded leaves prices unknown; records do not wait for it. */
  async #tableLoaded(): Promise<void> {
    try {
      await this.#options.pricer.ready();
    } catch (error) {
      this.#prices.failed(error);
    }
  }

  #closeAll(): void {
    const settled = this.#unpriced;
    // Cleared first: a record that fails is not tried again, and the others are written.
    this.#unpriced = [];
    for (const ended of settled) this.#records.run(() => { this.#close(ended); });
    this.#options.changed();
  }

  #close({ receipt, attempts, route }: ExchangeEnded): void {
    const { ledger, events } = this.#options;
    for (const { record, price } of attempts) {
      // The list may have been read since the attempt began.
      const listedPrices = this.#options.target(record.endpoint, record.model)?.price.listedPrices;
      record.cost = this.#price(price.listedPrices === listedPrices ? price : { ...price, listedPrices });
    }
    if (attempts.some(({ price }) => price.extras?.tools !== undefined)) receipt.features = (receipt.features ?? 0) | hostedTools;
    receipt.usage = sumUsage(receipt.attempts);
    receipt.cost = sumCost(receipt.attempts);
    ledger.close(receipt);
    if (events.priced.hasListeners) events.priced.emit({ receipt, route });
  }

  /** Resolves once every exchange that has ended is priced and handed to the ledger. */
  async pricedUpToNow(): Promise<void> {
    if (this.#unpriced.length === 0) return;
    if (this.#needsTable()) await this.#tableLoaded();
    this.#closeAll();
  }

  /** What a second request that has just been sent costs at least: the reading of its prompt. Unknown counts as nothing. */
  promptCost({ target, promptTokens: inputTokens }: HedgeUnderWay): number {
    const price = this.#options.target(target.endpoint, target.model)?.price;
    if (price === undefined) return 0;
    return this.#price({
      ...price, upstreamModel: target.upstreamModel, usage: { inputTokens, outputTokens: 0 }, usageEstimated: true, at: this.#options.clock.now(),
    }).microUsd ?? 0;
  }
}
