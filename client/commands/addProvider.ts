import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ProviderOffer, TestEndpointResult } from '../../server/api/messages.ts';
import { baseUrlProblem, completedBaseUrl, nameProblem, withEndpoint } from '../settings/settingsEdits.ts';
import { endpointSettingsOf, failedTestChoices, neighbourStep, stepNumber, suggestedName } from './addProviderSteps.ts';
import type { AddProviderDraft, AddProviderStep } from './addProviderSteps.ts';
import { offerRoute } from './routes/firstRoute.ts';
import { importChosen } from './firstRun/importKeys.ts';
import { askKey } from './input/keyBox.ts';
import { askProvider } from './input/providerBox.ts';
import type { ProviderAnswer } from './input/providerBox.ts';
import { offerPrices } from './pricePreset.ts';
import { askChoice, askText } from './input/quickInput.ts';
import type { Answer } from './input/quickInput.ts';
import type { CommandServices } from './services.ts';
import { askAfterFailedTest, testWithProgress } from './testing.ts';

type CompleteDraft = AddProviderDraft & { offer: ProviderOffer; name: string; key: string };

/** How the first box was left, other than with one provider. */
interface LeftBox { elsewhere?: Exclude<ProviderAnswer, { kind: 'provider' }> | undefined }

const title = t('Add Provider');

/**
 * "Add Provider…": provider, address where it is not known, name, key; then the provider is tried, stored, and
 * offered to a route. Nothing is stored before the last step is over.
 * @param begun what is known already: a provider, and a key that was typed for another one
 */
export async function addProvider(services: CommandServices, begun: Pick<AddProviderDraft, 'offer' | 'key'> = {}): Promise<void> {
  const offers = await services.server.catalog();
  const taken = Object.keys(services.configuration.settings.endpoints);
  const draft: AddProviderDraft & LeftBox = { ...begun };
  let step: AddProviderStep | undefined = begun.offer === undefined ? 'provider' : neighbourStep('provider', begun.offer, 1);
  let complete: CompleteDraft | undefined;
  let result: TestEndpointResult;
  for (;;) {
    if (step !== undefined) complete = await collect(step, draft, offers, taken);
    if (complete === undefined) return leave(services, draft, offers);
    result = await testWithProgress(services.server, {
      name: complete.name, settings: endpointSettingsOf(complete), ...(complete.key === '' ? {} : { secret: complete.key }),
    });
    // Also what failed there, such as a key that was rejected, shows that the address is right.
    if (result.baseUrl !== undefined) complete.baseUrl = draft.baseUrl = result.baseUrl;
    if (result.ok) break;
    const next = await askAfterFailedTest(result, failedTestChoices(result, complete.baseUrl !== undefined));
    if (next === undefined) return;
    if (next === 'save') break;
    step = next === 'again' ? undefined : next;
  }
  const { name, key } = complete;
  const settings = endpointSettingsOf(complete);
  // The key first: when the settings change, the server is configured with the endpoint and its key at once.
  // Keys left over from a provider of this name that was deleted in settings.json must not go to another address.
  await services.keys.removeAll(name);
  if (key !== '') await services.keys.add(name, key);
  await services.configuration.changeEndpoints(endpoints => withEndpoint(endpoints, name, settings));
  await offerPrices(services, name, complete.offer);
  await offerRoute(services, name, result.models, result.ok ? result.message : t('{0} was added without a test that went well.', name));
}

/** The user left the first box for something else: several keys, or an import. */
async function leave(services: CommandServices, { elsewhere }: LeftBox, offers: readonly ProviderOffer[]): Promise<void> {
  if (elsewhere?.kind === 'import') await vscode.commands.executeCommand('waybill.importKeys');
  if (elsewhere?.kind === 'keys') {
    await importChosen(services, offers, elsewhere.keys.map(({ offer, secret }) => ({ place: t('pasted'), source: t('{0} key', offer.name), provider: offer.id, secret })));
  }
}

