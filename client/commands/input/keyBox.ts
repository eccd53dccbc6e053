import { t } from '@vscode/l10n';
import type { ProviderOffer } from '../../../server/api/messages.ts';
import type { KeyVendor } from '../../../server/api/keyShapes.ts';
import { cleanKey, foreignVendor, keyProblem, keyWarning } from '../addProviderSteps.ts';
import { askChoice, askText } from './quickInput.ts';
import type { Answer, Choice } from './quickInput.ts';

/** How the key box was left: also with a key that is to go to another provider. */
export type KeyAnswer = Answer<string> | { kind: 'elsewhere'; offer: ProviderOffer; key: string };

export interface KeyBox {
  offer: Pick<ProviderOffer, 'id' | 'name' | 'keyRequired' | 'keyPattern' | 'keyHint' | 'keyUrl'>;
  /** All providers, for a key that looks like another one's. */
  offers: readonly ProviderOffer[];
  /** The requests go to an address of the user's own, where any vendor's key may be right. */
  ownAddress: boolean;
  look: { title: string; step?: number; totalSteps?: number; canGoBack?: boolean };
  value?: string | undefined;
  /** What is wrong with a key that is well formed, such as that it is stored already. */
  problem?: (key: string) => string | undefined;
}

/** Asks for a key of this provider, in a password box. A key that looks like another vendor's is asked about before it is sent anywhere. */
export async function askKey({ offer, offers, ownAddress, look, value, problem }: KeyBox): Promise<KeyAnswer> {
  const wrong = (key: string): string | undefined => keyProblem(key, offer) ?? problem?.(key);
  const foreign = (key: string): KeyVendor | undefined => foreignVendor(key, offer, ownAddress);
  let typed = value;
  for (;;) {
    const answer = await askText({
      ...look,
      placeholder: !offer.keyRequired ? t('Key (leave empty if there is none)') : offer.keyHint === undefined ? t('Key') : t('Key, such as {0}', offer.keyHint),
      prompt: t('Paste a key of {0}. It is kept in your secret store and sent to this provider only', offer.name),
      value: typed,
      password: true,
      problem: text => wrong(cleanKey(text)),
      warning: text => {
        const key = cleanKey(text);
        const vendor = foreign(key);
        return wrong(key) ?? (vendor === undefined ? keyWarning(key, offer) : t('This looks like a key of {0}.', vendor.label));
      },
      link: offer.keyUrl === undefined ? undefined : { tooltip: t('Get a key of {0}', offer.name), url: offer.keyUrl },
    });
    if (answer.kind !== 'value') return answer;
    const key = cleanKey(answer.value);
    const vendor = foreign(key);
    if (vendor === undefined) return { kind: 'value', value: key };
    const decision = await askChoice<KeyAnswer | undefined>({ ...look, placeholder: t('This looks like a key of {0}. Nothing has been sent yet', vendor.label), items: decisions(vendor, key, offer, offers) });
    if (decision.kind === 'cancel') return decision;
    if (decision.kind === 'value' && decision.value !== undefined) return decision.value;
    typed = key;
  }
}

/**
 * Asks what is to become of a key that looks like another vendor's. Nothing has been sent yet.
 * @returns where the key goes; undefined: nowhere
 */
export async function askForeignKey(
  title: string, vendor: KeyVendor, source: string, offer: Pick<ProviderOffer, 'id' | 'name'>, offers: readonly ProviderOffer[],
): Promise<Answer<string | undefined>> {
  return askChoice<string | undefined>({
    title, placeholder: t('{0} is meant for {1}, and its key looks like one of {2}. Nothing has been sent yet', source, offer.name, vendor.label),
    items: [
      ...offers.filter(({ id }) => vendor.providers.includes(id)).map(({ id, name }): Choice<string> => ({ label: t('$(arrow-right) Use It for {0}', name), value: id })),
      ...(vendor.certain ? [] : [{ label: t('$(check) It Is Right: Use It for {0}', offer.name), value: offer.id }]),
      { label: t('$(close) Leave It Out'), value: undefined },
    ],
  });
}

/** What can be done with a key of another vendor. One that is certainly another's is sent to this provider in no case. */
function decisions(vendor: KeyVendor, key: string, offer: { name: string }, offers: readonly ProviderOffer[]): Choice<KeyAnswer | undefined>[] {
  return [
    ...offers.filter(({ id }) => vendor.providers.includes(id)).map((other): Choice<KeyAnswer> => ({ label: t('$(arrow-right) Use It for {0} Instead', other.name), value: { kind: 'elsewhere', offer: other, key } })),
    ...(vendor.certain ? [] : [{ label: t('$(check) It Is Right: Use It for {0}', offer.name), value: { kind: 'value', value: key } as const }]),
    { label: t('$(edit) Type Another Key'), value: undefined },
  ];
}
