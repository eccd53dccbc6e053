import { parseDocument } from 'yaml';
import { isObject } from '../../base/json.ts';
import { parseTargetName } from '../../api/targetName.ts';

/** The names in a file, as far as they can be read. */
export interface WrittenNames {
  /** By endpoint, the models that the file names there. */
  endpoints: ReadonlyMap<string, readonly string[]>;
  providers: ReadonlyMap<string, string>;
  routes: ReadonlyMap<string, readonly string[]>;
  aliases: readonly string[];
}

const none: WrittenNames = { endpoints: new Map(), providers: new Map(), routes: new Map(), aliases: [] };

/** Reads the names in a file, also in one that is no valid YAML. */
export function namesIn(text: string): WrittenNames {
  const value = valueOf(text);
  if (!isObject(value)) return none;
  const routes = new Map(entriesOf(value['routes']).map(([name, route]) => [name, targetsIn(route)]));
  const models = new Map<string, Set<string>>();
  const providers = new Map<string, string>();
  for (const [name, endpoint] of entriesOf(value['endpoints'])) {
    models.set(name, new Set(isObject(endpoint) ? entriesOf(endpoint['models']).map(([model]) => model) : []));
    if (isObject(endpoint) && typeof endpoint['provider'] === 'string') providers.set(name, endpoint['provider']);
  }
  for (const target of [...routes.values()].flat()) {
    const parts = parseTargetName(target);
    if (parts !== undefined) models.get(parts.endpoint)?.add(parts.model);
  }
  return { routes, providers, aliases: entriesOf(value['aliases']).map(([name]) => name), endpoints: new Map([...models].map(([name, known]) => [name, [...known]])) };
}

function targetsIn(route: unknown): string[] {
  const targets = isObject(route) ? route['targets'] : undefined;
  return Array.isArray(targets) ? targets.filter(target => typeof target === 'string') : [];
}

function entriesOf(section: unknown): [string, unknown][] {
  return isObject(section) ? Object.entries(section) : [];
}

function valueOf(text: string): unknown {
  try {
    return parseDocument(text, { prettyErrors: false, uniqueKeys: false, merge: true, logLevel: 'silent' }).toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
