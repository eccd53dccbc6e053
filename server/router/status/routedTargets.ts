import type { TargetStatus } from '../../api/status.ts';
import { targetName } from '../../api/targetName.ts';
import type { Config, RouteTarget } from '../../config/config.ts';
import type { RoutingView } from '../../routing/plan.ts';
import type { Conditions } from './conditions.ts';
import { priceText } from './offers.ts';

/** What each target that a route names can do now, by its name as it is written; undefined where there is no route. */
export function routedTargets(config: Config, view: Pick<RoutingView, 'table'>, conditions: Pick<Conditions, 'ofTarget'>): Record<string, TargetStatus> | undefined {
  if (config.routes.size === 0) return undefined;
  const statuses: Record<string, TargetStatus> = {};
  const add = ({ endpoint, model }: RouteTarget): void => {
    const written = targetName(endpoint, model);
    if (Object.hasOwn(statuses, written)) return;
    const target = view.table.namedTarget(endpoint, model);
    const { contextWindow } = target?.facts ?? {};
    const pricing = priceText(config.endpoints.get(endpoint), target?.model ?? model, target?.facts ?? {});
    statuses[written] = {
      condition: conditions.ofTarget(endpoint, target?.model ?? model),
      ...(contextWindow === undefined ? {} : { contextWindow }), ...(pricing === undefined ? {} : { pricing }),
    };
  };
  for (const { targets, canary, shadow, lastResort, purposes } of config.routes.values()) {
    targets.forEach(add);
    canary?.targets.forEach(add);
    lastResort?.targets.forEach(add);
    if (shadow !== undefined) add(shadow.target);
    for (const { target } of Object.values({ ...purposes?.byRole, ...purposes?.byKind })) if (target !== undefined) add(target);
  }
  return statuses;
}
