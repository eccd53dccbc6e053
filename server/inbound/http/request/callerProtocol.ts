import type { IncomingHttpHeaders } from 'node:http';
import type { ProtocolName } from '../../../api/conversation.ts';

/** The protocol of a caller as its headers show it, for paths that several protocols share (`/v1/models`). */
export function callerProtocol(headers: IncomingHttpHeaders): ProtocolName {
  if (headers['anthropic-version'] !== undefined) return 'anthropic-messages';
  return headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined ? 'gemini' : 'openai-chat';
}
