import type { KeyMaterial } from '../api/messages.ts';
import { WaybillError } from '../base/failure.ts';
import { modelsAddress, moreModelsAddress, probeAddress } from '../catalog/paths.ts';
import type { EndpointConfig } from '../config/config.ts';
import { anthropicVersion, versionHeader } from '../protocols/anthropicMessages/version.ts';
import { authorize } from '../keys/authHeader.ts';
import { identityOnly } from './contentCodings.ts';
import { fetchText } from './fetchText.ts';
import type { ListedModel } from '../models/listedFacts.ts';
import { parseModelDetails, parseModelList } from '../models/modelList.ts';
import { isPageText, pageFailure, redirectFailure } from './failures/notTheApi.ts';
import { responseFailure } from './failures/responseFailure.ts';
import type { Dispatcher, UpstreamRequest } from './call.ts';

/** What a probe proved. `ok`: the endpoint answers, and accepts the key as far as the probe shows it. */
export interface ProbeResult {
  ok: boolean;
  /** The call proved that the key is accepted, not only that the endpoint answers. */
  provedKey: boolean;
  error?: WaybillError | undefined;
  latencyMs?: number | undefined;
  /** The models, where the probe's answer or a second call listed them. */
  models?: ListedModel[] | undefined;
  /** The address that was asked, without a credential. */
  url: string;
  /** The status by which the server says that it does not know the path; the server has answered all the same. */
  missing?: number | undefined;
  /** A model list was asked for, and the answer is not one. */
  unlisted?: true | undefined;
}

export const probeTimeoutMs = 15_000;

/**
 * Asks an endpoint with the cheapest call that proves something (provider.probe), and for its model list where that
 * is another call.
 */
export async function probeEndpoint(
  dispatcher: Dispatcher, endpoint: EndpointConfig, key: KeyMaterial | undefined, options: { listModels: boolean; now: number; signal?: AbortSignal | undefined },
): Promise<ProbeResult> {
  const source = { endpoint: endpoint.name, provider: endpoint.provider, keyName: key?.label, model: '' };
  const timeoutMs = Math.min(probeTimeoutMs, endpoint.timeouts.headersMs);
  const { url, ...asked } = probeAddress(endpoint);
  const list = modelsAddress(endpoint);
  try {
    const request = probeRequest({ ...endpoint, ...asked }, key, url, endpoint.provider.probe.method);
    const response = await fetchText(dispatcher, endpoint, request, timeoutMs, options.signal);
    const { status, headers, text, latencyMs } = response;
    // A server without this path has answered all the same.
    const missingPath = status === 404 || status === 405;
    // The login at Google succeeded before this was sent, and AWS knows who asks. An account that may use models need not be allowed to list them.
    const mayNotList = status === 403 && (request.login?.kind === 'google' || (request.login?.kind === 'aws' && /not authorized to perform/i.test(text)));
    if (mayNotList) return { ok: true, provedKey: true, url, latencyMs };
    if (status >= 300 && !missingPath) {
      const error = status < 400
        ? redirectFailure(endpoint.name, status)
        : responseFailure(status, headers, text, source, options.now);
      return { ok: false, provedKey: false, url, error, latencyMs };
    }
    if (status < 300 && isPageText(text)) {
      return { ok: false, provedKey: false, url, latencyMs, error: pageFailure(endpoint.name) };
    }
    let models = url === list?.url ? parseModelList(text) : undefined;
    const unlisted = !missingPath && url === list?.url && models === undefined;
    if (models === undefined && options.listModels && list !== undefined && list.url !== url) {
      const listed = await fetchText(dispatcher, endpoint, probeRequest({ ...endpoint, protocol: list.protocol }, key, list.url), timeoutMs, options.signal);
      models = listed.status < 300 ? parseModelList(listed.text) : undefined;
    }
    const more = models === undefined || !options.listModels ? undefined : moreModelsAddress(endpoint);
    if (models !== undefined && more !== undefined) {
      const listed = await fetchText(dispatcher, endpoint, probeRequest({ ...endpoint, protocol: more.protocol }, key, more.url), timeoutMs, options.signal);
      models = [...models, ...(listed.status < 300 ? parseModelList(listed.text) ?? [] : [])];
    }
    if (models !== undefined && options.listModels) models = await withDetails(dispatcher, endpoint, key, models, timeoutMs, options.signal);
    return {
      ok: true, provedKey: !missingPath && endpoint.provider.probe.provesKey, url, latencyMs, models,
      ...(missingPath && models === undefined ? { missing: status } : {}), ...(unlisted ? { unlisted } : {}),
    };
  } catch (error) {
    if (error instanceof WaybillError) return { ok: false, provedKey: false, url, error };
    throw error;
  }
}

const detailedModels = 60;
const detailsAtOnce = 4;

/** Asks for the details of each model, where the list has few facts. Details that cannot be read stay unknown. */
async function withDetails(
  dispatcher: Dispatcher, endpoint: EndpointConfig, key: KeyMaterial | undefined, models: ListedModel[], timeoutMs: number, signal: AbortSignal | undefined,
): Promise<ListedModel[]> {
  const path = endpoint.provider.modelDetailsPath;
  if (path === undefined) return models;
  const url = new URL(path, endpoint.baseUrl).href;
  const detailed = [...models];
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let index = next++; index < Math.min(detailed.length, detailedModels); index = next++) {
      const model = detailed[index];
      if (model === undefined) return;
      const body = Buffer.from(JSON.stringify({ model: model.name }));
      const request = probeRequest(endpoint, key, url, 'POST');
      try {
        const answer = await fetchText(dispatcher, endpoint, {
          ...request, headers: { ...request.headers, 'content-type': 'application/json', 'content-length': String(body.length) }, body: [body],
        }, timeoutMs, signal);
        if (answer.status < 300) detailed[index] = { name: model.name, facts: { ...model.facts, ...parseModelDetails(answer.text) } };
      } catch (error) {
        if (!(error instanceof WaybillError)) throw error;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: detailsAtOnce }, ask));
  return detailed;
}

/** A request as probes send it, with its credential. */
export function probeRequest(endpoint: EndpointConfig, key: KeyMaterial | undefined, url: string, method: 'GET' | 'POST' = 'GET'): UpstreamRequest {
  const authorization = authorize(endpoint, key, url);
  return {
    method,
    url: authorization.url,
    login: authorization.login,
    about: { keyId: key?.id },
    headers: {
      accept: 'application/json',
      ...identityOnly,
      'user-agent': 'waybill',
      ...(endpoint.protocol === 'anthropic-messages' ? { [versionHeader]: anthropicVersion(endpoint.provider.dialect) } : {}),
      ...endpoint.headers,
      ...authorization.headers,
    },
  };
}
