import { vendorOfKey } from '../api/keyShapes.ts';
import type { ConfigProblem } from '../api/status.ts';
import { ownBaseUrls } from '../catalog/doors.ts';
import type { Provider } from '../catalog/provider.ts';
import { providers } from '../catalog/providers.ts';
import type { Config, EndpointConfig, KeyRing } from '../config/config.ts';

/**
 * Leaves out of the ring each key that certainly is another vendor's, so that it is never sent to the wrong one. The address
 * of an endpoint decides which vendor it belongs to. An address of no vendor in the catalog is a relay and takes any key.
 * @returns the keys that may be sent, and a sentence for each of the others
 */
export function withoutForeignKeys(config: Config, ring: KeyRing): { ring: KeyRing; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const kept = new Map([...ring].map(([name, keys]) => {
    const endpoint = config.endpoints.get(name);
    return [name, keys.filter(key => {
      const message = endpoint === undefined ? undefined : foreignKeyMessage(endpoint, key);
      if (message !== undefined) problems.push({ path: `endpoints.${name}.keys`, message });
      return message === undefined;
    })] as const;
  }));
  return { ring: kept, problems };
}

/** Why a key is not sent to an endpoint, in one sentence; undefined when the key may be the right one. */
export function foreignKeyMessage({ name, baseUrl }: Pick<EndpointConfig, 'name' | 'baseUrl'>, key: { label: string; secret: string }): string | undefined {
  const vendor = vendorOfKey(key.secret);
  if (vendor?.certain !== true) return undefined;
  const owners = ownersOf(baseUrl);
  const [owner] = owners;
  if (owner === undefined || owners.some(({ id }) => vendor.providers.includes(id))) return undefined;
  return `Endpoint "${name}": the key "${key.label}" looks like a key of ${vendor.label} and is not sent to ${owner.name}; replace it with a key of ${owner.name}.`;
}

/** The vendors that an address belongs to; none for a server of the user's own. */
function ownersOf(baseUrl: string): Provider[] {
  const host = hostOf(baseUrl);
  return host === undefined ? [] : providers.filter(provider => provider.local !== true && (hostsOf(provider).some(own => host === own || (/^\W/.test(own) && host.endsWith(own))) || (provider.addressing === 'bedrock' && bedrockHost.test(host))));
}

/** Hosts of a provider. A host that begins with a dot or a dash is a suffix. */
function hostsOf(provider: Provider): readonly string[] {
  const known = hosts.get(provider);
  if (known !== undefined) return known;
  const fixed = ownBaseUrls(provider).flatMap(url => hostOf(url) ?? []);
  const all = [...new Set([...fixed, ...provider.hosts ?? [], ...customerHosts[provider.addressing ?? 'none']])];
  hosts.set(provider, all);
  return all;
}

const hosts = new WeakMap<Provider, readonly string[]>();

/** Suffixes of hosts that differ by customer or location. Source: the vendors' references for resources and locations. */
const customerHosts = {
  azure: ['.openai.azure.com', '.services.ai.azure.com', '.cognitiveservices.azure.com'],
  vertex: ['-aiplatform.googleapis.com', '.rep.googleapis.com'],
  // Other servers at AWS are relays like any other; see bedrockHost.
  bedrock: [],
  none: [],
} as const;

const bedrockHost = /^(?:[\w-]+\.)?bedrock(?:-runtime)?(?:-fips)?\.[a-z0-9-]+\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
