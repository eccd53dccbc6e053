import type { ExchangeObserver } from '../../exchange/events.ts';
import type { TokenLimits } from '../tokens/tokenLimits.ts';

/** What a request took of the limits of its token is known at its end. */
export function tokensObserver(limits: Pick<TokenLimits, 'ended'>): ExchangeObserver {
  return { name: 'Limits of tokens', onEnded({ receipt }) { limits.ended(receipt); } };
}
