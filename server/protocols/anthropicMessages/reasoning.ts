import type { JsonObject } from '../../base/json.ts';
import { eachOf, withoutParts } from '../stripReasoning.ts';

/** A request body without the reasoning of earlier turns. */
export function messagesWithoutReasoning(body: JsonObject): JsonObject {
  return { ...body, messages: eachOf(body.messages, message => withoutParts(message, 'content', { type: 'text', text: '…' }, isThinkingBlock)) };
}

function isThinkingBlock(block: JsonObject): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}
