import type { FailureClass } from '../../api/failure.ts';
import type { JsonObject } from '../../base/json.ts';
import { callerMessage, errorHeaders, errorStatus } from '../callerErrors.ts';
import type { CallerError } from '../codec.ts';
import { nameOfStatus, type StatusNames } from '../statusNames.ts';

/**
 * The provider's rejected key is FAILED_PRECONDITION: Google's name for a request that cannot be served until
 * a person has changed something. Its clients do not retry it, and it is not about the caller's own token.
 */
const byClass: Readonly<Record<FailureClass, { code: number; status: string }>> = {
  auth: { code: 400, status: 'FAILED_PRECONDITION' },
  quota: { code: 402, status: 'RESOURCE_EXHAUSTED' },
  'rate-limit': { code: 429, status: 'RESOURCE_EXHAUSTED' },
  overloaded: { code: 503, status: 'UNAVAILABLE' },
  server: { code: 503, status: 'UNAVAILABLE' },
  network: { code: 503, status: 'UNAVAILABLE' },
  timeout: { code: 504, status: 'DEADLINE_EXCEEDED' },
  'context-overflow': { code: 400, status: 'INVALID_ARGUMENT' },
  'content-policy': { code: 400, status: 'INVALID_ARGUMENT' },
  'model-not-found': { code: 404, status: 'NOT_FOUND' },
  'bad-request': { code: 400, status: 'INVALID_ARGUMENT' },
  local: { code: 503, status: 'UNAVAILABLE' },
  cancelled: { code: 499, status: 'CANCELLED' },
};

/** An error in Google's shape: status, headers and body. */
export function encodeGeminiError(error: CallerError): { status: number; headers: Record<string, string>; body: JsonObject } {
  const status = errorStatus(error, byClass[error.failureClass].code);
  return { status, headers: errorHeaders(error), body: errorBody(error, status) };
}

/** The error event of a stream that has begun: a chunk with `error`, which the official client throws. */
export function encodeGeminiStreamError(error: CallerError): string {
  return `data: ${JSON.stringify(encodeGeminiError(error).body)}\n\n`;
}

function errorBody(error: CallerError, code: number): JsonObject {
  const details: JsonObject[] = [];
  if (error.code !== undefined) details.push({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: error.code, domain: 'waybill' });
  if (error.retryAfterMs !== undefined && error.retryAfterMs >= 0 && retryable.has(error.failureClass)) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${error.retryAfterMs / 1_000}s` });
  }
  return { error: { code, message: messageOf(error), status: byClass[error.failureClass].status, details } };
}

const retryable: ReadonlySet<FailureClass> = new Set<FailureClass>(['rate-limit', 'overloaded', 'server', 'network', 'timeout', 'local']);

/** Clients shorten their history when they read Google's own wording. */
function messageOf(error: CallerError): string {
  const message = callerMessage(error);
  if (error.failureClass !== 'context-overflow' || /input token count|maximum number of tokens/i.test(message)) return message;
  return `The input token count exceeds the maximum number of tokens allowed: ${message}`;
}

const statusNames: StatusNames<string> = {
  400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 413: 'INVALID_ARGUMENT', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL',
};

/** The body of an HTTP error as Google writes it. */
export function encodeGeminiRefusal(status: number, message: string): JsonObject {
  return { error: { code: status, message, status: nameOfStatus(statusNames, status) } };
}
