import { opaqueKeys, schemaKeys } from '../../base/exactJson.ts';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { isObject, mapChanged } from '../../base/json.ts';
import type { ObjectScan } from '../../base/objectScan.ts';

/**
 * One thing that a target refused by name, and that is left out or written in another way from then on.
 * - `drop`: a top-level field. `value`: only where it has this value, as JSON text.
 * - `drop-below`: a field at any depth below a top-level one; of what a schema or the arguments of a call hold, nothing is a field.
 * - `drop-keyword`: a keyword of the schemas below a top-level field.
 * - `rename`: a top-level field has another name there.
 * - `output-limit`: an answer may have `most` tokens.
 * - `developer-role`: the role is sent as `system`.
 * - `json-words`: the form of the answer is asked for in words; `keepsMode`: beside the JSON mode, which it knows.
 * - `tool-references`: references to deferred tools are sent as text, and no tool is deferred.
 * - `beta`: one name of the header `anthropic-beta`; `header`: a whole header of the protocol.
 */
export type Repair =
  | { readonly kind: 'drop'; readonly name: string; readonly value?: string | undefined }
  | { readonly kind: 'drop-below' | 'drop-keyword'; readonly top: string; readonly name: string; readonly value?: string | undefined }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  | { readonly kind: 'output-limit'; readonly most: number }
  | { readonly kind: 'developer-role' | 'tool-references' }
  | { readonly kind: 'json-words'; readonly keepsMode: boolean }
  | { readonly kind: 'beta' | 'header'; readonly name: string };

/** Which repairs are the same. */
export function repairKey(repair: Repair): string {
  return JSON.stringify(repair);
}

/** For receipts and for people: what is done, and why. */
export function repairWords(repair: Repair): string {
  switch (repair.kind) {
    case 'drop': return `${repair.name}${valueWords(repair.value)} was left out, which this target refuses`;
    case 'drop-below': return `${repair.name}${valueWords(repair.value)} in ${repair.top} was left out, which this target refuses`;
    case 'drop-keyword': return `${repair.name} was left out of schemas in ${repair.top}, which this target refuses`;
    case 'rename': return `${repair.name} was sent as ${repair.to}, because this target refuses it`;
    case 'output-limit': return `the output limit was lowered to ${repair.most}, the most that this target takes`;
    case 'developer-role': return 'the role developer was sent as system, because this target refuses it';
    case 'tool-references': return 'references to tools were sent as text, because this target refuses them';
    case 'json-words': return `the ${repair.keepsMode ? 'JSON schema' : 'form'} of the answer was asked for in words, because this target refuses the parameter`;
    case 'beta': return `${repair.name} was left out of anthropic-beta, which this target refuses`;
    case 'header': return `the header ${repair.name} was left out, which this target refuses`;
  }
}

const shownValue = /^"?[\w.-]{1,40}"?$/;

function valueWords(value: string | undefined): string {
  return value !== undefined && shownValue.test(value) ? ` ${value.replaceAll('"', '')}` : '';
}

/** Keys whose inner names are the caller's. Of metadata the protocols read the figures, but not the names. */
const callersKeys: ReadonlySet<string> = new Set([...opaqueKeys, 'metadata', 'properties']);

/** The most levels that are looked at; deeper bodies are refused elsewhere. */
const deepest = 60;

/** Whether a field with this name stands somewhere below a value. @param value only with this value, as JSON text */
export function hasBelow(within: JsonValue | undefined, name: string, value?: string, depth = 0): boolean {
  if (depth > deepest) return false;
  if (Array.isArray(within)) return within.some(entry => hasBelow(entry, name, value, depth + 1));
  if (!isObject(within)) return false;
  const own = Object.hasOwn(within, name) ? within[name] : undefined;
  if (own !== undefined && (value === undefined || JSON.stringify(own) === value)) return true;
  return Object.entries(within).some(([key, inner]) => !callersKeys.has(key) && hasBelow(inner, name, value, depth + 1));
}

/** A copy without the field; the same value where it does not stand there. An object that becomes empty goes with it. */
export function withoutBelow(within: JsonValue, name: string, value?: string, depth = 0): JsonValue {
  if (depth > deepest) return within;
  if (Array.isArray(within)) return mapChanged(within, entry => withoutBelow(entry, name, value, depth + 1));
  if (!isObject(within)) return within;
  let changed = false;
  const made: JsonObject = {};
  for (const [key, inner] of Object.entries(within)) {
    if (inner === undefined) continue;
    if (key === name && (value === undefined || JSON.stringify(inner) === value)) {
      changed = true;
      continue;
    }
    const next = callersKeys.has(key) ? inner : withoutBelow(inner, name, value, depth + 1);
    if (next !== inner) changed = true;
    if (next !== inner && isObject(next) && Object.keys(next).length === 0) continue;
    made[key] = next;
  }
  return changed ? made : within;
}

/** Whether a keyword stands in one of the schemas below a value. */
export function hasKeyword(within: JsonValue | undefined, name: string): boolean {
  return within !== undefined && withoutKeyword(within, name) !== within;
}

/** A copy whose schemas do not have the keyword; the same value where none has it. */
export function withoutKeyword(within: JsonValue, name: string, inSchema = false, depth = 0): JsonValue {
  if (depth > deepest) return within;
  if (Array.isArray(within)) return mapChanged(within, entry => withoutKeyword(entry, name, inSchema, depth + 1));
  if (!isObject(within)) return within;
  let changed = false;
  const made: JsonObject = {};
  for (const [key, inner] of Object.entries(within)) {
    if (inner === undefined) continue;
    if (inSchema && key === name) {
      changed = true;
      continue;
    }
    const next = inSchema && namedSchemas.has(key) ? eachWithoutKeyword(inner, name, depth)
      : !inSchema && callersKeys.has(key) && !schemaKeys.has(key) ? inner
        : withoutKeyword(inner, name, inSchema || schemaKeys.has(key), depth + 1);
    if (next !== inner) changed = true;
    made[key] = next;
  }
  return changed ? made : within;
}

/** Keywords whose values have names of the caller's, each with a schema. */
const namedSchemas: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

function eachWithoutKeyword(schemas: JsonValue, name: string, depth: number): JsonValue {
  if (!isObject(schemas)) return schemas;
  let changed = false;
  const made: JsonObject = {};
  for (const [key, schema] of Object.entries(schemas)) {
    if (schema === undefined) continue;
    const next = withoutKeyword(schema, name, true, depth + 2);
    if (next !== schema) changed = true;
    made[key] = next;
  }
  return changed ? made : schemas;
}

/** Whether bytes may hold what a repair changes below the top level. False is certain. */
export function mayApplyBelow(repair: Repair, bytes: Buffer, scan: ObjectScan): boolean {
  switch (repair.kind) {
    case 'drop-below':
    case 'drop-keyword': return scan.fields.has(repair.top) && bytes.includes(`"${repair.name}"`);
    case 'developer-role': return bytes.includes('"developer"');
    case 'tool-references': return bytes.includes('"tool_reference"') || bytes.includes('"defer_loading"');
    case 'json-words': return scan.fields.has('response_format');
    case 'drop':
    case 'rename':
    case 'output-limit':
    case 'beta':
    case 'header': return false;
  }
}
