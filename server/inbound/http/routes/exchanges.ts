import { decodePathPart } from '../request/requestPath.ts';
import type { HttpRoute } from './httpRoute.ts';

/** The latest exchanges, and the receipt of one. */
export const exchangesRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/exchanges', access: 'token',
    async handle(call, { router }) {
      const parameters = new URLSearchParams(call.query);
      const limit = Math.min(Math.max(Number(parameters.get('limit') ?? '50') || 50, 1), 1000);
      const beforeText = parameters.get('before');
      const before = beforeText === null ? undefined : beforeText.trim() === '' ? NaN : Number(beforeText);
      if (before !== undefined && !Number.isFinite(before)) return call.json(400, { error: { message: 'Give before in milliseconds since the epoch.' } });
      return call.json(200, await router.recent(limit, before));
    },
  },
  {
    methods: ['GET'], path: /^\/waybill\/exchanges\/(.*)$/s, access: 'token',
    async handle(call, { router }) {
      const receipt = await router.receipt(decodePathPart(call.groups[0] ?? ''));
      return receipt === undefined ? call.refuse(404, 'There is no exchange of that id.') : call.json(200, receipt);
    },
  },
];
