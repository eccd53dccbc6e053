import type { ProtocolCodec } from '../codec.ts';
import { ResponsesStreamDecoder } from './answerDecode.ts';
import { encodeResponsesResponse, ResponsesStreamEncoder } from './answerEncode.ts';
import { encodeResponsesError, encodeResponsesRefusal, encodeResponsesStreamError } from './errors.ts';
import { responsesWithoutReasoning } from './reasoning.ts';
import { decodeResponsesRequest } from './requestDecode.ts';
import { encodeResponsesRequest } from './requestEncode.ts';

/** OpenAI Responses, and everything that is compatible with it within its {@link Dialect}. */
export const openAiResponses: ProtocolCodec = {
  protocol: 'openai-responses',
  decodeRequest: decodeResponsesRequest,
  encodeRequest: encodeResponsesRequest,
  withoutReasoning: responsesWithoutReasoning,
  createStreamDecoder: () => new ResponsesStreamDecoder(),
  decodeResponse: (body) => new ResponsesStreamDecoder().decodeWhole(body),
  createStreamEncoder: (meta) => new ResponsesStreamEncoder(meta),
  encodeResponse: encodeResponsesResponse,
  encodeError: encodeResponsesError,
  encodeRefusal: encodeResponsesRefusal,
  encodeStreamError: (error) => encodeResponsesStreamError(error),
  keepAlive: ': keep-alive\n\n',
};
