import type { StatusSnapshot } from '../../../server/api/status.ts';

/** Which steps of the walkthrough the state of the server shows to be done. */
export interface WalkthroughSteps {
  providerAdded: boolean;
  /** Some provider has been reached and answered. */
  providerTested: boolean;
  /** A route has targets on two providers at least, so that one can fail. */
  fallbackReady: boolean;
}

/** Reads the steps off a status snapshot. */
export function walkthroughSteps(status: StatusSnapshot): WalkthroughSteps {
  return {
    providerAdded: status.endpoints.length > 0,
    providerTested: status.endpoints.some((endpoint) => endpoint.state === 'healthy' || endpoint.state === 'degraded'),
    fallbackReady: status.offered.some((offered) => offered.kind === 'route' && new Set(offered.targets.map(endpointOf)).size > 1),
  };
}

/** Targets are `endpoint/model`; a model's name may hold slashes, an endpoint's may not. */
function endpointOf(target: string): string {
  return target.split('/', 1)[0] ?? target;
}
