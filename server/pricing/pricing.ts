import type { FailureClass } from '../api/failure.ts';
import type { BilledExtras, TokenUsage } from '../api/conversation.ts';
import type { Cost, PriceUsed } from '../api/receipt.ts';
import type { EndpointBilling, PriceSettings } from '../api/settings.ts';
import { promptTokens, tokenBuckets } from '../api/usage.ts';
import type { Log } from '../base/log.ts';
import type { Provider } from '../catalog/provider.ts';
import { extraCharges, requestFee, withExtraCharges, withModalityRates } from './extraCharges.ts';
import { isFreeByName, isZeroPrice, zeroPricePart } from '../base/freePrices.ts';
import { costMicroUsd, isChargeable, priceCard, ratesCover, storedFigure, tokenCount } from './money.ts';
import type { PriceCard } from './money.ts';
import { libraryContextWindow, libraryPrice, loadPriceLibrary, priceLibraryDate, priceLibraryVersion } from './priceLibrary.ts';
import type { CalcPrice } from './priceLibrary.ts';
import { deepseekPeak, priceSupplements } from './priceSupplements.ts';
import type { PricePeriod, PriceSupplement } from './priceSupplements.ts';

/** One attempt, as far as money is concerned. */
export interface PriceRequest {
  usage: TokenUsage;
  usageEstimated: boolean;
  /** Canonical model name. */
  model: string;
  upstreamModel: string;
  endpointName: string;
  provider: Provider;
  /** The user's own price of this model at this endpoint; wins over every table. */
  configPrices?: PriceSettings | undefined;
  /** What the provider's own model list says it charges; wins over our tables. */
  listedPrices?: PriceUsed | undefined;
  /** When that list was read, in milliseconds since the epoch. */
  listedAt?: number | undefined;
  /** How the endpoint is paid for; absent: by what is used. */
  billing?: EndpointBilling | undefined;
  /** What list prices are multiplied with where the endpoint is; absent: 1. */
  priceFactor?: number | undefined;
  /** When the attempt began, in milliseconds since the epoch. */
  at: number;
  /** HTTP status the provider answered with, where there was one. */
  status?: number | undefined;
  failureClass?: FailureClass | undefined;
  /** The provider's figures contradict each other, so that also its own account of the cost is an estimate. */
  contradictory?: boolean | undefined;
  /** What the answer is charged for beside its tokens at list price. */
  extras?: BilledExtras | undefined;
  /** The request never left this machine: no connection came about. Absent: it did, or may have. */
  neverSent?: boolean | undefined;
  /** Some output arrived, though nothing says how much. */
  generated?: boolean | undefined;
}

/** Where the price of a model at an endpoint is found; the same for all its attempts. */
export type PriceTerms = Pick<PriceRequest, 'model' | 'upstreamModel' | 'endpointName' | 'provider' | 'configPrices' | 'listedPrices' | 'listedAt' | 'billing' | 'priceFactor'>;

export interface Pricer {
  /**
   * The cost of one attempt. Never throws, does no I/O. What needs the price library before it is loaded
   * comes back as unknown: wait for `ready()` first unless `isReady`.
   *
   * Order: what the provider itself reported, nothing where the endpoint is paid for otherwise or is local, the user's prices, the provider's own
   * list, our supplements, the price library, unknown. A missing prompt or output count makes the cost an estimate; a missing cache
   * count means that this provider keeps no such count.
   */
  priceAttempt(request: PriceRequest): Cost;
  /** The context window the price library knows, in tokens; undefined also before it is loaded. Does not load it. */
  contextWindow(model: Pick<PriceRequest, 'provider' | 'model' | 'upstreamModel' | 'at'>): number | undefined;
  /** Loads the price library once. Resolves also when it cannot be loaded (then logged, and prices unknown). */
  ready(): Promise<void>;
  readonly isReady: boolean;
}

export interface PricerOptions {
  log: Log;
  /** Replaces the library; for tests. */
  load?: (() => Promise<CalcPrice>) | undefined;
}

interface PriceTier { abovePromptTokens: number; card: PriceCard }
interface Schedule {
  tiers: readonly PriceTier[];
  source: string;
  /** The day or month of which the prices are. */
  asOf?: string | undefined;
  certain: boolean;
}
interface CachedSchedule { schedule: Schedule | undefined; /** Minute it holds for; absent: always. */ minute: number | undefined }

