import type { ExchangeObserver } from '../../exchange/events.ts';
import type { RateLimiter } from '../../limits/rateLimiter.ts';

/** The rate limiter reads in the headers of an answer what the provider says is left. */
export function limitsObserver(limiter: Pick<RateLimiter, 'observed'>): ExchangeObserver {
  return {
    name: 'The limits of providers',
    onAnswering({ attempt: { target, keyId }, headers, at, status }) {
      limiter.observed(target.endpoint, keyId, target.model, headers, at, status);
    },
  };
}
