import type { ShadowSettings } from '../../api/settings.ts';
import { isObject } from '../../base/json.ts';
import type { ShadowConfig } from '../config.ts';
import { shadowSchema } from '../schema.ts';
import { schemaProblems } from '../schemaProblems.ts';
import type { FieldProblem } from '../schemaProblems.ts';
import type { CheckedTarget } from './resolveCanary.ts';

/**
 * Makes the shadow of a route. It is left out whole where anything about it is wrong, and the route serves without it:
 * half of what was meant could send requests to the wrong place.
 * @param ofRoute keys of the route's own targets, with those of routes within it @param problems paths start at the shadow
 */
export function resolveShadow(settings: unknown, ofRoute: ReadonlySet<string>, check: (target: unknown) => CheckedTarget): { shadow?: ShadowConfig; problems: FieldProblem[] } {
  const problems = schemaProblems(shadowSchema, settings);
  if (problems.length > 0 || !isObject(settings)) return { problems };
  const { target, share, sameTargetShare, draw, budgetUsd, atOnce, timeoutSeconds, maxBodyKiB, exceptWorkspaces, minRequests, agreement, latencyRatio, costRatio } = settings as unknown as ShadowSettings;
  const checked = check(target);
  if ('problem' in checked) return { problems: [{ path: ['target'], text: `target "${target}" cannot be used: ${checked.problem}` }] };
  if (ofRoute.size === 1 && ofRoute.has(checked.key)) return { problems: [{ path: ['target'], text: `target "${target}" is the route's own; a shadow tries another one.` }] };
  return {
    shadow: {
      target: checked.target, share: share ?? 10, sameTargetShare: sameTargetShare ?? 20, draw: draw ?? 'conversation',
      budgetMicroUsd: Math.round((budgetUsd ?? 1) * 1e6), atOnce: atOnce ?? 2, timeoutMs: (timeoutSeconds ?? 120) * 1000, maxBodyBytes: (maxBodyKiB ?? 512) * 1024,
      exceptWorkspaces: new Set((exceptWorkspaces ?? []).map(name => name.toLowerCase())),
      minRequests: minRequests ?? 40, agreement: agreement ?? 0.8, latencyRatio: latencyRatio ?? 2, costRatio,
    },
    problems,
  };
}
