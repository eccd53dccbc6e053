import type { RouteSettings } from '../api/settings.ts';
import type { ConfigProblem } from '../api/status.ts';
import { parseTargetName, targetName } from '../api/targetName.ts';
import { isObject } from '../base/json.ts';
import type { CapConfig, Config, EndpointConfig } from './config.ts';
import { givenTimeouts, hedgeOf, responseCacheOf, warmCacheOf } from './defaults.ts';
import { resolveBudgets } from './budgets/resolveBudgets.ts';
import { nearest, suggestion } from './nearest.ts';
import { nameRule, resolveEndpoint } from './resolveEndpoint.ts';
import { resolveAliases } from './resolveAliases.ts';
import type { ResolveOptions } from './resolveOptions.ts';
import { resolveTools } from './resolveTools.ts';
import { linkRoutes, type UnlinkedRoute, type WrittenMember } from './routes/nestedRoutes.ts';
import { resolveCanary, type CheckedTarget } from './routes/resolveCanary.ts';
import { resolveCaps } from './routes/resolveCaps.ts';
import { resolveLastResort } from './routes/resolveLastResort.ts';
import { resolveShadow } from './routes/resolveShadow.ts';
import { resolveEquivalents } from './routes/resolveEquivalents.ts';
import { resolvePurposes, withoutCircles } from './routes/resolvePurposes.ts';
import { namePattern, responseCacheSchema, routeSchema } from './schema.ts';
import { schemaProblems } from './schemaProblems.ts';
import type { ConfigPath, FieldProblem } from './schemaProblems.ts';

/**
 * Makes a configuration of what a user wrote. Whatever is wrong is left out and reported, each thing in one sentence,
 * and the rest works: an endpoint with any wrong field is left out whole (half of what was meant could send a key
 * to the wrong place, or miss a limit); a route loses only its wrong targets, and caps with a mistake still cap (`resolveCaps`).
 */
export function resolveConfig(raw: { endpoints: unknown; routes: unknown; aliases?: unknown; equivalents?: unknown; tools?: unknown; caps?: unknown; budgets?: unknown }, options: ResolveOptions): { config: Config; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const report = (path: ConfigPath, message: string): void => {
    problems.push({ message, path: path.join('.'), ...options.locate?.(path) });
  };
  const unguarded: ConfigProblem[] = [];
  const resolveMoney = (path: ConfigPath, subject: string, settings: unknown, before: CapConfig | undefined): CapConfig | undefined => {
    const { caps, problems: wrong } = resolveCaps(settings, before);
    for (const problem of wrong) unguarded.push({ message: `${subject}: ${problem.text}`, path: [...path, ...problem.path].join('.'), ...options.locate?.([...path, ...problem.path]), money: true });
    return caps;
  };
  const endpoints = new Map<string, EndpointConfig>();
  const leftOut = new Set(options.leftOut);
  for (const [name, settings] of namedEntries(raw.endpoints, 'endpoints', report, leftOut)) {
    const path = ['endpoints', name];
    const { endpoint, wrong, notes } = resolveEndpoint(name, settings, options);
    for (const problem of wrong) report([...path, ...problem.path], `Endpoint "${name}" is left out: ${problem.text}`);
    for (const problem of notes) report([...path, ...problem.path], `Endpoint "${name}": ${problem.text}`);
    if (endpoint === undefined) leftOut.add(name);
    else endpoints.set(name, endpoint);
  }
  for (const [name, endpoint] of options.knownEndpoints ?? []) if (!endpoints.has(name) && !leftOut.has(name)) endpoints.set(name, endpoint);
  const suggest = fewSuggestions(endpoints);
  const unlinked = new Map<string, UnlinkedRoute>();
  const written = namedEntries(raw.routes, 'routes', report);
  const known: KnownNames = { endpoints, leftOut, routes: new Set(written.map(([name]) => name)), suggest };
  for (const [name, settings] of written) {
    const { route, wrong, wrongTargets } = resolveRoute(name, settings, known, options.source);
    for (const problem of wrongTargets) report(['routes', name, ...problem.path], `Route "${name}": ${problem.text}`);
    for (const problem of wrong) report(['routes', name, ...problem.path], `Route "${name}" is left out: ${problem.text}`);
    if (route !== undefined) unlinked.set(name, route);
  }
  const routes = linkRoutes(unlinked, report);
  const settingsOf = new Map(written) as ReadonlyMap<string, RouteSettings>;
  for (const [name, route] of routes) {
    const settings = settingsOf.get(name);
    if (settings === undefined) continue;
    const own = new Set(route.targets.map(({ endpoint, model }) => targetName(endpoint, model)));
    if (settings.canary !== undefined) {
      const { canary, problems: wrongCanary } = resolveCanary(settings.canary, own, target => checkSingleTarget(target, 'each target of a canary', known));
      for (const problem of wrongCanary) report(['routes', name, 'canary', ...problem.path], `The canary of route "${name}" is left out: ${problem.text}`);
      if (canary === undefined) route.canaryIsWrong = true;
      else route.canary = canary;
    }
    if (settings.shadow !== undefined) {
      const { shadow, problems: wrongShadow } = resolveShadow(settings.shadow, own, target => checkSingleTarget(target, 'the target of a shadow', known));
      for (const problem of wrongShadow) report(['routes', name, 'shadow', ...problem.path], `The shadow of route "${name}" is left out: ${problem.text}`);
      if (shadow !== undefined) route.shadow = shadow;
    }
    const caps = resolveMoney(['routes', name, 'caps'], `The caps of route "${name}"`, settings.caps, options.before?.routes.get(name)?.caps);
    if (caps !== undefined) route.caps = caps;
    if (settings.lastResort !== undefined) {
      const { lastResort, problems: wrongTargets } = resolveLastResort(settings.lastResort, own, target => checkSingleTarget(target, 'each target of a last resort', known));
      for (const problem of wrongTargets) report(['routes', name, ...problem.path], `Route "${name}": ${problem.text}`);
      if (lastResort !== undefined) route.lastResort = lastResort;
    }
    const { purposes, wrong } = resolvePurposes(name, settings, { routes, endpoints, leftOut });
    for (const problem of wrong) report(['routes', name, ...problem.path], `Route "${name}": ${problem.text}`);
    if (purposes !== undefined) route.purposes = purposes;
  }
  for (const { route, problem } of withoutCircles(routes)) report(['routes', route, ...problem.path], `Route "${route}": ${problem.text}`);
  const aliases = resolveAliases(raw.aliases, routes, report);
  const equivalents = resolveEquivalents(raw.equivalents, report);
  const tools = resolveTools(raw.tools, report);
  const caps = resolveMoney(['caps'], 'The caps of everything', raw.caps, options.before?.caps);
  const budgets = resolveBudgets(raw.budgets, report, options.before?.budgets);
  const config: Config = { endpoints, routes, ...(aliases.size === 0 ? {} : { aliases }), ...(equivalents.size === 0 ? {} : { equivalents }), ...(tools.size === 0 ? {} : { tools }), ...(caps === undefined ? {} : { caps }), ...(budgets.length === 0 ? {} : { budgets }) };
  // What concerns money is said first.
  return { config, problems: [...unguarded, ...problems] };
}

