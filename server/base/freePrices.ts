import type { PriceSettings } from '../api/settings.ts';

/** What a cost lacks where a list states $0 for a model that is not known to be free. */
export const zeroPricePart = 'tokens listed at $0';

/** A price of nothing for prompt and answer. */
export function isZeroPrice(prices: PriceSettings): boolean {
  return prices.inputPerMTok === 0 && prices.outputPerMTok === 0;
}

/** Providers mark variants that cost nothing in their name: OpenRouter's `:free`, others' `-free`. */
export function isFreeByName(model: string): boolean {
  return /[:/-]free$/i.test(model);
}
