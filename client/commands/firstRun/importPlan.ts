import { t } from '@vscode/l10n';
import type { ProposedRoute } from '../../../server/api/firstRun/proposedRoutes.ts';
import type { ProviderOffer, TestEndpointResult } from '../../../server/api/messages.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import type { FoundKey } from '../../connect/keys/foundKey.ts';
import { last4Of } from '../../keys/keyList.ts';
import { targetsOf, uniqueName, withTargets } from '../../settings/settingsEdits.ts';
import type { Endpoints, Routes } from '../../settings/settingsEdits.ts';
import { suggestedName } from '../addProviderSteps.ts';

/** A key that is stored already, with its secret to compare with; never shown. */
export interface HeldKey { endpoint: string; label: string; secret: string }

/** `…9f3c`, or what says that nothing of it is shown. */
export function maskedKey(secret: string): string {
  const last4 = last4Of(secret);
  return secret === '' ? t('no key') : last4 === '' ? t('a short key') : `…${last4}`;
}

/** A key that was found, as it may be shown: everything but its last four characters stays away. */
export interface KeyLine { label: string; description: string; detail: string; held?: HeldKey | undefined }

export function keyLine(key: FoundKey, offer: Pick<ProviderOffer, 'name'>, held: readonly HeldKey[]): KeyLine {
  const same = key.secret === '' ? undefined : held.find(({ secret }) => secret === key.secret);
  return {
    label: `$(key) ${key.baseUrl === undefined ? offer.name : t('{0} at {1}', offer.name, hostOf(key.baseUrl))}`,
    description: key.secret === '' ? key.source : `${key.source} ${maskedKey(key.secret)}`,
    detail: same === undefined ? key.place : t('{0} · stored already, as "{1}" of {2}', key.place, same.label, same.endpoint),
    ...(same === undefined ? {} : { held: same }),
  };
}

/** One endpoint that an import makes, or adds keys to. */
export interface PlannedEndpoint {
  name: string;
  settings: EndpointSettings;
  isNew: boolean;
  keys: { secret: string; label: string }[];
  /** Places to try when the first does not take the key, by region. */
  regions: readonly string[];
}

/** Keys of one provider and address go to one endpoint: to the one that is there, or a new one with the provider's name. */
export function plannedEndpoints(keys: readonly FoundKey[], offers: readonly ProviderOffer[], endpoints: Endpoints): PlannedEndpoint[] {
  const plans: PlannedEndpoint[] = [];
  for (const { provider, baseUrl, secret, source } of keys) {
    const offer = offers.find(({ id }) => id === provider);
    if (offer === undefined) continue;
    const isSame = (settings: EndpointSettings): boolean => settings.provider === provider && settings.baseUrl === baseUrl;
    let plan = plans.find(({ settings }) => isSame(settings));
    if (plan === undefined) {
      const existing = Object.entries(endpoints).find(([, settings]) => isSame(settings));
      const taken = [...Object.keys(endpoints), ...plans.map(({ name }) => name)];
      const settings = { provider, ...(baseUrl === undefined ? {} : { baseUrl }) };
      plan = existing === undefined
        ? { name: suggestedName(offer, undefined, taken), settings, isNew: true, keys: [], regions: (offer.regions ?? []).slice(1).map(({ id }) => id) }
        : { name: existing[0], settings: existing[1], isNew: false, keys: [], regions: [] };
      plans.push(plan);
    }
    if (secret !== '') plan.keys.push({ secret, label: uniqueName(source.slice(0, 60), plan.keys.map(({ label }) => label)) });
  }
  return plans;
}

/** What a try of one key gave. */
export interface TriedKey { plan: PlannedEndpoint; key: { secret: string; label: string } | undefined; result: TestEndpointResult }

/**
 * Tried keys with plans that fit the settings as they are by now, which may have changed while the questions were open. A plan keeps its
 * endpoint only where that still leads to the same place; else it gets a name that is free. All keys of one endpoint have the same plan.
 */
export function replanned(tried: readonly TriedKey[], endpoints: Endpoints): TriedKey[] {
  // Where keys of one endpoint were taken at different places, a place at which one works holds.
  const plans = new Map([...tried].sort((one, other) => Number(one.result.ok) - Number(other.result.ok)).map(({ plan }) => [plan.name, plan]));
  const taken = new Set([...Object.keys(endpoints), ...plans.keys()]);
  const settled = new Map([...plans.values()].map((plan): [string, PlannedEndpoint] => {
    const there = endpoints[plan.name];
    if (there !== undefined && isSamePlace(there, plan.settings)) return [plan.name, { ...plan, settings: there, isNew: false }];
    const isFree = !Object.keys(endpoints).some(name => name.toLowerCase() === plan.name.toLowerCase());
    const name = isFree ? plan.name : uniqueName(plan.name, taken);
    taken.add(name);
    return [plan.name, { ...plan, name, isNew: true }];
  }));
  return tried.map(one => ({ ...one, plan: settled.get(one.plan.name) ?? one.plan }));
}

function isSamePlace(one: EndpointSettings, other: EndpointSettings): boolean {
  return one.provider === other.provider && one.baseUrl === other.baseUrl && one.region === other.region;
}

/** The key as the line of a list, after it was tried. */
export function triedLine({ plan, key, result }: TriedKey): KeyLine {
  return {
    label: `${result.ok ? '$(pass)' : '$(warning)'} ${plan.name}`,
    description: key === undefined ? t('no key') : `${key.label} ${maskedKey(key.secret)}`,
    detail: result.message,
  };
}

/** A proposed route beside what is there now. */
export interface RouteChange {
  proposed: ProposedRoute;
  /** What would be written. */
  targets: string[];
  kind: 'new' | 'extended' | 'same';
}

/** What proposals change: a route that is there keeps its targets, in their order, and gets what it lacks behind them. */
export function routeChanges(proposals: readonly ProposedRoute[], routes: Routes): RouteChange[] {
  return proposals.map(proposed => {
    const wanted = proposed.targets.map(({ target }) => target);
    if (routes[proposed.name] === undefined) return { proposed, targets: wanted, kind: 'new' };
    const present = targetsOf(routes[proposed.name]);
    const missing = wanted.filter(target => !present.includes(target));
    return { proposed, targets: [...present, ...missing], kind: missing.length === 0 ? 'same' : 'extended' };
  });
}

/** The routes with these changes. A route that was edited since the changes were made keeps what it has now, and gets what it lacks behind it. */
export function withRouteChanges(routes: Routes, changes: readonly RouteChange[]): Routes {
  return routeChanges(changes.map(({ proposed }) => proposed), routes).reduce((all, { proposed, targets }) => withTargets(all, proposed.name, targets), routes);
}

function hostOf(baseUrl: string): string {
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl;
}