/** The entries of a section. Of names that differ only in case, which people do not tell apart, the first one holds. */
function namedEntries(section: unknown, title: 'endpoints' | 'routes', report: (path: ConfigPath, message: string) => void, leftOut?: Set<string>): [string, unknown][] {
  if (section === undefined || section === null) return [];
  if (!isObject(section)) {
    report([title], `"${title}" must be a mapping of names to ${title}.`);
    return [];
  }
  const firsts = new Map<string, string>();
  return Object.entries(section).filter(([name]) => {
    const first = firsts.get(name.toLowerCase());
    if (first === undefined) {
      firsts.set(name.toLowerCase(), name);
      return true;
    }
    report([title, name], `${title === 'endpoints' ? 'Endpoint' : 'Route'} "${name}" is left out: its name differs from "${first}" only in case; give it another name.`);
    leftOut?.add(name);
    return false;
  });
}

/** What a person may have meant by the name of an endpoint, as the end of a sentence. */
type Suggest = (endpoint: string) => string;

/** Each look compares with every endpoint, and a person mends a few targets at a time. */
const mostSuggestions = 20;

function fewSuggestions(endpoints: ReadonlyMap<string, EndpointConfig>): Suggest {
  let made = 0;
  return endpoint => {
    made += 1;
    return made > mostSuggestions ? '.' : suggestion(endpoint, endpoints.keys());
  };
}

/** What the entries of routes can name. */
interface KnownNames {
  readonly endpoints: ReadonlyMap<string, EndpointConfig>;
  /** Endpoints with a problem of their own. */
  readonly leftOut: ReadonlySet<string>;
  /** As they are written, with those that have a problem of their own. */
  readonly routes: ReadonlySet<string>;
  readonly suggest: Suggest;
}

interface ResolvedRoute {
  route?: UnlinkedRoute;
  wrong: FieldProblem[];
  wrongTargets: FieldProblem[];
}

