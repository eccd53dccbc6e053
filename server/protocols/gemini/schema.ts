import { isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';

/** Deeper schemas are cut there: no real one comes near, and a hostile one must not exhaust the stack. */
const maxDepth = 64;

/**
 * A schema of Google's own kind (the OpenAPI subset of `parameters` and `responseSchema`: upper-case types,
 * `nullable`, counts as text) as JSON Schema. JSON Schema that was put there by mistake goes through unharmed.
 */
export function jsonSchemaOf(schema: JsonObject, depth = 0): JsonObject {
  const written: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    switch (key) {
      case 'nullable':
      case 'propertyOrdering':
      case 'property_ordering':
      case 'example':
        break;
      case 'type':
        written.type = typeof value === 'string' ? typeOf(value, schema.nullable === true) : value;
        break;
      case 'enum':
        written.enum = Array.isArray(value) && schema.nullable === true && !value.includes(null) ? [...value, null] : value;
        break;
      case 'items':
      case 'additionalProperties':
      case 'not':
        written[key] = nested(value, depth);
        break;
      case 'properties':
      case '$defs':
      case 'definitions':
        written[key] = isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, nested(entry, depth)])) : value;
        break;
      case 'anyOf':
      case 'any_of':
      case 'oneOf':
      case 'allOf':
      case 'prefixItems':
        written[key === 'any_of' ? 'anyOf' : key] = Array.isArray(value) ? value.map((entry) => nested(entry, depth) ?? null) : value;
        break;
      default:
        written[key] = counts.has(key) && typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    }
  }
  return written;
}

function nested(value: JsonValue | undefined, depth: number): JsonValue | undefined {
  return isObject(value) && depth < maxDepth ? jsonSchemaOf(value, depth + 1) : value;
}

function typeOf(type: string, isNullable: boolean): JsonValue | undefined {
  const plain = type.toLowerCase();
  if (plain === 'type_unspecified') return undefined;
  return isNullable && plain !== 'null' ? [plain, 'null'] : plain;
}

/** 64-bit counts travel as text in Google's JSON. */
const counts: ReadonlySet<string> = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']);
