import type { HttpRoute } from './httpRoute.ts';

/** Whether some request can be served now, for load balancers and service managers. */
export const healthRoute: HttpRoute = {
  methods: ['GET', 'HEAD'], path: '/health', access: 'loopback',
  handle(call, { router }) {
    const serves = router.canServe();
    call.json(serves ? 200 : 503, { status: serves ? 'ok' : 'unavailable' });
  },
};
