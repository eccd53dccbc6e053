import { t } from '@vscode/l10n';
import type { EndpointSettings, PriceSettings, RouteSettings, TargetTier } from '../../server/api/settings.ts';
import { parseTargetName } from '../../server/api/targetName.ts';

export type Endpoints = Record<string, EndpointSettings>;
export type Routes = Record<string, RouteSettings>;

export function withEndpoint(endpoints: Endpoints, name: string, settings: EndpointSettings): Endpoints {
  return { ...endpoints, [name]: settings };
}

export function withoutEndpoint(endpoints: Endpoints, name: string): Endpoints {
  return Object.fromEntries(Object.entries(endpoints).filter(([key]) => key !== name));
}

/** A route's targets; none when the user wrote something else there, which the server reports. */
export function targetsOf(route: RouteSettings | undefined): string[] {
  const targets: unknown = route?.targets;
  return Array.isArray(targets) ? targets.filter(target => typeof target === 'string') : [];
}

/** Gives models of an endpoint prices, but for those that have some already. */
export function withPrices(endpoints: Endpoints, endpoint: string, prices: Readonly<Record<string, PriceSettings>>): Endpoints {
  const settings = endpoints[endpoint];
  if (settings === undefined) return endpoints;
  const models = { ...settings.models };
  for (const [model, price] of Object.entries(prices)) models[model] = { ...models[model], prices: models[model]?.prices ?? { ...price } };
  return { ...endpoints, [endpoint]: { ...settings, models } };
}

/** Removes the endpoint's targets everywhere, and routes that have no target left. */
export function routesWithoutEndpoint(routes: Routes, endpoint: string): Routes {
  const kept: Routes = {};
  for (const [name, route] of Object.entries(routes)) {
    const before = targetsOf(route);
    const targets = before.filter(target => parseTargetName(target)?.endpoint !== endpoint);
    if (targets.length === before.length) kept[name] = route;
    else if (targets.length > 0) kept[name] = withOwnWeights({ ...route, targets });
  }
  return kept;
}

/** Adds a target at the end of a route, which is made when it does not exist. A target is never there twice. */
export function withTarget(routes: Routes, route: string, target: string): Routes {
  const existing = routes[route];
  if (existing === undefined) return { ...routes, [route]: { targets: [target] } };
  const targets = targetsOf(existing);
  return targets.includes(target) ? routes : { ...routes, [route]: { ...existing, targets: [...targets, target] } };
}

/** Replaces a route's targets, keeping everything else the user wrote for it. */
export function withTargets(routes: Routes, route: string, targets: readonly string[]): Routes {
  return { ...routes, [route]: withOwnWeights({ ...routes[route], targets: [...targets] }) };
}

/** Removes a route, also from routes that name it as one of several targets. */
export function withoutRoute(routes: Routes, removed: string): Routes {
  const kept: Routes = {};
  for (const [name, route] of Object.entries(routes)) {
    if (name === removed) continue;
    const targets = targetsOf(route).filter(target => target !== removed);
    kept[name] = targets.length === 0 || targets.length === targetsOf(route).length ? route : withOwnWeights({ ...route, targets });
  }
  return kept;
}

/** Gives a target of a route a weight; 1 is the default, so it is not written. */
export function withWeight(routes: Routes, route: string, target: string, weight: number): Routes {
  const existing = routes[route] ?? { targets: [] };
  const weights = { ...existing.weights, [target]: weight };
  return { ...routes, [route]: withOwnWeights({ ...existing, weights }) };
}

/** Puts a target of a route into a tier, or among the main targets. */
export function withTier(routes: Routes, route: string, target: string, tier: TargetTier | undefined): Routes {
  const existing = routes[route] ?? { targets: [] };
  const tiers = { ...existing.tiers };
  if (tier === undefined) Reflect.deleteProperty(tiers, target);
  else tiers[target] = tier;
  return { ...routes, [route]: withOwnWeights({ ...existing, tiers }) };
}

/** The targets of a route's canary become its own, and the canary ends. */
export function withCanaryAdopted(routes: Routes, route: string): Routes {
  const settings = routes[route];
  const targets = targetsOf(settings?.canary);
  if (settings === undefined || targets.length === 0) return routes;
  const { canary: _, ...rest } = settings;
  return withTargets({ ...routes, [route]: rest }, route, targets);
}

