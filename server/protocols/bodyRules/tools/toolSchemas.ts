import { isObject, mapChanged, type JsonObject, type JsonValue } from '../../../base/json.ts';
import { LatestByBytes, oncePerList } from '../../toolLists.ts';
import { withItems } from './strictSchemas.ts';

/**
 * The schema of a tool's arguments as OpenAI and Anthropic take it: an object's, without a union or a reference at the top.
 * OpenAI wants `properties` as well, even empty, and `items` of each list. Sources: their error texts ("object schema missing properties"; "schema must
 * be a JSON Schema of 'type: "object"'"; "input_schema does not support oneOf, allOf, or anyOf at the top level"), November 2026.
 * @returns the same object when it is so already
 */
export function fitToolSchema(schema: JsonValue | undefined, needsProperties: boolean): JsonObject {
  if (!isObject(schema)) return { type: 'object', properties: {} };
  let fit = resolved(schema);
  if (unions.some(name => fit[name] !== undefined)) fit = merged(fit);
  if (fit.type !== 'object') fit = { ...fit, type: 'object' };
  if (!needsProperties) return fit;
  if (!isObject(fit.properties)) fit = { ...fit, properties: {} };
  return withItems(fit);
}

const unions = ['anyOf', 'oneOf', 'allOf'] as const;

/** A reference at the top becomes what it refers to. */
function resolved(schema: JsonObject): JsonObject {
  let found = schema;
  for (let depth = 0; depth < 8 && typeof found.$ref === 'string'; depth += 1) {
    const { $ref, ...rest } = found;
    let value: JsonValue | undefined = schema;
    for (const step of $ref.replace(/^#\/?/, '').split('/')) {
      if (step !== '') value = isObject(value) ? value[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
    }
    found = isObject(value) && value !== schema ? { ...rest, ...value } : rest;
  }
  return found;
}

/**
 * One object schema that takes what the union takes: the properties of all branches; required is what every branch of a
 * choice requires, and what any part of `allOf` requires.
 */
function merged(schema: JsonObject, depth = 0): JsonObject {
  const { anyOf, oneOf, allOf, ...rest } = schema;
  const properties: JsonObject = { ...(isObject(rest.properties) ? rest.properties : {}) };
  const required = new Set(namesOf(rest.required));
  const branches = (list: JsonValue | undefined): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []).map(branch => (depth < 8 ? merged(branch, depth + 1) : branch));
  const add = (branch: JsonObject): void => {
    for (const [name, value] of Object.entries(isObject(branch.properties) ? branch.properties : {})) properties[name] ??= value;
  };
  for (const part of branches(allOf)) {
    add(part);
    for (const name of namesOf(part.required)) required.add(name);
  }
  for (const choice of [branches(anyOf), branches(oneOf)]) {
    for (const branch of choice) add(branch);
    const [first, ...others] = choice.map(branch => namesOf(branch.required));
    for (const name of first ?? []) if (others.every(names => names.includes(name))) required.add(name);
  }
  const { required: _required, additionalProperties: closed, ...kept } = rest;
  return {
    ...kept, type: 'object', properties,
    ...(required.size > 0 ? { required: [...required] } : {}),
    // Properties of a branch are no longer additional ones, but what a branch allowed beside them is not known.
    ...(closed === undefined ? {} : { additionalProperties: closed }),
  };
}

function namesOf(required: JsonValue | undefined): string[] {
  return Array.isArray(required) ? required.filter(name => typeof name === 'string') : [];
}

type FitTools = (tools: JsonValue[]) => JsonValue[];

/** Makes a list of tools fit, once for each list. The same list is given back where all fit. */
export function fitTools(fit: (tool: JsonValue) => JsonValue): FitTools {
  return oncePerList((tools: JsonValue[]): JsonValue[] => mapChanged(tools, fit));
}

/** The first way to make a list of tools fit, or the second where only some of its functions are strict. */
export function withoutMixedStrict(even: FitTools, mixed: FitTools): FitTools {
  const isStrict = (tool: JsonValue): boolean => isObject(tool) && isObject(tool.function) && tool.function.strict === true;
  return (tools) => (tools.some(isStrict) && !tools.every(isStrict) ? mixed(tools) : even(tools));
}

/** A list of tools as `fit` makes it. */
export function fitted(tools: JsonValue[], fit: FitTools, changes: Set<string>): JsonValue[] {
  const list = fit(tools);
  if (list !== tools) changes.add('definitions of tools were completed');
  return list;
}

/** The last lists of tools of which it is known whether they fit; agents send the same list with every request. */
const keptVerdicts = 8;

/** Remembers for the bytes of a few lists of tools whether they fit. */
export class ToolListVerdicts {
  readonly #kept = new LatestByBytes<boolean>(keptVerdicts);
  readonly #fit: FitTools;

  constructor(fit: FitTools) {
    this.#fit = fit;
  }

  /** @param bytes JSON text of a list of tools */
  fits(bytes: Buffer): boolean {
    const known = this.#kept.find(bytes);
    if (known !== undefined) return known;
    const fits = this.#judged(bytes);
    this.#kept.remember(bytes, fits);
    return fits;
  }

  #judged(bytes: Buffer): boolean {
    try {
      const tools = JSON.parse(bytes.toString('utf8')) as JsonValue;
      return !Array.isArray(tools) || this.#fit(tools) === tools;
    } catch {
      // What is no JSON is the provider's to refuse.
      return true;
    }
  }
}
