import { createHash } from 'node:crypto';
import type { ContentPart, ConversationRequest } from '../../api/conversation.ts';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const length = 9;

/**
 * The same conversation with tool calls named by nine letters and digits, as Mistral demands. An id always becomes the
 * same one, so that calls and results still belong together, and the prompt's beginning stays what was cached.
 */
export function withShortCallIds(request: ConversationRequest): ConversationRequest {
  const renamed = (part: ContentPart): ContentPart => {
    if (part.type === 'tool-call') return { ...part, id: shortCallId(part.id) };
    return part.type === 'tool-result' ? { ...part, callId: shortCallId(part.callId) } : part;
  };
  return { ...request, messages: request.messages.map(message => ({ ...message, content: message.content.map(renamed) })) };
}

/** Nine letters and digits; an id that is so already stays. */
export function shortCallId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id;
  const digest = createHash('sha256').update(id).digest();
  let short = '';
  for (let index = 0; index < length; index += 1) short += letters[(digest[index] ?? 0) % letters.length] ?? '';
  return short;
}
