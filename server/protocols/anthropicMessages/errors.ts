import type { FailureClass } from '../../api/failure.ts';
import type { JsonObject } from '../../base/json.ts';
import { callerMessage, errorHeaders, errorStatus } from '../callerErrors.ts';
import type { CallerError } from '../codec.ts';
import { nameOfStatus, type StatusNames } from '../statusNames.ts';

const byClass: Readonly<Record<FailureClass, { status: number; type: string }>> = {
  auth: { status: 502, type: 'api_error' },
  quota: { status: 402, type: 'billing_error' },
  'rate-limit': { status: 429, type: 'rate_limit_error' },
  overloaded: { status: 529, type: 'overloaded_error' },
  server: { status: 503, type: 'api_error' },
  network: { status: 503, type: 'api_error' },
  timeout: { status: 504, type: 'timeout_error' },
  'context-overflow': { status: 400, type: 'invalid_request_error' },
  'content-policy': { status: 400, type: 'invalid_request_error' },
  'model-not-found': { status: 404, type: 'not_found_error' },
  'bad-request': { status: 400, type: 'invalid_request_error' },
  local: { status: 503, type: 'api_error' },
  cancelled: { status: 499, type: 'api_error' },
};

/** An error in Anthropic's shape: status, headers and body. A rejected upstream key is a 502, see callerErrors.ts. */
export function encodeMessagesError(error: CallerError): { status: number; headers: Record<string, string>; body: JsonObject } {
  return { status: errorStatus(error, byClass[error.failureClass].status), headers: errorHeaders(error), body: errorBody(error) };
}

/** The error event of a stream that has begun. */
export function encodeMessagesStreamError(error: CallerError): string {
  return `event: error\ndata: ${JSON.stringify(errorBody(error))}\n\n`;
}

function errorBody(error: CallerError): JsonObject {
  const details = error.code === undefined ? {} : { details: { error_code: error.code } };
  return {
    type: 'error',
    error: { type: byClass[error.failureClass].type, message: messageOf(error), ...details },
    request_id: error.exchangeId ?? null,
  };
}

/** Coding agents shorten their history only when the message contains "prompt is too long". */
function messageOf(error: CallerError): string {
  const message = callerMessage(error);
  return error.failureClass === 'context-overflow' && !message.toLowerCase().includes('prompt is too long') ? `prompt is too long: ${message}` : message;
}

const statusNames: StatusNames<string> = {
  400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 413: 'request_too_large', 429: 'rate_limit_error', 500: 'api_error',
};

/** The body of an HTTP error as Anthropic writes it. */
export function encodeMessagesRefusal(status: number, message: string): JsonObject {
  return { type: 'error', error: { type: nameOfStatus(statusNames, status), message } };
}
