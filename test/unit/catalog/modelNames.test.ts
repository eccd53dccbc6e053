import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalModelName, listedNames, upstreamModelName } from '../../../server/catalog/modelNames.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import type { Provider } from '../../../server/catalog/provider.ts';

function provider(id: string): Provider {
  const found = findProvider(id);
  assert.ok(found !== undefined);
  return found;
}

const spellings: readonly (readonly [string, string])[] = [
  ['gpt-4.1', 'gpt-4.1'],
  ['gpt-4.1-2025-04-14', 'gpt-4.1'],
  ['gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini'],
  ['gpt-4o-2024-08-06', 'gpt-4o'],
  ['o4-mini-2025-04-16', 'o4-mini'],
  ['gpt-4-0613', 'gpt-4-0613'],
  ['gpt-4-1106-preview', 'gpt-4-1106-preview'],
  ['gpt-3.5-turbo-16k', 'gpt-3.5-turbo-16k'],
  ['gpt-6.1-sol', 'gpt-6.1-sol'],
  ['openai/gpt-oss-120b', 'gpt-oss-120b'],
  ['accounts/fireworks/models/glm-5p1', 'glm-5.1'],
  ['accounts/fireworks/models/qwen3p6-plus', 'qwen3.6-plus'],
  ['accounts/fireworks/models/gpt-oss-120b', 'gpt-oss-120b'],
  ['mp3p4-player', 'mp3p4-player'],
  ['@cf/openai/gpt-oss-120b', 'gpt-oss-120b'],
  ['claude-sonnet-4-5', 'claude-sonnet-4.5'],
  ['claude-sonnet-4.5', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-5@20250929', 'claude-sonnet-4.5'],
  ['anthropic/claude-sonnet-4.5', 'claude-sonnet-4.5'],
  ['claude-sonnet-4-20250514', 'claude-sonnet-4'],
  ['claude-3-5-sonnet-20241022', 'claude-3.5-sonnet'],
  ['claude-opus-5-5', 'claude-opus-5.5'],
  ['claude-opus-5', 'claude-opus-5'],
  ['claude-fable-5-1', 'claude-fable-5.1'],
  ['models/gemini-2.5-pro', 'gemini-2.5-pro'],
  ['publishers/google/models/gemini-2.5-flash', 'gemini-2.5-flash'],
  ['gemini-2.5-flash-preview-05-20', 'gemini-2.5-flash-preview-05-20'],
  ['gemini-2.5-flash-preview-10-20', 'gemini-2.5-flash-preview-10-20'],
  ['gemini-2.5-flash-preview-09-2025', 'gemini-2.5-flash-preview-09-2025'],
  ['gemini-3.1-pro-preview', 'gemini-3.1-pro-preview'],
  ['deepseek-v3.2', 'deepseek-v3.2'],
  ['deepseek-v3-2', 'deepseek-v3.2'],
  ['deepseek/deepseek-v4-pro:free', 'deepseek-v4-pro:free'],
  ['deepseek-v4-pro', 'deepseek-v4-pro'],
  ['kimi-k2-6', 'kimi-k2.6'],
  ['kimi-k2-0905-preview', 'kimi-k2-0905-preview'],
  ['kimi-k2.7-code', 'kimi-k2.7-code'],
  ['mistral-medium-3-5', 'mistral-medium-3.5'],
  ['mistral-large-2512', 'mistral-large-2512'],
  ['codestral-2508', 'codestral-2508'],
  ['grok-4.20', 'grok-4.20'],
  ['grok-4-1-fast-reasoning', 'grok-4.1-fast-reasoning'],
  ['grok-code-fast-1', 'grok-code-fast-1'],
  ['qwen/qwen3.6-27b', 'qwen3.6-27b'],
  ['llama-3.3-70b-versatile', 'llama-3.3-70b-versatile'],
  ['meta-llama/llama-4-scout-17b-16e-instruct', 'llama-4-scout-17b-16e-instruct'],
  ['llama3.2:3b', 'llama3.2:3b'],
  ['llama3.2:latest', 'llama3.2'],
  ['MiniMax-M2.7-highspeed', 'minimax-m2.7-highspeed'],
  ['text-embedding-3-small', 'text-embedding-3-small'],
  ['  gpt-4.1 ', 'gpt-4.1'],
];

describe('a canonical model name', () => {
  for (const [spelling, canonical] of spellings) {
    test(`of ${spelling} is ${canonical}`, () => assert.equal(canonicalModelName(spelling), canonical));
  }

  test('is its own canonical name', () => {
    for (const [spelling] of spellings) {
      const once = canonicalModelName(spelling);
      assert.equal(canonicalModelName(once), once);
    }
    for (const odd of ['', '/', 'a-1-2-3-4', 'x-2025-04-14-2025-04-14', 'x-20250414:latest', 'a/b:latest:latest', '-1-2', 'm-20250414-4-5']) {
      assert.equal(canonicalModelName(canonicalModelName(odd)), canonicalModelName(odd), odd);
    }
  });
});

const claudes = ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5-20251120', 'claude-sonnet-4-6', 'claude-haiku-4-5-20251001'];

const upstreamNames: readonly (readonly [title: string, wanted: string, providerId: string, discovered: readonly string[], upstream: string])[] = [
  ['the listed name that reads the same', 'claude-sonnet-4.6', 'anthropic', claudes, 'claude-sonnet-4-6'],
  ['the newest date when only dated names are listed', 'claude-sonnet-4.5', 'anthropic', claudes, 'claude-sonnet-4-5-20251120'],
  ['the very name that was wanted, older date or not', 'claude-sonnet-4-5-20250929', 'anthropic', claudes, 'claude-sonnet-4-5-20250929'],
  ['the undated name before a dated one', 'gpt-4.1', 'openai', ['gpt-4.1-2025-04-14', 'gpt-4.1'], 'gpt-4.1'],
  ['the undated alias in another spelling', 'claude-sonnet-4.5', 'holysheep', ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'], 'claude-sonnet-4-5'],
  ['a name with the maker in front', 'claude-sonnet-4.5', 'openrouter', ['anthropic/claude-sonnet-4.5', 'openai/gpt-4.1'], 'anthropic/claude-sonnet-4.5'],
  ['a name with `models/` in front', 'gemini-2.5-pro', 'gemini', ['models/gemini-2.5-flash', 'models/gemini-2.5-pro'], 'models/gemini-2.5-pro'],
  ['dashes where the provider writes dashes and lists nothing', 'claude-sonnet-4.5', 'anthropic', [], 'claude-sonnet-4-5'],
  ['dashes in the middle of a name', 'claude-3.5-sonnet', 'anthropic', [], 'claude-3-5-sonnet'],
  ['dots where the provider writes dots', 'gpt-4.1', 'openai', [], 'gpt-4.1'],
  ['the maker in front where the provider wants it', 'deepseek-v4-pro', 'openrouter', [], 'deepseek/deepseek-v4-pro'],
  ['the canonical name where nothing is known of its maker', 'glm-4.6', 'openrouter', [], 'glm-4.6'],
  ['the canonical name at a relay without a spelling', 'claude-sonnet-4.5', 'holysheep', [], 'claude-sonnet-4.5'],
  ['the requested spelling, when nothing is listed', 'MiniMax-M2.7-highspeed', 'holysheep', [], 'MiniMax-M2.7-highspeed'],
  ['a pinned date, when nothing is listed', 'claude-sonnet-4-5-20250929', 'anthropic', [], 'claude-sonnet-4-5-20250929'],
  ['the local tag', 'llama3.2', 'ollama', ['llama3.2:latest', 'qwen3:8b'], 'llama3.2:latest'],
  ['never a name that differs in its variant', 'deepseek-v4-pro', 'openrouter', ['deepseek/deepseek-v4-pro:free'], 'deepseek/deepseek-v4-pro'],
];

describe('the upstream model name is', () => {
  for (const [title, requestedModel, providerId, discovered, upstream] of upstreamNames) {
    test(`${title} (${requestedModel} at ${providerId})`, () => assert.equal(upstreamModelName(requestedModel, provider(providerId), listedNames(discovered)), upstream));
  }
});
