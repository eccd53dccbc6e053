import type { ProtocolName } from '../api/conversation.ts';
import type { Provider, Region } from './provider.ts';

/**
 * The provider's own base URL for a protocol.
 * @param region of the provider; undefined: its main address
 * @returns undefined where it does not speak the protocol there, as far as is known
 */
export function ownBaseUrl(provider: Provider, protocol: ProtocolName, region: Region | undefined): string | undefined {
  const main = provider.baseUrls[protocol];
  if (region === undefined) return main;
  return main !== undefined && main === provider.baseUrls[provider.protocol] ? region.baseUrl : region.baseUrls?.[protocol];
}

/** Every base URL that is the provider's own, each once. */
export function ownBaseUrls(provider: Provider): string[] {
  const regional = (provider.regions ?? []).flatMap(region => [region.baseUrl, ...Object.values(region.baseUrls ?? {})]);
  return [...new Set([...Object.values(provider.baseUrls), ...regional])];
}

/** A place of a provider's own where a protocol has this base URL: a region, or the main address; undefined where there is none. */
export function placeOf(provider: Provider, protocol: ProtocolName, baseUrl: string): { region: Region | undefined } | undefined {
  if (ownBaseUrl(provider, protocol, undefined) === baseUrl) return { region: undefined };
  const region = provider.regions?.find(one => ownBaseUrl(provider, protocol, one) === baseUrl);
  return region === undefined ? undefined : { region };
}
