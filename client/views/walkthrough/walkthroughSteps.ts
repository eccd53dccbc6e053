import { isSimulated } from '../../../server/api/firstRun/simulated.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';

/** Which steps of the walkthrough the state of the server shows to be done. */
export interface WalkthroughSteps {
  providerAdded: boolean;
  /** Some provider has been reached and answered. */
  providerTested: boolean;
  /** A route has targets on two providers at least, so that one can fail. */
  fallbackReady: boolean;
  /** A budget holds. */
  budgetSet: boolean;
  /** A fire drill took a provider away, and a request was answered all the same. */
  drillSurvived: boolean;
}

/** Reads the steps off a status snapshot. Simulated providers are no providers of the user's; a drill with them is one. */
export function walkthroughSteps(status: StatusSnapshot): WalkthroughSteps {
  const own = status.endpoints.filter((endpoint) => !isSimulated(endpoint));
  const simulated = new Set(status.endpoints.filter(isSimulated).map(({ name }) => name));
  return {
    providerAdded: own.length > 0,
    providerTested: own.some((endpoint) => endpoint.state === 'healthy' || endpoint.state === 'degraded'),
    fallbackReady: status.offered.some((offered) => offered.kind === 'route' && new Set(offered.targets.map(endpointOf).filter((name) => !simulated.has(name))).size > 1),
    budgetSet: (status.budgets?.length ?? 0) > 0,
    drillSurvived: (status.drill?.counts.answered ?? 0) > 0 || (status.drill?.last?.answered ?? 0) > 0,
  };
}

/** Targets are `endpoint/model`; a model's name may hold slashes, an endpoint's may not. */
function endpointOf(target: string): string {
  return target.split('/', 1)[0] ?? target;
}
