import type { ResponseCache } from '../../exchange/cache/responseCache.ts';
import type { ExchangeObserver } from '../../exchange/events.ts';

/** What an answer cost is what its next callers save; figures are counted once that is known. */
export function responseCacheObserver(responses: Pick<ResponseCache, 'priced' | 'count'>): ExchangeObserver {
  return {
    name: 'The response cache',
    onPriced({ receipt, route }) {
      if (receipt.cache === undefined) return;
      responses.priced(receipt);
      const { state } = receipt.cache;
      // A request that reached no provider is no miss.
      if (route !== undefined && (state === 'hit' || state === 'shared' ? receipt.outcome === 'ok' : receipt.attempts.length > 0)) responses.count(route, receipt.cache);
    },
  };
}
