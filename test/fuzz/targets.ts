import type { FuzzTarget } from './fuzzTarget.ts';
import { openModelTargets } from './openModelTargets.ts';

export const fuzzTargets: readonly FuzzTarget[] = [
  { provider: 'openai', protocol: 'openai-chat', models: ['gpt-4o', 'gpt-4.1', 'o3', 'gpt-5', 'gpt-5.1', 'gpt-5.2'] },
  { provider: 'openai', protocol: 'openai-responses', models: ['gpt-4o', 'o3', 'gpt-5', 'gpt-5.1-codex', 'gpt-5.2', 'gpt-5.6-sol'] },
  { provider: 'anthropic', protocol: 'anthropic-messages', models: ['claude-3-5-haiku-20241022', 'claude-3-7-sonnet-20250219', 'claude-opus-4-1', 'claude-sonnet-4-5', 'claude-opus-4-5', 'claude-opus-4-6', 'claude-opus-4-8', 'claude-sonnet-5-5', 'claude-opus-5-5', 'claude-haiku-5-5'] },
  { provider: 'gemini', protocol: 'gemini', models: ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview', 'gemini-3.8-flash', 'gemini-4-argon'] },
  { provider: 'deepseek', protocol: 'openai-chat', models: ['deepseek-flash'] },
  { provider: 'mistral', protocol: 'openai-chat', models: ['mistral-large-latest', 'codestral-latest'] },
  { provider: 'moonshot', protocol: 'openai-chat', models: ['kimi-k2.6', 'kimi-k3'] },
  { provider: 'groq', protocol: 'openai-chat', models: ['openai/gpt-oss-120b', 'qwen/qwen3-32b'] },
  { provider: 'xai', protocol: 'openai-chat', models: ['grok-4.7', 'grok-3'] },
  { provider: 'xai', protocol: 'openai-responses', models: ['grok-4.7', 'grok-4.20'] },
  ...openModelTargets,
];
