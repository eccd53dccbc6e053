import { once } from 'node:events';
import { exportFormats, exportTypes } from '../../../../api/reports/exportFormat.ts';
import { readRequestFilter } from '../../../../api/reports/requestFilter.ts';
import { requestLines } from '../../../../router/spend/requestLines.ts';
import { untilGone } from '../../untilGone.ts';
import type { HttpRoute } from '../httpRoute.ts';

/** The requests of a range, a line for each, newest first, as they are read from the ledger: no more of them is in memory than a page. */
export const exportRoute: HttpRoute = {
  methods: ['GET'], path: '/waybill/export', access: 'owner',
  handle: (call, { router }) => untilGone(call, async (parameters, signal) => {
    const format = exportFormats.find(one => one === (parameters.get('format') ?? 'csv'));
    if (format === undefined) return call.refuse(400, `Give format as one of ${exportFormats.join(', ')}.`);
    const { from, to, ...fields } = Object.fromEntries(parameters);
    const filter = readRequestFilter({ ...fields, fromMs: from, toMs: to ?? String(router.clock.now() + 1) });
    if (typeof filter === 'string') return call.refuse(400, filter);
    const { response } = call;
    const lines = requestLines(router.reports.spend, filter, format, signal);
    // The first page is read before the answer begins, so that a ledger that cannot be read is an error.
    const first = await lines.next();
    response.writeHead(200, { 'content-type': exportTypes[format] });
    for (let page = first; page.done !== true; page = await lines.next()) {
      if (!response.write(page.value)) await once(response, 'drain', { signal });
    }
    response.end();
  }),
};
