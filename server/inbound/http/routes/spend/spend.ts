import { readSpendFilter } from '../../../../api/reports/dashboard.ts';
import { spendGroupings } from '../../../../api/reports/groupedSpend.ts';
import { readRequestFilter } from '../../../../api/reports/requestFilter.ts';
import type { TimeRange } from '../../../../api/receipt.ts';
import type { HttpRoute } from '../httpRoute.ts';

/** What requests of a time range cost: by endpoint, model, tool, workspace and day or, with `by`, by one field and of the requests that the other parameters name. */
export const spendRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/spend', access: 'owner',
  async handle(call, { router }) {
    const parameters = new URLSearchParams(call.query);
    const range = rangeOf(parameters, router.clock.now());
    if (range === undefined) return call.refuse(400, 'Give range=today, 7d or month, or from and to in milliseconds since the epoch.');
    const by = parameters.get('by');
    if (by === null) return call.json(200, await router.spend(range));
    const grouping = spendGroupings.find(one => one === by);
    if (grouping === undefined) return call.refuse(400, `Give by as one of ${spendGroupings.join(', ')}.`);
    const filter = readRequestFilter(Object.fromEntries(parameters));
    if (typeof filter === 'string') return call.refuse(400, filter);
    return call.json(200, await router.groupedSpend({ range, by: grouping, filter: readSpendFilter(filter) }));
  },
};

function rangeOf(parameters: URLSearchParams, now: number): TimeRange | undefined {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const to = now + 1;
  switch (parameters.get('range') ?? (parameters.has('from') ? 'custom' : 'today')) {
    case 'today': return { from: midnight.getTime(), to };
    case '7d': return { from: new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() - 6).getTime(), to };
    case 'month': return { from: new Date(midnight.getFullYear(), midnight.getMonth(), 1).getTime(), to };
    case 'custom': {
      const from = Number(parameters.get('from'));
      const until = parameters.has('to') ? Number(parameters.get('to')) : to;
      return Number.isFinite(from) && Number.isFinite(until) && from <= until ? { from, to: until } : undefined;
    }
    default: return undefined;
  }
}
