import type { ProtocolName } from '../api/conversation.ts';
import { anthropicMessages } from './anthropicMessages.ts';
import type { ProtocolCodec } from './codec.ts';
import { openAiChat } from './openAiChat.ts';

const codecs: Readonly<Partial<Record<ProtocolName, ProtocolCodec>>> = {
  'openai-chat': openAiChat,
  'anthropic-messages': anthropicMessages,
};

/** The codec of a protocol; undefined for a protocol that cannot be translated yet. */
export function codecFor(protocol: ProtocolName): ProtocolCodec | undefined {
  return codecs[protocol];
}

/** The protocols that can be spoken to providers. */
export const supportedProtocols = Object.keys(codecs) as ProtocolName[];
