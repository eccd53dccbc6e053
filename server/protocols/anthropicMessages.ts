import { MessagesStreamDecoder } from './anthropicMessagesAnswerDecode.ts';
import { encodeMessagesResponse, MessagesStreamEncoder } from './anthropicMessagesAnswerEncode.ts';
import { encodeMessagesError, encodeMessagesStreamError } from './anthropicMessagesErrors.ts';
import { decodeMessagesRequest } from './anthropicMessagesRequestDecode.ts';
import { encodeMessagesRequest } from './anthropicMessagesRequestEncode.ts';
import type { ProtocolCodec } from './codec.ts';

/** Anthropic's Messages API, and what is compatible with it. */
export const anthropicMessages: ProtocolCodec = {
  protocol: 'anthropic-messages',
  decodeRequest: decodeMessagesRequest,
  encodeRequest: encodeMessagesRequest,
  createStreamDecoder: () => new MessagesStreamDecoder(),
  decodeResponse: (body) => new MessagesStreamDecoder().decodeWhole(body),
  createStreamEncoder: (meta) => new MessagesStreamEncoder(meta),
  encodeResponse: encodeMessagesResponse,
  encodeError: encodeMessagesError,
  encodeStreamError: encodeMessagesStreamError,
  keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
};
