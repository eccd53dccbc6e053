import { requestRoles, workKinds, type RequestRole, type WorkKind } from '../../api/purpose.ts';
import type { RouteSettings } from '../../api/settings.ts';
import { parseTargetName } from '../../api/targetName.ts';
import type { EndpointConfig, PurposeMap, PurposeTarget, RouteConfig } from '../config.ts';
import { suggestion } from '../nearest.ts';
import type { FieldProblem } from '../schemaProblems.ts';

/** What the names of a route's `byRole` and `byKind` are looked up in. */
export interface PurposeNames {
  /** Every route of the configuration, by name, with what was written for it. */
  readonly routes: ReadonlyMap<string, RouteConfig>;
  readonly endpoints: ReadonlyMap<string, EndpointConfig>;
  /** Endpoints that have a problem of their own. */
  readonly leftOut: ReadonlySet<string>;
}

/** Where a route sends roles and kinds. An entry that leads nowhere costs only itself. */
export function resolvePurposes(route: string, { byRole, byKind }: Pick<RouteSettings, 'byRole' | 'byKind'>, names: PurposeNames): { purposes?: PurposeMap; wrong: FieldProblem[] } {
  const wrong: FieldProblem[] = [];
  const entry = (field: 'byRole' | 'byKind', key: string, written: string | undefined): PurposeTarget | undefined => {
    if (written === undefined) return undefined;
    const found = targetOf(route, written.trim(), names);
    if (typeof found !== 'string') return found;
    wrong.push({ path: [field, key], text: `"${field}.${key}" is left out: ${found}` });
    return undefined;
  };
  const roles: Partial<Record<RequestRole, PurposeTarget>> = {};
  const kinds: Partial<Record<WorkKind, PurposeTarget>> = {};
  for (const role of Object.keys(requestRoles) as RequestRole[]) {
    const target = entry('byRole', role, byRole?.[role]);
    if (target !== undefined) roles[role] = target;
  }
  for (const kind of Object.keys(workKinds) as WorkKind[]) {
    const target = entry('byKind', kind, byKind?.[kind]);
    if (target !== undefined) kinds[kind] = target;
  }
  return Object.keys(roles).length + Object.keys(kinds).length === 0 ? { wrong } : { purposes: { byRole: roles, byKind: kinds }, wrong };
}

/** @returns where a name leads, or what is wrong with it as the end of a sentence */
function targetOf(route: string, name: string, { routes, endpoints, leftOut }: PurposeNames): PurposeTarget | string {
  if (name === route) return 'it names the route itself; leave it out, and the targets of the route are used.';
  if (routes.has(name)) return { route: name };
  const target = parseTargetName(name);
  if (target === undefined) return `there is no route "${name}"${suggestion(name, routes.keys(), '; write the name of a route, or a target as endpoint/model.')}`;
  if (leftOut.has(target.endpoint)) return `endpoint "${target.endpoint}" has a problem of its own.`;
  return endpoints.has(target.endpoint) ? { target } : `there is no endpoint "${target.endpoint}"${suggestion(target.endpoint, endpoints.keys())}`;
}

/**
 * Takes out the entries that lead back to a route over other routes, so that following them ends.
 * @returns what was taken out, by route
 */
export function withoutCircles(routes: Map<string, RouteConfig>): { route: string; problem: FieldProblem }[] {
  const removed: { route: string; problem: FieldProblem }[] = [];
  for (const [name, found] of routes) {
    const { purposes } = found;
    if (purposes === undefined) continue;
    for (const field of ['byRole', 'byKind'] as const) {
      const entries = purposes[field] as Record<string, PurposeTarget>;
      for (const [key, { route }] of Object.entries(entries)) {
        if (route === undefined || !leadsTo(route, name, routes)) continue;
        delete entries[key];
        removed.push({ route: name, problem: { path: [field, key], text: `"${field}.${key}" is left out: route "${route}" leads back to this route.` } });
      }
    }
    if (Object.keys(purposes.byRole).length + Object.keys(purposes.byKind).length === 0) delete found.purposes;
  }
  return removed;
}

function leadsTo(from: string, wanted: string, routes: ReadonlyMap<string, RouteConfig>, seen = new Set<string>()): boolean {
  if (from === wanted) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  const purposes = routes.get(from)?.purposes;
  if (purposes === undefined) return false;
  return [...Object.values(purposes.byRole), ...Object.values(purposes.byKind)].some(({ route }) => route !== undefined && leadsTo(route, wanted, routes, seen));
}
