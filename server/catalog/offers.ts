import { englishOf } from '../api/localization/said.ts';
import type { ProviderOffer } from '../api/messages.ts';
import type { Provider } from './provider.ts';
import { providers } from './providers.ts';

/** The catalog as "Add Provider…" shows it, in the order it is shown. */
export function providerOffers(): ProviderOffer[] {
  return providers.filter(({ simulated }) => simulated !== true).map(offerOf);
}

function offerOf(provider: Provider): ProviderOffer {
  return {
    id: provider.id,
    name: provider.name,
    baseUrl: provider.baseUrls[provider.protocol],
    baseUrlExample: provider.baseUrlExample,
    keyRequired: provider.keyRequired,
    keyHint: provider.keyHint,
    keyPattern: provider.keyPattern,
    keyUrl: provider.keyUrl,
    billingUrl: provider.billingUrl,
    regions: provider.regions?.map(({ id, name, baseUrl }) => ({ id, name, baseUrl })),
    pricePreset: provider.pricePreset === undefined ? undefined : { ...provider.pricePreset, models: { ...provider.pricePreset.models } },
    ...(provider.description === undefined ? {} : { description: englishOf(provider.description), said: provider.description }),
  };
}
