import type { HttpRoute } from './httpRoute.ts';

/** Whether some request can be served now, for load balancers and service managers. While the server drains it is not ready, though it still serves. */
const ready: HttpRoute = {
  methods: ['GET', 'HEAD'], path: '/waybill/ready', access: 'loopback',
  handle(call, { router, isDraining }) {
    const serves = router.canServe();
    const status = isDraining() ? 'draining' : serves ? 'ok' : 'unavailable';
    call.json(status === 'ok' ? 200 : 503, { status });
  },
};

/** Whether the process answers at all, which it does until it has ended: another answer, or none, is a reason to start it anew. */
const live: HttpRoute = {
  methods: ['GET', 'HEAD'], path: '/waybill/live', access: 'loopback',
  handle(call) {
    call.json(200, { status: 'ok' });
  },
};

export const healthRoutes: readonly HttpRoute[] = [{ ...ready, path: '/health' }, ready, live];
