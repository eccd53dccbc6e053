import { bedrock } from './bedrock.ts';
import type { Provider } from './provider.ts';
import { azure, vertex } from './clouds.ts';
import { lmStudio, ollama, sandbox, simulated } from './localProviders.ts';
import { cerebras, cloudflare, deepinfra, fireworks, huggingface, nvidia, sambanova, siliconflow, together } from './openModelClouds.ts';
import { litellm, llamaCpp, sglang, vllm, waybill } from './ownServers.ts';
import { anthropicCompatible, groq, holysheep, openaiCompatible, openrouter } from './relays.ts';
import { anthropic, codestral, deepseek, gemini, mistral, moonshot, openai, perplexity, xai } from './vendors.ts';
import { minimax, qwen, zai, zaiCodingPlan } from './vendorsInChina.ts';

/** Every vendor kind Waybill can speak to, in the order people are shown them. */
export const providers: readonly Provider[] = [
  openai, anthropic, gemini, vertex, bedrock, deepseek, moonshot, holysheep, openrouter, mistral, codestral, groq, xai, azure,
  zai, zaiCodingPlan, qwen, minimax, perplexity, together, fireworks, cerebras, sambanova, nvidia, huggingface, cloudflare, deepinfra, siliconflow,
  ollama, lmStudio, vllm, llamaCpp, sglang, litellm, waybill, openaiCompatible, anthropicCompatible, sandbox, simulated,
];

/** The provider of that id or alias, in any case; undefined when there is none. */
export function findProvider(id: string): Provider | undefined {
  const wanted = id.toLowerCase();
  return providers.find(provider => provider.id === wanted) ?? providers.find(provider => provider.aliases?.includes(wanted));
}
