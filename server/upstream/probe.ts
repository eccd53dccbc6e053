import type { KeyMaterial } from '../api/messages.ts';
import { SwitchyardError } from '../base/failure.ts';
import { asString, isObject, parseJson } from '../base/json.ts';
import { authHeader } from './authHeader.ts';
import { modelsUrl, probeUrl } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import { fetchText } from './fetchText.ts';
import { responseFailure } from './responseFailure.ts';
import type { Transport } from './transport.ts';

/** What a probe proved. */
export interface ProbeResult {
  ok: boolean;
  /** The call proved that the key is accepted, not only that somebody answers. */
  provedKey: boolean;
  error?: SwitchyardError | undefined;
  latencyMs?: number | undefined;
  /** Upstream model names, where the probe's answer or a second call listed them. */
  models?: string[] | undefined;
}

const probeTimeoutMs = 15_000;

/**
 * Asks an endpoint with the cheapest call that proves something (provider.probe), and for its model list where that
 * is another call.
 */
export async function probeEndpoint(
  transport: Transport, endpoint: EndpointConfig, key: KeyMaterial | undefined, options: { listModels: boolean; now: number; signal?: AbortSignal | undefined },
): Promise<ProbeResult> {
  const source = { endpoint: endpoint.name, provider: endpoint.provider, keyName: key?.label, model: '' };
  const timeoutMs = Math.min(probeTimeoutMs, endpoint.timeouts.headersMs);
  const url = probeUrl(endpoint);
  const listUrl = modelsUrl(endpoint);
  try {
    const response = await fetchText(transport, endpoint, { method: endpoint.provider.probe.method, url, headers: probeHeaders(endpoint, key) }, timeoutMs, options.signal);
    const { status, headers, text, latencyMs } = response;
    // A server without this path has answered all the same.
    const missingPath = status === 404 || status === 405;
    if (status >= 300 && !missingPath) {
      const error = status < 400
        ? new SwitchyardError('redirect', 'server', `${endpoint.name} redirected to another address (${status}), which is not followed; check the base URL.`)
        : responseFailure(status, headers, text, source, options.now);
      return { ok: false, provedKey: false, error, latencyMs };
    }
    if (status < 300 && looksLikePage(text)) {
      return { ok: false, provedKey: false, latencyMs, error: new SwitchyardError('not-an-api', 'server', `${endpoint.name} answered with a web page; check the base URL.`) };
    }
    let models = url === listUrl ? modelNames(text) : undefined;
    if (models === undefined && options.listModels && listUrl !== undefined && listUrl !== url) {
      models = await listModels(transport, endpoint, key, listUrl, timeoutMs, options.signal);
    }
    return { ok: true, provedKey: !missingPath && endpoint.provider.probe.provesKey, latencyMs, models };
  } catch (error) {
    if (error instanceof SwitchyardError) return { ok: false, provedKey: false, error };
    throw error;
  }
}

/** The names in a model list of any protocol; undefined when the text is none. */
export function modelNames(text: string): string[] | undefined {
  const body = parseJson(text.trim());
  const list = Array.isArray(body) ? body : isObject(body) ? body.data ?? body.models : undefined;
  if (!Array.isArray(list)) return undefined;
  return list.flatMap(item => {
    const name = isObject(item) ? asString(item.id) ?? asString(item.name) : asString(item);
    return name === undefined ? [] : [name.replace(/^models\//, '')];
  });
}

async function listModels(
  transport: Transport, endpoint: EndpointConfig, key: KeyMaterial | undefined, url: string, timeoutMs: number, signal: AbortSignal | undefined,
): Promise<string[] | undefined> {
  const response = await fetchText(transport, endpoint, { method: 'GET', url, headers: probeHeaders(endpoint, key) }, timeoutMs, signal);
  return response.status < 300 ? modelNames(response.text) : undefined;
}

function probeHeaders(endpoint: EndpointConfig, key: KeyMaterial | undefined): Record<string, string> {
  return {
    accept: 'application/json',
    'user-agent': 'switchyard',
    ...(endpoint.protocol === 'anthropic-messages' ? { 'anthropic-version': endpoint.provider.dialect.anthropicVersion ?? '2023-06-01' } : {}),
    ...endpoint.headers,
    ...authHeader(endpoint.provider.auth, key),
  };
}

function looksLikePage(text: string): boolean {
  return /^\s*<(?:!doctype|html)/i.test(text);
}
