import type { KeyMaterial } from '../api/messages.ts';
import { WaybillError } from '../base/failure.ts';
import { ownBaseUrls } from '../catalog/doors.ts';
import { chatUrl } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import { fetchText } from './fetchText.ts';
import { probeEndpoint, probeRequest, probeTimeoutMs } from './probe.ts';
import type { ProbeResult } from './probe.ts';
import { isPageText } from './failures/notTheApi.ts';
import { responseFailure } from './failures/responseFailure.ts';
import type { Dispatcher } from './call.ts';

/** The result of trying an endpoint, and the endpoint with the address at which it answered. */
export interface TriedEndpoint { endpoint: EndpointConfig; result: ProbeResult }

interface TryOptions { now: number; signal?: AbortSignal | undefined }

/**
 * Tries an endpoint whose address and key were just typed. Unlike in a probe of health, a path that is not there is a wrong
 * address: the endpoint is asked again with and without `/v1`, and a server without a model list has to know the path of
 * chat calls.
 */
export async function tryEndpoint(dispatcher: Dispatcher, endpoint: EndpointConfig, key: KeyMaterial | undefined, options: TryOptions): Promise<TriedEndpoint> {
  const probe = (one: EndpointConfig, with_: KeyMaterial | undefined, listModels: boolean): Promise<ProbeResult> => probeEndpoint(dispatcher, one, with_, { ...options, listModels });
  const result = await probe(endpoint, key, true);
  if (!mayBeWrongAddress(result)) return { endpoint, result: await withProof(result) };
  const others = otherBaseUrls(endpoint).map(baseUrl => ({ ...endpoint, baseUrl }));
  for (const other of others) {
    const otherResult = await probe(other, key, true);
    if (otherResult.models !== undefined) return { endpoint: other, result: await withProof(otherResult, other) };
  }
  for (const one of [endpoint, ...others]) {
    const called = await callWithoutRequest(dispatcher, one, key, options);
    if (called !== undefined) return { endpoint: one, result: called };
  }
  return { endpoint, result: result.error === undefined ? { ...result, ok: false, error: nothingThere(endpoint, result) } : result };

  /** A list that is readable without a key proves no key; one that is refused without a key does. */
  async function withProof(found: ProbeResult, at = endpoint): Promise<ProbeResult> {
    if (!found.ok || found.provedKey || key === undefined || found.models === undefined) return found;
    return { ...found, provedKey: (await probe(at, undefined, false)).error?.failureClass === 'auth' };
  }
}

function mayBeWrongAddress({ error, missing, unlisted }: ProbeResult): boolean {
  return missing !== undefined || unlisted === true || error?.code === 'redirect' || error?.code === 'not-an-api';
}

function nothingThere({ name }: EndpointConfig, { missing, url }: ProbeResult): WaybillError {
  return new WaybillError('nothing-there', 'server', `Nothing answers at ${url}${missing === undefined ? '' : ` (${missing})`}: check the base URL of ${name}.`);
}

/** The base URLs that a user may have meant: with or without `/v1`, which tools and vendors write either way. */
function otherBaseUrls({ provider, baseUrl }: EndpointConfig): string[] {
  if (provider.addressing !== undefined || ownBaseUrls(provider).includes(baseUrl)) return [];
  const bare = baseUrl.replace(/(?<!\/v1)(?:\/v1)+$/, '');
  return [`${bare}/v1`, bare].filter(other => other !== baseUrl);
}

/**
 * Sends an empty object to the path of chat calls: nothing is generated or billed, and a server that knows the path answers
 * with what it misses. Undefined where there is no such path.
 */
async function callWithoutRequest(dispatcher: Dispatcher, endpoint: EndpointConfig, key: KeyMaterial | undefined, { now, signal }: TryOptions): Promise<ProbeResult | undefined> {
  const url = chatUrl(endpoint, '', false);
  const request = probeRequest(endpoint, key, url, 'POST');
  const body = Buffer.from('{}');
  const headers = { ...request.headers, 'content-type': 'application/json', 'content-length': String(body.length) };
  try {
    const { status, headers: received, text, latencyMs } = await fetchText(dispatcher, endpoint, { ...request, headers, body: [body] }, Math.min(probeTimeoutMs, endpoint.timeouts.headersMs), signal);
    if (isPageText(text) || (status >= 300 && status < 400) || status === 405) return undefined;
    if (status < 300) return { ok: true, provedKey: false, url, latencyMs };
    const error = responseFailure(status, received, text, { endpoint: endpoint.name, provider: endpoint.provider, keyName: key?.label, model: '' }, now);
    // Some servers answer 404 with a code about the model, because none was named.
    if (status === 404 && error.providerCode?.includes('model') !== true) return undefined;
    return error.failureClass === 'auth' || error.failureClass === 'quota' ? { ok: false, provedKey: false, url, error, latencyMs } : { ok: true, provedKey: false, url, latencyMs };
  } catch (error) {
    if (error instanceof WaybillError && error.failureClass !== 'cancelled') return undefined;
    throw error;
  }
}
