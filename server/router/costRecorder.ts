import type { Attempt, Cost, PlannedTarget, Receipt } from '../api/receipt.ts';
import type { Clock } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { PriceRequest, Pricer } from '../pricing/pricing.ts';
import type { LedgerWriter } from '../ledger/ports.ts';
import { sumCost, sumUsage } from '../pricing/sums.ts';
import type { ModelDirectory } from '../models/modelDirectory.ts';
import { priceFactorOf } from '../exchange/attempt/record.ts';
import { modelSettings } from '../models/modelSettings.ts';
import type { ExchangeEnded } from '../exchange/events.ts';
import type { ExchangePublisher } from '../exchange/publisher.ts';
import type { HedgeUnderWay } from '../exchange/runningExchange.ts';

export interface CostRecorderOptions {
  ledger: Pick<LedgerWriter, 'progress' | 'close'>;
  pricer: Pricer;
  directory: ModelDirectory;
  clock: Clock;
  log: Log;
  config(): Config;
  events: Pick<ExchangePublisher, 'priced'>;
  /** Something was written to the ledger. */
  changed(): void;
}

/** Prices what exchanges used and hands it to the ledger, after their callers have been answered. */
export class CostRecorder {
  #options: CostRecorderOptions;
  #unpriced = new Map<string, ExchangeEnded>();
  #pricing = false;
  readonly #prices: Guard;
  readonly #records: Guard;

  constructor(options: CostRecorderOptions) {
    this.#options = options;
    this.#prices = new Guard('The price of an attempt', options.log);
    this.#records = new Guard('The record of an exchange', options.log);
  }

  /** Takes an exchange that has ended. */
  settled(ended: ExchangeEnded): void {
    this.#unpriced.set(ended.receipt.id, ended);
    if (this.#pricing) return;
    this.#pricing = true;
    // The answer is sent before its price is looked up.
    setImmediate(this.#records.wrap(() => { this.#priceAll(); }));
  }

  /** A receipt of an exchange that still runs, with what it has cost so far. */
  priced(receipt: Receipt): Receipt {
    const attempts = receipt.attempts.map(attempt => {
      const endpoint = this.#options.config().endpoints.get(attempt.endpoint);
      if (attempt.cost.certainty !== 'unknown' || endpoint === undefined) return attempt;
      const cost = this.#price(() => ({
        ...this.#pricesOf(endpoint, attempt), usage: attempt.usage, usageEstimated: true, at: attempt.startedAt, status: attempt.status, generated: true,
      }));
      return { ...attempt, cost };
    });
    return { ...receipt, attempts, usage: sumUsage(attempts), cost: sumCost(attempts) };
  }

  /** A price that cannot be made is an unknown one: the record itself is kept. */
  #price(request: () => PriceRequest): Cost {
    return this.#prices.run(() => this.#options.pricer.priceAttempt(request())) ?? { certainty: 'unknown' };
  }

  #priceAll(): void {
    this.#pricing = false;
    const { pricer, ledger } = this.#options;
    if (pricer.isReady) {
      this.#closeAll();
      return;
    }
    // The price table is loaded when it is first needed; until then the record has no prices.
    for (const { receipt } of this.#unpriced.values()) this.#records.run(() => { ledger.progress({ ...receipt, usage: sumUsage(receipt.attempts) }); });
    this.#records.settle(this.#tableLoaded().then(() => { this.#closeAll(); }));
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
    const settled = [...this.#unpriced.values()];
    // Cleared first: a record that fails is not tried again, and the others are written.
    this.#unpriced.clear();
    for (const ended of settled) this.#records.run(() => { this.#close(ended); });
    this.#options.changed();
  }

  #close({ receipt, attempts, route }: ExchangeEnded): void {
    const { directory, ledger, events } = this.#options;
    const listedPrices = (attempt: Attempt): PriceRequest['listedPrices'] => directory.listedFacts(attempt.endpoint, attempt.model)?.prices;
    for (const { record, price } of attempts) record.cost = this.#price(() => ({ ...price, listedPrices: listedPrices(record) }));
    receipt.usage = sumUsage(receipt.attempts);
    receipt.cost = sumCost(receipt.attempts);
    ledger.close(receipt);
    if (events.priced.hasListeners) events.priced.emit({ receipt, route });
  }

  /** Resolves once every exchange that has ended is priced and handed to the ledger. */
  async pricedUpToNow(): Promise<void> {
    if (this.#unpriced.size === 0) return;
    await this.#tableLoaded();
    this.#closeAll();
  }

  /** What a second request that has just been sent costs at least: the reading of its prompt. Unknown counts as nothing. */
  promptCost({ target, promptTokens: inputTokens }: HedgeUnderWay): number {
    const endpoint = this.#options.config().endpoints.get(target.endpoint);
    if (endpoint === undefined) return 0;
    return this.#price(() => ({
      ...this.#pricesOf(endpoint, target), usage: { inputTokens, outputTokens: 0 }, usageEstimated: true, at: this.#options.clock.now(),
    })).microUsd ?? 0;
  }

  /** Where the price of a model at an endpoint is to be found. */
  #pricesOf(endpoint: EndpointConfig, { model, upstreamModel }: Pick<PlannedTarget, 'model' | 'upstreamModel'>): Omit<PriceRequest, 'usage' | 'usageEstimated' | 'at'> {
    return {
      model, upstreamModel, endpointName: endpoint.name, provider: endpoint.provider, configPrices: modelSettings(endpoint, model)?.prices,
      listedPrices: this.#options.directory.listedFacts(endpoint.name, model)?.prices, priceFactor: priceFactorOf(endpoint),
    };
  }
}
