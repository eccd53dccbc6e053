import type { ProtocolCodec } from '../codec.ts';
import { ChatStreamDecoder } from './answerDecode.ts';
import { ChatStreamEncoder, encodeChatResponse } from './answerEncode.ts';
import { encodeChatError, encodeChatRefusal, encodeChatStreamError } from './errors.ts';
import { chatWithoutReasoning } from './reasoning.ts';
import { decodeChatRequest } from './requestDecode.ts';
import { encodeChatRequest } from './requestEncode.ts';

/** OpenAI Chat Completions, and everything that is compatible with it within its {@link Dialect}. */
export const openAiChat: ProtocolCodec = {
  protocol: 'openai-chat',
  decodeRequest: decodeChatRequest,
  encodeRequest: encodeChatRequest,
  withoutReasoning: chatWithoutReasoning,
  createStreamDecoder: (dialect) => new ChatStreamDecoder(dialect),
  decodeResponse: (body, dialect) => new ChatStreamDecoder(dialect).decodeWhole(body),
  createStreamEncoder: (meta) => new ChatStreamEncoder(meta),
  encodeResponse: encodeChatResponse,
  encodeError: encodeChatError,
  encodeRefusal: encodeChatRefusal,
  encodeStreamError: encodeChatStreamError,
  keepAlive: ': keep-alive\n\n',
};
