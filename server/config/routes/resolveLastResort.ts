import type { LastResortSettings } from '../../api/settings.ts';
import type { RouteConfig, RouteTarget } from '../config.ts';
import type { FieldProblem } from '../schemaProblems.ts';
import type { CheckedTarget } from './resolveCanary.ts';

/**
 * Makes the last resort of a route. Without kinds it would never serve, so that is a mistake; a wrong target costs only itself.
 * @param settings of a shape that was checked @param ofRoute keys of the route's own targets, with those of routes within it
 */
export function resolveLastResort({ targets: written, kinds }: LastResortSettings, ofRoute: ReadonlySet<string>, check: (target: unknown) => CheckedTarget): { lastResort?: RouteConfig['lastResort']; problems: FieldProblem[] } {
  const problems: FieldProblem[] = [];
  if (kinds.length === 0) return { problems: [{ path: ['lastResort', 'kinds'], text: 'its last resort has no kinds, so it never serves; name the kinds of work that it is for.' }] };
  const targets = new Map<string, RouteTarget>();
  written.forEach((target, index) => {
    const checked = check(target);
    const path = ['lastResort', 'targets', index];
    if ('problem' in checked) problems.push({ path, text: `target "${target}" of its last resort is left out: ${checked.problem}` });
    else if (ofRoute.has(checked.key)) problems.push({ path, text: `target "${target}" of its last resort is left out: it is one of the route's own, which serve all kinds.` });
    else targets.set(checked.key, checked.target);
  });
  return targets.size === 0 ? { problems } : { lastResort: { targets: [...targets.values()], kinds: new Set(kinds) }, problems };
}