/** A route whose tiers and weights are those of its targets, and none that is the default. */
function withOwnWeights(written: RouteSettings): RouteSettings {
  const route = withOwnTiers(written);
  const { weights, ...rest } = route;
  if (weights === undefined) return route;
  const own = Object.entries(weights).filter(([target, weight]) => weight !== 1 && targetsOf(rest).includes(target));
  return own.length === 0 ? rest : { ...rest, weights: Object.fromEntries(own) };
}

function withOwnTiers(route: RouteSettings): RouteSettings {
  const { tiers, ...rest } = route;
  if (tiers === undefined) return route;
  const own = Object.entries(tiers).filter(([target]) => targetsOf(rest).includes(target));
  return own.length === 0 ? rest : { ...rest, tiers: Object.fromEntries(own) };
}

/** What is wrong with a weight as it was typed, or undefined. */
export function weightProblem(text: string): string | undefined {
  const weight = Number(text);
  return text.trim() !== '' && weight > 0 && weight <= 1_000_000 ? undefined : t('Type a number above 0, at most 1000000.');
}

/** Whether a route is another one or leads to it, so that naming it there would make a circle. */
export function leadsTo(routes: Routes, from: string, to: string, seen = new Set<string>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return targetsOf(routes[from]).some(target => routes[target] !== undefined && leadsTo(routes, target, to, seen));
}

/** Switched on is the default, so it is not written. */
export function withEnabled(endpoint: EndpointSettings, enabled: boolean): EndpointSettings {
  const { enabled: _previous, ...rest } = endpoint;
  return enabled ? rest : { ...rest, enabled: false };
}

/** Moves one entry of a list; an index outside the list leaves it as it is. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const copy = [...list];
  if (from < 0 || from >= copy.length || to < 0 || to >= copy.length) return copy;
  const [entry] = copy.splice(from, 1);
  if (entry !== undefined) copy.splice(to, 0, entry);
  return copy;
}

/** `name`, or `name-2`, `name-3` … when it is taken. */
export function uniqueName(name: string, taken: Iterable<string>): string {
  const names = new Set([...taken].map(one => one.toLowerCase()));
  if (!names.has(name.toLowerCase())) return name;
  for (let number = 2; ; number++) {
    const candidate = `${name}-${String(number)}`;
    if (!names.has(candidate.toLowerCase())) return candidate;
  }
}

/** What is wrong with the name of an endpoint or a route, or undefined. */
export function nameProblem(name: string, taken: Iterable<string>): string | undefined {
  if (name === '') return t('Type a name.');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return t('Use letters, digits, dots, dashes and underscores; start with a letter or digit.');
  if (name.length > 64) return t('Use at most 64 characters.');
  const same = sameNameAs(name, taken);
  if (same === undefined) return undefined;
  return same === name ? t('"{0}" is already there.', name) : t('"{0}" differs from "{1}" only in case: choose another name.', name, same);
}

/** The name that is taken and equals this one, whatever the case of its letters. */
export function sameNameAs(name: string, taken: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  for (const one of taken) if (one.toLowerCase() === wanted) return one;
  return undefined;
}

/** What a person typed as base URL, completed: without a scheme it is https, but on this machine. */
export function completedBaseUrl(text: string): string {
  if (text === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return `${/^(?:localhost|127\.\d|\[::1\])/i.test(text) ? 'http' : 'https'}://${text}`;
}

/** What is wrong with a base URL as it was typed, or undefined. */
export function baseUrlProblem(text: string): string | undefined {
  if (text === '') return t('Type the base URL, such as https://api.example.com/v1.');
  let url: URL;
  try {
    url = new URL(completedBaseUrl(text));
  } catch {
    return t('This is no URL. Type one such as https://api.example.com/v1.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return t('The URL must start with https:// or http://.');
  if (url.username !== '' || url.password !== '') return t('Leave credentials out of the URL: the key is asked for in a later step.');
  if (url.search !== '' || url.hash !== '') return t('Leave out what comes after "?" or "#".');
  return undefined;
}
