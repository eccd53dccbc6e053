import type { ProtocolCodec } from './codec.ts';
import { ResponsesStreamDecoder } from './openAiResponsesAnswerDecode.ts';
import { encodeResponsesResponse, ResponsesStreamEncoder } from './openAiResponsesAnswerEncode.ts';
import { encodeResponsesError, encodeResponsesStreamError } from './openAiResponsesErrors.ts';
import { decodeResponsesRequest } from './openAiResponsesRequestDecode.ts';
import { encodeResponsesRequest } from './openAiResponsesRequestEncode.ts';

/** OpenAI Responses, and everything that is compatible with it within its {@link Dialect}. */
export const openAiResponses: ProtocolCodec = {
  protocol: 'openai-responses',
  decodeRequest: decodeResponsesRequest,
  encodeRequest: encodeResponsesRequest,
  createStreamDecoder: () => new ResponsesStreamDecoder(),
  decodeResponse: (body) => new ResponsesStreamDecoder().decodeWhole(body),
  createStreamEncoder: (meta) => new ResponsesStreamEncoder(meta),
  encodeResponse: encodeResponsesResponse,
  encodeError: encodeResponsesError,
  encodeStreamError: (error) => encodeResponsesStreamError(error),
  keepAlive: ': keep-alive\n\n',
};
