import { receiptRequest, recentRequestsRequest, spendRequest } from '../../../api/messages.ts';
import { cancelRequestRequest, findRequestsRequest, runningRequestsRequest } from '../../../api/reports/requestMessages.ts';
import { forgetTitlesRequest, keptTitlesRequest } from '../../../api/ledger/keptTitles.ts';
import { WaybillError } from '../../../base/failure.ts';
import type { LspFeature } from './feature.ts';
import { untilCancelled } from './reports.ts';

/** Requests that run and earlier ones, their receipts and what they cost. */
export const historyFeature: LspFeature = {
  name: 'history',
  register({ editor, router }) {
    editor.onRequest(spendRequest, ({ range }) => router.spend(range));
    editor.onRequest(recentRequestsRequest, ({ limit, before }) => router.recent(limit, before));
    editor.onRequest(receiptRequest, async ({ id }) => await router.receipt(id) ?? null);
    editor.onRequest(findRequestsRequest, (params, token) => untilCancelled(token, signal => router.find(params, signal)));
    editor.onRequest(runningRequestsRequest, () => router.runningRequests());
    editor.onRequest(cancelRequestRequest, ({ id }) => router.cancelRequest(id));
    editor.onRequest(keptTitlesRequest, async () => ({ count: await router.keptTitles() }));
    editor.onRequest(forgetTitlesRequest, async () => {
      try {
        return await router.forgetTitles();
      } catch (error) {
        if (error instanceof WaybillError) return { refused: error.message };
        throw error;
      }
    });
    return undefined;
  },
};
