import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import type { ProviderOffer } from '../../../server/api/messages.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { inform } from '../../base/toasts.ts';
import { baseUrlProblem, completedBaseUrl } from '../../settings/settingsEdits.ts';
import type { NamedEndpoint } from '../input/pickers.ts';
import { askChoice, askText, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { askAfterFailedTest, testWithProgress } from '../testing.ts';

export type OfferedAddress = Pick<ProviderOffer, 'name' | 'baseUrl' | 'baseUrlExample' | 'regions'>;
/** Where a provider is reached: one of its regions, or an address; neither: its usual address. */
export type Address = Pick<EndpointSettings, 'region' | 'baseUrl'>;

/** What the settings say of the address, in a few words. */
export function addressText({ region, baseUrl }: Address, offer: OfferedAddress | undefined): string {
  if (baseUrl !== undefined) return baseUrl;
  const known = offer?.regions?.find(({ id }) => id === region);
  return known?.name ?? region ?? offer?.baseUrl ?? '';
}

/** The settings with another address; what else they say stays. */
export function withAddress(settings: EndpointSettings, { region, baseUrl }: Address): EndpointSettings {
  const { region: _region, baseUrl: _baseUrl, ...rest } = settings;
  return { ...rest, ...(region === undefined ? {} : { region }), ...(baseUrl === undefined ? {} : { baseUrl }) };
}

/** Asks where a provider is reached, and tries the new address with the keys that the provider has, once the user lets them go there. Nothing is stored before that. */
export async function editAddress(services: CommandServices, { name }: NamedEndpoint, offer: OfferedAddress): Promise<void> {
  const read = (): EndpointSettings | undefined => services.configuration.settings.endpoints[name];
  const before = read();
  if (before === undefined) return;
  let address: Address = { region: before.region, baseUrl: before.baseUrl };
  const allowed = ownOrigins(before, offer);
  for (let again = false; ;) {
    const asked = again ? address : await askAddress(name, address, offer);
    if (asked === undefined) return;
    address = asked;
    if (address.baseUrl === before.baseUrl && address.region === before.region) return;
    again = false;
    if (!await mayGetKeys(services, name, address, allowed)) continue;
    const result = await testWithProgress(services.server, { name, settings: withAddress(read() ?? before, address) });
    if (result.baseUrl !== undefined) address = { baseUrl: result.baseUrl };
    const next = result.ok ? 'save' : await askAfterFailedTest(result, [
      { title: t('Edit Base URL'), value: 'edit' }, { title: t('Try Again'), value: 'again' }, { title: t('Save Anyway'), value: 'save' },
    ]);
    if (next === undefined) return;
    if (next === 'save') {
      const found = address;
      await services.configuration.changeEndpoints(endpoints => (endpoints[name] === undefined ? endpoints : { ...endpoints, [name]: withAddress(endpoints[name], found) }));
      void inform(result.ok ? result.message : t('The address of {0} was changed without a test that went well.', name));
      return;
    }
    again = next === 'again';
  }
}

/** Where the keys of a provider go without a question: where they go now comes first, then its own addresses. */
function ownOrigins(settings: EndpointSettings, { baseUrl, regions = [] }: OfferedAddress): Set<string> {
  const region = regions.find(({ id }) => id === settings.region);
  return new Set([settings.baseUrl, region?.baseUrl, baseUrl, ...regions.map(one => one.baseUrl)].flatMap(url => originOf(url) ?? []));
}

/** Scheme, host and port as they are connected to: a host with letters of other scripts is shown as `xn--…`. Undefined where it depends on the account. */
function originOf(baseUrl: string | undefined): string | undefined {
  return baseUrl !== undefined && URL.canParse(baseUrl) ? new URL(baseUrl).origin : undefined;
}

/** Asks before keys go to a host that did not get them until now. @param allowed grows by what the user allows */
async function mayGetKeys({ keys }: Pick<CommandServices, 'keys'>, name: string, { baseUrl }: Address, allowed: Set<string>): Promise<boolean> {
  const there = originOf(baseUrl);
  if (there === undefined || allowed.has(there) || (await keys.list(name)).length === 0) return true;
  const [until] = allowed;
  const send = t('Send Them There');
  const detail = [t('Whoever runs this address can read the keys and your prompts.'), ...(until === undefined ? [] : [t('So far they go to {0}.', until)])].join(' ');
  if (await vscode.window.showWarningMessage(t('Send the keys of {0} to {1}?', name, there), { modal: true, detail }, send) !== send) return false;
  allowed.add(there);
  return true;
}

/** @returns undefined where the user left */
async function askAddress(name: string, now: Address, offer: OfferedAddress): Promise<Address | undefined> {
  const title = t('Address of "{0}"', name);
  const { regions = [] } = offer;
  if (regions.length > 0) {
    const chosen = valueOf(await askChoice<string | null>({
      title, placeholder: t('Choose a region of {0}', offer.name), canGoBack: true, active: now.baseUrl === undefined ? Math.max(0, regions.findIndex(({ id }) => id === now.region)) : regions.length,
      items: [...regions.map(({ id, name: label, baseUrl }) => ({ label, description: id, detail: baseUrl, value: id })), { label: t('$(edit) Another Address…'), value: null }],
    }));
    if (chosen === undefined) return undefined;
    if (chosen !== null) return { region: chosen };
  }
  const isNeeded = offer.baseUrl === undefined;
  const text = valueOf(await askText({
    title, canGoBack: true, placeholder: offer.baseUrl ?? offer.baseUrlExample ?? 'https://api.example.com/v1', value: now.baseUrl ?? '',
    prompt: isNeeded ? t('Base URL. The keys of {0} are sent there from now on', name) : t('Base URL. The keys of {0} are sent there from now on. Empty: {1}', name, offer.baseUrl ?? ''),
    problem: typed => (typed === '' && !isNeeded ? undefined : baseUrlProblem(typed)),
  }));
  if (text === undefined) return undefined;
  return text === '' ? {} : { baseUrl: completedBaseUrl(text).replace(/(?<!\/)\/+$/, '') };
}
