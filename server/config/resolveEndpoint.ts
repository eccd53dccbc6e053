import type { ProtocolName } from '../api/conversation.ts';
import type { EndpointSettings } from '../api/settings.ts';
import { isObject } from '../base/json.ts';
import { ownBaseUrl, placeOf } from '../catalog/doors.ts';
import type { Provider } from '../catalog/provider.ts';
import { addressOf } from './address.ts';
import type { Address } from './address.ts';
import { isLocalHost, slashesAtEnd } from './baseUrl.ts';
import type { AddressedRule, EndpointConfig } from './config.ts';
import { breakerContradiction, breakerOf, defaultPriority, defaultWeight, givenTimeouts, probeOf, timeoutsOf } from './defaults.ts';
import { isFreeByName, isZeroPrice } from '../base/freePrices.ts';
import { suggestion } from './nearest.ts';
import type { EndpointProxy } from './network.ts';
import { readProxy } from './proxyAddress.ts';
import type { ResolveOptions } from './resolveOptions.ts';
import { endpointSchema, namePattern } from './schema.ts';
import { schemaProblems } from './schemaProblems.ts';
import type { FieldProblem } from './schemaProblems.ts';

export interface ResolvedEndpoint {
  /** Absent when something is wrong. */
  endpoint?: EndpointConfig;
  /** Reasons to leave the endpoint out. */
  wrong: FieldProblem[];
  /** What the user should mend although the endpoint works. */
  notes: FieldProblem[];
}

/** What names of endpoints and routes may be. */
export const nameRule = 'a name has 1 to 64 letters, digits, ".", "_" or "-", and begins with a letter or digit.';

/** Makes one endpoint of what a user wrote, with its provider resolved and every default filled in. */
export function resolveEndpoint(name: string, written: unknown, options: ResolveOptions): ResolvedEndpoint {
  if (!namePattern.test(name)) return { wrong: [{ path: [], text: nameRule }], notes: [] };
  const notes: FieldProblem[] = [];
  const settings = options.source === 'settings' ? withoutKeys(written, notes) : written;
  const wrong = schemaProblems(endpointSchema, settings);
  if (wrong.length > 0) return { wrong, notes };
  const valid = settings as EndpointSettings;

  const provider = options.catalog.findProvider(valid.provider);
  if (provider === undefined) return { wrong: [{ path: ['provider'], text: unknownProvider(valid.provider, options.catalog.providers) }], notes };
  const protocol = valid.protocol ?? defaultProtocol(provider, options.supportedProtocols, valid.baseUrl);
  const address = addressOf(valid, provider, protocol);
  if (!options.supportedProtocols.includes(protocol)) {
    wrong.push({ path: ['protocol'], text: `protocol "${protocol}" is not supported yet; use ${options.supportedProtocols.join(' or ')}.` });
  } else if ('problem' in address) {
    wrong.push({ path: [address.field], text: address.problem });
  }
  const proxy = ownProxy(valid.proxy);
  if (typeof proxy === 'object' && 'problem' in proxy) wrong.push({ path: ['proxy'], text: `"proxy" ${proxy.problem}` });
  wrong.push(...headerProblems(valid.headers ?? {}));
  if (wrong.length > 0 || 'problem' in address || (typeof proxy === 'object' && 'problem' in proxy)) return { wrong, notes };
  const contradiction = breakerContradiction(valid.breaker);
  if (contradiction !== undefined) notes.push({ path: ['breaker', 'maxOpenForMs'], text: contradiction });
  if (options.source === 'settings' && typeof proxy === 'object' && proxy.login !== undefined) {
    notes.push({ path: ['proxy'], text: '"proxy" holds a login, and settings are stored in plain text; the variable HTTPS_PROXY is a better place for it.' });
  }
  notes.push(...accountNotes(valid));
  notes.push(...zeroPriceNotes(valid, provider, address.baseUrl));
  const rules = addressedRules(valid, provider, protocol, address, options.supportedProtocols);
  return { endpoint: endpointConfig(name, valid, provider, protocol, { ...address, ...rules, ...(proxy === undefined ? {} : { proxy }) }), wrong, notes };
}

/**
 * The provider's own choice, or, as long as that cannot be spoken, the first of its others that can. A base URL that is
 * the provider's address for another protocol says by itself which one is meant.
 */
function defaultProtocol(provider: Provider, supported: readonly ProtocolName[], baseUrl: string | undefined): ProtocolName {
  const spoken = (Object.keys(provider.baseUrls) as ProtocolName[]).filter(protocol => supported.includes(protocol));
  const written = baseUrl?.trim().replace(slashesAtEnd, '').toLowerCase();
  if (written !== undefined && placeOf(provider, provider.protocol, written) === undefined) {
    const meant = spoken.find(protocol => placeOf(provider, protocol, written) !== undefined);
    if (meant !== undefined) return meant;
  }
  return supported.includes(provider.protocol) ? provider.protocol : spoken[0] ?? provider.protocol;
}

type Place = Extract<Address, { baseUrl: string }>;

/**
 * The rules by which single requests are spoken in another protocol. A protocol the user chose is kept for all. At an
 * address of the user's own, a protocol that the settings do not name is not assumed to be there.
 */
