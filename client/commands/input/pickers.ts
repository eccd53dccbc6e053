import { t } from '@vscode/l10n';
import type { ProviderOffer } from '../../../server/api/messages.ts';
import { currentLanguage } from '../../../server/api/localization/localization.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { NextStep, UserError } from '../../base/errors.ts';
import type { MessageAction } from '../../base/errors.ts';
import { describeKey } from '../../keys/keyList.ts';
import type { MaskedKey } from '../../keys/keyList.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, valueOf } from './quickInput.ts';
import type { CommandServices } from '../services.ts';

export interface NamedEndpoint { name: string; settings: EndpointSettings }

/** What a user without a provider does next. */
export const addProviderAction: MessageAction = { title: t('Add Provider…'), command: 'waybill.addProvider' };

/**
 * The endpoint a command was called on, or one the user chooses. Undefined when the user leaves.
 * @param none that no endpoint fits, and why, as a sentence
 */
export async function chooseEndpoint(
  services: CommandServices, target: CommandTarget, title: string, fits: (settings: EndpointSettings) => boolean = () => true, none = t('No provider can be chosen for this: none fits.'),
): Promise<NamedEndpoint | undefined> {
  const { endpoints } = services.configuration.settings;
  if (target.endpoint !== undefined) {
    const settings = endpoints[target.endpoint];
    if (settings === undefined) throw new UserError(t('There is no provider "{0}" in the settings any more.', target.endpoint));
    return { name: target.endpoint, settings };
  }
  const fitting = Object.entries(endpoints).filter(([, settings]) => fits(settings)).map(([name, settings]) => ({ name, settings }));
  if (fitting.length === 0) throw Object.keys(endpoints).length === 0 ? new NextStep(t('There is no provider yet.'), addProviderAction) : new NextStep(none);
  if (fitting.length === 1) return fitting[0];
  const providerNames = new Map(services.server.status?.endpoints.map(({ name, providerName }) => [name, providerName]));
  return valueOf(await askChoice({
    title, placeholder: t('Choose a provider'),
    items: fitting.map(endpoint => ({ label: endpoint.name, description: providerNames.get(endpoint.name) ?? endpoint.settings.provider, value: endpoint })),
  }));
}

/** The key a command was called on, or one of the endpoint's that the user chooses. */
export async function chooseKey(services: CommandServices, target: CommandTarget, title: string): Promise<{ endpoint: NamedEndpoint; key: MaskedKey } | undefined> {
  const endpoint = await chooseEndpoint(services, target, title);
  if (endpoint === undefined) return undefined;
  const keys = await services.keys.list(endpoint.name);
  if (target.keyId !== undefined) {
    const key = keys.find(entry => entry.id === target.keyId);
    if (key === undefined) throw new UserError(t('This key is not there any more.'));
    return { endpoint, key };
  }
  if (keys.length === 0) throw new NextStep(t('"{0}" has no key yet.', endpoint.name), { title: t('Add Key…'), command: 'waybill.addKey', argument: { endpoint: endpoint.name } });
  const key = keys.length === 1 ? keys[0] : valueOf(await askChoice({
    title, placeholder: t('Choose a key of {0}', endpoint.name),
    items: keys.map(entry => ({ label: describeKey(entry), description: t('added {0}', new Date(entry.addedAt).toLocaleDateString(currentLanguage())), value: entry })),
  }));
  return key === undefined ? undefined : { endpoint, key };
}

/** What the catalog says about the endpoint's provider; for one it does not know, just the name. */
export async function offerFor(services: CommandServices, endpoint: NamedEndpoint): Promise<Pick<ProviderOffer, 'id' | 'name' | 'keyRequired' | 'keyPattern' | 'keyHint' | 'keyUrl' | 'billingUrl'>> {
  const offers = await services.server.catalog();
  return offers.find(offer => offer.id === endpoint.settings.provider) ?? { id: endpoint.settings.provider, name: endpoint.name, keyRequired: true };
}
