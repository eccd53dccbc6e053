import { isObject, type JsonObject } from '../../base/json.ts';

/** A request body without the reasoning of earlier turns. */
export function responsesWithoutReasoning(body: JsonObject): JsonObject {
  return { ...body, input: Array.isArray(body.input) ? body.input.filter(item => !(isObject(item) && item.type === 'reasoning')) : body.input };
}
