import type { Provider } from './provider.ts';
import { lmStudio, ollama, sandbox } from './localProviders.ts';
import { anthropicCompatible, groq, holysheep, openaiCompatible, openrouter } from './relays.ts';
import { anthropic, deepseek, gemini, mistral, moonshot, openai, xai } from './vendors.ts';

/** Every vendor kind Switchyard can speak to, in the order people are shown them. */
export const providers: readonly Provider[] = [
  openai, anthropic, gemini, deepseek, moonshot, holysheep, openrouter, mistral, groq, xai,
  ollama, lmStudio, openaiCompatible, anthropicCompatible, sandbox,
];

/** The provider of that id or alias, in any case; undefined when there is none. */
export function findProvider(id: string): Provider | undefined {
  const wanted = id.toLowerCase();
  return providers.find(provider => provider.id === wanted) ?? providers.find(provider => provider.aliases?.includes(wanted));
}
