import { said, type Said } from '../../api/localization/said.ts';
import type { TokenUsage } from '../../api/conversation.ts';
import type { Attempt, Cost } from '../../api/receipt.ts';
import type { Overheads } from '../../api/reports/savings.ts';
import { costMicroUsd, priceCard } from '../money.ts';
import type { PriceRequest, PriceTerms } from '../pricing.ts';
import { sumCost } from '../sums.ts';
import { answerUsage, isFromCache, scaledUsage, splitAttempts, warmUsage, type PaidExchange } from './answer.ts';
import { otherTokenizer, sameTokenizer } from './tokenizers.ts';

/** Where the baseline would have sent a request. */
export interface BaselinePlace {
  /** As a person reads it: `endpoint/model`. */
  name: string;
  endpoint: string;
  model: string;
  terms: PriceTerms;
}

/** The figure of one request. Money in micro-dollars. */
export interface RequestFigure {
  spentMicroUsd: number;
  baselineMicroUsd: number;
  /** Bounds of `baselineMicroUsd`. */
  baselineLowMicroUsd: number;
  baselineHighMicroUsd: number;
  estimated: boolean;
  /** A copy for comparison, which is no request of a caller. */
  copy: boolean;
  /** Nothing answered: the baseline is taken to have cost nothing. */
  unanswered: boolean;
  /** An answer that the response cache had: the baseline is what it had cost. */
  fromCache: boolean;
  /** A plan or a free tier covered it. */
  covered: boolean;
  overheads: Overheads;
}

/** Why a request has no figure, as part of a sentence. */
export interface NoFigure { uncounted: Said }

export interface SavingInput {
  exchange: PaidExchange;
  /** Absent where nothing answered, so that no place is needed. */
  place: BaselinePlace | undefined;
  /** Tokens of the prompt that the baseline's cache would still have held from the turn before; 0: none. */
  warmTokens: number;
  price(request: PriceRequest): Cost;
}

/** What one request saved against its baseline. All of its attempts are paid for; the baseline answers once, with the same tokens. */
export function requestSaving({ exchange, place, warmTokens, price }: SavingInput): RequestFigure | NoFigure {
  const { attempts, unreadable } = exchange;
  const spent = sumCost(attempts);
  const unclear = spendProblem(attempts, unreadable, spent);
  if (unclear !== undefined) return { uncounted: unclear };
  if (attempts.some(({ cost }) => cost.priceSource === 'simulated')) return { uncounted: said('simulated providers answered them') };
  const { answer, failed, second, shadow } = splitAttempts(exchange);
  const leading = answer.at(-1);
  const sumOf = (part: readonly Attempt[]): number => part.reduce((sum, { cost }) => sum + (cost.microUsd ?? 0), 0);
  const figure: RequestFigure = {
    spentMicroUsd: spent.microUsd ?? 0, baselineMicroUsd: 0, baselineLowMicroUsd: 0, baselineHighMicroUsd: 0, estimated: spent.certainty !== 'exact', copy: leading === undefined && shadow.length > 0, unanswered: leading === undefined && shadow.length === 0, fromCache: false,
    covered: attempts.some(({ cost }) => cost.priceSource === 'subscription' || cost.priceSource === 'free'),
    overheads: { failedMicroUsd: sumOf(failed), secondMicroUsd: sumOf(second), shadowMicroUsd: sumOf(shadow), rewritesMicroUsd: 0 },
  };
  if (leading === undefined) return isFromCache(exchange) ? cachedFigure(figure, exchange) : figure;
  if (place === undefined) return { uncounted: said('the baseline has no place for them') };
  const rewrites = rewriteCost(leading, warmTokens);
  figure.overheads.rewritesMicroUsd = rewrites;
  if (answer.length === 1 && isAt(leading, place)) {
    // The very price that was paid, without what a change of target made dearer.
    const paid = leading.cost.microUsd ?? 0;
    figure.baselineMicroUsd = figure.baselineLowMicroUsd = paid - rewrites;
    figure.baselineHighMicroUsd = paid;
    figure.estimated ||= rewrites > 0;
    return figure;
  }
  if (answer.some(hasOtherCharges)) return { uncounted: said('more than tokens at list price was charged (hosted tools, sound, pictures or a service tier), which the baseline may charge otherwise') };
  return withBaseline(figure, { answer, leading, place, warmTokens, price });
}

