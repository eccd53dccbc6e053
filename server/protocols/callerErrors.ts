import type { FailureClass } from '../api/failure.ts';
import type { CallerError } from './codec.ts';

/**
 * What every protocol's error encoder shares.
 *
 * A provider that rejects its key is never a 401 or 403 to the caller: those mean that the caller's own token is
 * wrong, and tools then ask for a new login. It is a 502, and as the official SDKs retry every 5xx, the header
 * they obey (`x-should-retry: false`) says that a retry is of no use.
 */

/**
 * The sentence for the caller. For a rejected key it always says whose key it was: a provider's bare "Incorrect API key"
 * would be taken for one about the caller's own token.
 */
export function callerMessage(error: CallerError): string {
  if (error.failureClass !== 'auth' || error.namesKeyOwner === true) return error.message;
  return `The provider rejected its API key (your Waybill token is fine): ${error.message}`;
}

/**
 * Headers that go with an error: when to ask again, in both spellings the SDKs read, or that a retry is of no use.
 */
export function errorHeaders(error: CallerError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (error.retryAfterMs !== undefined && error.retryAfterMs >= 0) {
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1_000));
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs));
  }
  if (neverHeals.has(error.failureClass)) headers['x-should-retry'] = 'false';
  return headers;
}

/** Asking the same again gives the same answer until a person has done something. */
const neverHeals: ReadonlySet<FailureClass> = new Set<FailureClass>([
  'auth', 'quota', 'context-overflow', 'content-policy', 'model-not-found', 'bad-request', 'cancelled',
]);

/**
 * The code of an error that says that a cap of the user is reached. Its status is 400 in every protocol, as Anthropic answers at a limit of
 * spend: clients try a 402 (Codex) or a 429 (the AI SDK) again, whatever else the answer says.
 */
export const spendCapCode = 'spend_cap_reached';

/**
 * The status of an error: the provider's own where the request itself is wrong or refused, else that of its class. Statuses that
 * concern the caller's token or make SDKs retry are never passed on.
 * @param ofClass the status that the protocol has for the class
 */
export function errorStatus({ failureClass, status, code }: CallerError, ofClass: number): number {
  if (code === spendCapCode) return 400;
  const passes = failureClass === 'bad-request' || failureClass === 'content-policy';
  if (!passes || status === undefined || status < 400 || status > 499 || ownMeaning.has(status)) return ofClass;
  return status;
}

const ownMeaning: ReadonlySet<number> = new Set([401, 402, 403, 407, 408, 409, 425, 429, 499]);