function addressedRules(
  settings: EndpointSettings, provider: Provider, protocol: ProtocolName, { baseUrl, apiVersion }: Place, supported: readonly ProtocolName[],
): { protocolRules?: AddressedRule[] } {
  if (settings.protocol !== undefined || apiVersion !== undefined) return {};
  const ownPlace = settings.baseUrl !== undefined && provider.addressing === undefined;
  const rules = (provider.protocolRules ?? []).flatMap((rule): AddressedRule[] => {
    if (rule.protocol === protocol || !supported.includes(rule.protocol)) return [];
    const place = placeOf(provider, protocol, baseUrl);
    if (ownPlace && rule.when === 'caller' && provider.protocolsAnywhere?.includes(rule.protocol) !== true) return [];
    // One address for both protocols stays one, wherever it is.
    if (provider.baseUrls[rule.protocol] === provider.baseUrls[protocol]) return [{ ...rule, baseUrl }];
    const other = place === undefined ? undefined : ownBaseUrl(provider, rule.protocol, place.region);
    return other === undefined ? [] : [{ ...rule, baseUrl: other }];
  });
  return rules.length === 0 ? {} : { protocolRules: rules };
}

function endpointConfig(
  name: string, settings: EndpointSettings, provider: Provider, protocol: ProtocolName, place: Place & { protocolRules?: AddressedRule[]; proxy?: EndpointProxy },
): EndpointConfig {
  const local = provider.local === true || isLocalHost(new URL(place.baseUrl).hostname);
  return {
    name,
    provider: withLogin(withVersion(pricedAt(provider, protocol, place.baseUrl), settings.anthropicVersion), settings.entra),
    protocol,
    ...place,
    region: settings.region,
    enabled: settings.enabled ?? true,
    priority: settings.priority ?? defaultPriority,
    weight: settings.weight ?? defaultWeight,
    ...(settings.keyRotation === undefined || settings.keyRotation === 'failover' ? {} : { keyRotation: settings.keyRotation }),
    ...(settings.keyAccounts === undefined ? {} : { keyAccounts: settings.keyAccounts }),
    headers: settings.headers ?? {},
    ...(settings.billing === undefined || settings.billing === 'usage' ? {} : { billing: settings.billing }),
    limits: settings.limits ?? {},
    ...(local ? { local } : {}),
    timeouts: timeoutsOf(settings.timeouts, local),
    writtenTimeouts: givenTimeouts(settings.timeouts),
    breaker: breakerOf(settings.breaker),
    probe: probeOf(settings.probe),
    models: settings.models ?? {},
  };
}

/** A key is of one account: the first that names it. */
function accountNotes({ keyAccounts }: EndpointSettings): FieldProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(keyAccounts ?? {}).flatMap(([account, names]) => names.flatMap((name): FieldProblem[] => {
    const first = seen.get(name);
    seen.set(name, first ?? account);
    return first === undefined ? [] : [{ path: ['keyAccounts', account], text: `the key "${name}" is named by the account "${first}" already; take it out of one of them.` }];
  }));
}

/** A login of the machine takes the place of the key. */
function withLogin(provider: Provider, entra: boolean | undefined): Provider {
  return entra === true ? { ...provider, auth: 'entra', keyRequired: false } : provider;
}

/** A price of $0 hides what a model costs, unless nothing is charged for it there. */
function zeroPriceNotes({ billing, models }: EndpointSettings, provider: Provider, baseUrl: string): FieldProblem[] {
  if (provider.local === true || provider.id === 'sandbox' || (billing ?? 'usage') !== 'usage' || isLocalHost(new URL(baseUrl).hostname)) return [];
  return Object.entries(models ?? {}).flatMap(([model, { prices, upstream }]): FieldProblem[] => {
    if (prices === undefined || !isZeroPrice(prices) || isFreeByName(upstream ?? model)) return [];
    return [{ path: ['models', model, 'prices'], text: `the price of "${model}" is $0, so its spend shows as nothing; write what it costs, or set "billing" of the endpoint to "subscription" or "free".` }];
  });
}

function ownProxy(written: string | undefined): EndpointProxy | { problem: string } | undefined {
  if (written === undefined) return undefined;
  return written.trim().toLowerCase() === 'none' ? 'none' : readProxy(written, '"proxy" of the endpoint');
}

/** Where prices are others than the published ones, none is known. */
function pricedAt(provider: Provider, protocol: ProtocolName, baseUrl: string): Provider {
  if (placeOf(provider, protocol, baseUrl)?.region?.pricesDiffer !== true) return provider;
  const { pricesId: _pricesId, ...unpriced } = provider;
  return unpriced;
}

/** The version is part of how the provider is spoken to. */
function withVersion(provider: Provider, anthropicVersion: string | undefined): Provider {
  return anthropicVersion === undefined ? provider : { ...provider, dialect: { ...provider.dialect, anthropicVersion } };
}

/** Settings are synchronised and shared, so a key in them is taken out and reported as a problem. */
function withoutKeys(written: unknown, notes: FieldProblem[]): unknown {
  if (!isObject(written) || !('keys' in written)) return written;
  notes.push({ path: ['keys'], text: 'keys in settings are ignored, because settings are stored in plain text; remove them and use "Waybill: Add Provider…".' });
  const { keys: _keys, ...rest } = written;
  return rest;
}

function unknownProvider(id: string, providers: readonly Provider[]): string {
  const names = providers.flatMap(provider => [provider.id, ...provider.aliases ?? []]);
  return `there is no provider "${id}"${suggestion(id, names, `; known are ${providers.map(provider => provider.id).join(', ')}.`)}`;
}

/** Headers that frame the request; another value would break it or smuggle a second one. */
const ownHeaders = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'accept-encoding']);

function headerProblems(headers: Record<string, string>): FieldProblem[] {
  return Object.entries(headers).flatMap(([name, value]): FieldProblem[] => {
    const path = ['headers', name];
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return [{ path, text: `"${name}" is not the name of a header.` }];
    if (ownHeaders.has(name.toLowerCase())) return [{ path, text: `header "${name}" is set by Waybill itself.` }];
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return [{ path, text: `header "${name}" has a character that cannot be sent, such as a line break.` }];
    return [];
  });
}
