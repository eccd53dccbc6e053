import { isObject, parseJson, type JsonObject, type JsonValue } from './json.ts';

/*
 * JSON whose numbers are written again as they stood: 19 digits, `1.0`, `1e3`. JSON.parse makes the nearest double of a number,
 * and JSON.stringify prints that in its own way. Where the runtime has JSON.rawJSON (Node 22), such a number is kept as its
 * text, as an object that JSON.stringify prints as it is; `isObject` does not take it for an object.
 */

interface RawJson { rawJSON(text: string): unknown }
const json = JSON as unknown as Partial<RawJson>;
type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

/** A number that is printed otherwise than it may be written: many digits, a zero at the end, an exponent, minus zero. False alarms are harmless. */
const unusualNumber = /[\s:[,]-?(?:\d[\d.]{15}|\d+\.\d*0[\s,}\]]|\d+(?:\.\d+)?[eE]|0[\s,}\]](?<=-0.))/;

/**
 * Parses JSON text and keeps unusual numbers as they are written; undefined when it is not JSON. Numbers that code reads must
 * be settled first, see `parseSettled`.
 */
export function parseExact(text: string): JsonValue | undefined {
  const parsed = parseJson(text);
  if (parsed === undefined || json.rawJSON === undefined || !unusualNumber.test(text)) return parsed;
  const keep: Reviver = (_key, value, context) => (typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? json.rawJSON?.(context.source) : value);
  return JSON.parse(text, keep) as JsonValue;
}

/** Keys of requests whose values are JSON schemas. */
export const schemaKeys: ReadonlySet<string> = new Set([
  'parameters', 'parametersJsonSchema', 'input_schema', 'inputSchema', 'schema', 'responseSchema', 'response_schema', 'responseJsonSchema', 'response_json_schema',
]);

/** Keys whose values mean nothing to the protocol: schemas, and what goes into tools and comes out of them. */
export const opaqueKeys: ReadonlySet<string> = new Set([...schemaKeys, 'input', 'arguments', 'args', 'response', 'output']);

/** As `parseExact`, but only arguments and results of tools and schemas keep their numbers as they are written. */
export function parseSettled(text: string): JsonValue | undefined {
  // Without a number that is kept as text there is nothing to settle, and nearly every answer is without one.
  if (json.rawJSON === undefined || !unusualNumber.test(text)) return parseJson(text);
  const parsed = parseExact(text);
  return parsed === undefined ? undefined : settled(parsed);
}

function settled(value: JsonValue): JsonValue {
  if (isObject(value)) {
    for (const [name, entry] of Object.entries(value)) {
      if (entry !== undefined && !(opaqueKeys.has(name) && isObject(entry))) value[name] = settled(entry);
    }
    return value;
  }
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) value[index] = settled(entry);
    return value;
  }
  return isRaw(value) ? Number(value.rawJSON) : value;
}

function isRaw(value: unknown): value is { rawJSON: string } {
  return typeof value === 'object' && value !== null && 'rawJSON' in value && !isObject(value as JsonObject);
}
