import { isObject } from '../base/json.ts';
import type { RouteConfig } from './config.ts';
import { aliasPattern } from './schema.ts';
import type { ConfigPath } from './schemaProblems.ts';

/**
 * Makes straight aliases of what a user wrote: lower case, and one that stands for another leads to what that one
 * stands for. A wrong one is left out and reported, and the others work.
 */
export function resolveAliases(
  written: unknown, routes: ReadonlyMap<string, RouteConfig>, report: (path: ConfigPath, message: string) => void,
): Map<string, string> {
  const given = new Map<string, { name: string; model: string }>();
  if (written === undefined || written === null) return new Map();
  if (!isObject(written)) {
    report(['aliases'], '"aliases" must be a mapping of aliases to names of models.');
    return new Map();
  }
  for (const [name, model] of Object.entries(written)) {
    const path = ['aliases', name];
    // The caller has taken it out and said why.
    if (model === undefined) continue;
    if (!aliasPattern.test(name)) report(path, `Alias "${name}" is left out: an alias is written like the name of a model, without spaces.`);
    else if (typeof model !== 'string' || model.trim() === '' || model.length > 200) report(path, `Alias "${name}" is left out: it must stand for the name of a model.`);
    else if (routes.has(name)) report(path, `Alias "${name}" is left out: a route has that name.`);
    else if (given.has(name.toLowerCase())) report(path, `Alias "${name}" is left out: it differs from "${given.get(name.toLowerCase())?.name ?? ''}" only in case.`);
    else given.set(name.toLowerCase(), { name, model: model.trim() });
  }
  const aliases = new Map<string, string>();
  const ends = new Map<string, string | undefined>();
  for (const [alias, { name, model }] of given) {
    const end = followed(model, given, ends);
    if (end === undefined) report(['aliases', name], `Alias "${name}" is left out: it stands for itself.`);
    else aliases.set(alias, end);
  }
  return aliases;
}

/**
 * The name at the end of a chain of aliases; undefined when the chain has none.
 * @param ends those found so far, by alias: however long a chain is, each of its links is walked once
 */
function followed(model: string, given: ReadonlyMap<string, { model: string }>, ends: Map<string, string | undefined>): string | undefined {
  const walked = new Set<string>();
  let end: string | undefined = model;
  for (let alias = model.toLowerCase(); ; alias = end.toLowerCase()) {
    const next = given.get(alias);
    if (next === undefined) break;
    if (ends.has(alias) || walked.has(alias)) {
      end = ends.get(alias);
      break;
    }
    walked.add(alias);
    end = next.model;
  }
  for (const alias of walked) ends.set(alias, end);
  return end;
}
