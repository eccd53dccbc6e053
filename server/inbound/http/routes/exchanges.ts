import { readRequestFilter } from '../../../api/reports/requestFilter.ts';
import { decodePathPart } from '../request/requestPath.ts';
import { untilGone } from '../untilGone.ts';
import type { HttpRoute } from './httpRoute.ts';

/** The latest exchanges, the receipt of one, and the end of one that runs. */
export const exchangesRoutes: readonly HttpRoute[] = [
  {
    methods: ['GET'], path: '/waybill/exchanges', access: 'owner',
    async handle(call, { router }) {
      const parameters = new URLSearchParams(call.query);
      const limit = Math.min(Math.max(Number(parameters.get('limit') ?? '50') || 50, 1), 1000);
      const beforeText = parameters.get('before');
      const before = beforeText === null ? undefined : beforeText.trim() === '' ? NaN : Number(beforeText);
      if (before !== undefined && !Number.isFinite(before)) return call.json(400, { error: { message: 'Give before in milliseconds since the epoch.' } });
      const filter = readRequestFilter(Object.fromEntries(parameters));
      if (typeof filter === 'string') return call.refuse(400, filter);
      if (Object.keys(filter).length === 0) return call.json(200, await router.recent(limit, before));
      return untilGone(call, async (_parameters, signal) => {
        const found = await router.find({ filter: before === undefined ? filter : { ...filter, toMs: Math.min(before, filter.toMs ?? Infinity) }, limit }, signal);
        if (signal.aborted) return;
        if ('refused' in found) call.refuse(400, found.refused);
        else call.json(200, found.requests);
      });
    },
  },
  {
    methods: ['POST'], path: /^\/waybill\/exchanges\/([^/]*)\/cancel$/, access: 'owner',
    async handle(call, { router }) {
      const { cancelled, message } = await router.cancelRequest(decodePathPart(call.groups[0] ?? ''));
      return cancelled ? call.json(200, { cancelled, message }) : call.refuse(409, message);
    },
  },
  {
    methods: ['GET'], path: /^\/waybill\/exchanges\/(.*)$/s, access: 'owner',
    async handle(call, { router }) {
      const receipt = await router.receipt(decodePathPart(call.groups[0] ?? ''));
      return receipt === undefined ? call.refuse(404, 'There is no exchange of that id.') : call.json(200, receipt);
    },
  },
];
