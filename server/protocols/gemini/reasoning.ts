import { isObject, type JsonObject } from '../../base/json.ts';
import { eachOf, withoutFields, withoutParts } from '../stripReasoning.ts';
import { standInSignature } from './contentsDecode.ts';

/** A request body without the reasoning of earlier turns and without its signatures. */
export function geminiWithoutReasoning(body: JsonObject): JsonObject {
  return {
    ...body,
    contents: eachOf(body.contents, content => {
      const kept = withoutParts(content, 'parts', { text: '…' }, part => part.thought === true);
      return { ...kept, parts: eachOf(kept.parts, withoutSignature) };
    }),
  };
}

/** A call that was signed needs a signature: without one Gemini 3 refuses it as well. */
function withoutSignature(part: JsonObject): JsonObject {
  const bare = withoutFields(part, ['thoughtSignature', 'thought_signature']);
  const isCall = isObject(part.functionCall) || isObject(part.function_call);
  return bare !== part && isCall ? { ...bare, thoughtSignature: standInSignature } : bare;
}
