import type { ProtocolName } from '../api/conversation.ts';
import { ownBaseUrl, placeOf } from './doors.ts';
import type { CallPaths, Provider } from './provider.ts';

/** Where an endpoint is; an `EndpointConfig` is one. */
export interface EndpointAddress {
  provider: Provider;
  protocol: ProtocolName;
  /** Without a trailing slash. */
  baseUrl: string;
  /** Vertex AI: the Google Cloud project; absent: the one the credential belongs to. */
  project?: string | undefined;
  /** Vertex AI: `global`, a multi-region or a region. */
  location?: string | undefined;
  /** Azure: the dated API version, where the endpoint uses one. */
  apiVersion?: string | undefined;
}

/** A URL, and the protocol whose way of carrying a credential it wants. */
export interface CatalogUrl { url: string; protocol: ProtocolName }

/** Stands in a URL for the project of the credential, which is known only when the credential is read. */
export const projectPlaceholder = '{project}';

/**
 * The URL of a chat call.
 * @param model the provider's own name of the model, for paths that hold it
 * @param converse the model is asked by Converse
 */
export function chatUrl(endpoint: EndpointAddress, model: string, stream: boolean, converse = false): string {
  const { provider, protocol, baseUrl, apiVersion } = endpoint;
  const paths = converse ? provider.conversePaths : (apiVersion === undefined ? provider.callPaths : provider.versionedPaths?.calls)?.[protocol];
  return baseUrl + (paths === undefined ? chatPath(protocol, baseUrl, model, stream) : filledIn(pathOf(paths, stream), endpoint, model));
}

function pathOf({ plain, stream: streamed }: CallPaths, stream: boolean): string {
  return stream ? streamed ?? plain : plain;
}

/** A name as a part of a path. Half a surrogate pair, which no URL can hold, is replaced: the provider then says that it knows no such name. */
function pathSegment(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

function filledIn(path: string, { project, location, apiVersion }: EndpointAddress, model: string): string {
  return path
    // Google writes versions of models with an @ that must stay one.
    .replace('{model}', pathSegment(model).replaceAll('%40', '@'))
    .replace(projectPlaceholder, project === undefined ? projectPlaceholder : pathSegment(project))
    .replace('{location}', pathSegment(location ?? 'global'))
    .replace('{apiVersion}', pathSegment(apiVersion ?? ''));
}

/** Whether a model is asked by Converse of Amazon Bedrock: every one whose names do not say that it is Claude. */
export function isConverse({ provider }: Pick<EndpointAddress, 'provider'>, model: string, upstreamModel: string): boolean {
  return provider.conversePaths !== undefined && !/claude/i.test(model) && !/claude/i.test(upstreamModel);
}

/** The name of a model as the body of a request holds it. */
export function wireModelName({ provider, protocol }: Pick<EndpointAddress, 'provider' | 'protocol'>, model: string): string {
  const prefix = provider.modelPrefix?.[protocol];
  return prefix === undefined || model.includes('/') ? model : prefix + model;
}

/**
 * The path of a chat call, to be appended to `baseUrl`, where a provider has no paths of its own.
 *
 * A base URL of the OpenAI family is used as it was given: whether it ends in `/v1` is the server's own affair
 * (`https://api.deepseek.com` has none). An Anthropic or Gemini base URL may be given with or without its
 * version, because tools disagree about it; the version is never doubled.
 *
 * @param model needed by `gemini` only, whose path holds the upstream's model name
 * @param stream needed by `gemini` only, which streams under another path
 */
export function chatPath(protocol: ProtocolName, baseUrl: string, model = '', stream = false): string {
  switch (protocol) {
    case 'openai-chat': return '/chat/completions';
    case 'openai-responses': return '/responses';
    case 'anthropic-messages': return withoutDoubledVersion(baseUrl, '/v1/messages');
    case 'gemini': {
      const call = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
      return withoutDoubledVersion(baseUrl, `/v1beta/models/${pathSegment(model)}:${call}`);
    }
  }
}

/** The cheapest call that proves something, and how it wants its credential. */
export function probeAddress(endpoint: EndpointAddress): CatalogUrl {
  const { provider, apiVersion, baseUrl, protocol } = endpoint;
  if (apiVersion !== undefined && provider.versionedPaths !== undefined) {
    return { url: baseUrl + filledIn(provider.versionedPaths.probe, endpoint, ''), protocol };
  }
  return providerUrl(endpoint, provider.probe.path);
}

/** The model list, and how it wants its credential; undefined when the provider has none. */
export function modelsAddress(endpoint: EndpointAddress): CatalogUrl | undefined {
  const path = endpoint.provider.modelsPath;
  return path === undefined ? undefined : providerUrl(endpoint, path);
}

/** A second model list; undefined when the provider has none. */
export function moreModelsAddress(endpoint: EndpointAddress): CatalogUrl | undefined {
  const path = endpoint.provider.moreModelsPath;
  return path === undefined ? undefined : providerUrl(endpoint, path);
}

/**
 * A catalog path belongs to the base URL of the provider's default protocol. An endpoint that speaks another
 * protocol at the provider's own address is asked there all the same; at an address of the user's own, only the
 * model list of that protocol can be hoped for.
 */
function providerUrl({ provider, protocol, baseUrl }: EndpointAddress, path: string): CatalogUrl {
  // Amazon Bedrock has its lists beside the host of its calls.
  if (provider.addressing === 'bedrock') return { url: baseUrl.replace('://bedrock-runtime', '://bedrock') + path, protocol };
  const atOwn = (base: string): CatalogUrl => ({ url: base + withoutDoubledVersion(base, path), protocol: provider.protocol });
  if (protocol === provider.protocol || provider.callPaths?.[protocol] !== undefined) return atOwn(baseUrl);
  const place = placeOf(provider, protocol, baseUrl);
  const main = place === undefined ? undefined : ownBaseUrl(provider, provider.protocol, place.region);
  if (main !== undefined) return atOwn(main);
  return { url: baseUrl + withoutDoubledVersion(baseUrl, listPath[protocol]), protocol };
}

const listPath: Record<ProtocolName, string> = {
  'openai-chat': '/models',
  'openai-responses': '/models',
  'anthropic-messages': '/v1/models',
  'gemini': '/v1beta/models',
};

function withoutDoubledVersion(baseUrl: string, path: string): string {
  const version = /^\/v1(?:beta1?)?(?=\/)/.exec(path)?.[0];
  return version !== undefined && /\/v1(?:beta1?)?$/.test(baseUrl) ? path.slice(version.length) : path;
}
