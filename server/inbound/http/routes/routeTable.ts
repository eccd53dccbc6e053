import { anyPath, type HttpRoute, type Method } from './httpRoute.ts';

/** What a table has for a request. */
export interface FoundRoute {
  /** Absent where nothing serves the path, or not with this method. */
  route: HttpRoute | undefined;
  /** Every route of the path, whatever its method. */
  ofPath: readonly HttpRoute[];
  /** Groups of the path's pattern. */
  groups: readonly (string | undefined)[];
}

interface Pattern { pattern: RegExp; routes: HttpRoute[] }

const noRoutes: readonly HttpRoute[] = [];
const noGroups: readonly undefined[] = [];

/** Finds the route of a request: exact paths first, then patterns in the order of the table, then what serves every path. */
export class RouteTable {
  readonly #exact = new Map<string, HttpRoute[]>();
  readonly #patterns: Pattern[] = [];
  readonly #anyPath: HttpRoute[] = [];

  constructor(routes: readonly HttpRoute[]) {
    for (const route of routes) this.#add(route);
  }

  /** @param path in its plain form */
  find(path: string, method: string): FoundRoute {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return this.#choose(exact, noGroups, method);
    for (const { pattern, routes } of this.#patterns) {
      const match = pattern.exec(path);
      if (match !== null) return this.#choose(routes, match.slice(1), method);
    }
    return this.#choose(noRoutes, noGroups, method);
  }

  #add(route: HttpRoute): void {
    const { path } = route;
    if (path === anyPath) this.#anyPath.push(route);
    else if (typeof path === 'string') {
      const known = this.#exact.get(path);
      if (known === undefined) this.#exact.set(path, [route]);
      else known.push(route);
    } else {
      const known = this.#patterns.find(({ pattern }) => pattern.source === path.source);
      if (known === undefined) this.#patterns.push({ pattern: path, routes: [route] });
      else known.routes.push(route);
    }
  }

  #choose(ofPath: readonly HttpRoute[], groups: FoundRoute['groups'], method: string): FoundRoute {
    return { route: serving(ofPath, method) ?? serving(this.#anyPath, method), ofPath, groups };
  }
}

function serving(routes: readonly HttpRoute[], method: string): HttpRoute | undefined {
  for (const route of routes) if (route.methods.includes(method as Method)) return route;
  return undefined;
}
