import { proposeRoutesRequest } from '../../../api/firstRun/proposedRoutes.ts';
import type { ProposeRoutesParams, ProposeRoutesResult } from '../../../api/firstRun/proposedRoutes.ts';
import { tryRouteRequest } from '../../../api/routes/tryRoute.ts';
import type { Router } from '../../../router/router.ts';
import { resolveOptions } from '../resolveOptions.ts';
import type { LspFeature } from './feature.ts';

/** Where a request would go, and routes that could be made. */
export const routesFeature: LspFeature = {
  name: 'routes',
  register({ editor, router }) {
    editor.onRequest(tryRouteRequest, params => router.tryRoute(params));
    editor.onRequest(proposeRoutesRequest, params => proposeRoutes(router, params));
    return undefined;
  },
};

/** An endpoint that is not complete has no part in a route. */
async function proposeRoutes(router: Router, { endpoints }: ProposeRoutesParams): Promise<ProposeRoutesResult> {
  const { resolveConfig } = await import('../../../config/resolve.ts');
  const { config } = resolveConfig({ endpoints: Object.fromEntries(endpoints.map(({ name, settings }) => [name, settings])), routes: {} }, resolveOptions);
  return router.proposals.propose(endpoints.flatMap(({ name, models }) => {
    const endpoint = config.endpoints.get(name);
    return endpoint === undefined ? [] : [{ endpoint, models }];
  }));
}
