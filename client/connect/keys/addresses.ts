import { t } from '@vscode/l10n';
import type { Findings, FoundKey, NamedAddress } from './foundKey.ts';
import { joined } from './foundKey.ts';
import { judged, providerAt } from './judgeValue.ts';

/**
 * Joins keys with the addresses that are named apart from them, so that no token of a gateway goes to a vendor. The
 * address in the place of the key is the key's. One in another place may be: such a key is left where it is.
 */
export function withAddresses({ keys, notTaken, addresses = [] }: Findings): Findings {
  return joined([...keys.map(key => withAddress(key, addresses)), { keys: [], notTaken }]);
}

function withAddress(key: FoundKey, addresses: readonly NamedAddress[]): Findings {
  const { place, source, provider, secret, baseUrl } = key;
  const ofProvider = addresses.filter(address => address.provider === provider);
  if (baseUrl !== undefined || ofProvider.length === 0) return { keys: [key], notTaken: [] };
  const own = new Set(ofProvider.filter(address => address.place === place).map(address => address.baseUrl));
  const [only] = own;
  if (own.size === 1) return judged({ place, source, value: secret }, provider, only);
  const other = ofProvider.find(address => providerAt(address.baseUrl) !== provider);
  return other === undefined ? { keys: [key], notTaken: [] } : { keys: [], notTaken: [{ place, source, why: t('may be for another address, which is named in: {0}. Use "Add Provider…".', other.place) }] };
}

/** A workspace never says where a key goes: its keys that go with an address stay where they are. */
export function ofWorkspace({ keys, notTaken, addresses = [] }: Findings): Findings {
  const isElsewhere = ({ provider, baseUrl }: FoundKey): boolean => baseUrl !== undefined || addresses.some(address => address.provider === provider && providerAt(address.baseUrl) !== provider);
  return {
    keys: keys.filter(key => !isElsewhere(key)).map(key => ({ ...key, ofWorkspace: true })),
    notTaken: [...notTaken, ...keys.filter(isElsewhere).map(({ place, source }) => ({ place, source, why: t('goes with an address that a file of this workspace names. Use "Add Provider…".') }))],
  };
}
