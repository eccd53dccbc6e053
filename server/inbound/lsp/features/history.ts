import { receiptRequest, recentRequestsRequest, spendRequest } from '../../../api/messages.ts';
import type { LspFeature } from './feature.ts';

/** Earlier requests, their receipts and what they cost. */
export const historyFeature: LspFeature = {
  name: 'history',
  register({ editor, router }) {
    editor.onRequest(spendRequest, ({ range }) => router.spend(range));
    editor.onRequest(recentRequestsRequest, ({ limit, before }) => router.recent(limit, before));
    editor.onRequest(receiptRequest, async ({ id }) => await router.receipt(id) ?? null);
    return undefined;
  },
};
