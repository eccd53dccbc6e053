import type { RateRequest } from '../../../server/limits/rateLimiter.ts';

/** A request as limits see it: of model `m` at endpoint `a`, without a key and without tokens, unless a test sets them. */
export function rateRequest(request: Partial<RateRequest> & Pick<RateRequest, 'now'>): RateRequest {
  return { endpoint: 'a', keyId: undefined, model: 'm', promptTokens: 0, writableTokens: 0, ...request };
}
