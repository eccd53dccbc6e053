import { isSimulated, simulatedEndpoints, simulatedRoute, simulatedRouteSettings } from '../../../server/api/firstRun/simulated.ts';
import { routesWithoutEndpoint, targetsOf, uniqueName } from '../../settings/settingsEdits.ts';
import type { Endpoints, Routes } from '../../settings/settingsEdits.ts';

/** Names of the simulated providers in the settings. */
export function simulatedNames(endpoints: Endpoints): string[] {
  return Object.keys(endpoints).filter(name => endpoints[name] !== undefined && isSimulated(endpoints[name]));
}

/** The endpoints with both simulated providers. Undefined: a provider of the user's own has one of their names. */
export function withSimulated(endpoints: Endpoints): Endpoints | undefined {
  for (const name of Object.keys(simulatedEndpoints)) if (endpoints[name] !== undefined && !isSimulated(endpoints[name])) return undefined;
  return { ...endpoints, ...simulatedEndpoints };
}

/** The route over both simulated providers: one that is there already, or the name for a new one. */
export function simulatedRouteName(routes: Routes): { name: string; exists: boolean } {
  const wanted = [...targetsOf(simulatedRouteSettings)].sort().join();
  const found = Object.keys(routes).find(name => [...targetsOf(routes[name])].sort().join() === wanted);
  return found === undefined ? { name: uniqueName(simulatedRoute, Object.keys(routes)), exists: false } : { name: found, exists: true };
}

export function withoutSimulatedEndpoints(endpoints: Endpoints): Endpoints {
  return Object.fromEntries(Object.entries(endpoints).filter(([, settings]) => !isSimulated(settings)));
}

/** The routes without these providers, and without the routes that had no other. */
export function routesWithoutSimulated(routes: Routes, simulated: readonly string[]): Routes {
  return simulated.reduce(routesWithoutEndpoint, routes);
}
