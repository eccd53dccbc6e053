import type { SandboxErrorKind } from '../sandboxBehaviour.ts';
import { retryAfterDetails, retryAfterHeaders } from './sandboxWire.ts';
import type { FailureRequest, WireFailure } from './sandboxWire.ts';

interface ErrorRow { status: number; type: string; code: string | null; message: string; param?: string }

function errorRow(kind: SandboxErrorKind, request: FailureRequest): ErrorRow {
  switch (kind) {
    case 'auth': return { status: 401, type: 'invalid_request_error', code: 'invalid_api_key', message: `Incorrect API key provided: ${request.maskedKey ?? '(none)'}.` };
    case 'permission': return { status: 403, type: 'invalid_request_error', code: 'unsupported_country_region_territory', message: 'Country, region, or territory not supported' };
    case 'quota': return { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded your current quota, please check your plan and billing details.' };
    case 'rate-limit': return { status: 429, type: 'requests', code: 'rate_limit_exceeded', message: `Rate limit reached for ${request.model} on requests per min (RPM).` };
    case 'overloaded': return { status: 503, type: 'server_error', code: 'server_is_overloaded', message: 'The engine is currently overloaded, please try again later.' };
    case 'server': return { status: 500, type: 'server_error', code: null, message: 'The server had an error while processing your request.' };
    case 'bad-gateway': return { status: 502, type: 'server_error', code: null, message: 'Bad gateway.' };
    case 'timeout': return { status: 504, type: 'server_error', code: null, message: 'The upstream request timed out.' };
    case 'bad-request': return { status: 400, type: 'invalid_request_error', code: 'invalid_value', message: 'Invalid value in the request.', param: 'messages' };
    case 'context-overflow': return { status: 400, type: 'invalid_request_error', code: 'context_length_exceeded', message: "This model's maximum context length is 4096 tokens. Please reduce the length of the messages.", param: 'messages' };
    case 'content-policy': return { status: 400, type: 'invalid_request_error', code: 'content_policy_violation', message: 'Your request was rejected by our safety system.' };
    case 'model-not-found': return { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: `The model '${request.model}' does not exist or you do not have access to it.` };
    case 'foreign-thinking': return { status: 400, type: 'invalid_request_error', code: 'invalid_encrypted_content', message: 'The encrypted reasoning content could not be verified.' };
  }
}

/** Failures in OpenAI's words; both of its protocols write them alike. */
export function openaiFailure(request: FailureRequest): WireFailure {
  const row = errorRow(request.kind, request);
  return {
    status: row.status,
    headers: retryAfterHeaders(request.retryAfter, Date.now()),
    body: { error: { message: request.message ?? row.message, type: row.type, param: row.param ?? null, code: row.code, ...retryAfterDetails(request.retryAfter) } },
  };
}
