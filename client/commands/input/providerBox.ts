import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ProviderOffer } from '../../../server/api/messages.ts';
import { shownMessage } from '../../../server/api/localization/said.ts';
import { last4Of } from '../../keys/keyList.ts';
import { isPasted, pastedKeys } from './pastedKeys.ts';
import type { PastedKey } from './pastedKeys.ts';
import type { Answer, Choice } from './quickInput.ts';

/** How the first box of "Add Provider…" was left: with a provider, perhaps with a key for it; with several keys; or for an import. */
export type ProviderAnswer =
  | { kind: 'provider'; offer: ProviderOffer; key?: string | undefined }
  | { kind: 'keys'; keys: { offer: ProviderOffer; secret: string }[] }
  | { kind: 'import' };

/**
 * Asks for a provider. A key that is pasted into the box leaves it at once, so that it is not to be read there, and
 * picks its provider; of several keys all can be added.
 */
export async function askProvider(title: string, totalSteps: number, offers: readonly ProviderOffer[], iconOf: (offer: ProviderOffer) => string): Promise<Answer<ProviderAnswer>> {
  const pick = vscode.window.createQuickPick<Choice<ProviderAnswer>>();
  const all: Choice<ProviderAnswer>[] = [
    ...offers.map((offer): Choice<ProviderAnswer> => ({
      label: offer.name, iconPath: new vscode.ThemeIcon(iconOf(offer)), value: { kind: 'provider', offer }, ...(offer.description === undefined ? {} : { description: shownMessage({ message: offer.description, said: offer.said }) }),
    })),
    { label: t('Import Keys…'), iconPath: new vscode.ThemeIcon('key'), description: t('that are on this machine already'), alwaysShow: true, value: { kind: 'import' } },
  ];
  pick.title = title;
  pick.placeholder = t('Choose a provider, or paste a key');
  pick.items = all;
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  pick.step = 1;
  pick.totalSteps = totalSteps;
  return new Promise<Answer<ProviderAnswer>>(resolve => {
    let before = '';
    const finish = (answer: Answer<ProviderAnswer>): void => {
      resolve(answer);
      pick.dispose();
    };
    pick.onDidChangeValue(value => {
      const keys = isPasted(before, value) ? pastedKeys(value) : [];
      before = value;
      if (keys.length === 0) return;
      before = pick.value = '';
      const choices = choicesFor(keys, offers);
      pick.placeholder = choices.length > 0 ? t('The pasted text is out of this box. Choose what it is for') : keys[0] === undefined ? t('No provider here takes a key of this kind: choose a provider, or paste another key') : t('No provider here takes a key of {0}: choose a provider, or paste another key', keys[0].vendor.label);
      pick.items = [...choices, ...all];
    });
    pick.onDidAccept(() => {
      const chosen = pick.selectedItems[0] ?? pick.activeItems[0];
      if (chosen !== undefined) finish({ kind: 'value', value: chosen.value });
    });
    pick.onDidHide(() => { finish({ kind: 'cancel' }); });
    pick.show();
  });
}

/** What pasted keys can be used for, the likeliest first. Keys of vendors that the catalog does not have are for nothing. */
function choicesFor(keys: readonly PastedKey[], offers: readonly ProviderOffer[]): Choice<ProviderAnswer>[] {
  const known = keys.map(({ secret, vendor }) => ({ secret, offers: offers.filter(({ id }) => vendor.providers.includes(id)) })).filter(one => one.offers.length > 0);
  const firsts = known.flatMap(({ secret, offers: [offer] }) => (offer === undefined ? [] : [{ offer, secret }]));
  const named = ({ offer, secret }: { offer: ProviderOffer; secret: string }): string => `${offer.name} …${last4Of(secret)}`;
  return [
    ...(firsts.length < 2 ? [] : [{ label: `$(add) ${firsts.length === 2 ? t('Add Both') : t('Add All {0}', firsts.length)}`, description: firsts.map(named).join(', '), alwaysShow: true, value: { kind: 'keys' as const, keys: firsts } }]),
    ...known.flatMap(one => one.offers.map((offer): Choice<ProviderAnswer> => ({
      label: t('$(key) Use the Key for {0}', offer.name), description: `…${last4Of(one.secret)}`, alwaysShow: true, value: { kind: 'provider', offer, key: one.secret },
    }))),
  ];
}
