import { canaryRequest } from '../../../api/canary.ts';
import type { LspFeature } from './feature.ts';

/** The canaries of routes. */
export const canaryFeature: LspFeature = {
  name: 'canary',
  register({ editor, router }) {
    editor.onRequest(canaryRequest, params => router.canaries.act(params));
    return undefined;
  },
};
