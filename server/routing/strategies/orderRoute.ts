import type { TargetTier } from '../../api/settings.ts';
import type { GroupMember, ResolvedTarget, RouteGroup } from '../routeTable.ts';
import type { Choice, Strategies, StrategyContext } from './strategy.ts';

export interface OrderedTargets {
  readonly targets: readonly ResolvedTarget[];
  /** Why the first comes first, as one sentence without its end; undefined where there is no target. */
  readonly why: string | undefined;
  /** Targets that wait behind others of their route, by name; absent: none does. */
  readonly waiting?: ReadonlyMap<string, TargetTier> | undefined;
}

/** A route within a route, and the order of its own targets. */
interface Nested extends Choice { readonly inner: OrderedTargets }

const nothing: OrderedTargets = { targets: [], why: undefined };

/**
 * Orders the targets of a route that can serve a request now: each route within it by its own strategy first, then the
 * entries of the route: the main ones by its strategy, then in the same way the backups, then what is for the last resort. A
 * target that several routes lead to stands once, at its first place.
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
  if (!group.members.some(({ tier }) => tier !== undefined)) return orderTier(group, group.members, walk);
  const targets = new Set<ResolvedTarget>();
  const waiting = new Map<string, TargetTier>();
  let why: string | undefined;
  for (const tier of tiers) {
    const members = group.members.filter(member => member.tier === tier);
    // No route has such a name, so that turns are counted apart.
    const ordered = members.length === 0 ? nothing : orderTier(tier === undefined ? group : { ...group, name: `${group.name} (${tier})` }, members, walk);
    if (targets.size === 0 && ordered.why !== undefined) why = tier === undefined ? ordered.why : `${tier === 'backup' ? 'backup' : 'last resort'}: nothing before it can serve now; ${ordered.why}`;
    for (const [name, inner] of ordered.waiting ?? []) waiting.set(name, inner);
    for (const target of ordered.targets) {
      if (tier !== undefined && !targets.has(target)) waiting.set(target.name, tier);
      targets.add(target);
    }
  }
  return { targets: [...targets], why, waiting };
}

const tiers: readonly (TargetTier | undefined)[] = [undefined, 'backup', 'last-resort'];

/** Orders entries of one tier by the strategy of their route. */
function orderTier(group: RouteGroup, members: readonly GroupMember[], walk: Walk): OrderedTargets {
  const { able, known, request } = walk;
  const choices: (Choice | Nested)[] = [];
  for (const member of members) {
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
  const waiting = waitingOf(choices);
  if (choices.length === 1) return { targets: targetsOf(only), why: whyOf(`${group.name}: only ${only.name} can serve now`, only), waiting };
  const { order, why } = known[group.strategy](choices, { route: group.name, request: request.request, signals: request.signals, random: request.random });
  const targets = new Set<ResolvedTarget>();
  for (const choice of order) for (const target of targetsOf(choice)) targets.add(target);
  return { targets: [...targets], why: whyOf(why, order[0]), waiting };
}

/** What waits within routes that are entries. */
function waitingOf(choices: readonly (Choice | Nested)[]): ReadonlyMap<string, TargetTier> | undefined {
  let waiting: Map<string, TargetTier> | undefined;
  for (const choice of choices) if (isNested(choice)) for (const [name, tier] of choice.inner.waiting ?? []) (waiting ??= new Map<string, TargetTier>()).set(name, tier);
  return waiting;
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
