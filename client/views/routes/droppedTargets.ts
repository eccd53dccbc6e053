import { leadsTo, moved, targetsOf, withTargets, type Routes } from '../../settings/settingsEdits.ts';
import type { RouteLine } from './routesTreeModel.ts';

/** A target that is dragged. Without a route it comes from the Providers view. */
export interface DraggedTarget { route?: string; target: string }

/**
 * The routes after a target was dropped: within its route it takes the place of the one it was dropped on; another route gets
 * it too, at that place. A line that is no target stands for the end of its route. What would lead in a circle, or is there
 * already, changes nothing.
 */
export function droppedTargets(routes: Routes, dragged: string, onto: Pick<RouteLine, 'route' | 'target'>): Routes {
  const found = read(dragged);
  const settings = routes[onto.route];
  if (found === undefined || settings === undefined) return routes;
  const targets = targetsOf(settings);
  const from = targets.indexOf(found.target);
  const place = onto.target === undefined ? -1 : targets.indexOf(onto.target);
  const to = place < 0 ? targets.length : place;
  if (found.route === onto.route) return from < 0 || Math.min(to, targets.length - 1) === from ? routes : withTargets(routes, onto.route, moved(targets, from, Math.min(to, targets.length - 1)));
  if (from >= 0 || (routes[found.target] !== undefined && leadsTo(routes, found.target, onto.route))) return routes;
  return withTargets(routes, onto.route, targets.toSpliced(to, 0, found.target));
}

function read(text: string): DraggedTarget | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { route, target }: { route?: unknown; target?: unknown } = value;
    return typeof target === 'string' ? { target, ...(typeof route === 'string' ? { route } : {}) } : undefined;
  } catch {
    return undefined;
  }
}