const cacheBound = 2_000;
const unknownCost: Cost = Object.freeze({ certainty: 'unknown' });
/** What a request costs where the endpoint is not paid for by what is used. */
const coveredCosts: Readonly<Record<Exclude<EndpointBilling, 'usage'>, Cost>> = {
  subscription: Object.freeze({ microUsd: 0, certainty: 'exact', priceSource: 'subscription' }),
  free: Object.freeze({ microUsd: 0, certainty: 'exact', priceSource: 'free' }),
};

const simulatedCost: Cost = Object.freeze({ microUsd: 0, certainty: 'exact', priceSource: 'simulated' });

/** Whether the price library and our supplements say anything on a provider; they do not on local servers and unnamed ones. */
export function isInTable(provider: Provider): provider is Provider & { pricesId: string } {
  return provider.pricesId !== undefined && provider.id !== 'sandbox';
}

/** Makes a pricer. Reads no clock: the moment of an attempt comes with the request. */
export function createPricer(options: PricerOptions): Pricer {
  return new TablePricer(options);
}

class TablePricer implements Pricer {
  readonly #log: Log;
  readonly #load: () => Promise<CalcPrice>;
  readonly #schedules = new Map<string, CachedSchedule>();
  readonly #cards = new WeakMap<PriceUsed, PriceCard>();
  readonly #contextWindows = new Map<string, number | undefined>();
  #calc: CalcPrice | undefined;
  #loading: Promise<void> | undefined;
  #settled = false;

  constructor(options: PricerOptions) {
    this.#log = options.log;
    this.#load = options.load ?? loadPriceLibrary;
  }

  get isReady(): boolean {
    return this.#settled;
  }

