import { modelKey, resolveName } from '../../routing/resolveName.ts';
import type { RouteTable } from '../../routing/routeTable.ts';
import type { KnownToken } from './tokenBook.ts';

/** Names that a token has asked for are remembered, at most so many. */
const mostRemembered = 1_000;

interface Verdicts { readonly table: RouteTable; readonly routes: ReadonlySet<string>; readonly models: ReadonlySet<string>; readonly known: Map<string, boolean> }

/** Which names tokens may ask for. A name is looked into once for each token and table of routes, and then looked up. */
export class AllowedNames {
  readonly #verdicts = new WeakMap<KnownToken, Verdicts>();

  allows(token: KnownToken, requestedModel: string, table: RouteTable): boolean {
    const { routes, models } = token;
    if (routes === 'all' && models === 'all') return true;
    let verdicts = this.#verdicts.get(token);
    if (verdicts?.table !== table) {
      verdicts = { table, routes: new Set(routes === 'all' ? [] : routes), models: new Set(models === 'all' ? [] : models.map(modelKey)), known: new Map() };
      this.#verdicts.set(token, verdicts);
    }
    const known = verdicts.known.get(requestedModel);
    if (known !== undefined) return known;
    const isAllowed = isAllowedIn(token, requestedModel, table, verdicts);
    if (verdicts.known.size >= mostRemembered) verdicts.known.clear();
    verdicts.known.set(requestedModel, isAllowed);
    return isAllowed;
  }
}

function isAllowedIn(token: KnownToken, requestedModel: string, table: RouteTable, { routes, models }: Verdicts): boolean {
  const resolved = resolveName(requestedModel, table);
  if (resolved === undefined) return false;
  if (resolved.kind === 'route') return token.routes === 'all' || (resolved.route !== undefined && routes.has(resolved.route));
  if (token.models === 'all') return true;
  if (models.has(modelKey(requestedModel))) return true;
  // Another spelling of a model, and the model at one endpoint, are that model; a model is not the one at one endpoint.
  return resolved.candidates.length > 0 && resolved.candidates.every(({ model, name }) => models.has(modelKey(model)) || models.has(modelKey(name)));
}
