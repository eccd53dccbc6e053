import { asString, isObject, parseJson } from '../../base/json.ts';
import { repairKey, type Repair } from './repair.ts';

/** Names of parameters, headers and beta features; what is none is not stored. */
const storedName = /^[\w$.@-]{1,100}$/;
/** Values of parameters that take words, as JSON text. */
const storedValue = /^(?:"[\w.-]{1,40}"|[\w.-]{1,40})$/;

/** A repair as peers and the next start get it; undefined where a part of it is no plain name, so that no text of a caller is stored. */
export function repairText(repair: Repair): string | undefined {
  const text = repairKey(repair);
  return readRepair(text) === undefined ? undefined : text;
}

/** Reads what `repairText` wrote. @returns undefined for anything else */
export function readRepair(text: string): Repair | undefined {
  const stored = parseJson(text);
  if (!isObject(stored)) return undefined;
  const { kind, value } = stored;
  const [name, top, to] = [stored.name, stored.top, stored.to].map(asName);
  if (value !== undefined && !(typeof value === 'string' && storedValue.test(value))) return undefined;
  switch (kind) {
    case 'drop': return name === undefined ? undefined : { kind, name, ...(value === undefined ? {} : { value }) };
    case 'drop-below':
    case 'drop-keyword': return name === undefined || top === undefined ? undefined : { kind, top, name, ...(value === undefined ? {} : { value }) };
    case 'rename': return name === undefined || to === undefined ? undefined : { kind, name, to };
    case 'output-limit': return typeof stored.most === 'number' && Number.isSafeInteger(stored.most) && stored.most >= 1 ? { kind, most: stored.most } : undefined;
    case 'developer-role':
    case 'tool-references': return { kind };
    case 'json-words': return typeof stored.keepsMode === 'boolean' ? { kind, keepsMode: stored.keepsMode } : undefined;
    case 'beta':
    case 'header': return name === undefined ? undefined : { kind, name };
    default: return undefined;
  }
}

function asName(value: unknown): string | undefined {
  const name = asString(value);
  return name !== undefined && storedName.test(name) ? name : undefined;
}
