import { isObject, type JsonObject, type JsonValue } from '../../../base/json.ts';

const maxDepth = 64;
/** Keywords that OpenAI does not take in a strict schema. Source: its guide to structured outputs, November 2026. */
const refused = ['allOf', 'not', 'oneOf', 'dependentRequired', 'dependentSchemas', 'if', 'then', 'else', 'patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'unevaluatedProperties', 'uniqueItems', 'contains', 'default'];

/** Whether OpenAI takes a schema as strict: all objects are closed and all of their properties required, and only keywords that it supports. */
export function isStrictSchema(schema: JsonValue | undefined): boolean {
  return isObject(schema) && schema.anyOf === undefined && every(schema, closedAndRequired, 0);
}

function closedAndRequired(schema: JsonObject): boolean {
  if (refused.some(name => schema[name] !== undefined)) return false;
  if (!typesOf(schema).includes('object')) return true;
  const required = Array.isArray(schema.required) ? schema.required : [];
  return schema.additionalProperties === false && Object.keys(isObject(schema.properties) ? schema.properties : {}).every(name => required.includes(name));
}

export function typesOf({ type }: JsonObject): readonly JsonValue[] {
  return Array.isArray(type) ? type : type === undefined ? [] : [type];
}

function every(schema: JsonObject, holds: (schema: JsonObject) => boolean, depth: number): boolean {
  return depth > maxDepth || (holds(schema) && childrenOf(schema).every(child => every(child, holds, depth + 1)));
}

function childrenOf(schema: JsonObject): JsonObject[] {
  const named = [schema.properties, schema.$defs, schema.definitions].flatMap(held => (isObject(held) ? Object.values(held) : []));
  const listed = [schema.anyOf, schema.oneOf, schema.allOf].flatMap(held => (Array.isArray(held) ? held : []));
  return [...named, ...listed, schema.items].filter(isObject);
}

/** A schema with each of its parts changed, from the inside out; the same object where none was. */
export function mapSchema(schema: JsonObject, change: (schema: JsonObject) => JsonObject, depth = 0): JsonObject {
  if (depth > maxDepth) return schema;
  let fit = schema;
  const inner = (value: JsonValue | undefined): JsonValue | undefined => (isObject(value) ? mapSchema(value, change, depth + 1) : value);
  for (const holder of ['properties', '$defs', 'definitions'] as const) {
    const held = schema[holder];
    if (!isObject(held)) continue;
    const entries = Object.entries(held).map(([name, value]) => [name, inner(value)] as const);
    if (entries.some(([name, value]) => value !== held[name])) fit = { ...fit, [holder]: Object.fromEntries(entries) };
  }
  for (const holder of ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const) {
    const held = schema[holder];
    if (!Array.isArray(held)) continue;
    const list = held.map(value => inner(value) ?? null);
    if (list.some((value, index) => value !== held[index])) fit = { ...fit, [holder]: list };
  }
  const items = inner(schema.items);
  if (items !== schema.items) fit = { ...fit, items };
  return change(fit);
}

/** OpenAI refuses a list that does not say what is in it. `{}` says: anything. Source: "array schema missing items" (mark3labs/mcphost#35). */
export function withItems(schema: JsonObject): JsonObject {
  return mapSchema(schema, part => (typesOf(part).includes('array') && part.items === undefined && part.prefixItems === undefined ? { ...part, items: {} } : part));
}

const bounds: Readonly<Record<string, readonly string[]>> = {
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'], number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength'], array: ['maxItems', 'uniqueItems'],
};

/**
 * A schema as Anthropic's structured outputs and strict tools take it: objects are closed, and bounds stand in the description. Sources:
 * its guide to structured outputs; "'additionalProperties' must be explicitly set to false" (ax-llm/ax#458), "property 'minimum' is not
 * supported" (agentjido/req_llm#302), "'minItems' values other than 0 or 1" (ghostlobster/memorize-everything#93).
 */
export function closedSchema(schema: JsonObject): JsonObject {
  return mapSchema(schema, part => {
    const types = typesOf(part);
    const refusedBounds = types.flatMap(type => bounds[String(type)] ?? []).filter(name => part[name] !== undefined);
    if (types.includes('array') && typeof part.minItems === 'number' && part.minItems > 1) refusedBounds.push('minItems');
    const open = types.includes('object') && part.additionalProperties !== false;
    if (refusedBounds.length === 0 && !open) return part;
    const fit: JsonObject = open ? { ...part, additionalProperties: false } : { ...part };
    if (refusedBounds.length > 0) {
      const said = refusedBounds.map(name => `${name}: ${JSON.stringify(part[name])}`).join(', ');
      fit.description = typeof part.description === 'string' ? `${part.description} (${said})` : `(${said})`;
      for (const name of refusedBounds) delete fit[name];
    }
    return fit;
  });
}
