import { tryRouteRequest } from '../../../api/routes/tryRoute.ts';
import type { LspFeature } from './feature.ts';

/** Where a request would go. */
export const routesFeature: LspFeature = {
  name: 'routes',
  register({ editor, router }) {
    editor.onRequest(tryRouteRequest, params => router.tryRoute(params));
    return undefined;
  },
};
