import type { ConversationRequest } from '../../api/conversation.ts';
import { textTokens, tokensPerImage } from '../../api/tokenEstimate.ts';
import { tokenLimit } from '../../base/figures.ts';
import type { Requirements } from '../../routing/plan.ts';

/** What a conversation of the editor requires of a target. */
export function requirementsOf(conversation: ConversationRequest): Requirements {
  let chars = 0;
  let images = 0;
  let documents = 0;
  const parts = [...conversation.system, ...conversation.messages.flatMap(message => message.content)];
  for (const part of parts.flatMap(one => (one.type === 'tool-result' ? one.content : [one]))) {
    switch (part.type) {
      case 'text':
      case 'thinking':
      case 'refusal': chars += part.text.length; break;
      case 'tool-call': chars += part.arguments.length; break;
      case 'image': images++; break;
      case 'document': documents++; break;
      default:
    }
  }
  if (conversation.tools.length > 0) chars += JSON.stringify(conversation.tools).length;
  return {
    tools: conversation.tools.length > 0,
    images: images > 0,
    documents: documents > 0,
    jsonSchema: conversation.responseFormat?.type === 'json-schema',
    estimatedInputTokens: textTokens(chars, 'lower') + images * tokensPerImage.lower,
    maxOutputTokens: tokenLimit(conversation.maxOutputTokens),
  };
}
