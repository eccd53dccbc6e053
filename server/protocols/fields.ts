import { isObject } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';
import { RequestFormatError } from './codec.ts';

/** Readers of a caller's fields: absent and `null` are undefined, any other type than the wanted one is the caller's error. */

/** @throws RequestFormatError when the field holds anything but a string */
export function stringField(holder: JsonObject, name: string, path = name): string | undefined {
  const value = holder[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new RequestFormatError(path, 'must be a string');
  return value;
}

/** @throws RequestFormatError when the field holds anything but a number */
export function numberField(holder: JsonObject, name: string, path = name): number | undefined {
  const value = holder[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw new RequestFormatError(path, 'must be a number');
  return value;
}

/** @throws RequestFormatError when the field holds anything but true or false */
export function booleanField(holder: JsonObject, name: string, path = name): boolean | undefined {
  const value = holder[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new RequestFormatError(path, 'must be true or false');
  return value;
}

/** @throws RequestFormatError when the field holds anything but an object */
export function objectField(holder: JsonObject, name: string, path = name): JsonObject | undefined {
  const value = holder[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new RequestFormatError(path, 'must be an object');
  return value;
}

/** @throws RequestFormatError when the field holds anything but an array */
export function arrayField(holder: JsonObject, name: string, path = name): JsonValue[] | undefined {
  const value = holder[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new RequestFormatError(path, 'must be an array');
  return value;
}

/** @throws RequestFormatError when the field is missing or empty, or not a string */
export function requiredString(holder: JsonObject, name: string, path = name): string {
  const value = stringField(holder, name, path);
  if (value === undefined || value === '') throw new RequestFormatError(path, 'is required');
  return value;
}

/** @throws RequestFormatError when the value is not an object */
export function requiredObject(value: JsonValue | undefined, path: string): JsonObject {
  if (!isObject(value)) throw new RequestFormatError(path, 'must be an object');
  return value;
}

/** A copy without the entries that are undefined, so that what was not asked for is not in the body at all. */
export function withoutUndefined(entries: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const key in entries) if (entries[key] !== undefined) kept[key] = entries[key];
  return kept;
}
