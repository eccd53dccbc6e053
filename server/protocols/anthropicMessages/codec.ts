import { MessagesStreamDecoder } from './answerDecode.ts';
import { encodeMessagesResponse, MessagesStreamEncoder } from './answerEncode.ts';
import { encodeMessagesError, encodeMessagesRefusal, encodeMessagesStreamError } from './errors.ts';
import { messagesWithoutReasoning } from './reasoning.ts';
import { decodeMessagesRequest } from './requestDecode.ts';
import { encodeMessagesRequest } from './requestEncode.ts';
import type { ProtocolCodec } from '../codec.ts';

/** Anthropic's Messages API, and what is compatible with it. */
export const anthropicMessages: ProtocolCodec = {
  protocol: 'anthropic-messages',
  decodeRequest: decodeMessagesRequest,
  encodeRequest: encodeMessagesRequest,
  withoutReasoning: messagesWithoutReasoning,
  createStreamDecoder: () => new MessagesStreamDecoder(),
  decodeResponse: (body) => new MessagesStreamDecoder().decodeWhole(body),
  createStreamEncoder: (meta) => new MessagesStreamEncoder(meta),
  encodeResponse: encodeMessagesResponse,
  encodeError: encodeMessagesError,
  encodeRefusal: encodeMessagesRefusal,
  encodeStreamError: encodeMessagesStreamError,
  keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
};
