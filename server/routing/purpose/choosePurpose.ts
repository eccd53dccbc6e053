import type { Purpose } from '../../api/purpose.ts';
import type { PurposeMap, PurposeTarget } from '../../config/config.ts';
import type { Candidate, ResolvedTarget, RouteTable } from '../routeTable.ts';

/** Where a purpose leads, before the state of any target is looked at. */
export interface Chosen {
  /** The route, or the target, as plans show it. */
  readonly name: string;
  /** The entry that led there, such as `byKind.low-cost`. */
  readonly entry: string;
  /** Absent: it is one target. */
  readonly route?: string | undefined;
  readonly candidates: readonly Candidate[];
}

/** Settings leave out entries that lead in circles; a chain of routes is no longer than this all the same. */
const longestChain = 8;

/** Follows `byRole` and `byKind` from route to route; undefined where the targets of the first route are meant. */
export function choosePurpose(purposes: PurposeMap, purpose: Purpose, table: RouteTable): Chosen | undefined {
  let map: PurposeMap | undefined = purposes;
  let chosen: Chosen | undefined;
  for (let steps = 0; map !== undefined && steps < longestChain; steps++) {
    const found = entryOf(map, purpose);
    if (found === undefined) break;
    const { lead: { route, target }, entry } = found;
    if (route === undefined) {
      const pinned = table.namedTarget(target.endpoint, target.model);
      return pinned === undefined ? chosen : { name: pinned.name, entry, candidates: [pinned] };
    }
    const candidates = table.targetsOfRoute(route);
    if (candidates === undefined) break;
    chosen = { name: route, entry, route, candidates };
    map = table.config.routes.get(route)?.purposes;
  }
  return chosen;
}

/** The role comes first, because it is known and the kind is read; a stall, which raised the kind, comes before both. */
function entryOf({ byRole, byKind }: PurposeMap, { role, kind, stalled }: Purpose): { lead: PurposeTarget; entry: string } | undefined {
  const ofRole = byRole[role];
  const ofKind = byKind[kind];
  if (ofRole !== undefined && !(stalled === true && ofKind !== undefined)) return { lead: ofRole, entry: `byRole.${role}` };
  return ofKind === undefined ? undefined : { lead: ofKind, entry: `byKind.${kind}` };
}

/** A target that some role or kind of a route leads to, also over other routes; undefined where none does. */
export function purposeTarget({ byRole, byKind }: PurposeMap, name: string, table: RouteTable, steps = 0): ResolvedTarget | undefined {
  for (const { route, target } of [...Object.values(byRole), ...Object.values(byKind)]) {
    const found = route === undefined ? table.namedTarget(target.endpoint, target.model) : table.targetsOfRoute(route)?.find(candidate => candidate.name === name);
    if (found?.name === name && found.endpoint !== undefined) return found;
    const inner = route === undefined || steps >= longestChain ? undefined : table.config.routes.get(route)?.purposes;
    const deeper = inner === undefined ? undefined : purposeTarget(inner, name, table, steps + 1);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}