  ready(): Promise<void> {
    this.#loading ??= this.#load().then(
      (calc) => {
        this.#calc = calc;
        this.#schedules.clear();
        this.#settled = true;
      },
      (cause: unknown) => {
        this.#settled = true;
        this.#log.error('The price table could not be loaded; prices are known only where they are configured.', cause);
      },
    );
    return this.#loading;
  }

  priceAttempt(request: PriceRequest): Cost {
    const { extras } = request;
    if (extras?.alsoBilled === undefined) return this.#priceUsage(request);
    const { alsoBilled, serviceTier, speed, geo } = extras;
    const cost = this.#priceUsage(request);
    if (cost.microUsd === undefined || cost.priceSource === 'provider') return cost;
    // What is billed besides is a prompt of its own: its length decides its price.
    const also = this.#priceUsage({ ...request, usage: alsoBilled, extras: { serviceTier, speed, geo } });
    const microUsd = also.microUsd === undefined ? null : storedFigure(cost.microUsd + also.microUsd);
    if (microUsd === null) return { ...cost, certainty: 'estimated', unpriced: [...cost.unpriced ?? [], 'compaction'] };
    return { ...cost, microUsd, certainty: cost.certainty === 'exact' ? also.certainty : cost.certainty };
  }

  #priceUsage(request: PriceRequest): Cost {
    const { usage, provider, configPrices } = request;
    if (provider.simulated === true) return simulatedCost;
    const reported = storedFigure(usage.reportedCostMicroUsd);
    // A plan that covers an endpoint does not cover what its provider says it charged.
    if (request.billing !== undefined && request.billing !== 'usage' && (reported ?? 0) === 0) return coveredCosts[request.billing];
    if (reported !== null) return { microUsd: reported, certainty: request.contradictory === true ? 'estimated' : 'exact', priceSource: 'provider' };
    if (provider.local === true && configPrices === undefined) return { microUsd: 0, certainty: 'exact', priceSource: 'local' };
    if (!anyTokenCount(usage)) return costWithoutUsage(request);

    if (!isChargeable(usage)) return unknownCost;

    const ownCard = this.#cardOf(configPrices);
    if (ownCard !== undefined) return charge(request, ownCard, { source: provider.id === 'sandbox' ? 'sandbox' : 'config', certain: true, listed: false });
    // A list changes between the request and the bill, and has no tiers, so its price is an estimate.
    const listedCard = this.#cardOf(request.listedPrices);
    if (listedCard !== undefined) return chargeListed(request, listedCard);
    const schedule = isInTable(provider) ? this.#schedule(provider.pricesId, request) : undefined;
    const prompt = promptTokens(usage) ?? 0;
    if (schedule === undefined) {
      const nothingUsed = prompt === 0 && tokenCount(usage.outputTokens) === 0 && request.generated !== true;
      return nothingUsed && !request.usageEstimated ? { microUsd: 0, certainty: 'exact' } : unknownCost;
    }
    let tier = schedule.tiers[0];
    for (const one of schedule.tiers) if (prompt > one.abovePromptTokens) tier = one;
    if (tier === undefined) return unknownCost;
    const isLong = tier !== schedule.tiers[0];
    return charge(request, times(tier.card, request.priceFactor), { source: schedule.source, asOf: schedule.asOf, certain: schedule.certain && provider.pricesVary !== true && provider.pricesVaryFor?.test(request.upstreamModel.toLowerCase()) !== true, listed: true, isLong });
  }

  /** Prices that cannot be charged count as not given. */
  #cardOf(prices: PriceUsed | undefined): PriceCard | undefined {
    if (prices === undefined) return undefined;
    let card = this.#cards.get(prices);
    if (card === undefined) {
      card = priceCard(prices);
      if (card !== undefined) this.#cards.set(prices, card);
    }
    return card;
  }

  contextWindow({ provider, model, upstreamModel, at }: Pick<PriceRequest, 'provider' | 'model' | 'upstreamModel' | 'at'>): number | undefined {
    if (this.#calc === undefined || provider.pricesId === undefined) return undefined;
    const key = `${provider.pricesId}\n${upstreamModel}\n${model}`;
    if (this.#contextWindows.has(key)) return this.#contextWindows.get(key);
    let contextWindow: number | undefined;
    for (const name of namesOf(upstreamModel, model)) {
      try {
        contextWindow ??= libraryContextWindow(this.#calc, provider.pricesId, name, at);
      } catch (cause) {
        this.#log.error(`The price table cannot tell the window of ${provider.pricesId} ${name}.`, cause);
      }
    }
    if (this.#contextWindows.size >= cacheBound) this.#contextWindows.clear();
    this.#contextWindows.set(key, contextWindow);
    return contextWindow;
  }

  #schedule(pricesId: string, request: PriceRequest): Schedule | undefined {
    const key = `${pricesId}\n${request.upstreamModel}\n${request.model}`;
    const minute = Math.floor(request.at / 60_000);
    const cached = this.#schedules.get(key);
    if (cached !== undefined && (cached.minute === undefined || cached.minute === minute)) return cached.schedule;
    const found = this.#lookUp(pricesId, request);
    if (this.#schedules.size >= cacheBound) this.#schedules.clear();
    // Until the library is there a miss proves nothing and is not remembered.
    if (found !== undefined || this.#settled) {
      this.#schedules.set(key, { schedule: found?.schedule, minute: found?.changes === true ? minute : undefined });
    }
    return found?.schedule;
  }

  #lookUp(pricesId: string, request: PriceRequest): { schedule: Schedule; changes: boolean } | undefined {
    const { upstreamModel, model, at } = request;
    const names = namesOf(upstreamModel, model);
    for (const name of names) {
      const plain = plainName(name);
      const supplement = priceSupplements.find((entry) => (entry.pricesId === pricesId || entry.alsoAt?.includes(pricesId) === true) && entry.models.includes(plain));
      if (supplement !== undefined) return { schedule: supplementSchedule(supplement, at), changes: true };
    }
    if (this.#calc === undefined) {
      void this.ready();
      return undefined;
    }
    for (const name of names) {
      try {
        const price = libraryPrice(this.#calc, pricesId, name, at);
        if (price === undefined) continue;
        const tiers = price.tiers.flatMap(({ abovePromptTokens, rates }) => tiersOf(abovePromptTokens, withModalityRates(rates, pricesId, upstreamModel)));
        return { schedule: { tiers, source: `genai-prices ${priceLibraryVersion}`, asOf: priceLibraryDate, certain: price.certain }, changes: price.changes };
      } catch (cause) {
        this.#log.error(`The price table cannot price ${pricesId} ${name}.`, cause);
      }
    }
    return undefined;
  }
}

function namesOf(upstreamModel: string, model: string): string[] {
  // The profile that an ARN of Amazon Bedrock names has the price of its own id.
  const own = upstreamModel.startsWith('arn:') ? upstreamModel.slice(upstreamModel.lastIndexOf('/') + 1) : upstreamModel;
  return [...new Set([own, model, own.replaceAll('.', '-'), model.replaceAll('.', '-')])];
}

/** A price of a region or a service tier that charges a multiple of the list. */
function times(card: PriceCard, factor: number | undefined): PriceCard {
  if (factor === undefined || factor === 1) return card;
  // Rounded where the card rounds as well, which only drops the dust of the multiplication.
  const multiple: PriceUsed = { ...card.used };
  for (const name of Object.keys(multiple) as (keyof PriceUsed)[]) {
    const rate = multiple[name];
    if (rate !== undefined) multiple[name] = Math.round(rate * factor * 1e9) / 1e9;
  }
  return priceCard(multiple) ?? card;
}

/** What a price is worth. */
interface PriceKind {
  source: string;
  asOf?: string | undefined;
  certain: boolean;
  /** The price is one of a list, which holds for the standard service tier. */
  listed: boolean;
  /** It is the price of long contexts. */
  isLong?: boolean;
}

function charge(request: PriceRequest, card: PriceCard, kind: PriceKind): Cost {
  const { extras, provider: { pricesId }, upstreamModel } = request;
  const fee = kind.listed ? requestFee(pricesId, upstreamModel) : 0;
  if (extras === undefined && fee === 0) return chargeTokens(request, card, kind);
  const known = extras ?? {};
  const charges = extraCharges(kind.listed ? known : { tools: known.tools }, { pricesId, upstreamModel, isLong: kind.isLong === true, usesCache: usesCache(request.usage), rates: card.used });
  return withExtraCharges(chargeTokens(request, times(card, charges.factor), kind), { ...charges, feeMicroUsd: charges.feeMicroUsd + fee });
}

/** A list that states $0 for what is not free states no price: the cost names what it does not hold. */
function chargeListed(request: PriceRequest, card: PriceCard): Cost {
  const { listedAt, upstreamModel } = request;
  const isZero = isZeroPrice(card.used);
  if (isZero && isFreeByName(upstreamModel)) return { ...coveredCosts.free, priceUsed: card.used };
  const asOf = listedAt === undefined ? undefined : new Date(listedAt).toISOString().slice(0, 10);
  const cost = charge(request, card, { source: 'provider list', asOf, certain: false, listed: true });
  return isZero ? { ...cost, unpriced: [...cost.unpriced ?? [], zeroPricePart] } : cost;
}

function chargeTokens(request: PriceRequest, card: PriceCard, { source, asOf, certain, listed }: PriceKind): Cost {
  const { usage } = request;
  const exact = certain && !request.usageEstimated
    && usage.inputTokens !== undefined && usage.outputTokens !== undefined && ratesCover(usage, card.used);
  const microUsd = costMicroUsd(usage, card, listed ? request.extras : undefined);
  if (microUsd === undefined) return unknownCost;
  const cost: Cost = { microUsd, certainty: exact ? 'exact' : 'estimated', priceSource: source, priceUsed: card.used };
  if (asOf !== undefined) cost.priceAsOf = asOf;
  return cost;
}

/**
 * No token count at all. A refusal (status 400 and more) and a request that was never sent cost nothing. A provider that
 * got a request may have worked on it and charge for that, also when it was cancelled, reset or timed out: unknown.
 */
function costWithoutUsage(request: PriceRequest): Cost {
  if (request.generated === true) return unknownCost;
  if (request.status !== undefined && request.status >= 400) return { microUsd: 0, certainty: 'exact' };
  return request.neverSent === true && request.status === undefined ? { microUsd: 0, certainty: 'exact' } : unknownCost;
}

function usesCache({ cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens }: TokenUsage): boolean {
  return tokenCount(cacheReadTokens) + tokenCount(cacheWriteTokens) + tokenCount(cacheWrite1hTokens) > 0;
}

function anyTokenCount(usage: TokenUsage): boolean {
  return tokenBuckets.some(bucket => usage[bucket] !== undefined);
}

/** Lower case, dashes for dots, no vendor prefix, no date at the end. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/^.*\//, '').replaceAll('.', '-').replace(/[-@](?:latest|\d{8}|\d{4}-\d{2}-\d{2})$/, '');
}

/** One tier; none where its rates cannot be charged. */
function tiersOf(abovePromptTokens: number, rates: PriceUsed): PriceTier[] {
  const card = priceCard(rates);
  return card === undefined ? [] : [{ abovePromptTokens, card }];
}

function supplementSchedule(supplement: PriceSupplement, at: number): Schedule {
  let period: PricePeriod | undefined;
  for (const candidate of supplement.periods) {
    if (candidate.from === undefined || at >= Date.parse(candidate.from)) period = candidate;
  }
  const tiers: PriceTier[] = [];
  let certain = true;
  if (period !== undefined) {
    let base: PriceUsed = period.rates;
    if (period.peak !== undefined) {
      const now = deepseekPeak(at);
      if (now.peak) base = period.peak;
      certain = now.certain;
    }
    tiers.push(...tiersOf(-1, base));
    if (period.long !== undefined) tiers.push(...tiersOf(period.long.abovePromptTokens, period.long.rates));
  }
  return { tiers, source: `waybill table (${supplement.source})`, asOf: /\d{4}-\d{2}(?:-\d{2})?$/.exec(supplement.source)?.[0], certain };
}
