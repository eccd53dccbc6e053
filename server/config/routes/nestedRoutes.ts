import type { TargetTier } from '../../api/settings.ts';
import { targetName } from '../../api/targetName.ts';
import type { RouteConfig, RouteMember, RouteTarget } from '../config.ts';
import { suggestion } from '../nearest.ts';
import type { ConfigPath } from '../schemaProblems.ts';

/** An entry of a route as it was written: where it stands, and what it names. */
export interface WrittenMember { readonly index: number; readonly text: string; readonly target?: RouteTarget | undefined; readonly route?: string | undefined }

/** A route whose entries have been read one by one, before those that are routes are followed. */
export interface UnlinkedRoute { readonly route: RouteConfig; readonly members: readonly WrittenMember[]; readonly weights: Readonly<Record<string, number>> | undefined; readonly tiers?: Readonly<Record<string, TargetTier>> | undefined }

type Report = (path: ConfigPath, message: string) => void;

/** Strategies that heed the weights of entries. */
const weighing: ReadonlySet<string> = new Set(['weighted', 'sticky', 'least-busy']);

/**
 * Follows the entries of routes that are routes themselves. An entry that leads back to its own route is left out and
 * reported, and so is one that leads to no target; a route without any entry left is left out.
 */
export function linkRoutes(unlinked: ReadonlyMap<string, UnlinkedRoute>, report: Report): Map<string, RouteConfig> {
  const linked = new Map<string, RouteConfig | undefined>();
  for (const name of unlinked.keys()) link(name, unlinked, linked, [], report);
  const routes = new Map<string, RouteConfig>();
  for (const name of unlinked.keys()) {
    const route = linked.get(name);
    if (route !== undefined) routes.set(name, route);
  }
  return routes;
}

/** @param above the routes that lead here, the outermost first */
function link(name: string, unlinked: ReadonlyMap<string, UnlinkedRoute>, linked: Map<string, RouteConfig | undefined>, above: readonly string[], report: Report): RouteConfig | undefined {
  if (linked.has(name)) return linked.get(name);
  const found = unlinked.get(name);
  if (found === undefined) return undefined;
  const { route, members: written, weights, tiers } = found;
  const way = [...above, name];
  const weightOf = weightsOf(found, report);
  const tierOf = tiersOf(found, report);
  const leaveOut = ({ index, text }: WrittenMember, reason: string): void => { report(['routes', name, 'targets', index], `Route "${name}": target "${text}" is left out: ${reason}`); };
  const members: RouteMember[] = [];
  const targets = new Map<string, RouteTarget>();
  for (const member of written) {
    const place = { weight: weightOf(member.text), ...tierOf(member.text) };
    if (member.target !== undefined) {
      members.push({ target: member.target, ...place });
      targets.set(targetName(member.target.endpoint, member.target.model), member.target);
    } else if (member.route !== undefined) {
      const start = way.indexOf(member.route);
      if (start >= 0) {
        leaveOut(member, `the routes would lead in a circle (${[...way.slice(start), member.route].join(' > ')}).`);
        continue;
      }
      const inner = link(member.route, unlinked, linked, way, report);
      if (inner === undefined) {
        leaveOut(member, `route "${member.route}" leads to no target.`);
        continue;
      }
      members.push({ route: inner.name, ...place });
      for (const target of inner.targets) targets.set(targetName(target.endpoint, target.model), target);
    }
  }
  if (targets.size === 0) {
    report(['routes', name, 'targets'], `Route "${name}" is left out: none of its targets can be used.`);
    linked.set(name, undefined);
    return undefined;
  }
  const plain = weights === undefined && tiers === undefined && members.every(({ target }) => target !== undefined);
  const made: RouteConfig = { ...route, targets: [...targets.values()], ...(plain ? {} : { members }) };
  linked.set(name, made);
  return made;
}

/** The weight of each entry; what is wrong with the weights is reported. */
function weightsOf({ route: { name, strategy }, members, weights }: UnlinkedRoute, report: Report): (entry: string) => number {
  if (weights === undefined) return () => 1;
  const entries = new Set(members.map(({ text }) => text));
  for (const entry of Object.keys(weights)) {
    if (!entries.has(entry)) report(['routes', name, 'weights', entry], `Route "${name}": the weight of "${entry}" is not used: no target of the route is written like this${suggestion(entry, entries)}`);
  }
  if (!weighing.has(strategy)) report(['routes', name, 'weights'], `Route "${name}": its weights are not used by the strategy "${strategy}"; set "strategy" to "weighted".`);
  return entry => weights[entry] ?? 1;
}

/** The tier of each entry that waits; what is wrong with the tiers is reported. Where every entry waits, the first ones to be used are the main ones. */
function tiersOf({ route: { name }, members, tiers }: UnlinkedRoute, report: Report): (entry: string) => { tier?: TargetTier } {
  if (tiers === undefined) return () => ({});
  const entries = new Set(members.map(({ text }) => text));
  for (const entry of Object.keys(tiers)) {
    if (!entries.has(entry)) report(['routes', name, 'tiers', entry], `Route "${name}": the tier of "${entry}" is not used: no target of the route is written like this${suggestion(entry, entries)}`);
  }
  if (members.every(({ text }) => tiers[text] !== undefined)) report(['routes', name, 'tiers'], `Route "${name}": every target waits for another one; leave the tier of at least one target out.`);
  return entry => tiers[entry] === undefined ? {} : { tier: tiers[entry] };
}
