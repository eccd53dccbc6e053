import { reconcileRequest } from '../../../api/messages.ts';
import type { LspFeature } from './feature.ts';

/** The ledger compared with what providers charge. */
export const billsFeature: LspFeature = {
  name: 'bills',
  register({ editor, router }) {
    editor.onRequest(reconcileRequest, async (params, token) => {
      const aborter = new AbortController();
      const registration = token.onCancellationRequested(() => aborter.abort());
      try {
        return await router.reconcile(params, aborter.signal);
      } finally {
        registration.dispose();
      }
    });
    return undefined;
  },
};