function resolveRoute(name: string, settings: unknown, known: KnownNames, source: ResolveOptions['source']): ResolvedRoute {
  if (!namePattern.test(name)) return { wrong: [{ path: [], text: nameRule }], wrongTargets: [] };
  // Targets are checked one by one below, so that a wrong one costs only itself, and canary and shadow once all routes are known.
  const written = isObject(settings) && Array.isArray(settings['targets']) ? settings['targets'] : undefined;
  const wrong = schemaProblems(routeSchema, written === undefined ? settings : { ...(settings as object), canary: undefined, shadow: undefined, caps: undefined, responseCache: undefined, targets: [] });
  if (wrong.length > 0 || written === undefined) return { wrong, wrongTargets: [] };

  const wrongTargets: FieldProblem[] = [];
  const members = new Map<string, WrittenMember>();
  written.forEach((target, index) => {
    // The caller has taken it out and said why.
    if (target === undefined) return;
    const checked = checkTarget(target, index, known);
    if ('problem' in checked) wrongTargets.push({ path: ['targets', index], text: `target ${typeof target === 'string' ? `"${target}"` : index + 1} is left out: ${checked.problem}` });
    else if (members.has(checked.key)) wrongTargets.push({ path: ['targets', index], text: `target "${checked.key}" is listed twice; the second is ignored.` });
    else members.set(checked.key, checked.member);
  });
  if (members.size === 0) {
    return { wrong: [{ path: ['targets'], text: written.length === 0 ? 'it has no targets.' : 'none of its targets can be used.' }], wrongTargets };
  }
  const { strategy, weights, tiers, equivalents, timeouts, afterCommit, hedge, onRefusal, warmCache, responseCache: writtenCache } = settings as RouteSettings;
  const wrongCache = writtenCache === undefined ? [] : schemaProblems(responseCacheSchema, writtenCache);
  for (const { path, text } of wrongCache) wrongTargets.push({ path: ['responseCache', ...path], text: `its response cache is left out: ${text}` });
  const writtenRules = wrongCache.length > 0 ? undefined : responseCacheOf(writtenCache);
  // Settings of the editor, and rules of a workspace, name no store that servers share.
  const isUnshared = source === 'settings' && writtenRules?.replicas === true;
  if (isUnshared) wrongTargets.push({ path: ['responseCache', 'replicas'], text: 'its answers stay in the memory of this server: they are shared by servers with a YAML configuration alone; take "replicas" out here.' });
  const responseCache = isUnshared ? { ...writtenRules, replicas: false } : writtenRules;
  return {
    route: {
      route: {
        name, strategy: strategy ?? 'priority', targets: [], timeouts: givenTimeouts(timeouts),
        afterCommit: afterCommit ?? 'error', hedge: hedgeOf(hedge), onRefusal: onRefusal ?? 'tell',
        ...(warmCache === undefined ? {} : { warmCache: warmCacheOf(warmCache) }),
        ...(equivalents === undefined ? {} : { equivalents }),
        ...(responseCache === undefined ? {} : { responseCache }),
      },
      members: [...members.values()], weights, tiers,
    },
    wrong: [], wrongTargets,
  };
}

function checkTarget(target: unknown, index: number, { endpoints, leftOut, routes, suggest }: KnownNames): { key: string; member: WrittenMember } | { problem: string } {
  if (typeof target === 'string' && routes.has(target)) return { key: target, member: { index, text: target, route: target } };
  const parts = typeof target === 'string' && !/\s/.test(target) ? parseTargetName(target) : undefined;
  if (parts === undefined) {
    const meant = typeof target === 'string' && namePattern.test(target) ? nearest(target, routes) : undefined;
    if (meant !== undefined) return { problem: `there is no route "${target as string}"; did you mean "${meant}"?` };
    return { problem: `write it as endpoint/model, such as "${[...endpoints.keys()][0] ?? 'openai'}/gpt-4.1"${routes.size > 1 ? ', or as the name of another route' : ''}.` };
  }
  const { endpoint, model } = parts;
  if (leftOut.has(endpoint)) return { problem: `endpoint "${endpoint}" has a problem of its own.` };
  if (!endpoints.has(endpoint)) return { problem: `there is no endpoint "${endpoint}"${suggest(endpoint)}` };
  return { key: targetName(endpoint, model), member: { index, text: target as string, target: { endpoint, model } } };
}

/** Whoever tries a target knows what it tries: a single one, no route that may change under it. */
function checkSingleTarget(target: unknown, subject: string, known: KnownNames): CheckedTarget {
  if (typeof target === 'string' && known.routes.has(target)) return { problem: `it is a route; write ${subject} as endpoint/model.` };
  const checked = checkTarget(target, 0, { ...known, routes: new Set() });
  if ('problem' in checked) return checked;
  const { key, member } = checked;
  return member.target === undefined ? { problem: 'write it as endpoint/model.' } : { key, target: member.target };
}
