import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ProviderOffer } from '../../server/api/messages.ts';
import { withPrices } from '../settings/settingsEdits.ts';
import type { CommandServices } from './services.ts';

/**
 * Offers the prices a vendor publishes, where none are built in because they cannot be verified. Taken, they become
 * the user's own prices in the settings, to be checked and changed there.
 */
export async function offerPrices(services: CommandServices, endpoint: string, offer: Pick<ProviderOffer, 'name' | 'pricePreset'>): Promise<void> {
  const preset = offer.pricePreset;
  if (preset === undefined) return;
  const take = t('Take Them as a Start');
  const read = t('Read the Page');
  for (;;) {
    const chosen = await vscode.window.showInformationMessage(
      t('What {0} charges is unknown to Waybill. Take prices of {1} models from {2} into your settings?', offer.name, Object.keys(preset.models).length, preset.source),
      { modal: true, detail: preset.caution }, take, read,
    );
    if (chosen === read) {
      await vscode.env.openExternal(vscode.Uri.parse(preset.url));
      continue;
    }
    if (chosen === take) await services.configuration.changeEndpoints(endpoints => withPrices(endpoints, endpoint, preset.models));
    return;
  }
}
