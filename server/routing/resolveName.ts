import type { Plan } from '../api/receipt.ts';
import type { StrategyName } from '../api/settings.ts';
import { parseTargetName } from '../api/targetName.ts';
import type { PurposeMap } from '../config/config.ts';
import { purposeSuffix } from './purpose/statedPurpose.ts';
import type { Candidate, ResolvedTarget, RouteGroup, RouteTable } from './routeTable.ts';
import type { StandIn } from './standIns.ts';

/** What a name leads to, before the state of any target is looked at. */
export interface Resolved {
  kind: Plan['kind'];
  /** The configured name of the route; absent for models and pinned targets. */
  route?: string | undefined;
  /** `pinned`: there is one target, and nothing to order. */
  strategy: StrategyName | 'pinned';
  /** Where the route sends roles and kinds of work; absent: it does not ask what a request is for. */
  purposes?: PurposeMap | undefined;
  /** In the order of the configuration. */
  candidates: readonly Candidate[];
  /** Of a route: how its targets are ordered; absent where they stand as they are listed. */
  group?: RouteGroup | undefined;
  /** What takes over when none of them can answer; absent for pinned targets. */
  standIns?: readonly StandIn<ResolvedTarget>[] | undefined;
}

/** Prefixes that clients put before a name: our own provider id, and the resource name of Google's clients. */
const toleratedPrefixes = ['waybill/', 'models/'];
/** No name of a model, with its endpoint and prefixes, is as long as this; a longer one means nothing. */
const longestName = 1000;

/**
 * Finds what a requested name means, in this order, first as written and then without a tolerated prefix:
 *
 * 1. a route of exactly this name, or of this name without a role or a kind of work behind a colon (`coding:low-cost`): its
 *    targets as they are listed (endpoint priorities do not reorder a route);
 * 2. `endpoint/model`, when the part before the first slash is an endpoint: that target alone, whether the model is
 *    known there or not (the model may contain slashes itself);
 * 3. a model: every endpoint that serves it, by endpoint priority, then the larger weight, then name; also one that no endpoint
 *    serves, where another one was declared to be equivalent.
 *
 * An id that is written out, such as a snapshot, is asked for as it stands at each endpoint that has it.
 *
 * Undefined when the name means nothing, as one of more than a thousand characters always does.
 */
export function resolveName(requestedModel: string, table: RouteTable): Resolved | undefined {
  let name = requestedModel.trim();
  if (name.length > longestName) return undefined;
  for (;;) {
    const resolved = resolveExactly(name, table);
    if (resolved !== undefined) return resolved;
    const prefix = toleratedPrefixes.find(candidate => name.startsWith(candidate));
    if (prefix === undefined) return undefined;
    name = name.slice(prefix.length);
  }
}

/** A requested name without the tolerated prefixes, which do not change its meaning. */
export function bareName(requestedModel: string): string {
  let name = requestedModel.trim();
  for (;;) {
    const prefix = toleratedPrefixes.find(candidate => name.startsWith(candidate));
    if (prefix === undefined) return name;
    name = name.slice(prefix.length);
  }
}

/** What names of models are compared by. */
export function modelKey(name: string): string {
  return bareName(name).toLowerCase();
}

function resolveExactly(name: string, table: RouteTable): Resolved | undefined {
  if (name === '') return undefined;
  const routeName = routeIn(name, table);
  const route = routeName === undefined ? undefined : table.config.routes.get(routeName);
  if (route !== undefined) {
    return { kind: 'route', route: route.name, strategy: route.strategy, purposes: route.purposes, candidates: table.targetsOfRoute(route.name) ?? [], group: table.groupOfRoute(route.name), standIns: table.standInsOfRoute(route.name) };
  }
  const parts = parseTargetName(name);
  const pinned = parts === undefined ? undefined : table.namedTarget(parts.endpoint, parts.model);
  if (pinned !== undefined) return { kind: 'target', strategy: 'pinned', candidates: [pinned] };
  const candidates = table.targetsOfName(name);
  const standIns = table.standInsOfName(name);
  return candidates.length + standIns.length === 0 ? undefined : { kind: 'model', strategy: 'priority', candidates, standIns };
}

/** The route that a name means, with a role or a kind of work behind it or without. */
function routeIn(name: string, { config: { routes } }: RouteTable): string | undefined {
  if (routes.has(name)) return name;
  const suffix = purposeSuffix(name);
  const route = suffix === undefined ? undefined : name.slice(0, name.lastIndexOf(':'));
  return route !== undefined && routes.has(route) ? route : undefined;
}
