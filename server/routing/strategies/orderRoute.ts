import type { ResolvedTarget, RouteGroup } from '../routeTable.ts';
import type { Choice, Strategies, StrategyContext } from './strategy.ts';

export interface OrderedTargets {
  readonly targets: readonly ResolvedTarget[];
  /** Why the first comes first, as one sentence without its end; undefined where there is no target. */
  readonly why: string | undefined;
}

/** A route within a route, and the order of its own targets. */
interface Nested extends Choice { readonly inner: OrderedTargets }

const nothing: OrderedTargets = { targets: [], why: undefined };

/**
 * Orders the targets of a route that can serve a request now: each route within it by its own strategy first, then the
 * entries of the route. A target that several routes lead to stands once, at its first place.
 *
 * @param able the names of the targets that can serve
 */
export function orderRoute(group: RouteGroup, able: ReadonlySet<string>, known: Strategies, request: Omit<StrategyContext, 'route'>): OrderedTargets {
  return orderGroup(group, { able, known, request, ordered: new Map() });
}

interface Walk {
  readonly able: ReadonlySet<string>;
  readonly known: Strategies;
  readonly request: Omit<StrategyContext, 'route'>;
  /** Several routes may lead to one; it is ordered once. */
  readonly ordered: Map<RouteGroup, OrderedTargets>;
}

function orderGroup(group: RouteGroup, walk: Walk): OrderedTargets {
  const before = walk.ordered.get(group);
  if (before !== undefined) return before;
  const made = orderMembers(group, walk);
  walk.ordered.set(group, made);
  return made;
}

function orderMembers(group: RouteGroup, walk: Walk): OrderedTargets {
  const { able, known, request } = walk;
  const choices: (Choice | Nested)[] = [];
  for (const member of group.members) {
    if (member.kind === 'target') {
      if (able.has(member.name)) choices.push(member);
      continue;
    }
    const inner = orderGroup(member.group, walk);
    const [first] = inner.targets;
    if (first !== undefined) choices.push({ name: member.name, weight: member.weight, first, inner });
  }
  const [only] = choices;
  if (only === undefined) return nothing;
  if (choices.length === 1) return { targets: targetsOf(only), why: whyOf(`${group.name}: only ${only.name} can serve now`, only) };
  const { order, why } = known[group.strategy](choices, { route: group.name, request: request.request, signals: request.signals, random: request.random });
  const targets = new Set<ResolvedTarget>();
  for (const choice of order) for (const target of targetsOf(choice)) targets.add(target);
  return { targets: [...targets], why: whyOf(why, order[0]) };
}

function isNested(choice: Choice): choice is Nested {
  return 'inner' in choice;
}

function targetsOf(choice: Choice): readonly ResolvedTarget[] {
  return isNested(choice) ? choice.inner.targets : [choice.first];
}

function whyOf(why: string, first: Choice | undefined): string {
  return first !== undefined && isNested(first) && first.inner.why !== undefined ? `${why}; within it, ${first.inner.why}` : why;
}