/** The tokens of a kept answer are not recorded again, so what it had cost at its target stands for every baseline. */
function cachedFigure(figure: RequestFigure, { cache }: PaidExchange): RequestFigure | NoFigure {
  const microUsd = cache?.savedMicroUsd;
  if (microUsd === undefined) return { uncounted: said('the response cache answered, and what its answer had cost is not known') };
  return { ...figure, baselineMicroUsd: microUsd, baselineLowMicroUsd: microUsd, baselineHighMicroUsd: microUsd, estimated: true, unanswered: false, fromCache: true };
}

interface BaselineInput extends Pick<SavingInput, 'warmTokens' | 'price'> { answer: readonly Attempt[]; leading: Attempt; place: BaselinePlace }

function withBaseline(figure: RequestFigure, { answer, leading, place, warmTokens, price }: BaselineInput): RequestFigure | NoFigure {
  const { terms } = place;
  const used = answerUsage(answer);
  const usageEstimated = answer.some(attempt => attempt.usageEstimated);
  const ask = (usage: TokenUsage): Cost => price({ ...terms, usage, usageEstimated, at: leading.startedAt, generated: true });
  const warm = warmUsage(used, warmTokens);
  const likely = ask(warm);
  if (likely.microUsd === undefined) return { uncounted: said('{0} has no known price for them', place.name) };
  if (likely.unpriced !== undefined) return { uncounted: said('a part of the price of {0} is not known', place.name) };
  const sameModel = terms.model === leading.model;
  const same = sameModel || sameTokenizer(terms.model, leading.model);
  const variants = same ? [used] : [scaledUsage(warm, otherTokenizer.least), scaledUsage(used, otherTokenizer.most), scaledUsage(written(used), otherTokenizer.most)];
  const costs = [likely, ...(same && warm === used ? [] : variants.map(ask))].map(({ microUsd }) => microUsd);
  let low = likely.microUsd;
  let high = likely.microUsd;
  for (const cost of costs) {
    if (cost === undefined) continue;
    low = Math.min(low, cost);
    high = Math.max(high, cost);
  }
  figure.baselineMicroUsd = likely.microUsd;
  figure.baselineLowMicroUsd = low;
  figure.baselineHighMicroUsd = high;
  // Another model writes answers of another length.
  figure.estimated ||= !sameModel || low !== high || (likely.certainty !== 'exact' && !isCovered(likely));
  return figure;
}

function isCovered({ priceSource }: Cost): boolean {
  return priceSource === 'subscription' || priceSource === 'free' || priceSource === 'local';
}

/** What was fresh in a prompt that uses a cache may be written to it elsewhere, and charged as that. */
function written(usage: TokenUsage): TokenUsage {
  const { inputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  return (cacheReadTokens ?? 0) === 0 || inputTokens === undefined ? usage : { ...usage, inputTokens: 0, cacheWriteTokens: (cacheWriteTokens ?? 0) + inputTokens };
}

/** Why the spending on a request is no figure to compare with; undefined where it is one. */
function spendProblem(attempts: readonly Attempt[], unreadable: number, { microUsd, unknownParts = 0, unpriced }: Cost): Said | undefined {
  if (attempts.length === 0 && unreadable === 0) return undefined;
  const unknown = attempts.find(({ cost }) => cost.microUsd === undefined);
  if (unknown !== undefined && (microUsd === undefined || unknownParts > 0)) return said('what {0} charged for them is not known', unknown.target);
  if (unreadable > 0 || microUsd === undefined) return said('what they cost is not known');
  if (unknownParts > 0) return said('what one of their attempts cost is not known');
  return unpriced === undefined ? undefined : said('a part of what they cost has no known price ({0})', unpriced.slice(0, 3).join(', '));
}

function isAt(attempt: Attempt, { endpoint, model }: BaselinePlace): boolean {
  return attempt.endpoint === endpoint && attempt.model === model;
}

/** Something beside its tokens is in the cost of an attempt. */
function hasOtherCharges({ usage, cost }: Attempt): boolean {
  if (cost.priceUsed === undefined || cost.microUsd === undefined) return false;
  const card = priceCard(cost.priceUsed);
  return card !== undefined && costMicroUsd(usage, card) !== cost.microUsd;
}

/** What an answer cost more because a cache elsewhere held a part of its prompt. 0 where its prices are not known. */
function rewriteCost({ usage, cost }: Attempt, warmTokens: number): number {
  const warm = warmUsage(usage, warmTokens);
  const card = warm === usage || cost.priceUsed === undefined ? undefined : priceCard(cost.priceUsed);
  if (card === undefined) return 0;
  return Math.max(0, (costMicroUsd(usage, card) ?? 0) - (costMicroUsd(warm, card) ?? 0));
}
