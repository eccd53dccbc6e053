import { isObject } from '../../base/json.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isSet } from './strictCheck.ts';

/*
 * What OpenAI says of JSON schemas, each in its own words. Sources: https://platform.openai.com/docs/guides/structured-outputs
 * (supported schemas), and the error texts in mark3labs/mcphost#35, garrytan/gbrain#1103, kevinwatt/mysql-mcp#5,
 * matthewhand/mcp-openapi-proxy#16; November 2026.
 */

const topUnions = ['oneOf', 'anyOf', 'allOf', 'enum', 'not'] as const;

/** What is wrong with the schema of a function's arguments; undefined: nothing. */
export function functionSchemaFault(schema: JsonValue | undefined, strict: boolean): string | undefined {
  if (!isObject(schema)) return isSet(schema) ? "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'." : undefined;
  const union = topUnions.find((name) => schema[name] !== undefined);
  if (schema['type'] !== 'object' || schema['$ref'] !== undefined) return `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof schema['type'] === 'string' ? schema['type'] : 'None'}"'.`;
  if (union !== undefined) return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.";
  return nestedFault(schema, [], strict, 0);
}

/** What is wrong with the schema of an answer. */
export function answerSchemaFault(schema: JsonValue | undefined, strict: boolean): string | undefined {
  if (!isObject(schema) || schema['type'] !== 'object') return `schema must be a JSON Schema of 'type: "object"', got 'type: "${isObject(schema) && typeof schema['type'] === 'string' ? schema['type'] : 'None'}"'.`;
  return strict && schema['anyOf'] !== undefined ? "schema must not have 'anyOf' at the top level." : nestedFault(schema, [], strict, 0);
}

function nestedFault(schema: JsonObject, path: readonly string[], strict: boolean, depth: number): string | undefined {
  if (depth > 32) return undefined;
  const context = `In context=(${path.map((step) => `'${step}'`).join(', ')}${path.length === 1 ? ',' : ''})`;
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
  if (types.includes('array') && !isObject(schema['items']) && schema['items'] !== true && schema['prefixItems'] === undefined) return `${context}, array schema missing items.`;
  if (types.includes('object')) {
    const properties = isObject(schema['properties']) ? schema['properties'] : undefined;
    if (properties === undefined && path.length === 0) return `${context}, object schema missing properties.`;
    if (strict) {
      if (schema['additionalProperties'] !== false) return `${context}, 'additionalProperties' is required to be supplied and to be false.`;
      const required = Array.isArray(schema['required']) ? schema['required'] : [];
      const missing = Object.keys(properties ?? {}).find((name) => !required.includes(name));
      if (missing !== undefined) return `${context}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  const refused = strict ? ['allOf', 'not', 'oneOf', 'dependentRequired', 'if', 'patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'unevaluatedProperties', 'uniqueItems', 'contains', 'default'].find((name) => schema[name] !== undefined) : undefined;
  if (refused !== undefined) return `${context}, '${refused}' is not permitted.`;
  for (const [step, child] of childrenOf(schema)) {
    const fault = nestedFault(child, [...path, ...step], strict, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function childrenOf(schema: JsonObject): [string[], JsonObject][] {
  const found: [string[], JsonObject][] = [];
  for (const holder of ['properties', '$defs', 'definitions']) {
    const held = schema[holder];
    if (isObject(held)) for (const [name, child] of Object.entries(held)) if (isObject(child)) found.push([[holder, name], child]);
  }
  if (isObject(schema['items'])) found.push([['items'], schema['items']]);
  for (const union of ['anyOf', 'oneOf', 'allOf']) {
    const branches = schema[union];
    if (Array.isArray(branches)) for (const [index, child] of branches.entries()) if (isObject(child)) found.push([[union, String(index)], child]);
  }
  return found;
}
