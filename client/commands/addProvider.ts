import * as vscode from 'vscode';
import type { ProviderOffer, TestEndpointResult } from '../../server/api/messages.ts';
import { baseUrlProblem, nameProblem, withEndpoint } from '../settingsEdits.ts';
import {
  cleanKey, endpointSettingsOf, failedTestChoices, keyProblem, keyWarning, neighbourStep, stepNumber, suggestedName, testedSentence,
} from './addProviderSteps.ts';
import type { AddProviderDraft, AddProviderStep } from './addProviderSteps.ts';
import { offerRoute } from './firstRoute.ts';
import { offerPrices } from './pricePreset.ts';
import { askChoice, askText } from './quickInput.ts';
import type { Answer } from './quickInput.ts';
import type { CommandServices } from './services.ts';
import { askAfterFailedTest, testWithProgress } from './testing.ts';

type CompleteDraft = AddProviderDraft & { offer: ProviderOffer; name: string; key: string };

const title = 'Add Provider';

/**
 * "Add Provider…": provider, address where it is not known, name, key; then the provider is tried, stored, and
 * offered to a route. Nothing is stored before the last step is over.
 */
export async function addProvider(services: CommandServices): Promise<void> {
  const offers = await services.server.catalog();
  const taken = Object.keys(services.configuration.settings.endpoints);
  const draft: AddProviderDraft = {};
  let step: AddProviderStep | undefined = 'provider';
  let complete: CompleteDraft | undefined;
  let result: TestEndpointResult;
  for (;;) {
    if (step !== undefined) complete = await collect(step, draft, offers, taken);
    if (complete === undefined) return;
    result = await testWithProgress(services.server, {
      name: complete.name, settings: endpointSettingsOf(complete), ...(complete.key === '' ? {} : { secret: complete.key }),
    });
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
  await offerRoute(services, name, result.models, result.ok ? testedSentence(name, result) : `${name} was added.`);
}

/** Walks through the steps from `first`, forwards and backwards; undefined when the user left. */
async function collect(first: AddProviderStep, draft: AddProviderDraft, offers: readonly ProviderOffer[], taken: readonly string[]): Promise<CompleteDraft | undefined> {
  let step: AddProviderStep | undefined = first;
  while (step !== undefined) {
    const answer: Answer<void> = await askStep(step, draft, offers, taken);
    if (answer.kind === 'cancel') return undefined;
    step = neighbourStep(step, draft.offer, answer.kind === 'back' ? -1 : 1);
  }
  const { offer, name, key } = draft;
  return offer === undefined || name === undefined || key === undefined ? undefined : { ...draft, offer, name, key };
}

async function askStep(step: AddProviderStep, draft: AddProviderDraft, offers: readonly ProviderOffer[], taken: readonly string[]): Promise<Answer<void>> {
  const look = { title, ...stepNumber(step, draft.offer), canGoBack: step !== 'provider' };
  const { offer } = draft;
  if (step === 'provider' || offer === undefined) {
    const answer = await askChoice({
      ...look,
      placeholder: 'Choose a provider',
      items: offers.map(entry => ({
        label: entry.name, iconPath: new vscode.ThemeIcon(iconOf(entry)), value: entry,
        ...(entry.description === undefined ? {} : { description: entry.description }),
      })),
    });
    return take(answer, chosen => {
      if (chosen.id !== draft.offer?.id) Object.assign(draft, { region: undefined, baseUrl: undefined, name: undefined, key: undefined });
      draft.offer = chosen;
    });
  }
  switch (step) {
    case 'region':
      return take(await askChoice({
        ...look,
        placeholder: `Choose a region of ${offer.name}`,
        items: (offer.regions ?? []).map(region => ({ label: region.name, description: region.id, detail: region.baseUrl, value: region.id })),
      }), region => {
        if (region !== draft.region) draft.name = undefined;
        draft.region = region;
      });
    case 'baseUrl':
      return take(await askText({
        ...look,
        placeholder: offer.baseUrlExample ?? 'https://api.example.com/v1',
        prompt: `Base URL of the ${offer.name} server, with /v1 where it wants one`,
        value: draft.baseUrl,
        problem: baseUrlProblem,
        warning: text => (baseUrlProblem(text) === undefined && isPlainRemote(text) ? 'Without https, anyone on the way can read the key and the conversation.' : undefined),
      }), text => { draft.baseUrl = text; });
    case 'name':
      return take(await askText({
        ...look,
        placeholder: 'Name',
        prompt: 'A short name for this provider, as routes and the sidebar show it',
        value: draft.name ?? suggestedName(offer, draft.region, taken),
        problem: text => nameProblem(text, taken),
      }), text => { draft.name = text; });
    case 'key':
      return take(await askKey(offer, look, draft.key), text => { draft.key = text; });
  }
}

/** Asks for a key of this provider, in a password box. */
export async function askKey(
  offer: Pick<ProviderOffer, 'name' | 'keyRequired' | 'keyPattern' | 'keyHint' | 'keyUrl'>,
  look: { title: string; step?: number; totalSteps?: number; canGoBack?: boolean },
  value?: string,
): Promise<Answer<string>> {
  const answer = await askText({
    ...look,
    placeholder: offer.keyRequired ? `Key${offer.keyHint === undefined ? '' : `, such as ${offer.keyHint}`}` : 'Key (leave empty if there is none)',
    prompt: `Paste a key of ${offer.name}. It goes to your secret store, and to nobody but this provider`,
    value,
    password: true,
    problem: text => keyProblem(cleanKey(text), offer),
    warning: text => keyProblem(cleanKey(text), offer) ?? keyWarning(cleanKey(text), offer),
    link: offer.keyUrl === undefined ? undefined : { tooltip: `Get a key of ${offer.name}`, url: offer.keyUrl },
  });
  return answer.kind === 'value' ? { kind: 'value', value: cleanKey(answer.value) } : answer;
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
  const url = new URL(text);
  return url.protocol === 'http:' && !/^(localhost|127\.|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)|\.local$/.test(url.hostname);
}
