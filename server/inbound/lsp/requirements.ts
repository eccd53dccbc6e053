import type { Requirements } from '../../api/routes/requirements.ts';
import type { ContentPart, ConversationRequest } from '../../api/conversation.ts';
import { jsonLength } from '../../api/jsonLength.ts';
import { textTokens, tokensPerImage } from '../../api/tokenEstimate.ts';
import { tokenLimit } from '../../base/figures.ts';
import { imageType } from '../../protocols/bodyRules/imageTypes.ts';

/** Below this no provider minds the size of an image, in characters of base64. */
const largeImage = 3 * 1024 * 1024;

/** What a conversation of the editor requires of a target. */
export function requirementsOf(conversation: ConversationRequest): Requirements {
  let chars = 0;
  let images = 0;
  let documents = 0;
  let pdf = false;
  const imageTypes = new Set<string>();
  let longestImage = 0;
  const count = (part: ContentPart): void => {
    switch (part.type) {
      case 'text':
      case 'thinking':
      case 'refusal': chars += part.text.length; break;
      case 'tool-call': chars += part.arguments.length; break;
      case 'tool-result': part.content.forEach(count); break;
      case 'image':
        images++;
        if (part.source.kind === 'base64') {
          imageTypes.add(imageType(part.mimeType ?? 'image/png', part.source.data.slice(0, 16)));
          longestImage = Math.max(longestImage, part.source.data.length);
        }
        break;
      case 'document':
        documents++;
        pdf ||= part.mimeType === 'application/pdf';
        break;
      default:
    }
  };
  conversation.system.forEach(count);
  for (const message of conversation.messages) message.content.forEach(count);
  if (conversation.tools.length > 0) chars += jsonLength(conversation.tools);
  return {
    tools: conversation.tools.length > 0,
    images: images > 0,
    documents: documents > 0,
    jsonSchema: conversation.responseFormat?.type === 'json-schema',
    estimatedInputTokens: textTokens(chars, 'lower') + images * tokensPerImage.lower,
    maxOutputTokens: tokenLimit(conversation.maxOutputTokens),
    ...(imageTypes.size > 0 || pdf ? { media: { imageTypes: [...imageTypes], pdf, ...(longestImage > largeImage ? { longestImage } : {}) } } : {}),
  };
}
