import { isObject } from '../base/json.ts';
import type { JsonObject, JsonValue } from '../base/json.ts';

const maximumDepth = 8;

/**
 * The smallest value that a JSON Schema plainly asks for: required properties, first enum member, one-word
 * strings. Knows type, enum, const, properties, items, anyOf/oneOf and local `$ref`s; deterministic.
 */
export function sampleFromSchema(schema: JsonObject): JsonValue {
  return sample(schema, schema, 0);
}

function sample(schema: JsonValue | undefined, root: JsonObject, depth: number): JsonValue {
  if (!isObject(schema) || depth > maximumDepth) return null;
  if (schema['const'] !== undefined) return schema['const'];
  if (Array.isArray(schema['enum']) && schema['enum'][0] !== undefined) return schema['enum'][0];
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives)) return sample(alternatives[0], root, depth + 1);
  if (typeof schema['$ref'] === 'string') return sample(resolve(root, schema['$ref']), root, depth + 1);
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (type) {
    case 'string': return 'sandbox';
    case 'integer': case 'number': return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
    case 'boolean': return true;
    case 'null': return null;
    case 'array': return typeof schema['minItems'] === 'number' && schema['minItems'] > 0 ? [sample(schema['items'], root, depth + 1)] : [];
    default: return sampleObject(schema, root, depth);
  }
}

function sampleObject(schema: JsonObject, root: JsonObject, depth: number): JsonObject {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.fromEntries(required.filter((name) => typeof name === 'string').map((name) => [name, sample(properties[name], root, depth + 1)]));
}

function resolve(root: JsonObject, reference: string): JsonValue | undefined {
  if (!reference.startsWith('#/')) return undefined;
  return reference.slice(2).split('/').reduce<JsonValue | undefined>((value, step) => (isObject(value) ? value[step] : undefined), root);
}
