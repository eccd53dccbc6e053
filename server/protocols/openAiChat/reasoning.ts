import type { JsonObject } from '../../base/json.ts';
import { eachOf, withoutFields } from '../stripReasoning.ts';

/** A request body without the reasoning of earlier turns. */
export function chatWithoutReasoning(body: JsonObject): JsonObject {
  return { ...body, messages: eachOf(body.messages, message => withoutFields(message, ['reasoning_content', 'reasoning', 'reasoning_details'])) };
}
