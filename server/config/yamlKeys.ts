import type { KeyMaterial } from '../api/messages.ts';
import { isObject, parseJson } from '../base/json.ts';
import { isPrivateHost } from './baseUrl.ts';
import type { EndpointConfig } from './config.ts';
import { expandVariables } from './environment.ts';
import type { ConfigPath } from './schemaProblems.ts';

export interface KeysOfEndpoint {
  keys: KeyMaterial[];
  /** `unset`: an environment variable is missing. */
  problems: { path: ConfigPath; message: string; unset?: boolean | undefined }[];
  /** Path of the first key that is written out in the file, where that is worth a warning. */
  literal?: ConfigPath | undefined;
}

/**
 * Reads the `keys` of one endpoint. A key is known by the name of its variable, or by its place in the list when it
 * is written out. A missing variable costs only its own key.
 *
 * @param written the endpoint as it stands in the file, already checked against the schema
 */
export function keysOfEndpoint(endpoint: EndpointConfig, written: unknown, environment: Readonly<Record<string, string | undefined>>): KeysOfEndpoint {
  const list = isObject(written) && Array.isArray(written['keys']) ? written['keys'].filter(key => typeof key === 'string') : [];
  const result: KeysOfEndpoint = { keys: [], problems: [] };
  // Local servers take any word for a key, so writing one out gives nothing away.
  const wordIsHarmless = !endpoint.provider.keyRequired && isPrivateHost(new URL(endpoint.baseUrl).hostname);
  list.forEach((text, index) => {
    const path = ['endpoints', endpoint.name, 'keys', index];
    const report = (message: string, unset?: boolean): void => { result.problems.push({ path, message: `Endpoint "${endpoint.name}": ${message}`, unset }); };
    const expanded = expandVariables(text, environment);
    if ('problem' in expanded) return report(`${expanded.problem}, so this key is left out.`, expanded.unset);
    const secret = compactKey(expanded.text.trim());
    const label = expanded.names.length > 0 ? expanded.names.join('+') : `key ${index + 1}`;
    if (!/^[\x21-\x7e]+$/.test(secret) && !isKeyFile(secret)) return report(`${label} holds characters that no key has, so it is left out.`);
    if (result.keys.some(key => key.secret === secret)) return report(`${label} is the same key as one before it, so it is left out.`);
    if (expanded.names.length === 0 && !wordIsHarmless) result.literal ??= path;
    result.keys.push({ id: expanded.names.length > 0 ? label : `key-${index + 1}`, label, secret });
  });
  if (result.keys.length === 0 && endpoint.provider.keyRequired && endpoint.enabled) {
    result.problems.push({ path: ['endpoints', endpoint.name, ...(list.length > 0 ? ['keys'] : [])], message: noKeyLeft(endpoint, list.length > 0), unset: result.problems.some(({ unset }) => unset === true) });
  }
  return result;
}

/** The text of a key file (a Google service account) is one line of JSON, however it was written. */
function compactKey(text: string): string {
  const parsed = text.startsWith('{') ? parseJson(text) : undefined;
  return isObject(parsed) ? JSON.stringify(parsed) : text;
}

function isKeyFile(secret: string): boolean {
  return secret.startsWith('{') && isObject(parseJson(secret));
}

function noKeyLeft(endpoint: EndpointConfig, hadKeys: boolean): string {
  if (hadKeys) return `Endpoint "${endpoint.name}" has no usable key left, so nothing can be sent to it.`;
  const variable = `${endpoint.provider.id.toUpperCase().replaceAll(/\W/g, '_')}_API_KEY`;
  return `Endpoint "${endpoint.name}" has no key, so nothing can be sent to it; add keys: ["\${${variable}}"].`;
}
