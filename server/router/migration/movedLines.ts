import { said, type Said } from '../../api/localization/said.ts';
import type { TokenUsage } from '../../api/conversation.ts';
import type { Attempt, Cost, PriceUsed } from '../../api/receipt.ts';
import type { MovedLine, PricedTokens } from '../../api/reports/migration.ts';
import { costMicroUsd, priceCard } from '../../pricing/money.ts';
import type { PriceRequest } from '../../pricing/pricing.ts';
import { answerUsage, scaledUsage } from '../../pricing/savings/answer.ts';
import { otherTokenizer, sameTokenizer } from '../../pricing/savings/tokenizers.ts';
import { addUsage } from '../../pricing/sums.ts';
import type { ComparedPlace } from '../savings/baseline.ts';

interface Group {
  from: string;
  to: string;
  requests: number;
  spentMicroUsd: number;
  usage: TokenUsage;
  prices: PriceUsed | undefined;
  feesMicroUsd: number;
  /** Bounds less the likely cost, added up. */
  lessMicroUsd: number;
  moreMicroUsd: number;
  estimated: boolean;
  priceSource: string;
  priceAsOf: string | undefined;
}

/** Adds up what requests would cost at other places, by the price that would be charged, so that the arithmetic can be shown. */
export class MovedLines {
  readonly #groups = new Map<string, Group>();
  readonly #price: (request: PriceRequest) => Cost;

  constructor(price: (request: PriceRequest) => Cost) {
    this.#price = price;
  }

  /** @param spentMicroUsd on all attempts of the request @returns why it cannot be priced there; undefined where it is taken */
  add(answer: readonly Attempt[], place: ComparedPlace, spentMicroUsd: number): Said | undefined {
    const leading = answer.at(-1);
    if (leading === undefined) return said('nothing answered them');
    const { terms } = place;
    const usage = answerUsage(answer);
    const usageEstimated = answer.some(attempt => attempt.usageEstimated);
    const ask = (of: TokenUsage): Cost => this.#price({ ...terms, usage: of, usageEstimated, at: leading.startedAt, generated: true });
    const cost = ask(usage);
    const { microUsd, priceUsed, priceSource = 'nothing was used' } = cost;
    if (microUsd === undefined) return said('{0} has no known price for them', place.name);
    if (cost.unpriced !== undefined) return said('a part of the price of {0} is not known', place.name);
    const same = sameTokenizer(terms.model, leading.model);
    const bounds = same ? [microUsd] : [otherTokenizer.least, otherTokenizer.most].map(factor => ask(scaledUsage(usage, factor)).microUsd ?? microUsd);
    const card = priceUsed === undefined ? undefined : priceCard(priceUsed);
    const group = this.#groupOf({ from: leading.target, to: place.name, prices: priceUsed, priceSource, priceAsOf: cost.priceAsOf });
    group.requests += 1;
    group.spentMicroUsd += spentMicroUsd;
    addUsage(group.usage, usage);
    group.feesMicroUsd += card === undefined ? microUsd : microUsd - (costMicroUsd(usage, { ...card, perRequest: 0n }) ?? 0);
    group.lessMicroUsd += microUsd - Math.min(microUsd, ...bounds);
    group.moreMicroUsd += Math.max(microUsd, ...bounds) - microUsd;
    group.estimated ||= terms.model !== leading.model || (cost.certainty !== 'exact' && card !== undefined);
    return undefined;
  }

  /** The dearest first. */
  lines(): MovedLine[] {
    return [...this.#groups.values()].map((group): MovedLine => {
      const items = group.prices === undefined ? [] : itemsOf(group.usage, group.prices);
      const microUsd = items.reduce((sum, item) => sum + item.microUsd, group.feesMicroUsd);
      const { from, to, requests, spentMicroUsd, feesMicroUsd, estimated, priceSource, priceAsOf } = group;
      return { from, to, requests, spentMicroUsd, items, feesMicroUsd, microUsd, lowMicroUsd: microUsd - group.lessMicroUsd, highMicroUsd: microUsd + group.moreMicroUsd, estimated, priceSource, ...(priceAsOf === undefined ? {} : { priceAsOf }) };
    }).sort((one, other) => other.microUsd - one.microUsd || one.from.localeCompare(other.from));
  }

  #groupOf(of: Pick<Group, 'from' | 'to' | 'prices' | 'priceSource' | 'priceAsOf'>): Group {
    const key = JSON.stringify([of.from, of.to, of.prices, of.priceSource, of.priceAsOf]);
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, group = { ...of, requests: 0, spentMicroUsd: 0, usage: {}, feesMicroUsd: 0, lessMicroUsd: 0, moreMicroUsd: 0, estimated: false });
    return group;
  }
}

/** Tokens times price, bucket by bucket, each rounded to the micro-dollar. Buckets without a price of their own have that of the next one; see priceCard. */
function itemsOf(usage: TokenUsage, prices: PriceUsed): PricedTokens[] {
  const card = priceCard(prices);
  if (card === undefined) return [];
  const reasoning = prices.reasoningPerMTok === undefined ? 0 : Math.min(usage.outputTokens ?? 0, usage.reasoningTokens ?? 0);
  const write = prices.cacheWritePerMTok ?? prices.inputPerMTok;
  const item = (what: string, part: TokenUsage, tokens: number | undefined, perMTok: number): PricedTokens[] =>
    ((tokens ?? 0) === 0 ? [] : [{ what, tokens: tokens ?? 0, perMTok, microUsd: costMicroUsd(part, { ...card, perRequest: 0n }) ?? 0 }]);
  return [
    ...item('fresh input', { inputTokens: usage.inputTokens }, usage.inputTokens, prices.inputPerMTok),
    ...item('read from cache', { cacheReadTokens: usage.cacheReadTokens }, usage.cacheReadTokens, prices.cacheReadPerMTok ?? prices.inputPerMTok),
    ...item('written to cache', { cacheWriteTokens: usage.cacheWriteTokens }, usage.cacheWriteTokens, write),
    ...item('written to 1 h cache', { cacheWrite1hTokens: usage.cacheWrite1hTokens }, usage.cacheWrite1hTokens, prices.cacheWrite1hPerMTok ?? write),
    ...item('output', { outputTokens: (usage.outputTokens ?? 0) - reasoning }, (usage.outputTokens ?? 0) - reasoning, prices.outputPerMTok),
    ...item('reasoning', { outputTokens: reasoning, reasoningTokens: reasoning }, reasoning, prices.reasoningPerMTok ?? prices.outputPerMTok),
  ];
}
