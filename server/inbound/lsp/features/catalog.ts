import { catalogRequest } from '../../../api/messages.ts';
import { providerOffers } from '../../../catalog/offers.ts';
import type { LspFeature } from './feature.ts';

/** The providers that "Add Provider…" offers. */
export const catalogFeature: LspFeature = {
  name: 'catalog',
  register({ editor }) {
    editor.onRequest(catalogRequest, () => providerOffers());
    return undefined;
  },
};
