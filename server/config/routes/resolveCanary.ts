import type { CanarySettings } from '../../api/settings.ts';
import { isObject } from '../../base/json.ts';
import type { CanaryConfig, RouteTarget } from '../config.ts';
import { canarySchema } from '../schema.ts';
import { schemaProblems } from '../schemaProblems.ts';
import type { FieldProblem } from '../schemaProblems.ts';

const defaultStages = [5, 15, 30, 50, 100];

/** A target as it was checked: its key and what it means, or what is wrong with it as the end of a sentence. */
export type CheckedTarget = { key: string; target: RouteTarget } | { problem: string };

/**
 * Makes the canary of a route. It is left out whole where anything about it is wrong, and the route serves without it:
 * half of what was meant could send traffic to the wrong place.
 * @param ofRoute keys of the route's own targets, with those of routes within it @param problems paths start at the canary
 */
export function resolveCanary(settings: unknown, ofRoute: ReadonlySet<string>, check: (target: unknown) => CheckedTarget): { canary?: CanaryConfig; problems: FieldProblem[] } {
  const written = isObject(settings) && Array.isArray(settings['targets']) ? settings['targets'] as unknown[] : undefined;
  const problems = schemaProblems(canarySchema, written === undefined ? settings : { ...(settings as object), targets: [] });
  if (problems.length > 0 || written === undefined) return { problems };
  const targets = new Map<string, RouteTarget>();
  written.forEach((target, index) => {
    const checked = check(target);
    const path = ['targets', index];
    const shown = typeof target === 'string' ? `"${target}"` : String(index + 1);
    if ('problem' in checked) problems.push({ path, text: `target ${shown} cannot be used: ${checked.problem}` });
    else if (ofRoute.has(checked.key)) problems.push({ path, text: `target ${shown} is one of the route's own; a canary tries other ones.` });
    else targets.set(checked.key, checked.target);
  });
  if (written.length === 0) problems.push({ path: ['targets'], text: 'it has no targets.' });
  const { stages = defaultStages, advance, stageMinutes, stageRequests, minRequests, failuresInARow, gates = {} } = settings as CanarySettings;
  if (stages.at(-1) !== 100 || stages.some((share, index) => index > 0 && share <= (stages[index - 1] ?? 0))) {
    problems.push({ path: ['stages'], text: `its stages must rise and end with 100, such as ${defaultStages.join(', ')}.` });
  }
  if (problems.length > 0) return { problems };
  const { p99FirstTokenMs, p99TotalMs, costRatio } = gates;
  const p99Ratio = gates.p99Ratio ?? (p99FirstTokenMs !== undefined && p99TotalMs !== undefined ? undefined : 2);
  return {
    canary: {
      targets: [...targets.values()], stages, advance: advance ?? 'time', stageMs: (stageMinutes ?? 60) * 60_000, stageRequests: stageRequests ?? 200,
      minRequests: minRequests ?? 20, failuresInARow: failuresInARow ?? 8,
      gates: { errorRate: gates.errorRate ?? 0.05, successRate: gates.successRate ?? 0.95, p99FirstTokenMs, p99TotalMs, p99Ratio, costRatio },
    },
    problems,
  };
}
