import type { HttpRoute } from './httpRoute.ts';

/** The whole state, as the editor shows it, and the version of the server. */
export const statusRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/status', access: 'owner',
  handle: (call, { router, localEndpoint }) => call.json(200, { version: process.env.WAYBILL_VERSION ?? '0.0.0', ...router.status(localEndpoint()) }),
};
