import { isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { requiredObject } from '../fields.ts';

/**
 * An object of Google's JSON with its field names in camel case: both spellings (`inlineData`, `inline_data`)
 * are valid on the wire. Only the object itself is renamed, as what it holds may be the caller's own data.
 */
export function camelCased(object: JsonObject): JsonObject {
  let renamed: JsonObject | undefined;
  for (const key in object) {
    if (!key.includes('_')) continue;
    renamed ??= { ...object };
    const camel = key.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    renamed[camel] ??= object[key];
  }
  return renamed ?? object;
}

/** @throws RequestFormatError when the value is not an object */
export function requiredCamelCased(value: JsonValue | undefined, path: string): JsonObject {
  return camelCased(requiredObject(value, path));
}

/** The object in camel case, or an empty one. */
export function camelCasedOrEmpty(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? camelCased(value) : {};
}