/** Walks through the steps from `first`, forwards and backwards; undefined when the user left. */
async function collect(first: AddProviderStep, draft: AddProviderDraft & LeftBox, offers: readonly ProviderOffer[], taken: readonly string[]): Promise<CompleteDraft | undefined> {
  let step: AddProviderStep | undefined = first;
  while (step !== undefined) {
    const { offer }: AddProviderDraft = draft;
    const answer: Answer<void> = await askStep(step, draft, offers, taken);
    if (answer.kind === 'cancel') return undefined;
    // A key of another vendor has changed the provider: what follows the choice of one is asked again.
    if (step === 'key' && draft.offer !== offer) step = 'provider';
    step = neighbourStep(step, draft.offer, answer.kind === 'back' ? -1 : 1);
  }
  const { offer, name, key } = draft;
  return offer === undefined || name === undefined || key === undefined ? undefined : { ...draft, offer, name, key };
}

async function askStep(step: AddProviderStep, draft: AddProviderDraft & LeftBox, offers: readonly ProviderOffer[], taken: readonly string[]): Promise<Answer<void>> {
  const look = { title, ...stepNumber(step, draft.offer), canGoBack: step !== 'provider' };
  const { offer } = draft;
  if (step === 'provider' || offer === undefined) {
    const answer = await askProvider(title, look.totalSteps, offers, iconOf);
    if (answer.kind !== 'value') return answer;
    if (answer.value.kind !== 'provider') {
      draft.elsewhere = answer.value;
      return { kind: 'cancel' };
    }
    const { offer: chosen, key } = answer.value;
    if (chosen.id !== draft.offer?.id) Object.assign(draft, { region: undefined, baseUrl: undefined, name: undefined, key: undefined });
    draft.offer = chosen;
    if (key !== undefined) draft.key = key;
    return { kind: 'value', value: undefined };
  }
  switch (step) {
    case 'region':
      return take(await askChoice({
        ...look,
        placeholder: t('Choose a region of {0}', offer.name),
        items: (offer.regions ?? []).map(region => ({ label: region.name, description: region.id, detail: region.baseUrl, value: region.id })),
      }), region => {
        if (region !== draft.region) draft.name = undefined;
        draft.region = region;
      });
    case 'baseUrl':
      return take(await askText({
        ...look,
        placeholder: offer.baseUrlExample ?? 'https://api.example.com/v1',
        prompt: t('Base URL of the {0} server. With and without /v1 are both tried', offer.name),
        value: draft.baseUrl,
        problem: baseUrlProblem,
        warning: text => (baseUrlProblem(text) === undefined && isPlainRemote(text) ? t('Without https, anyone on the way can read the key and the conversation.') : undefined),
      }), text => { draft.baseUrl = completedBaseUrl(text); });
    case 'name':
      return take(await askText({
        ...look,
        placeholder: t('Name'),
        prompt: t('A short name for this provider, as routes and the sidebar show it'),
        value: draft.name ?? suggestedName(offer, draft.region, taken),
        problem: text => nameProblem(text, taken),
      }), text => { draft.name = text; });
    case 'key': {
      const answer = await askKey({ offer, offers, ownAddress: draft.baseUrl !== undefined, look, value: draft.key });
      if (answer.kind !== 'elsewhere') return take(answer, text => { draft.key = text; });
      Object.assign(draft, { offer: answer.offer, region: undefined, baseUrl: undefined, name: undefined, key: answer.key });
      return { kind: 'value', value: undefined };
    }
  }
}

function take<T>(answer: Answer<T>, keep: (value: T) => void): Answer<void> {
  if (answer.kind !== 'value') return answer;
  keep(answer.value);
  return { kind: 'value', value: undefined };
}

function iconOf(offer: ProviderOffer): string {
  if (offer.id === 'sandbox') return 'beaker';
  if (offer.baseUrl === undefined && (offer.regions?.length ?? 0) === 0) return 'plug';
  return offer.keyRequired ? 'cloud' : 'vm';
}

function isPlainRemote(text: string): boolean {
  const url = new URL(completedBaseUrl(text));
  return url.protocol === 'http:' && !/^(localhost|127\.|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)|\.local$/.test(url.hostname);
}
