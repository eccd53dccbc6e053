import { isObject } from '../../base/json.ts';
import type { ConfigPath } from '../schemaProblems.ts';

const longestName = 200;

/** Models that stand in for others. A wrong entry is left out and reported, and the others work. */
export function resolveEquivalents(written: unknown, report: (path: ConfigPath, message: string) => void): Map<string, readonly string[]> {
  const equivalents = new Map<string, readonly string[]>();
  if (written === undefined || written === null) return equivalents;
  if (!isObject(written)) {
    report(['equivalents'], '"equivalents" must be a mapping of models to lists of models.');
    return equivalents;
  }
  for (const [model, names] of Object.entries(written)) {
    // The caller has taken it out and said why.
    if (names === undefined) continue;
    if (!Array.isArray(names) || !names.every(isModelName)) report(['equivalents', model], `What stands in for "${model}" is left out: it must be a list of names of models.`);
    else equivalents.set(model.trim(), names.map(name => name.trim()));
  }
  return equivalents;
}

function isModelName(name: unknown): name is string {
  return typeof name === 'string' && name.trim() !== '' && name.length <= longestName;
}
