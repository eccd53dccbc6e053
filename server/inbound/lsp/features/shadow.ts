import { shadowRequest } from '../../../api/shadow.ts';
import type { LspFeature } from './feature.ts';

/** The shadows of routes. */
export const shadowFeature: LspFeature = {
  name: 'shadow',
  register({ editor, router }) {
    editor.onRequest(shadowRequest, params => router.shadows.act(params));
    return undefined;
  },
};
