import type { HttpRoute } from './httpRoute.ts';

/** The whole state, as the editor shows it. */
export const statusRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/status', access: 'owner',
  handle: (call, { router, localEndpoint }) => call.json(200, router.status(localEndpoint())),
};
