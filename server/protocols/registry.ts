import type { ProtocolName } from '../api/conversation.ts';
import { anthropicMessages } from './anthropicMessages/codec.ts';
import type { ProtocolCodec } from './codec.ts';
import { gemini } from './gemini/codec.ts';
import { openAiChat } from './openAiChat/codec.ts';
import { openAiResponses } from './openAiResponses/codec.ts';

const codecs: Readonly<Record<ProtocolName, ProtocolCodec>> = {
  'openai-chat': openAiChat,
  'openai-responses': openAiResponses,
  'anthropic-messages': anthropicMessages,
  gemini,
};

/** The codec of a protocol. */
export function codecFor(protocol: ProtocolName): ProtocolCodec {
  return codecs[protocol];
}

/** The protocols that can be spoken to providers. */
export const supportedProtocols = Object.keys(codecs) as ProtocolName[];
