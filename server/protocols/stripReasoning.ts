import type { ConversationRequest, ProtocolName } from '../api/conversation.ts';
import { isObject, type JsonObject, type JsonValue } from '../base/json.ts';
import { standInSignature } from './gemini/contentsDecode.ts';

/**
 * The conversation without reasoning of earlier turns and without its signatures: for a provider that rejected what
 * another one had signed.
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

/** The same for a request body in its own protocol: everything else in it stays as it is. */
export function bodyWithoutReasoning(protocol: ProtocolName, body: JsonObject): JsonObject {
  switch (protocol) {
    case 'anthropic-messages': return { ...body, messages: eachOf(body.messages, message => withFiltered(message, 'content', isThinkingBlock)) };
    case 'openai-chat': return { ...body, messages: eachOf(body.messages, message => without(message, ['reasoning_content', 'reasoning', 'reasoning_details'])) };
    case 'openai-responses': return { ...body, input: Array.isArray(body.input) ? body.input.filter(item => !(isObject(item) && item.type === 'reasoning')) : body.input };
    case 'gemini': return {
      ...body,
      contents: eachOf(body.contents, content => {
        const kept = withFiltered(content, 'parts', part => part.thought === true);
        return { ...kept, parts: eachOf(kept.parts, withoutSignature) };
      }),
    };
  }
}

/** A call that was signed needs a signature: without one Gemini 3 refuses it as well. */
function withoutSignature(part: JsonObject): JsonObject {
  const bare = without(part, ['thoughtSignature', 'thought_signature']);
  const isCall = isObject(part.functionCall) || isObject(part.function_call);
  return bare !== part && isCall ? { ...bare, thoughtSignature: standInSignature } : bare;
}

function isThinkingBlock(block: JsonObject): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}

function eachOf(list: JsonValue | undefined, change: (item: JsonObject) => JsonObject): JsonValue | undefined {
  return Array.isArray(list) ? list.map(item => (isObject(item) ? change(item) : item)) : list;
}

function withFiltered(item: JsonObject, field: string, drop: (part: JsonObject) => boolean): JsonObject {
  const parts = item[field];
  if (!Array.isArray(parts)) return item;
  const kept = parts.filter(part => !(isObject(part) && drop(part)));
  // A message must not be empty: a turn that was nothing but reasoning says so in one word.
  return { ...item, [field]: kept.length === 0 && parts.length > 0 ? [emptyPart(field)] : kept };
}

function emptyPart(field: string): JsonObject {
  return field === 'parts' ? { text: '…' } : { type: 'text', text: '…' };
}

function without(item: JsonObject, names: readonly string[]): JsonObject {
  return names.some(name => name in item) ? Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name))) : item;
}
