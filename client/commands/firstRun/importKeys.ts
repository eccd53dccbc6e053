import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import type { ProviderOffer, TestEndpointResult } from '../../../server/api/messages.ts';
import { count } from '../../base/format.ts';
import { messageOf, NextStep } from '../../base/errors.ts';
import type { Findings, FoundKey, KeyPlace } from '../../connect/keys/foundKey.ts';
import type { SearchedMachine } from '../../connect/keys/findKeys.ts';
import { withEndpoint } from '../../settings/settingsEdits.ts';
import { foreignVendor } from '../addProviderSteps.ts';
import { askForeignKey } from '../input/keyBox.ts';
import { askMany } from '../input/quickInput.ts';
import type { Choice } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { keyLine, plannedEndpoints, replanned, triedLine } from './importPlan.ts';
import type { HeldKey, PlannedEndpoint, TriedKey } from './importPlan.ts';
import { offerRoutes } from './offerRoutes.ts';

const title = t('Import Keys');

/**
 * "Import Keys…": places that the user names are read, what they hold is listed with its last four characters, and only
 * what is chosen there is tried and stored. Keys that were read live as long as these questions.
 */
export async function importKeys(services: CommandServices, awayFromWindow: boolean): Promise<void> {
  const { findKeys, keyPlaces } = await import('../../connect/keys/findKeys.ts');
  const machine: SearchedMachine = {
    home: homedir(), environment: process.env, platform: process.platform,
    trustedFolders: vscode.workspace.isTrusted && !awayFromWindow ? (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath) : [],
  };
  const offers = await services.server.catalog();
  const places = await askPlaces(keyPlaces(machine), offers);
  if (places === undefined) return;
  const findings = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: t('Waybill: looking for keys') }, async () => {
    const [written, served] = await Promise.all([findKeys(machine, places), places.has(serversPlace) ? localServers(services, offers) : []]);
    return { keys: [...written.keys, ...served], notTaken: written.notTaken };
  });
  await importFound(services, offers, findings);
}

const serversPlace = 'servers';

/** Asks which places may be read. Nothing has been read before that, and nothing of them is chosen that is not there. */
async function askPlaces(places: readonly KeyPlace[], offers: readonly ProviderOffer[]): Promise<ReadonlySet<string> | undefined> {
  const servers = localOffers(offers).map(({ name }) => name).join(', ');
  const answer = await askMany<string>({
    title, placeholder: t('Choose the places that may be read'),
    items: [
      ...places.map((place): Choice<string> => ({ label: place.name, description: place.reads, value: place.id })),
      { label: t('Model servers on this machine'), description: t('asks the usual ports of {0}', servers), value: serversPlace },
    ],
    // Servers are asked over a port, which waits for a choice.
    picked: id => places.some(place => place.id === id && place.isPicked),
  });
  return answer.kind !== 'value' || answer.value.length === 0 ? undefined : new Set(answer.value);
}

/** Lists what was found, and imports what is chosen of it. */
export async function importFound(services: CommandServices, offers: readonly ProviderOffer[], findings: Findings): Promise<void> {
  const { keys, notTaken } = findings;
  if (keys.length === 0) {
    const first = notTaken[0];
    throw new NextStep(
      first === undefined ? t('No key was found in these places.') : t('No key was found that can be used here. {0}: {1} {2}', first.place, first.source, first.why),
      { title: t('Add Provider…'), command: 'waybill.addProvider' }, { title: t('Try It Without Keys'), command: 'waybill.tryWithoutKeys' },
    );
  }
  const held = await heldKeys(services);
  const known = keys.flatMap(key => {
    const offer = offers.find(({ id }) => id === key.provider);
    return offer === undefined ? [] : [{ key, line: keyLine(key, offer, held) }];
  });
  const isProposed = (key: FoundKey): boolean => key.ofWorkspace !== true && known.find(one => one.key === key)?.line.held === undefined;
  const answer = await askMany<FoundKey>({
    title, placeholder: t('Choose the keys to try and to store'),
    items: [
      ...known.map(({ key, line: { label, description, detail } }): Choice<FoundKey> => ({ label, description, detail, value: key })),
      ...(notTaken.length === 0 ? [] : [{ label: t('Left where they are'), kind: vscode.QuickPickItemKind.Separator }]),
      ...notTaken.map(({ place, source, why }) => ({ label: `$(circle-slash) ${place}`, description: source, detail: t('It {0}', why) })),
    ],
    picked: isProposed,
  });
  if (answer.kind !== 'value' || answer.value.length === 0) return;
  await importChosen(services, offers, answer.value);
}

