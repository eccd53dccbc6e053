import { clearResponseCacheRequest } from '../../../api/cache/responseCache.ts';
import type { LspFeature } from './feature.ts';

/** The answers that routes keep. */
export const responseCacheFeature: LspFeature = {
  name: 'response cache',
  register({ editor, router }) {
    editor.onRequest(clearResponseCacheRequest, ({ route }) => router.responses.clear(route));
    return undefined;
  },
};
