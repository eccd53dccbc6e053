import { t } from '@vscode/l10n';
import type { Findings, NamedAddress } from './foundKey.ts';
import { joined } from './foundKey.ts';
import { isOwnToken, judged } from './judgeValue.ts';

/** Variables in which vendors and tools keep keys, with the provider's id in the catalog. */
export const keyVariables: Readonly<Record<string, string>> = {
  OPENAI_API_KEY: 'openai', ANTHROPIC_API_KEY: 'anthropic', ANTHROPIC_AUTH_TOKEN: 'anthropic', CLAUDE_CODE_OAUTH_TOKEN: 'anthropic',
  GEMINI_API_KEY: 'gemini', GOOGLE_API_KEY: 'gemini', GOOGLE_GENERATIVE_AI_API_KEY: 'gemini',
  DEEPSEEK_API_KEY: 'deepseek', MOONSHOT_API_KEY: 'moonshot', KIMI_API_KEY: 'moonshot', OPENROUTER_API_KEY: 'openrouter', MISTRAL_API_KEY: 'mistral', CODESTRAL_API_KEY: 'codestral',
  GROQ_API_KEY: 'groq', XAI_API_KEY: 'xai', ZAI_API_KEY: 'zai', ZHIPUAI_API_KEY: 'zai', DASHSCOPE_API_KEY: 'qwen', MINIMAX_API_KEY: 'minimax', HOLYSHEEP_API_KEY: 'holysheep',
  PERPLEXITY_API_KEY: 'perplexity', PERPLEXITYAI_API_KEY: 'perplexity', TOGETHER_API_KEY: 'together', TOGETHERAI_API_KEY: 'together', TOGETHER_AI_API_KEY: 'together',
  FIREWORKS_API_KEY: 'fireworks', FIREWORKS_AI_API_KEY: 'fireworks', CEREBRAS_API_KEY: 'cerebras', SAMBANOVA_API_KEY: 'sambanova', NVIDIA_API_KEY: 'nvidia', NVIDIA_NIM_API_KEY: 'nvidia',
  HF_TOKEN: 'huggingface', HUGGINGFACE_API_KEY: 'huggingface', HUGGINGFACEHUB_API_TOKEN: 'huggingface', DEEPINFRA_API_KEY: 'deepinfra', DEEPINFRA_TOKEN: 'deepinfra', SILICONFLOW_API_KEY: 'siliconflow',
  AWS_BEARER_TOKEN_BEDROCK: 'bedrock', AZURE_OPENAI_API_KEY: 'azure', AZURE_API_KEY: 'azure',
};

/** Variables with the address that goes with a provider's key, the first that is set. */
const addressVariables: Readonly<Record<string, readonly string[]>> = {
  openai: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'],
  anthropic: ['ANTHROPIC_BASE_URL'],
  gemini: ['GOOGLE_GEMINI_BASE_URL'],
  azure: ['AZURE_OPENAI_ENDPOINT', 'AZURE_API_BASE'],
};

type Variables = Readonly<Record<string, unknown>>;

/** The keys among variables, and the addresses. Only names of the tables are looked at. */
export function keysInVariables(place: string, variables: Variables): Findings {
  return { ...keysAmong(place, variables), addresses: addressesAmong(place, variables) };
}

/** The address of Waybill itself, which stands beside its token, is that of no other key. */
function addressesAmong(place: string, variables: Variables): NamedAddress[] {
  return Object.keys(addressVariables).flatMap(provider => {
    const baseUrl = addressOf(provider, variables);
    const isOwn = Object.entries(keyVariables).some(([name, whose]) => whose === provider && isOwnToken(textOf(variables, name) ?? ''));
    return baseUrl === undefined || isOwn ? [] : [{ place, provider, baseUrl }];
  });
}

function addressOf(provider: string, variables: Variables): string | undefined {
  return addressVariables[provider]?.map(name => textOf(variables, name)).find(one => one !== undefined);
}

function keysAmong(place: string, variables: Variables): Findings {
  return joined(Object.entries(keyVariables).map(([source, provider]) => {
    const value = textOf(variables, source);
    if (value === undefined) return { keys: [], notTaken: [] };
    const address = addressOf(provider, variables);
    if (provider === 'azure') return azure(place, source, value, address);
    return judged({ place, source, value }, provider, address);
  }));
}

/** A key of Azure says nothing without the resource's address, which becomes the endpoint's. */
function azure(place: string, source: string, value: string, address: string | undefined): Findings {
  if (address === undefined) return { keys: [], notTaken: [{ place, source, why: t('has no address of an Azure resource beside it. Use "Add Provider…".') }] };
  const found = judged({ place, source, value }, 'azure', address);
  return { ...found, keys: found.keys.map(key => ({ ...key, provider: 'azure' })) };
}

function textOf(variables: Variables, name: string): string | undefined {
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