/** Tries keys that the user has chosen, stores those that work, and proposes routes. Keys that are stored already stay as they are. */
export async function importChosen(services: CommandServices, offers: readonly ProviderOffer[], keys: readonly FoundKey[]): Promise<void> {
  const held = new Set((await heldKeys(services)).map(({ secret }) => secret));
  const fresh = keys.filter(({ secret }) => secret === '' || !held.has(secret));
  if (fresh.length === 0) throw new NextStep(t('These keys are stored already: nothing was changed.'), { title: t('Open Waybill'), command: 'waybill.open' });
  const fitting = await askAboutShapes(fresh, offers);
  if (fitting === undefined || fitting.length === 0) return;
  const tried = await tryAll(services, plannedEndpoints(fitting, offers, services.configuration.settings.endpoints));
  if (tried === undefined) return;
  const chosen = await askAboutFailures(tried);
  if (chosen === undefined) return;
  const kept = await store(services, chosen);
  await offerRoutes(services, kept, t('{0} of {1} stored.', count(kept.filter(({ key }) => key !== undefined).length, 'key'), count(new Set(kept.map(({ plan }) => plan.name)).size, 'provider')));
}

/** A key whose shape contradicts the variable is asked about before it goes anywhere. Undefined: the user left. */
async function askAboutShapes(keys: readonly FoundKey[], offers: readonly ProviderOffer[]): Promise<FoundKey[] | undefined> {
  const fitting: FoundKey[] = [];
  for (const key of keys) {
    const offer = offers.find(({ id }) => id === key.provider);
    const vendor = offer === undefined || key.secret === '' ? undefined : foreignVendor(key.secret, offer, key.baseUrl !== undefined);
    if (offer === undefined || vendor === undefined) {
      fitting.push(key);
      continue;
    }
    const answer = await askForeignKey(title, vendor, key.source, offer, offers);
    if (answer.kind !== 'value') return undefined;
    if (answer.value !== undefined) fitting.push({ ...key, provider: answer.value });
  }
  return fitting;
}

/** Tries every key at the same time, each with the cheapest call of its provider. Undefined: the user stopped it. */
async function tryAll({ server }: CommandServices, plans: readonly PlannedEndpoint[]): Promise<TriedKey[] | undefined> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Trying {0}…', count(plans.reduce((sum, { keys }) => sum + Math.max(1, keys.length), 0), 'key')), cancellable: true }, async (_progress, token) => {
    const ask = async (plan: PlannedEndpoint, secret: string): Promise<TestEndpointResult> => {
      try {
        return await server.testEndpoint({ name: plan.name, settings: plan.settings, secret }, token);
      } catch (error) {
        return { ok: false, message: messageOf(error), models: [] };
      }
    };
    const tried = await Promise.all(plans.flatMap(plan => (plan.keys.length === 0 ? [undefined] : plan.keys).map(async (key): Promise<TriedKey> => {
      let at = plan;
      let result = await ask(at, key?.secret ?? '');
      // A key of another region is rejected like a wrong one.
      for (const region of plan.regions) {
        if (result.ok || result.failureClass !== 'auth' || token.isCancellationRequested) break;
        const there = { ...plan, settings: { ...plan.settings, region } };
        const next = await ask(there, key?.secret ?? '');
        if (next.ok) [at, result] = [there, next];
      }
      if (result.ok && result.baseUrl !== undefined && at.isNew) at = { ...at, settings: { ...at.settings, baseUrl: result.baseUrl } };
      return { plan: at, key, result };
    })));
    return token.isCancellationRequested ? undefined : tried;
  });
}

