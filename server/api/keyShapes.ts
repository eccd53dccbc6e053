/** What keys of one kind look like. */
export interface KeyShape {
  /** Every key of this kind begins with it; empty where only the form of the whole tells. */
  prefix: string;
  /** What follows the prefix; absent: anything. */
  rest?: RegExp;
  /** The vendor, as a person knows it. */
  label: string;
  /** Ids of the providers in the catalog that take such a key; empty where the catalog has none. */
  providers: readonly string[];
  /** No other vendor's keys look like this. */
  certain: boolean;
}

/** Whose key it is, as far as its shape tells. */
export type KeyVendor = Pick<KeyShape, 'label' | 'providers' | 'certain'>;

const openAi = { label: 'OpenAI', providers: ['openai'], certain: true };
const google = { label: 'Google', providers: ['gemini', 'vertex'], certain: true };
const aws = { label: 'AWS', providers: ['bedrock'], certain: true };
const gitHub = { label: 'GitHub', providers: [], certain: true };

/**
 * Shapes of the vendors' keys, the most specific first: the first that fits decides. Sources: the vendors' API references
 * and pages on keys, as collected in November 2026. A shape that several vendors use is not certain.
 */
export const keyShapes: readonly KeyShape[] = [
  { prefix: 'sk-ant-', label: 'Anthropic', providers: ['anthropic'], certain: true },
  { prefix: 'sk-or-', label: 'OpenRouter', providers: ['openrouter'], certain: true },
  { prefix: 'sk-proj-', ...openAi },
  { prefix: 'sk-svcacct-', ...openAi },
  { prefix: 'sk-admin-', ...openAi },
  { prefix: 'sk-', rest: /^[A-Za-z0-9_-]{0,100}T3BlbkFJ[A-Za-z0-9_-]+$/, ...openAi },
  { prefix: 'AIza', rest: /^[A-Za-z0-9_-]{20,}$/, ...google },
  { prefix: 'AQ.', rest: /^[A-Za-z0-9_-]{16,}$/, ...google },
  { prefix: 'ABSK', rest: /^[A-Za-z0-9+/=]{40,}$/, ...aws },
  { prefix: 'bedrock-api-key-', ...aws },
  { prefix: 'AKIA', rest: /^[A-Z0-9]{12,}:/, ...aws },
  { prefix: 'ASIA', rest: /^[A-Z0-9]{12,}:/, ...aws },
  { prefix: 'gsk_', label: 'Groq', providers: ['groq'], certain: true },
  { prefix: 'xai-', label: 'xAI', providers: ['xai'], certain: true },
  { prefix: 'hf_', rest: /^[A-Za-z0-9]{12,}$/, label: 'Hugging Face', providers: ['huggingface'], certain: true },
  { prefix: 'r8_', rest: /^[A-Za-z0-9]{12,}$/, label: 'Replicate', providers: [], certain: true },
  { prefix: 'pplx-', label: 'Perplexity', providers: ['perplexity'], certain: true },
  { prefix: 'nvapi-', label: 'NVIDIA', providers: ['nvidia'], certain: true },
  { prefix: 'csk-', label: 'Cerebras', providers: ['cerebras'], certain: true },
  { prefix: 'tgp_v1_', label: 'Together AI', providers: ['together'], certain: true },
  { prefix: 'fw_', rest: /^[A-Za-z0-9]{12,}$/, label: 'Fireworks AI', providers: ['fireworks'], certain: true },
  { prefix: 'github_pat_', ...gitHub },
  { prefix: 'ghp_', ...gitHub },
  { prefix: 'gho_', ...gitHub },
  { prefix: 'waybill-', rest: /^[A-Za-z0-9_-]{16,}$/, label: 'Waybill', providers: ['waybill'], certain: true },
  { prefix: 'sk-sp-', label: 'Alibaba Coding Plan', providers: [], certain: true },
  { prefix: '{', rest: /"service_account"/, label: 'Google Cloud', providers: ['vertex'], certain: true },
  { prefix: '{', rest: /"(?:SecretAccessKey|secretAccessKey|aws_secret_access_key)"/, ...aws },
  { prefix: 'sk-hs-', label: 'HolySheep', providers: ['holysheep'], certain: false },
  { prefix: 'hs_', label: 'HolySheep', providers: ['holysheep'], certain: false },
  { prefix: 'sk-', rest: /^[0-9a-f]{32}$/, label: 'DeepSeek', providers: ['deepseek', 'qwen'], certain: false },
  { prefix: 'sk-', rest: /^[A-Za-z0-9]{48}$/, label: 'Moonshot Kimi', providers: ['moonshot'], certain: false },
  { prefix: '', rest: /^[0-9a-f]{32}\.[A-Za-z0-9]{16}$/, label: 'Z.ai', providers: ['zai', 'zai-coding-plan'], certain: false },
  { prefix: '', rest: /^[0-9a-fA-F]{32}$/, label: 'Azure OpenAI', providers: ['azure'], certain: false },
  { prefix: '', rest: /^[A-Za-z0-9]{32}$/, label: 'Mistral', providers: ['mistral', 'codestral'], certain: false },
];

/** Servers of the user's own choice, which may want any vendor's key. */
const takesAnyKey: ReadonlySet<string> = new Set(['openai-compatible', 'anthropic-compatible', 'ollama', 'lmstudio', 'vllm', 'llamacpp', 'sglang', 'litellm', 'sandbox']);

/** Whose key this is by its shape; undefined when no shape fits. White space around the key does not count. */
export function vendorOfKey(secret: string): KeyVendor | undefined {
  const key = secret.trim();
  return keyShapes.find(({ prefix, rest }) => key.startsWith(prefix) && (rest === undefined || rest.test(key.slice(prefix.length))));
}

/**
 * The vendor this key certainly belongs to, where that is another one than the provider; undefined when the key may be
 * right. Only for an address that is the provider's own: a relay at an address of the user's takes any key.
 * @param provider id of a provider in the catalog
 */
export function foreignKeyVendor(secret: string, provider: string): string | undefined {
  if (takesAnyKey.has(provider)) return undefined;
  const vendor = vendorOfKey(secret);
  return vendor?.certain === true && !vendor.providers.includes(provider) ? vendor.label : undefined;
}
