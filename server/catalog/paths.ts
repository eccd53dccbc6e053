import type { ProtocolName } from '../api/conversation.ts';
import type { Provider } from './provider.ts';

/** Where an endpoint is; an `EndpointConfig` is one. */
export interface EndpointAddress {
  provider: Provider;
  protocol: ProtocolName;
  /** Without a trailing slash. */
  baseUrl: string;
}

/**
 * The path of a chat call, to be appended to `baseUrl`.
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
      return withoutDoubledVersion(baseUrl, `/v1beta/models/${encodeURIComponent(model)}:${call}`);
    }
  }
}

/** The URL of the cheapest call that proves something about the endpoint. */
export function probeUrl(endpoint: EndpointAddress): string {
  return providerUrl(endpoint, endpoint.provider.probe.path);
}

/** The URL of the model list; undefined when the provider has none. */
export function modelsUrl(endpoint: EndpointAddress): string | undefined {
  const path = endpoint.provider.modelsPath;
  return path === undefined ? undefined : providerUrl(endpoint, path);
}

/**
 * A catalog path belongs to the base URL of the provider's default protocol. An endpoint that speaks another
 * protocol at the provider's own address is asked there all the same; at an address of the user's own, only the
 * model list of that protocol can be hoped for.
 */
function providerUrl({ provider, protocol, baseUrl }: EndpointAddress, path: string): string {
  if (protocol === provider.protocol) return baseUrl + withoutDoubledVersion(baseUrl, path);
  const ownBaseUrl = provider.baseUrls[provider.protocol];
  if (ownBaseUrl !== undefined && baseUrl === provider.baseUrls[protocol]) return ownBaseUrl + withoutDoubledVersion(ownBaseUrl, path);
  return baseUrl + withoutDoubledVersion(baseUrl, listPath[protocol]);
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