/** Keys that did not work are stored only where the user says so. Undefined: the user left, or nothing is kept. */
async function askAboutFailures(tried: readonly TriedKey[]): Promise<TriedKey[] | undefined> {
  const failed = tried.filter(({ result }) => !result.ok);
  if (failed.length === 0) return [...tried];
  const answer = await askMany<TriedKey>({
    title, placeholder: failed.length === 1 ? t('1 key did not work. Choose what to store; nothing is stored yet') : t('{0} keys did not work. Choose what to store; nothing is stored yet', failed.length),
    items: tried.map((one): Choice<TriedKey> => {
      const { label, description, detail } = triedLine(one);
      return { label, description, detail, value: one };
    }),
    picked: ({ result }) => result.ok,
  });
  return answer.kind !== 'value' || answer.value.length === 0 ? undefined : answer.value;
}

/**
 * Stores keys that were tried, at the providers that the settings name now.
 * @returns the keys with the endpoints that they went to
 */
async function store({ keys, configuration }: CommandServices, tried: readonly TriedKey[]): Promise<TriedKey[]> {
  const kept = replanned(tried, configuration.settings.endpoints);
  const added = new Map(kept.filter(({ plan }) => plan.isNew).map(({ plan }) => [plan.name, plan.settings]));
  // Keys left over from a provider of this name that was deleted in settings.json must not go to another address.
  for (const name of added.keys()) await keys.removeAll(name);
  // The settings come first: keys of an endpoint that no settings name would be out of reach.
  await configuration.changeEndpoints(all => {
    const taken = [...added.keys()].find(name => all[name] !== undefined);
    if (taken !== undefined) throw new NextStep(t('A provider "{0}" was added meanwhile: nothing was stored.', taken), { title: t('Import Keys…'), command: 'waybill.importKeys' });
    return [...added].reduce((endpoints, [name, settings]) => withEndpoint(endpoints, name, settings), all);
  });
  for (const { plan, key } of kept) {
    if (key === undefined) continue;
    const present = await keys.stored(plan.name);
    // Another window has stored it meanwhile.
    if (present.some(({ secret }) => secret === key.secret)) continue;
    const labels = present.map(({ label }) => label.toLowerCase());
    await keys.add(plan.name, key.secret, labels.includes(key.label.toLowerCase()) ? undefined : key.label);
  }
  return kept;
}

/** The keys of the endpoints that the settings name. Keys left over from others serve nothing. */
async function heldKeys({ keys, configuration }: CommandServices): Promise<HeldKey[]> {
  const endpoints = Object.keys(configuration.settings.endpoints);
  return (await Promise.all(endpoints.map(async endpoint => (await keys.stored(endpoint).catch(() => [])).map(({ label, secret }) => ({ endpoint, label, secret }))))).flat();
}

function localOffers(offers: readonly ProviderOffer[]): ProviderOffer[] {
  return offers.filter(({ keyRequired, baseUrl }) => !keyRequired && baseUrl !== undefined && /^http:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(baseUrl));
}

/** Servers that answer at their usual port with at least one model, and that no settings name. */
async function localServers({ server, configuration }: CommandServices, offers: readonly ProviderOffer[]): Promise<FoundKey[]> {
  const present = new Set(Object.values(configuration.settings.endpoints).map(({ provider }) => provider));
  const asked = await Promise.all(localOffers(offers).filter(({ id }) => !present.has(id)).map(async offer => {
    const result = await server.testEndpoint({ name: offer.id, settings: { provider: offer.id }, secret: '' }).catch(() => undefined);
    return result?.ok === true && result.models.length > 0 ? { offer, models: result.models.length } : undefined;
  }));
  return asked.flatMap(one => (one === undefined ? [] : [{ place: t('This machine'), source: t('serves {0}', count(one.models, 'model')), provider: one.offer.id, secret: '' }]));
}
