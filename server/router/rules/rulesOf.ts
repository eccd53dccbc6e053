import type { RouteConfig } from '../../config/config.ts';
import { resolveName } from '../../routing/resolveName.ts';
import type { RouteTable } from '../../routing/routeTable.ts';

/**
 * Everything that decides where a request for a name goes, as text: two tables with the same text order such requests the
 * same way.
 */
export function rulesOf(requestedModel: string, table: RouteTable): string {
  const resolved = resolveName(requestedModel, table);
  if (resolved === undefined) return 'nothing';
  const routes = new Map<string, RouteConfig>();
  if (resolved.route !== undefined) follow(resolved.route, table, routes);
  const endpoints = new Set([...resolved.candidates.flatMap(({ endpoint }) => endpoint?.name ?? []), ...[...routes.values()].flatMap(endpointsOf)]);
  return JSON.stringify([
    resolved.kind, resolved.candidates.map(({ name }) => name),
    // A shadow decides nothing about the request itself.
    [...routes.values()].map(route => ({ ...route, shadow: undefined })),
    [...endpoints].map((name) => {
      const endpoint = table.config.endpoints.get(name);
      return endpoint === undefined ? name : [name, endpoint.baseUrl, endpoint.provider.id, endpoint.enabled, endpoint.priority, endpoint.weight, endpoint.billing, endpoint.models, endpoint.breaker];
    }),
  ]);
}

/** A route, and every route that it leads to. */
function follow(name: string, table: RouteTable, routes: Map<string, RouteConfig>): void {
  const route = table.config.routes.get(name);
  if (route === undefined || routes.has(name)) return;
  routes.set(name, route);
  const leads = [...Object.values(route.purposes?.byRole ?? {}), ...Object.values(route.purposes?.byKind ?? {})];
  for (const inner of [...route.members ?? [], ...leads]) if (inner?.route !== undefined) follow(inner.route, table, routes);
}

function endpointsOf({ targets, canary, purposes }: RouteConfig): string[] {
  const leads = [...Object.values(purposes?.byRole ?? {}), ...Object.values(purposes?.byKind ?? {})];
  return [...targets, ...canary?.targets ?? [], ...leads.flatMap(lead => lead?.target ?? [])].map(({ endpoint }) => endpoint);
}
