import { anthropicMessages } from '../anthropicMessages/codec.ts';
import type { ProtocolCodec } from '../codec.ts';
import { ConverseStreamDecoder } from './answerDecode.ts';

/**
 * Converse of Amazon Bedrock, which only targets speak: requests are written by `encodeConverseRequest`, which also says what
 * it changed, and answers are read here. It stands for the Messages protocol of its endpoint, in which callers are answered.
 */
export const bedrockConverse: ProtocolCodec = {
  ...anthropicMessages,
  createStreamDecoder: () => new ConverseStreamDecoder(),
  decodeResponse: (body) => new ConverseStreamDecoder().decodeWhole(body),
};
