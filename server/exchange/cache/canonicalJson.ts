import { isObject } from '../../base/json.ts';

/**
 * Writes a value as JSON whose object keys are sorted, so that equal values have equal texts. Numbers that are kept as their text
 * (base/exactJson.ts) are written as that; fields without a value are left out; null stays.
 * @param leftOut names of fields of the value itself that do not count
 */
export function canonicalJson(value: unknown, leftOut: ReadonlySet<string> = nothing): string {
  if (Array.isArray(value)) return `[${value.map(entry => canonicalJson(entry)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  let text = '';
  for (const name of Object.keys(value).sort()) {
    const field = value[name];
    if (field === undefined || leftOut.has(name)) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}

const nothing: ReadonlySet<string> = new Set();
