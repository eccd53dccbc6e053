import { isUp } from '../../api/condition.ts';
import type { Config } from '../../config/config.ts';
import type { RoutingView } from '../../routing/plan.ts';
import type { Conditions } from './conditions.ts';

/** Who answers in place of an endpoint that cannot: of each route that names it, the first other endpoint that can. Each once, in the order of routes. */
export function answersInstead(endpoint: string, config: Config, table: RoutingView['table'], conditions: Pick<Conditions, 'ofTarget'>): string[] {
  const found = new Set<string>();
  for (const { targets } of config.routes.values()) {
    if (!targets.some(target => target.endpoint === endpoint)) continue;
    const first = targets.find(target => target.endpoint !== endpoint && config.endpoints.has(target.endpoint) && isUp(conditions.ofTarget(target.endpoint, table.modelAt(target.endpoint, target.model))));
    if (first !== undefined) found.add(first.endpoint);
  }
  return [...found];
}
