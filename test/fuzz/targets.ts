import type { ModelSettings } from '../../server/api/settings.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { openModelTargets } from './openModelTargets.ts';

const window = (contextWindow: number): ModelSettings => ({ contextWindow });
const served = { models: ['qwen3-vl-8b', 'qwen3.5-35b-a3b', 'devstral-small-2', 'gemma3-12b'], facts: { 'qwen3-vl-8b': window(32_768), 'qwen3.5-35b-a3b': window(262_144), 'devstral-small-2': window(131_072), 'gemma3-12b': window(131_072) } } as const;

export const fuzzTargets: readonly FuzzTarget[] = [
  { provider: 'openai', protocol: 'openai-chat', models: ['gpt-4o', 'gpt-4.1', 'o3', 'gpt-5', 'gpt-5.1', 'gpt-5.2'] },
  { provider: 'openai', protocol: 'openai-responses', models: ['gpt-4o', 'o3', 'gpt-5', 'gpt-5.1-codex', 'gpt-5.2', 'gpt-5.6-sol'] },
  { provider: 'anthropic', protocol: 'anthropic-messages', models: ['claude-3-5-haiku-20241022', 'claude-3-7-sonnet-20250219', 'claude-opus-4-1', 'claude-sonnet-4-5', 'claude-opus-4-5', 'claude-opus-4-6', 'claude-opus-4-8', 'claude-sonnet-5-5', 'claude-opus-5-5', 'claude-haiku-5-5'] },
  { provider: 'gemini', protocol: 'gemini', models: ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview', 'gemini-3.8-flash', 'gemini-4-argon'] },
  { provider: 'deepseek', protocol: 'openai-chat', models: ['deepseek-flash'] },
  { provider: 'deepseek', protocol: 'anthropic-messages', models: ['deepseek-flash'] },
  { provider: 'mistral', protocol: 'openai-chat', models: ['mistral-large-latest', 'codestral-latest'] },
  { provider: 'moonshot', protocol: 'openai-chat', models: ['kimi-k2.6', 'kimi-k3'] },
  { provider: 'groq', protocol: 'openai-chat', models: ['openai/gpt-oss-120b', 'qwen/qwen3-32b'] },
  { provider: 'xai', protocol: 'openai-chat', models: ['grok-4.7', 'grok-3'] },
  { provider: 'xai', protocol: 'openai-responses', models: ['grok-4.7', 'grok-4.20'] },
  ...openModelTargets,
  { provider: 'vllm', protocol: 'openai-chat', ...served },
  { provider: 'sglang', protocol: 'openai-chat', ...served },
  { provider: 'sglang', protocol: 'anthropic-messages', ...served },
  { provider: 'llamacpp', protocol: 'openai-chat', ...served },
  { provider: 'ollama', protocol: 'openai-chat', ...served },
  { provider: 'ollama', protocol: 'anthropic-messages', ...served },
  { provider: 'lmstudio', protocol: 'openai-chat', ...served },
  { provider: 'lmstudio', protocol: 'openai-responses', ...served },
  { provider: 'openrouter', protocol: 'openai-chat', models: ['openai/gpt-4o', 'openai/gpt-5.2', 'anthropic/claude-opus-4.6', 'google/gemini-2.5-pro', 'z-ai/glm-5.2'] },
  { provider: 'openrouter', protocol: 'anthropic-messages', models: ['anthropic/claude-sonnet-4.5', 'anthropic/claude-opus-4.8'] },
  { provider: 'holysheep', protocol: 'openai-chat', models: ['gpt-4.1', 'gpt-5.2', 'claude-sonnet-4.5', 'gemini-2.5-flash', 'deepseek-v3.2'] },
  { provider: 'holysheep', protocol: 'anthropic-messages', models: ['claude-sonnet-4-5'] },
  { provider: 'litellm', protocol: 'openai-chat', models: ['gpt-4o', 'gpt-5.2', 'claude-sonnet-4-5', 'gemini-2.5-pro'] },
  { provider: 'litellm', protocol: 'anthropic-messages', models: ['claude-sonnet-4-5'] },
  { provider: 'waybill', protocol: 'openai-chat', models: ['chat'] },
  { provider: 'waybill', protocol: 'openai-responses', models: ['chat'] },
  { provider: 'waybill', protocol: 'anthropic-messages', models: ['claude'] },
  { provider: 'waybill', protocol: 'gemini', models: ['chat'] },
];
