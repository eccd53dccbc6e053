import type { PlannedTarget, Receipt } from '../api/receipt.ts';
import type { Clock } from '../base/clock.ts';
import type { Config, EndpointConfig } from '../config/config.ts';
import type { PriceRequest, Pricer } from '../ledger/pricing.ts';
import type { LedgerStore } from '../ledger/sqliteLedger.ts';
import { sumCost, sumUsage } from '../ledger/sums.ts';
import type { ModelDirectory } from '../upstream/modelDirectory.ts';
import { priceFactorOf } from './attemptRecord.ts';
import { modelSettings } from './modelSettings.ts';
import type { HedgeUnderWay } from './services.ts';

export interface BookkeeperOptions {
  ledger: LedgerStore;
  pricer: Pricer;
  directory: ModelDirectory;
  clock: Clock;
  config(): Config;
  /** Something was written down. */
  changed(): void;
}

/** Prices what exchanges used and hands it to the ledger, off the way of their callers. */
export class Bookkeeper {
  #options: BookkeeperOptions;
  #unpriced = new Map<string, { receipt: Receipt; prices: readonly PriceRequest[] }>();
  #pricing = false;

  constructor(options: BookkeeperOptions) {
    this.#options = options;
  }

  /** An exchange has ended. @param prices what each attempt of it is priced by */
  settled(receipt: Receipt, prices: readonly PriceRequest[]): void {
    this.#unpriced.set(receipt.id, { receipt, prices });
    if (this.#pricing) return;
    this.#pricing = true;
    // The answer is out before its price is looked up.
    setImmediate(() => this.#priceAll());
  }

  /** A receipt of an exchange that still runs, with what it has cost so far. */
  priced(receipt: Receipt): Receipt {
    const attempts = receipt.attempts.map(attempt => {
      const endpoint = this.#options.config().endpoints.get(attempt.endpoint);
      if (attempt.cost.certainty !== 'unknown' || endpoint === undefined) return attempt;
      const cost = this.#options.pricer.priceAttempt({
        ...this.#pricesOf(endpoint, attempt), usage: attempt.usage, usageEstimated: true, at: attempt.startedAt, status: attempt.status, generated: true,
      });
      return { ...attempt, cost };
    });
    return { ...receipt, attempts, usage: sumUsage(attempts), cost: sumCost(attempts) };
  }

  #priceAll(): void {
    this.#pricing = false;
    if (!this.#options.pricer.isReady) {
      // The price table is loaded at the first need of it; until then the record stands without prices.
      for (const { receipt } of this.#unpriced.values()) this.#options.ledger.progress({ ...receipt, usage: sumUsage(receipt.attempts) });
      void this.#options.pricer.ready().then(() => this.#priceAll());
      return;
    }
    for (const { receipt, prices } of this.#unpriced.values()) {
      receipt.attempts.forEach((attempt, index) => {
        const request = prices[index];
        if (request !== undefined) attempt.cost = this.#options.pricer.priceAttempt({ ...request, listedPrices: this.#options.directory.listedFacts(attempt.endpoint, attempt.model)?.prices });
      });
      receipt.usage = sumUsage(receipt.attempts);
      receipt.cost = sumCost(receipt.attempts);
      this.#options.ledger.close(receipt);
    }
    this.#unpriced.clear();
    this.#options.changed();
  }

  /** Everything that has ended is priced and with the ledger. */
  async pricedUpToNow(): Promise<void> {
    if (this.#unpriced.size === 0) return;
    await this.#options.pricer.ready();
    this.#priceAll();
  }

  /** What a second request that has just been sent costs at least: the reading of its prompt. Unknown counts as nothing. */
  promptCost({ target, promptTokens: inputTokens }: HedgeUnderWay): number {
    const endpoint = this.#options.config().endpoints.get(target.endpoint);
    if (endpoint === undefined) return 0;
    return this.#options.pricer.priceAttempt({
      ...this.#pricesOf(endpoint, target), usage: { inputTokens, outputTokens: 0 }, usageEstimated: true, at: this.#options.clock.now(),
    }).microUsd ?? 0;
  }

  /** Where the price of a model at an endpoint is to be found. */
  #pricesOf(endpoint: EndpointConfig, { model, upstreamModel }: Pick<PlannedTarget, 'model' | 'upstreamModel'>): Omit<PriceRequest, 'usage' | 'usageEstimated' | 'at'> {
    return {
      model, upstreamModel, endpointName: endpoint.name, provider: endpoint.provider, configPrices: modelSettings(endpoint, model)?.prices,
      listedPrices: this.#options.directory.listedFacts(endpoint.name, model)?.prices, priceFactor: priceFactorOf(endpoint),
    };
  }
}
