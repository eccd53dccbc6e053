import type { EndpointAddress } from './paths.ts';

/** Calls beside conversations that go to a provider in their own shape. */
export type Operation = 'completion' | 'embedding';

/** Where a provider takes an operation. */
export interface OperationPath {
  /** Relative to a base URL of the OpenAI family. */
  path: string;
  /** It answers a completion in the shape of a chat completion. */
  chatShaped?: boolean;
}

/** Fill-in-the-middle with `prompt` and `suffix`. Source: the providers' references. */
const completions: Readonly<Record<string, OperationPath>> = {
  openai: { path: '/completions' },
  deepseek: { path: '/beta/completions' },
  mistral: { path: '/fim/completions', chatShaped: true },
  codestral: { path: '/fim/completions', chatShaped: true },
  openrouter: { path: '/completions' },
  ollama: { path: '/completions' },
  lmstudio: { path: '/completions' },
  waybill: { path: '/completions' },
  'openai-compatible': { path: '/completions' },
};

const embeddings: Readonly<Record<string, OperationPath>> = {
  openai: { path: '/embeddings' },
  mistral: { path: '/embeddings' },
  ollama: { path: '/embeddings' },
  lmstudio: { path: '/embeddings' },
  together: { path: '/embeddings' },
  vllm: { path: '/embeddings' },
  llamacpp: { path: '/embeddings' },
  waybill: { path: '/embeddings' },
  'openai-compatible': { path: '/embeddings' },
};

/** The URL of an operation at an endpoint; undefined where the endpoint does not offer it. */
export function operationUrl(operation: Operation, endpoint: EndpointAddress): { url: string; chatShaped: boolean } | undefined {
  const { provider, protocol, baseUrl } = endpoint;
  if (protocol !== 'openai-chat' && protocol !== 'openai-responses') return undefined;
  const found = (operation === 'completion' ? completions : embeddings)[provider.id];
  if (found === undefined) return undefined;
  // DeepSeek's beta stands beside its versions, not below them.
  const base = found.path.startsWith('/beta/') ? baseUrl.replace(/\/(?:v1|beta)$/, '') : baseUrl;
  return { url: base + found.path, chatShaped: found.chatShaped === true };
}
