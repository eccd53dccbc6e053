import type { Plan } from '../api/receipt.ts';
import type { RoutingView } from './plan.ts';

/** One place a name may lead to, before anything is asked about its state. */
export interface Candidate { endpoint: string; /** Canonical model name. */ model: string }

export interface Resolved {
  kind: Plan['kind'];
  /** The route's own name, where it is one. */
  route?: string | undefined;
  strategy: string;
  candidates: Candidate[];
}

/** Prefixes that clients put before a name: our own provider id, and the resource name of Google's clients. */
const toleratedPrefixes = ['waybill/', 'models/'];
/** No name of a model, with its endpoint and prefixes, is as long as this; what is longer means nothing. */
const longestName = 1000;

/**
 * What a wanted name means, tried in this order, first as written and then without a tolerated prefix:
 *
 * 1. a route of exactly this name: its targets in the order written (endpoint priorities do not reorder a route);
 * 2. `endpoint/model`, when the part before the first slash is an endpoint: that target alone, whether the model is
 *    known there or not (the model may contain slashes itself);
 * 3. a model: every endpoint that serves it, by endpoint priority, then the larger weight, then name.
 *
 * Undefined when the name means nothing, as one of more than a thousand characters always does.
 */
export function resolveName(requestedModel: string, view: RoutingView): Resolved | undefined {
  let name = requestedModel.trim();
  if (name.length > longestName) return undefined;
  for (;;) {
    const resolved = resolveExactly(name, view);
    if (resolved !== undefined) return resolved;
    const prefix = toleratedPrefixes.find((candidate) => name.startsWith(candidate));
    if (prefix === undefined) return undefined;
    name = name.slice(prefix.length);
  }
}

/** A requested name as it reads without the tolerated prefixes, which say nothing about what is meant. */
export function bareName(requestedModel: string): string {
  let name = requestedModel.trim();
  for (;;) {
    const prefix = toleratedPrefixes.find((candidate) => name.startsWith(candidate));
    if (prefix === undefined) return name;
    name = name.slice(prefix.length);
  }
}

function resolveExactly(name: string, view: RoutingView): Resolved | undefined {
  if (name === '') return undefined;
  const route = view.config.routes.get(name);
  if (route !== undefined) {
    const candidates = route.targets.map(({ endpoint, model }) => ({ endpoint, model: view.canonicalName(model) }));
    return { kind: 'route', route: name, strategy: route.strategy, candidates: withoutRepeats(candidates) };
  }
  const slash = name.indexOf('/');
  const endpoint = name.slice(0, Math.max(0, slash));
  if (slash > 0 && slash < name.length - 1 && view.config.endpoints.has(endpoint)) {
    return { kind: 'target', strategy: 'pinned', candidates: [{ endpoint, model: view.canonicalName(name.slice(slash + 1)) }] };
  }
  const model = view.canonicalName(name);
  const candidates = view.servedBy(model).map((serving) => ({ endpoint: serving, model }));
  return candidates.length === 0 ? undefined : { kind: 'model', strategy: 'priority', candidates };
}

function withoutRepeats(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ endpoint, model }) => seen.size < seen.add(`${endpoint}/${model}`).size);
}
