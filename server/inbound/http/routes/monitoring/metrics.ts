import type { HttpRoute } from '../httpRoute.ts';

const off = 'Metrics are off. Switch them on with "monitoring": { "metrics": { "enabled": true } } in the configuration file, or in "waybill.monitoring" of VS Code\'s settings.';

/** Figures of this server in the text format of Prometheus. */
export const metricsRoute: HttpRoute = {
  methods: ['GET'], path: '/metrics', access: 'metrics',
  async handle(call, { router, localEndpoint }) {
    const metrics = await router.monitoring.metrics(localEndpoint());
    if (metrics === undefined) call.refuse(404, off);
    else call.text(200, metrics.text, metrics.type);
  },
};
