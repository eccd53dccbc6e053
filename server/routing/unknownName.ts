import { onOneLine, shownName } from '../base/names.ts';
import { editDistance } from '../config/nearest.ts';
import type { RouteTable } from './routeTable.ts';

const nearestShown = 3;
const listedNames = 5;
/** The distance to other names is taken from so many characters. */
const longestName = 80;

/** One sentence for a caller whose requested name means nothing: the nearest names, and what there is to ask for. */
export function unknownNameMessage(requestedModel: string, table: Pick<RouteTable, 'config' | 'modelsOf'>): string {
  // The name comes from outside and goes into logs and terminals.
  const name = onOneLine(requestedModel);
  const shown = shownName(name);
  const meant = table.config.aliases?.get(name.toLowerCase());
  const lead = shown === '' ? 'The request names no route or model'
    : meant === undefined ? `No route or model is named "${shown}"`
      : `"${shown}" stands for "${meant}", which no endpoint is known to serve`;
  const routes = [...table.config.routes.keys()];
  const models = knownModels(table);
  if (routes.length + models.length === 0) return `${lead}, and none is configured yet: add a provider first.`;
  const nearest = nearestNames(name.slice(0, longestName).toLowerCase(), [...routes, ...models]);
  const hint = nearest.length === 0 ? '' : ` (did you mean ${orList(nearest)}?)`;
  return `${lead}${hint}; to ask for: ${existing(routes, models)}.`;
}

function knownModels(table: Pick<RouteTable, 'modelsOf' | 'config'>): string[] {
  const models = new Set<string>();
  for (const endpoint of table.config.endpoints.values()) {
    if (endpoint.enabled) for (const model of table.modelsOf(endpoint.name)) models.add(model);
  }
  return [...models].sort();
}

function orList(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`;
}

function existing(routes: readonly string[], models: readonly string[]): string {
  return [listed(routes, 'route'), listed(models, 'model')].filter((part) => part !== '').join(' and ');
}

function listed(names: readonly string[], kind: string): string {
  if (names.length === 0) return '';
  const some = names.slice(0, listedNames).join(', ');
  return `${names.length} ${names.length === 1 ? kind : `${kind}s`} (${some}${names.length > listedNames ? ', …' : ''})`;
}

/** Names that differ in few letters, or contain one another; nearest first. */
function nearestNames(requestedModel: string, names: readonly string[]): string[] {
  if (requestedModel === '') return [];
  const bare = requestedModel.slice(requestedModel.lastIndexOf('/') + 1);
  const scored: { name: string; distance: number }[] = [];
  for (const name of names) {
    const candidate = name.toLowerCase();
    const contained = Math.min(bare.length, candidate.length) >= 3 && (candidate.includes(bare) || requestedModel.includes(candidate));
    const near = Math.max(1, Math.floor(Math.max(bare.length, candidate.length) / 3));
    const distance = least(editDistance(bare, candidate, near), bare === requestedModel ? undefined : editDistance(requestedModel, candidate, near));
    // A name that contains the other differs from it by at least the letters it has more.
    if (distance !== undefined || contained) scored.push({ name, distance: distance ?? Math.abs(candidate.length - bare.length) });
  }
  return scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, nearestShown).map(({ name }) => name);
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
