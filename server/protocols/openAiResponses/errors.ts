import { asString, isObject } from '../../base/json.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallerError } from '../codec.ts';
import { encodeChatError, encodeChatRefusal } from '../openAiChat/errors.ts';

/** Before a stream has begun, both OpenAI protocols write errors alike: status, headers, `{"error":{…}}`. */
export const encodeResponsesError = encodeChatError;
export const encodeResponsesRefusal = encodeChatRefusal;

/** Larger than the number of any earlier event of the stream: sequence numbers only ever grow. */
const lastSequenceNumber = 1_000_000_000;

/**
 * The error event of a stream that has begun. Codex acts upon `response.error.code`, and waits as long as the
 * message says ("try again in 1.5s").
 * @param response what is known of the response so far
 */
export function encodeResponsesStreamError(error: CallerError, response: JsonObject = {}, sequenceNumber: number = lastSequenceNumber): string {
  const failed = {
    id: error.exchangeId ?? 'resp_failed', object: 'response', created_at: 0, model: '', output: [], incomplete_details: null, usage: null,
    ...response,
    status: 'failed',
    error: streamError(error),
  };
  const data = { type: 'response.failed', sequence_number: sequenceNumber, response: failed };
  return `event: response.failed\ndata: ${JSON.stringify(data)}\n\n`;
}

function streamError(error: CallerError): JsonObject {
  const { body } = encodeChatError(error);
  const errorBody = isObject(body.error) ? body.error : {};
  const message = asString(errorBody.message) ?? error.message;
  // Inside a stream, `invalid_prompt` is this protocol's code for an error that a retry does not mend.
  const code = error.failureClass === 'bad-request' || error.failureClass === 'auth' ? 'invalid_prompt' : asString(errorBody.code) ?? 'server_error';
  const wait = error.failureClass === 'rate-limit' && error.retryAfterMs !== undefined && !/try again in/i.test(message);
  return { code, message: wait ? `${message} Please try again in ${(error.retryAfterMs ?? 0) / 1_000}s.` : message };
}
