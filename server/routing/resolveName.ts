import type { Plan } from '../api/receipt.ts';
import type { StrategyName } from '../api/settings.ts';
import { parseTargetName } from '../api/targetName.ts';
import type { Candidate, RouteGroup, RouteTable } from './routeTable.ts';

/** What a name leads to, before the state of any target is looked at. */
export interface Resolved {
  kind: Plan['kind'];
  /** The configured name of the route; absent for models and pinned targets. */
  route?: string | undefined;
  /** `pinned`: there is one target, and nothing to order. */
  strategy: StrategyName | 'pinned';
  /** In the order of the configuration. */
  candidates: readonly Candidate[];
  /** Of a route: how its targets are ordered; absent where they stand as they are listed. */
  group?: RouteGroup | undefined;
}

/** Prefixes that clients put before a name: our own provider id, and the resource name of Google's clients. */
const toleratedPrefixes = ['waybill/', 'models/'];
/** No name of a model, with its endpoint and prefixes, is as long as this; a longer one means nothing. */
const longestName = 1000;

/**
 * Finds what a requested name means, in this order, first as written and then without a tolerated prefix:
 *
 * 1. a route of exactly this name: its targets as they are listed (endpoint priorities do not reorder a route);
 * 2. `endpoint/model`, when the part before the first slash is an endpoint: that target alone, whether the model is
 *    known there or not (the model may contain slashes itself);
 * 3. a model: every endpoint that serves it, by endpoint priority, then the larger weight, then name.
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

function resolveExactly(name: string, table: RouteTable): Resolved | undefined {
  if (name === '') return undefined;
  const route = table.config.routes.get(name);
  if (route !== undefined) return { kind: 'route', route: name, strategy: route.strategy, candidates: table.targetsOfRoute(name) ?? [], group: table.groupOfRoute(name) };
  const parts = parseTargetName(name);
  const pinned = parts === undefined ? undefined : table.namedTarget(parts.endpoint, parts.model);
  if (pinned !== undefined) return { kind: 'target', strategy: 'pinned', candidates: [pinned] };
  const candidates = table.targetsOfName(name);
  return candidates.length === 0 ? undefined : { kind: 'model', strategy: 'priority', candidates };
}
