import type { FailureClass } from '../../api/failure.ts';
import type { JsonObject } from '../../base/json.ts';
import { callerMessage, errorHeaders, errorStatus } from '../callerErrors.ts';
import type { CallerError } from '../codec.ts';
import { nameOfStatus, type StatusNames } from '../statusNames.ts';

interface ChatError { status: number; type: string; code: string }

const byClass: Readonly<Record<FailureClass, ChatError>> = {
  auth: { status: 502, type: 'server_error', code: 'upstream_key_rejected' },
  quota: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  'rate-limit': { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  overloaded: { status: 503, type: 'server_error', code: 'server_is_overloaded' },
  server: { status: 503, type: 'server_error', code: 'server_error' },
  network: { status: 503, type: 'server_error', code: 'upstream_unreachable' },
  timeout: { status: 504, type: 'server_error', code: 'upstream_timeout' },
  'context-overflow': { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded' },
  'content-policy': { status: 400, type: 'invalid_request_error', code: 'content_policy_violation' },
  'model-not-found': { status: 404, type: 'invalid_request_error', code: 'model_not_found' },
  'bad-request': { status: 400, type: 'invalid_request_error', code: 'invalid_request' },
  local: { status: 503, type: 'server_error', code: 'router_out_of_resources' },
  cancelled: { status: 499, type: 'request_cancelled', code: 'request_cancelled' },
};

/** Classes whose code tools act upon: tools do not know a provider's own code for it. */
const fixedCodes: ReadonlySet<FailureClass> = new Set<FailureClass>(['auth', 'quota', 'rate-limit', 'context-overflow', 'model-not-found']);

/** An error in OpenAI's shape: status, headers and body. A rejected upstream key is a 502, see callerErrors.ts. */
export function encodeChatError(error: CallerError): { status: number; headers: Record<string, string>; body: JsonObject } {
  return { status: errorStatus(error, byClass[error.failureClass].status), headers: errorHeaders(error), body: { error: errorObject(error) } };
}

/** The error event of a stream that has begun. No `[DONE]` follows it: the answer is not done. */
export function encodeChatStreamError(error: CallerError): string {
  return `data: ${JSON.stringify({ error: errorObject(error) })}\n\n`;
}

function errorObject(error: CallerError): JsonObject {
  const { type, code } = byClass[error.failureClass];
  return {
    message: callerMessage(error),
    type,
    param: null,
    code: fixedCodes.has(error.failureClass) ? code : error.code ?? code,
  };
}

const statusNames: StatusNames<{ type: string; code: string }> = {
  400: { type: 'invalid_request_error', code: 'invalid_request' },
  401: { type: 'invalid_request_error', code: 'invalid_api_key' },
  403: { type: 'invalid_request_error', code: 'forbidden' },
  404: { type: 'invalid_request_error', code: 'not_found' },
  413: { type: 'invalid_request_error', code: 'request_too_large' },
  429: { type: 'requests', code: 'rate_limit_exceeded' },
  500: { type: 'server_error', code: 'internal_error' },
};

/** The body of an HTTP error as OpenAI writes it. */
export function encodeChatRefusal(status: number, message: string): JsonObject {
  const { type, code } = nameOfStatus(statusNames, status);
  return { error: { message, type, param: null, code } };
}
