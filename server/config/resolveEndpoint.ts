import type { ProtocolName } from '../api/conversation.ts';
import type { EndpointSettings } from '../api/settings.ts';
import { isObject } from '../base/json.ts';
import type { Provider } from '../catalog/provider.ts';
import { checkBaseUrl } from './baseUrl.ts';
import type { CheckedBaseUrl } from './baseUrl.ts';
import type { EndpointConfig } from './config.ts';
import { breakerOf, defaultPriority, defaultWeight, probeOf, timeoutsOf } from './defaults.ts';
import { suggestion } from './nearest.ts';
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
  const protocol = valid.protocol ?? provider.protocol;
  const address = addressOf(valid, provider, protocol);
  if (!options.supportedProtocols.includes(protocol)) {
    wrong.push({ path: ['protocol'], text: `protocol "${protocol}" is not supported yet; use ${options.supportedProtocols.join(' or ')}.` });
  } else if ('problem' in address) {
    wrong.push({ path: [address.field], text: address.problem });
  }
  wrong.push(...headerProblems(valid.headers ?? {}));
  if (wrong.length > 0 || 'problem' in address) return { wrong, notes };
  return { endpoint: endpointConfig(name, valid, provider, protocol, address.baseUrl), wrong, notes };
}

function endpointConfig(name: string, settings: EndpointSettings, provider: Provider, protocol: ProtocolName, baseUrl: string): EndpointConfig {
  return {
    name,
    provider,
    protocol,
    baseUrl,
    region: settings.region,
    enabled: settings.enabled ?? true,
    priority: settings.priority ?? defaultPriority,
    weight: settings.weight ?? defaultWeight,
    headers: settings.headers ?? {},
    limits: settings.limits ?? {},
    timeouts: timeoutsOf(settings.timeouts, provider),
    breaker: breakerOf(settings.breaker),
    probe: probeOf(settings.probe),
    models: settings.models ?? {},
  };
}

/** Settings are synchronised and shared, so a key in them is taken out, and the user is told. */
function withoutKeys(written: unknown, notes: FieldProblem[]): unknown {
  if (!isObject(written) || !('keys' in written)) return written;
  notes.push({ path: ['keys'], text: 'keys in settings are ignored, because settings are stored in plain text; remove them and use "Switchyard: Add Provider…".' });
  const { keys: _keys, ...rest } = written;
  return rest;
}

function unknownProvider(id: string, providers: readonly Provider[]): string {
  const names = providers.flatMap(provider => [provider.id, ...provider.aliases ?? []]);
  return `there is no provider "${id}"${suggestion(id, names, `; known are ${providers.map(provider => provider.id).join(', ')}.`)}`;
}

/** The user's own URL, or the one of the region, or the provider's. */
function addressOf(settings: EndpointSettings, provider: Provider, protocol: ProtocolName): Extract<CheckedBaseUrl, { baseUrl: string }> | { field: string; problem: string } {
  if (settings.baseUrl !== undefined) {
    const checked = checkBaseUrl(settings.baseUrl);
    return 'problem' in checked ? { field: 'baseUrl', problem: checked.problem } : checked;
  }
  const regions = provider.regions ?? [];
  if (settings.region !== undefined && regions.length > 0) {
    const region = regions.find(candidate => candidate.id === settings.region);
    const known = regions.map(candidate => candidate.id);
    if (region === undefined) {
      return { field: 'region', problem: `${provider.name} has no region "${settings.region}"${suggestion(settings.region, known, `; known are ${known.join(', ')}.`)}` };
    }
    if (protocol === provider.protocol) return { baseUrl: region.baseUrl };
    return { field: 'protocol', problem: `the address of region "${region.id}" for protocol "${protocol}" is not known; give it in "baseUrl".` };
  }
  const own = provider.baseUrls[protocol];
  if (own !== undefined) return { baseUrl: own };
  if (Object.keys(provider.baseUrls).length === 0) {
    return { field: 'provider', problem: `provider "${provider.id}" needs a "baseUrl", such as "http://127.0.0.1:8000/v1".` };
  }
  return { field: 'protocol', problem: `the address of ${provider.name} for protocol "${protocol}" is not known; give it in "baseUrl".` };
}

/** Headers that frame the request; another value would break it or smuggle a second one. */
const ownHeaders = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'accept-encoding']);

function headerProblems(headers: Record<string, string>): FieldProblem[] {
  return Object.entries(headers).flatMap(([name, value]): FieldProblem[] => {
    const path = ['headers', name];
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return [{ path, text: `"${name}" is not the name of a header.` }];
    if (ownHeaders.has(name.toLowerCase())) return [{ path, text: `header "${name}" is set by Switchyard itself.` }];
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return [{ path, text: `header "${name}" has a character that cannot be sent, such as a line break.` }];
    return [];
  });
}
