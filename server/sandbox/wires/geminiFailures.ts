import type { JsonObject } from '../../base/json.ts';
import type { SandboxErrorKind } from '../sandboxBehaviour.ts';
import { retryAfterHeaders } from './sandboxWire.ts';
import type { FailureRequest, WireFailure } from './sandboxWire.ts';

interface ErrorRow { status: number; word: string; message: string; reason?: string }

function errorRow(kind: SandboxErrorKind, model: string): ErrorRow {
  switch (kind) {
    case 'auth': return { status: 400, word: 'INVALID_ARGUMENT', message: 'API key not valid. Please pass a valid API key.', reason: 'API_KEY_INVALID' };
    case 'permission': return { status: 403, word: 'PERMISSION_DENIED', message: 'The caller does not have permission' };
    case 'quota': return { status: 402, word: 'RESOURCE_EXHAUSTED', message: 'Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.' };
    case 'rate-limit': return { status: 429, word: 'RESOURCE_EXHAUSTED', message: `You exceeded your current requests per minute for ${model}.` };
    case 'overloaded': return { status: 503, word: 'UNAVAILABLE', message: 'The model is overloaded. Please try again later.' };
    case 'server': return { status: 500, word: 'INTERNAL', message: 'An internal error has occurred. Please retry.' };
    case 'bad-gateway': return { status: 502, word: 'UNAVAILABLE', message: 'Bad gateway' };
    case 'timeout': return { status: 504, word: 'DEADLINE_EXCEEDED', message: 'The request timed out. Please try again.' };
    case 'bad-request': return { status: 400, word: 'INVALID_ARGUMENT', message: 'Invalid value at \'contents\' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content)' };
    case 'context-overflow': return { status: 400, word: 'INVALID_ARGUMENT', message: 'The input token count (250000) exceeds the maximum number of tokens allowed (200000).' };
    case 'content-policy': return { status: 400, word: 'INVALID_ARGUMENT', message: "The prompt could not be submitted. It contains sensitive words that violate Google's Responsible AI practices." };
    case 'model-not-found': return { status: 404, word: 'NOT_FOUND', message: `models/${model} is not found for API version v1beta, or is not supported for generateContent.` };
    case 'foreign-thinking': return { status: 400, word: 'INVALID_ARGUMENT', message: 'Corrupted thought signature.' };
  }
}

/** Failures in Google's words. A wait is stated in the body (`RetryInfo`), unless a header was asked for. */
export function geminiFailure(request: FailureRequest): WireFailure {
  const { status, word, message, reason } = errorRow(request.kind, request.model);
  const wait = request.retryAfter;
  const details: JsonObject[] = [
    ...(reason === undefined ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }]),
    ...(wait?.form === 'body' ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${wait.ms / 1000}s` }] : []),
  ];
  return {
    status,
    headers: retryAfterHeaders(wait, Date.now()),
    body: { error: { code: status, message: request.message ?? message, status: word, ...(details.length === 0 ? {} : { details }) } },
  };
}
