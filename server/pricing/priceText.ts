import type { PriceSettings } from '../api/settings.ts';

/**
 * A price for people to read, such as `$0.42 in / $0.84 out per 1M`.
 * @param listedAt when a provider's list said so, in milliseconds since the epoch: its day is named
 */
export function pricePerMillion(prices: PriceSettings, listedAt?: number): string {
  const price = `$${prices.inputPerMTok} in / $${prices.outputPerMTok} out per 1M`;
  return listedAt === undefined ? price : `${price} (${new Date(listedAt).toISOString().slice(0, 10)})`;
}
