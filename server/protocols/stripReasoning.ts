import type { ConversationRequest } from '../api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../base/json.ts';

/**
 * The conversation without reasoning of earlier turns and without its signatures: for a provider that rejected what
 * another one had signed. For bodies in their own protocol see `withoutReasoning` of each codec.
 */
export function withoutReasoning(conversation: ConversationRequest): ConversationRequest {
  return {
    ...conversation,
    messages: conversation.messages.map(message => ({
      ...message,
      content: message.content
        .filter(part => part.type !== 'thinking')
        .map(part => (part.type === 'tool-call' && part.signature !== undefined ? { ...part, signature: undefined } : part)),
    })).filter(message => message.content.length > 0),
  };
}

/** A list with each of its objects changed; any other value stays as it is. */
export function eachOf(list: JsonValue | undefined, change: (item: JsonObject) => JsonObject): JsonValue | undefined {
  return Array.isArray(list) ? list.map(item => (isObject(item) ? change(item) : item)) : list;
}

/**
 * A message without some of its parts.
 * @param field the message's field that holds its parts
 * @param placeholder stands where no part is left, because providers refuse empty messages
 */
export function withoutParts(message: JsonObject, field: string, placeholder: JsonObject, drop: (part: JsonObject) => boolean): JsonObject {
  const parts = message[field];
  if (!Array.isArray(parts)) return message;
  const kept = parts.filter(part => !(isObject(part) && drop(part)));
  return { ...message, [field]: kept.length === 0 && parts.length > 0 ? [placeholder] : kept };
}

/** An object without some of its fields; the very object where it has none of them. */
export function withoutFields(item: JsonObject, names: readonly string[]): JsonObject {
  return names.some(name => name in item) ? Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name))) : item;
}
