import type { PriceSettings } from '../api/settings.ts';

/** A price for people to read, such as `$0.42 in / $0.84 out per 1M`. */
export function pricePerMillion(prices: PriceSettings): string {
  return `$${prices.inputPerMTok} in / $${prices.outputPerMTok} out per 1M`;
}
